"""`plan --explain`: what would be made, and why."""

from __future__ import annotations

import shutil

import pytest
from support.fake_builds import write_spec

from pipeline.graph import fake
from pipeline.graph.build import BuildOptions, build_dataset
from pipeline.graph.estimate import ASSUMED_SECONDS, plan_dataset
from pipeline.graph.keys import tools_of


@pytest.fixture
def out(tmp_path, spec):
    build_dataset(spec, tmp_path / "dataset", BuildOptions(sync=True, quiet=True))
    return tmp_path / "dataset"


@pytest.fixture(autouse=True)
def _fresh_tools():
    tools_of.cache_clear()
    yield
    tools_of.cache_clear()


def plan(spec, out, **options):
    """(reasons by "label stage", the summary's lines)."""
    told = []
    lines = list(plan_dataset(spec, out, BuildOptions(workers=1, **options), told.append))
    return dict(line.split(": ", 1) for line in told), lines


def counts(lines):
    return {line.split()[0]: (int(line.split()[1]), int(line.split()[3])) for line in lines[1:5]}


def test_before_the_first_build_everything_is_to_do(spec, tmp_path):
    reasons, lines = plan(spec, tmp_path / "none")
    assert lines[0] == "tiny: 5 scenes, 10 photos"
    assert counts(lines) == {"part": (0, 2), "render": (0, 5), "truth": (0, 5), "photos": (0, 5)}
    assert set(reasons.values()) == {"not built yet"}
    assumed = 2 * ASSUMED_SECONDS["part"] + 5 * ASSUMED_SECONDS["render"]
    assert lines[5] == f"about {assumed // 60:.0f} min {assumed % 60:.0f} s with 1 worker, partly from assumed times"
    assert not (tmp_path / "none").exists()


def test_after_a_build_nothing_is_to_do(spec, out):
    reasons, lines = plan(spec, out)
    assert reasons == {}
    assert lines[-1] == "nothing to do"


def test_a_changed_field_is_named_with_both_values(spec, out):
    write_spec(spec.parent, exposure=0.75)
    reasons, lines = plan(spec, out)
    assert reasons["tiny-000002 photos"] == "photos[1].exposure_ev: 0.5 -> 0.75"
    assert counts(lines) == {"part": (2, 0), "render": (5, 0), "truth": (5, 0), "photos": (0, 5)}
    assert lines[-1].endswith("from recorded times")


def test_what_follows_from_a_changed_render_says_so(spec, out):
    write_spec(spec.parent, samples=16)
    reasons, _ = plan(spec, out)
    assert reasons["tiny-000000 render"] == "render.samples: 8 -> 16"
    assert reasons["tiny-000000 photos"] == "input render is changed"


def test_a_changed_part_is_named_by_what_needs_it(spec, out):
    (spec.parent / "one.stl").write_text("solid changed\n")
    reasons, _ = plan(spec, out)
    assert reasons["one part"].startswith("sha256: ")
    assert "two part" not in reasons
    renders = {reason for name, reason in reasons.items() if name.endswith("render")}
    assert renders == {"input part one is changed"}


def test_versions_of_stages_and_tools_are_named(spec, out, monkeypatch):
    monkeypatch.setattr(fake.FakeTruth, "version", 2)
    monkeypatch.setattr(fake.FakePhotos, "tools", lambda self: {"fake": "1.1"})
    tools_of.cache_clear()
    reasons, _ = plan(spec, out)
    assert reasons["tiny-000000 truth"] == "stage version: 1 -> 2"
    assert reasons["tiny-000000 photos"] == "tool fake: 1 -> 1.1"


def test_a_new_scene_and_a_removed_output_are_told_apart(spec, out):
    write_spec(spec.parent, scenes=6)
    photos = next((out / "store" / "photos").glob("*/*"))
    shutil.rmtree(photos)
    reasons, _ = plan(spec, out)
    assert reasons["tiny-000005 render"] == "not built yet"
    removed = [reason for name, reason in reasons.items() if name.endswith("photos") and "000005" not in name]
    assert removed == ["its output was removed from the store"]
