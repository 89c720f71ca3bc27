"""[glass]: drawn panes, what they leave alone, and wrong values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.fields import photo_fields, render_fields, scene_of_render_fields
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import SceneSpec

Load = Callable[..., DatasetSpec]
GLASS: dict[str, Any] = {"probability": 1.0, "kinds": {"window": 1.0}}


def test_without_the_section_there_is_no_pane_and_old_scenes_can_be_read(load: Load):
    scene = draw_scene(load(), 3)
    assert scene.glass is None
    old = {name: value for name, value in to_dict(scene).items() if name != "glass"}
    assert from_dict(SceneSpec, old) == scene


def test_a_pane_changes_nothing_else_of_a_scene(load: Load):
    for index in range(20):
        plain, glazed = draw_scene(load(), index), draw_scene(load("glass", GLASS), index)
        assert glazed.glass is not None
        assert dataclasses.replace(glazed, glass=None) == plain


def test_panes_follow_the_table_and_repeat(load: Load):
    spec = load("glass", GLASS)
    panes = [draw_scene(spec, index).glass for index in range(150)]
    assert panes == [draw_scene(spec, index).glass for index in range(150)]
    assert {pane.kind for pane in panes} == {"window"}
    assert {pane.refractive_index for pane in panes} == {1.5}
    assert {pane.distance_m for pane in panes} == {None}
    for values, (low, high) in (
        ([pane.thickness_m for pane in panes], (0.002, 0.004)),
        ([np.rad2deg(pane.tilt_rad) for pane in panes], (0.0, 30.0)),
        ([pane.share for pane in panes], (0.2, 0.5)),
        ([np.rad2deg(pane.tilt_azimuth_rad) for pane in panes], (0.0, 360.0)),
    ):
        assert low - 1e-9 <= min(values) < low + 0.05 * (high - low)
        assert high + 1e-9 >= max(values) > high - 0.05 * (high - low)


def test_the_spec_overrides_the_table(load: Load):
    own = {**GLASS, "thickness_mm": 10.0, "refractive_index": 1.7, "tilt_deg": 45.0, "distance_m": 0.3}
    pane = draw_scene(load("glass", own), 0).glass
    assert pane is not None
    assert (pane.thickness_m, pane.refractive_index, pane.distance_m) == (0.01, 1.7, 0.3)
    assert np.rad2deg(pane.tilt_rad) == pytest.approx(45.0)


def test_its_probability_is_that_of_the_spec(load: Load):
    spec = load("glass", {**GLASS, "probability": 0.3})
    share = np.mean([draw_scene(spec, index).glass is not None for index in range(500)])
    assert share == pytest.approx(0.3, abs=0.07)


def test_the_render_reads_it_and_the_photos_do_not(load: Load):
    plain, glazed = draw_scene(load(), 0), draw_scene(load("glass", GLASS), 0)
    assert scene_of_render_fields(render_fields(glazed)).glass == glazed.glass
    assert photo_fields(plain) == photo_fields(glazed)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("probability", 1.5, "glass.probability: expected 1 or less"),
        ("kinds", {"windw": 1.0}, 'found "windw"; did you mean "window"?'),
        ("kinds", {"window": 0.4}, "expected weights that sum to 1"),
        ("thickness_mm", 0.0, "glass.thickness_mm: expected 0.05 to 100; found 0"),
        ("thickness_mm", [-1.0, 4.0], "glass.thickness_mm[0]: expected 0.05 to 100; found -1"),
        ("refractive_index", 0.9, "glass.refractive_index: expected 1 to 3; found 0.9"),
        ("tilt_deg", 90.0, "glass.tilt_deg: expected 0 to 80; found 90"),
        ("distance_m", -0.2, "glass.distance_m: expected 0.002 to 100; found -0.2"),
        ("colour", "green", 'found the unknown key "colour"'),
    ],
)
def test_wrong_values_are_named(load: Load, key: str, value: Any, message: str):
    with pytest.raises(InputError) as error:
        load("glass", {**GLASS, key: value})
    assert message in str(error.value)
