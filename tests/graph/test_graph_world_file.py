"""The user's environment image in plans: looked through before anything is rendered, and part of the render's key."""

from __future__ import annotations

import numpy as np
import pytest
from support.fake_builds import FAKE_STAGES, write_spec

from pipeline.bundle import write_exr
from pipeline.errors import InputError
from pipeline.graph.plan import WORLD_FILE, catalog_of, plan_build
from pipeline.spec.fields import scene_of_render_fields
from pipeline.spec.load import load_spec


def spec_with_image(folder, radiance):
    path = write_spec(folder, scenes=1)
    write_exr(folder / "hall.exr", {axis: np.full((8, 16), radiance, np.float32) for axis in "RGB"})
    before, after = path.read_text().split("[surroundings]\n")
    rest = "\n[" + after.split("\n[", 1)[1]
    ours = '[surroundings]\nweights = { our_hall = 1.0 }\nfiles = { our_hall = "hall.exr" }\n'
    path.write_text(before + ours + rest)
    return path


def plan(path):
    loaded = load_spec(path)
    return next(plan_build(loaded, catalog_of(loaded, FAKE_STAGES)))


def render_action(made):
    return next(action for action in made.actions if action.stage == "render")


def test_the_image_is_an_input_of_the_render_by_its_content(tmp_path):
    path = spec_with_image(tmp_path / "spec", 1.0)
    first = plan(path)
    action = render_action(first)
    assert action.files == {WORLD_FILE: str(tmp_path / "spec" / "hall.exr")}
    assert scene_of_render_fields(dict(action.fields)).surroundings == first.scene.surroundings
    assert plan(path).keys == first.keys
    spec_with_image(tmp_path / "spec", 2.0)
    changed = plan(path)
    assert changed.keys["render"] != first.keys["render"]
    assert changed.parts == first.parts


def test_an_image_with_nan_stops_the_plan(tmp_path):
    path = spec_with_image(tmp_path / "spec", float("nan"))
    with pytest.raises(InputError, match=r"hall\.exr: expected finite radiance"):
        plan(path)


def test_surroundings_of_the_table_need_no_file(tmp_path):
    assert render_action(plan(write_spec(tmp_path / "spec", scenes=1))).files == {}
