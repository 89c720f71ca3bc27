"""[painted]: which pictures scenes use, what they leave alone, and wrong values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.draw_painted import TABLES
from pipeline.spec.fields import photo_fields, render_fields, scene_of_render_fields, truth_fields
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import SceneSpec

Load = Callable[..., DatasetSpec]
BENCH = {"name": "bench", "kind": "surface", "prompt": "scratched steel bench", "count": 3}
HALL = {"name": "hall", "kind": "backdrop", "prompt": "machine hall", "count": 2, "width_m": 4.0}
PAINTED = {"surface_probability": 1.0, "backdrop_probability": 0.5, "pictures": [BENCH, HALL]}


def test_without_pictures_there_are_none_and_old_scenes_can_be_read(load: Load):
    for spec in (load(), load("painted", {"surface_probability": 1.0})):
        scene = draw_scene(spec, 3)
        assert scene.painted is None
        assert "painted" not in render_fields(scene)
        old = {name: value for name, value in to_dict(scene).items() if name != "painted"}
        assert from_dict(SceneSpec, old) == scene


def test_pictures_change_nothing_else_of_a_scene(load: Load):
    for index in range(20):
        plain, painted = draw_scene(load(), index), draw_scene(load("painted", PAINTED), index)
        assert dataclasses.replace(painted, painted=None) == plain
        assert (photo_fields(painted), truth_fields(painted)) == (photo_fields(plain), truth_fields(plain))
        assert scene_of_render_fields(render_fields(painted)).painted == painted.painted


def test_surfaces_lie_on_tables_only_and_every_picture_is_used(load: Load):
    spec = load("painted", PAINTED)
    seen, seeds = set(), {}
    for index in range(120):
        scene = draw_scene(spec, index)
        painted = scene.painted
        surface = None if painted is None else painted.surface
        assert (surface is not None) == (scene.arrangement.kind in TABLES)
        for picture in painted.pictures().values() if painted else ():
            seen.add(picture.picture_id)
            assert seeds.setdefault(picture.picture_id, picture.seed) == picture.seed
            assert picture.width_m == (4.0 if picture.name == "hall" else 0.3)
    assert seen == {"bench-0", "bench-1", "bench-2", "hall-0", "hall-1"}
    assert len(set(seeds.values())) == 5


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"pictures": [{**BENCH, "kind": "floor"}]}, "surface"),
        ({"pictures": [{**BENCH, "count": 0}]}, "count"),
        ({"pictures": [{**BENCH, "prompt": "  "}]}, "not empty"),
        ({"pictures": [{**BENCH, "name": "../x"}]}, "characters a-z"),
        ({"pictures": [{**BENCH, "width_m": 0.0}]}, "width_m"),
        ({"pictures": [BENCH, BENCH]}, "name of its own"),
        ({"width": 500}, "multiple of 64"),
        ({"height": 2048}, "64 to 1024"),
        ({"model": "/x/y.safetensors"}, "never a path"),
        ({"scheduler": "heun"}, "ddim"),
    ],
)
def test_wrong_values_are_named(load: Load, value: Any, said: str):
    with pytest.raises(InputError, match=said):
        load("painted", value)
