"""[render.reflections]: what scenes take of it, scenes from before it, and wrong values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.fields import render_fields, truth_fields
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import ReflectionsSpec, SceneSpec

Load = Callable[..., DatasetSpec]


def test_scenes_take_the_section_and_only_the_render_reads_it(load: Load) -> None:
    plain = draw_scene(load(), 2)
    twice = draw_scene(load("render", {"reflections": {"bounces": 2, "rough_rays": 0}}), 2)
    assert plain.render.reflections == ReflectionsSpec(1, 16)
    assert twice.render.reflections == ReflectionsSpec(2, 0)
    assert render_fields(plain) != render_fields(twice)
    assert truth_fields(plain) == truth_fields(twice)


def test_samples_by_noise_follow_reflections_as_well(load: Load) -> None:
    scene = draw_scene(load("render", {"samples": "auto", "reflections": {"bounces": 2}}), 0)
    assert scene.render.reflections.bounces == 2
    assert scene.render.budget is not None


def test_scenes_from_before_the_section_can_be_read(load: Load) -> None:
    scene = draw_scene(load(), 1)
    old = to_dict(scene)
    del old["render"]["reflections"]
    assert from_dict(SceneSpec, old) == scene


@pytest.mark.parametrize(("key", "value"), [("bounces", 3), ("rough_rays", 8), ("samples", 4)])
def test_wrong_values_are_named(load: Load, key: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"render\.reflections\.{key}"):
        load("render", {"reflections": {key: value}})
