"""[depth_sensor]: where projectors stand, what they leave alone, and wrong values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.depth_sensor import DepthSensorSpec
from pipeline.spec.draw import draw_scene
from pipeline.spec.fields import render_fields, truth_fields
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import SceneSpec

Load = Callable[..., DatasetSpec]


def projector(**changes: Any) -> dict[str, Any]:
    return {"name": "left", "baseline_m": 0.1, **changes}


def test_without_projectors_nothing_changes(load: Load):
    scene = draw_scene(load(), 3)
    assert scene.depth_sensor is None
    assert "depth_sensor" not in truth_fields(scene)
    old = {name: value for name, value in to_dict(scene).items() if name != "depth_sensor"}
    assert from_dict(SceneSpec, old) == scene


def test_a_sensor_reaches_the_truth_and_nothing_else(load: Load):
    spec = load("depth_sensor", {"projectors": [projector()], "range_stops": 9.0})
    plain, sensed = draw_scene(load(), 3), draw_scene(spec, 3)
    assert dataclasses.replace(sensed, depth_sensor=None) == plain
    assert render_fields(sensed) == render_fields(plain)
    assert from_dict(DepthSensorSpec, truth_fields(sensed)["depth_sensor"]) == sensed.depth_sensor
    assert sensed.depth_sensor is not None
    assert (sensed.depth_sensor.headroom_stops, sensed.depth_sensor.range_stops) == (1.0, 9.0)


@pytest.mark.parametrize(
    ("direction", "ahead", "expected"),
    [(0.0, 0.0, (0.1, 0.0, 0.0)), (180.0, 0.05, (-0.1, 0.0, 0.05)), (90.0, 0.0, (0.0, 0.1, 0.0))],
)
def test_projectors_stand_where_the_picture_shows_them(load: Load, direction, ahead, expected):
    spec = load("depth_sensor.projectors", [projector(direction_deg=direction, ahead_m=ahead)])
    sensor = draw_scene(spec, 0).depth_sensor
    assert sensor is not None
    assert sensor.projectors[0].offset_m == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("projectors", "said"),
    [
        ([projector(name="Left one")], "characters a-z"),
        ([projector(), projector()], "a name of its own"),
        ([projector(name=f"p{k}") for k in range(9)], "at most 8"),
        ([projector(baseline_m=-1.0)], "baseline_m"),
        ([{"name": "left"}], "baseline_m"),
    ],
)
def test_wrong_projectors_are_refused(load: Load, projectors, said):
    with pytest.raises(InputError, match=said):
        load("depth_sensor.projectors", projectors)
