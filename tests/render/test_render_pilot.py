"""Samples chosen by the render child: deterministic, written down, and without a trace in the pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import render_scenes as rs

from pipeline import bundle
from pipeline.records import read_json, write_json
from pipeline.render.job import JOB_FILE
from pipeline.render.launch import render_in_child

FILES = ("light.exr", "terms.exr", "depth.exr", "normal.exr", "reflection.exr", "instance.png")


def render(folder: Path, **changes) -> Path:
    """The bundle of the analytic scene with these changes to its render settings."""
    rs.write_job(folder / "job", width=64, height=48, samples=64)
    job = read_json(folder / "job" / JOB_FILE)
    job["render"] |= changes
    write_json(folder / "job" / JOB_FILE, job)
    (folder / "out").mkdir()
    render_in_child(folder / "job", folder / "out", threads=2, timeout_s=300)
    return folder / "out"


@pytest.fixture(scope="module")
def chosen(tmp_path_factory) -> Path:
    budget = {"least": 8, "most": 64, "tolerated": 0.25}
    return render(tmp_path_factory.mktemp("auto"), budget=budget)


def test_the_choice_is_written_down(chosen: Path) -> None:
    made = bundle.load_bundle(chosen)
    choice = made.samples_choice
    assert made.samples == choice.samples
    assert 8 <= choice.samples < 64
    assert choice.samples in {choice.wanted, choice.least}
    assert choice.denoised <= choice.tolerated
    assert choice.pilot_denoised > 0
    assert choice.pilot_untouched > 0


def test_a_tighter_budget_takes_more_samples_up_to_the_limit(chosen: Path, tmp_path: Path) -> None:
    tight = bundle.load_bundle(render(tmp_path, budget={"least": 8, "most": 24, "tolerated": 1e-3}))
    assert tight.samples == tight.samples_choice.most == 24 < tight.samples_choice.wanted
    assert tight.samples_choice.pilot_untouched == bundle.load_bundle(chosen).samples_choice.pilot_untouched


def test_pilots_leave_no_trace(chosen: Path, tmp_path: Path) -> None:
    samples = bundle.load_bundle(chosen).samples
    by_hand = render(tmp_path, samples=samples)
    assert bundle.load_bundle(by_hand).samples_choice is None
    for name in FILES:
        pair = [(bundle.view_folder(out, 0) / name).read_bytes() for out in (chosen, by_hand)]
        assert pair[0] == pair[1], name
