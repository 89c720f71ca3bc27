"""Surroundings in a spec: tasks of EN 12464-1, lux, the user's own images, and what is refused."""

from __future__ import annotations

import math

import pytest

from pipeline import tables
from pipeline.errors import InputError
from pipeline.spec.draw import draw_scene
from pipeline.spec.files import resolve_image_file

IMAGES = {"weights": {"our_hall": 1.0}, "files": {"our_hall": "hdri/hall.exr"}}


@pytest.fixture
def image(folder):
    (folder / "hdri").mkdir()
    path = folder / "hdri" / "hall.exr"
    path.write_text("not read here")
    return path


def test_a_task_lights_as_the_standard_asks_whatever_the_rig_gives(load):
    base = {"weights": {"hall": 1.0}}
    scene = draw_scene(load("surroundings", {**base, "task": "fine_machining"}), 3)
    lux = draw_scene(load("surroundings", {**base, "illuminance_lux": 500.0}), 3)
    ratio = scene.surroundings.illuminance_ratio
    assert ratio * scene.rigs[0].illuminance_lux == pytest.approx(500.0)
    assert lux.surroundings == scene.surroundings  # the same draw: only the way of saying it differs


def test_unknown_tasks_and_two_ways_at_once_are_refused(load):
    base = {"weights": {"hall": 1.0}}
    with pytest.raises(InputError, match=r'one of fine_machining, storage; found "fine_milling"'):
        load("surroundings", {**base, "task": "fine_milling"})
    with pytest.raises(InputError, match="at most one of illuminance_ratio, illuminance_lux and task"):
        load("surroundings", {**base, "task": "storage", "illuminance_lux": 300.0})


def test_the_shipped_tasks_are_those_of_the_standard():
    lux = {name: row["lux"] for name, row in tables.table("illuminance").items()}
    assert (lux["storage"], lux["medium_machining"], lux["fine_machining"], lux["toolmaking"]) == (100, 300, 500, 1000)
    assert all(
        math.isfinite(value) and row["desc"]
        for value, row in zip(lux.values(), tables.table("illuminance").values(), strict=True)
    )


def test_a_user_s_image_is_named_drawn_and_found(load, image, folder):
    spec = load("surroundings", IMAGES)
    drawn = draw_scene(spec, 0).surroundings
    assert (drawn.name, drawn.file) == ("our_hall", "hdri/hall.exr")
    assert resolve_image_file("hdri/hall.exr", spec.folder) == image.resolve()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("hdri/none.exr", r"hdri.*none\.exr.*does not exist"),
        ("../outside.step", "relative path"),
        ("notes.txt", r"ends in one of \.exr, \.hdr"),
    ],
)
def test_images_that_are_not_there_or_not_allowed_are_refused(load, image, file, message):
    with pytest.raises(InputError, match=message):
        load("surroundings", {**IMAGES, "files": {"our_hall": file}})


def test_an_image_may_not_take_a_name_of_the_table(load, image):
    with pytest.raises(InputError, match="names of your own"):
        load("surroundings", {"weights": {"hall": 1.0}, "files": {"hall": "hdri/hall.exr"}})
