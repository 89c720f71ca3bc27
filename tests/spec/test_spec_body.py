"""Which camera takes a photo, how warm it is, and whether its RAW file is kept."""

from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.scene import BodySpec, PhotoSpec


def _bodies(spec) -> list[BodySpec]:
    return [photo.body for index in range(20) for photo in draw_scene(spec, index).photos]


def test_serials_and_temperatures_lie_within_what_the_spec_says(load) -> None:
    bodies = _bodies(load("photos.cameras_per_sensor", 3))
    assert {body.serial for body in bodies} == {"0001", "0002", "0003"}
    assert {body.serial for body in _bodies(load("photos.cameras_per_sensor", 1))} == {"0001"}
    warm = [body.temperature_c for body in _bodies(load("photos.sensor_temperature_c", [30.0, 60.0]))]
    assert 30.0 <= min(warm) < 35.0
    assert 55.0 < max(warm) <= 60.0


def test_another_number_of_cameras_changes_nothing_else(load) -> None:
    few, many = (draw_scene(load("photos.cameras_per_sensor", count), 3) for count in (1, 50))
    strip = [tuple(replace(photo, body=BodySpec()) for photo in scene.photos) for scene in (few, many)]
    assert strip[0] == strip[1]
    assert few.photos != many.photos


def test_raw_is_kept_when_asked_for(load) -> None:
    assert not any(photo.raw for photo in draw_scene(load(), 0).photos)
    assert all(photo.raw for photo in draw_scene(load("photos.raw", True), 0).photos)


def test_a_photo_of_an_older_scene_has_the_first_camera(load) -> None:
    old = to_dict(draw_scene(load(), 0).photos[0])
    del old["body"], old["raw"]
    photo = from_dict(PhotoSpec, old)
    assert (photo.body, photo.raw) == (BodySpec("0001", 25.0), False)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("photos.cameras_per_sensor", 0, "photos.cameras_per_sensor: expected 1 or more"),
        ("photos.sensor_temperature_c", [20.0, 300.0], r"photos.sensor_temperature_c.*-40 to 85"),
    ],
)
def test_impossible_cameras_are_refused(load, key, value, message) -> None:
    with pytest.raises(InputError, match=message):
        load(key, value)
