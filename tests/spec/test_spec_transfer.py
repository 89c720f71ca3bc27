"""[transfer]: what is drawn for photos, what it leaves alone, and wrong values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.fields import photo_fields, render_fields, truth_fields
from pipeline.spec.load import load_spec
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import SceneSpec
from pipeline.spec.transfer import strengths_from

Load = Callable[..., DatasetSpec]


def test_without_the_section_there_is_none_and_old_scenes_can_be_read(load: Load):
    scene = draw_scene(load(), 3)
    assert scene.transfer is None
    old = {name: value for name, value in to_dict(scene).items() if name != "transfer"}
    assert from_dict(SceneSpec, old) == scene


def test_a_single_word_is_enough_and_changes_nothing_else(load: Load):
    for index in range(10):
        plain, moved = draw_scene(load(), index), draw_scene(load("transfer", "auto"), index)
        assert moved.transfer is not None
        assert dataclasses.replace(moved, transfer=None) == plain
        for fields in (render_fields, photo_fields, truth_fields):
            assert fields(moved) == fields(plain)
        assert from_dict(SceneSpec, to_dict(moved)) == moved


def test_every_photo_has_a_seed_of_its_own_and_keeps_it(load: Load):
    whole = load("transfer", {"use": "required", "prompts": ["one {metals}", "two"]})
    half = load("transfer", {"use": "required", "prompts": ["one {metals}", "two"], "probability": 0.5})
    seeds, templates, chosen, all_of_them = set(), set(), 0, 0
    for index in range(40):
        scene, fewer = draw_scene(whole, index), draw_scene(half, index)
        assert [(p.view_index, p.photo_index) for p in scene.transfer.photos] == [
            (p.view_index, p.photo_index) for p in scene.photos
        ]
        assert set(fewer.transfer.photos) <= set(scene.transfer.photos)
        chosen, all_of_them = chosen + len(fewer.transfer.photos), all_of_them + len(scene.photos)
        seeds |= {photo.seed for photo in scene.transfer.photos}
        templates |= {photo.template for photo in scene.transfer.photos}
    assert len(seeds) == all_of_them
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert templates == {"one {metals}", "two"}
    assert 0.3 < chosen / all_of_them < 0.7


def test_frames_of_clips_stay_as_they_are(load: Load):
    spec = load("clips.probability", 1.0)
    spec = spec.model_copy(update={"transfer": load("transfer", "auto").transfer})
    scene = draw_scene(spec, 0)
    assert scene.clip is not None
    assert scene.transfer.photos == ()


def test_the_ladder_begins_at_the_strength(load: Load):
    assert strengths_from(0.2) == (0.2, 0.12)
    assert strengths_from(0.3) == (0.3, 0.2, 0.12)
    assert strengths_from(0.1) == (0.1,)
    spec = load("transfer", {"use": "auto", "strength": 0.25, "ladder": [0.25, 0.1]})
    assert draw_scene(spec, 0).transfer.strengths == (0.25, 0.1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("maybe", "off"),
        ({"use": "auto", "strength": 0.0}, "transfer.strength"),
        ({"use": "auto", "strength": 1.5}, "transfer.strength"),
        ({"use": "auto", "ladder": [0.1, 0.2]}, "lower than the one before"),
        ({"use": "auto", "prompts": ["a {metal}"]}, "categories, metals"),
        ({"use": "auto", "prompts": []}, "transfer.prompts"),
        ({"use": "auto", "model": "../weights.safetensors"}, "never a path"),
        ({"use": "auto", "loras": {"/tmp/x": 1.0}}, "never a path"),
        ({"use": "auto", "scheduler": "heun"}, "ddim"),
        ({"use": "auto", "protect": ["everything"]}, "defects"),
        ({"use": "auto", "protect_processes": ["no_such"]}, "processes"),
        ({"use": "auto", "tiles": {"tile_px": 500}}, "multiples of 64"),
        ({"use": "auto", "tiles": {"overlap_px": 512, "tile_px": 512}}, "at most half"),
        ({"use": "auto", "controls": [{"kind": "depth", "model": "a"}, {"kind": "depth", "model": "b"}]}, "once"),
        ({"use": "auto", "batch": 4}, "batch"),
    ],
)
def test_wrong_values_are_named(load: Load, value: Any, said: str):
    with pytest.raises(InputError, match=said):
        load("transfer", value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scheduler": "lcm", "unet_calls": 10}, "at most 6 UNet calls of scheduler 'lcm' at strength 0.12"),
        ({"scheduler": "tcd", "unet_calls": 11, "ladder": []}, "at most 10 .* at strength 0.2; found unet_calls = 11"),
        ({"scheduler": "dpmpp_2m_karras", "unet_calls": 1}, "Karras' spacing can begin near strength 0.2"),
        ({"scheduler": "ddim", "unet_calls": 121}, "at most 120 UNet calls"),
    ],
)
def test_more_calls_than_the_scheduler_has_at_any_step_of_the_ladder_are_refused(load: Load, changes: Any, said: str):
    with pytest.raises(InputError, match=f"transfer: expected .*{said}"):
        load("transfer", {"use": "auto", **changes})


def test_what_a_scheduler_can_make_at_every_step_is_taken(load: Load):
    for changes in (
        {"unet_calls": 6},
        {"unet_calls": 10, "ladder": [0.3]},
        {"unet_calls": 10, "strength": 0.2, "ladder": []},
    ):
        assert load("transfer", {"use": "auto", "scheduler": "lcm", **changes}).transfer.scheduler == "lcm"


def test_more_painting_steps_than_a_distilled_scheduler_knows_are_refused(load: Load):
    with pytest.raises(InputError, match=r"painted: expected at most 50 UNet calls.*found steps = 51"):
        load("painted", {"scheduler": "lcm", "steps": 51})


def test_photos_too_small_for_the_networks(load: Load, folder: Path):
    load("cameras.resolution", [96, 32])
    file = folder / "my.toml"
    file.write_text('transfer = "auto"\n' + file.read_text())
    with pytest.raises(InputError, match="at least 64 pixels a side for transfer"):
        load_spec(file)
