"""Automatic white balance: finds known lights, in spite of coloured things, clipped lamps and noise."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.camera.expose import Exposure
from pipeline.camera.hardware import sensor_named
from pipeline.camera.mix import cct_rgb
from pipeline.camera.sensor import capture
from pipeline.camera.white_balance import auto_white_balance, white_balance_gains

COLOUR = sensor_named("mv_global_shutter_color")


def codes_of(reflectance: np.ndarray, kelvin: float, scale: float = 1.0, sensor=COLOUR, seed: int = 1) -> np.ndarray:
    """Converter codes of a surface under light of *kelvin*, exposed so that radiance 1 / scale saturates green."""
    response = np.array(sensor.response)
    exposure = Exposure(0.01, 1.0, 4.0, scale * response, 1.0 / (scale * response))
    return capture(np.float32(reflectance * np.float32(cct_rgb(kelvin))), exposure, sensor, seed).codes


def mired_off(kelvin: float, wanted: float) -> float:
    return abs(1e6 / kelvin - 1e6 / wanted)


def metal(size: int = 96) -> np.ndarray:
    """Grey metal between dark and bright, with a little warm and cool."""
    rng = np.random.default_rng(2)
    grey = rng.uniform(0.02, 0.8, (size // 8, size // 8, 1)).repeat(8, axis=0).repeat(8, axis=1)
    tint = rng.uniform(0.93, 1.07, (size // 8, size // 8, 3)).repeat(8, axis=0).repeat(8, axis=1)
    return grey * tint


@pytest.mark.parametrize("kelvin", [2600.0, 3500.0, 5000.0, 6504.0, 9000.0])
@pytest.mark.parametrize("name", ["mv_global_shutter_color", "phone"])
def test_it_finds_the_light_on_metal(kelvin, name) -> None:
    found = auto_white_balance(codes_of(metal(), kelvin, sensor=sensor_named(name)), sensor_named(name))
    assert mired_off(found, kelvin) < 12.0


def test_a_green_mat_turns_the_picture_neither_magenta_nor_far_off() -> None:
    """Grey world would divide by the mat's green; on the line of white lights that is no light."""
    scene = metal()
    scene[:, :70] = (0.05, 0.16, 0.09)
    found = auto_white_balance(codes_of(scene, 5000.0), COLOUR)
    assert mired_off(found, 5000.0) < 15.0
    gains = white_balance_gains(COLOUR, found) / white_balance_gains(COLOUR, 5000.0)
    assert gains[1] > 0.93


def test_brass_on_a_grey_table_counts_little_and_a_picture_full_of_brass_counts() -> None:
    """Brass reflects as light of about 3000 K would look: a camera cannot tell them apart."""
    brass = np.array([0.887, 0.789, 0.434])
    nuts, brassy = metal(), metal() * brass
    nuts[30:60, 30:60] *= 2.0 * brass
    assert mired_off(auto_white_balance(codes_of(nuts, 5000.0), COLOUR), 5000.0) < 15.0
    assert 1e6 / auto_white_balance(codes_of(brassy, 5000.0), COLOUR) > 1e6 / 5000.0 + 40.0


@pytest.mark.parametrize("stops", [-2.0, 1.0])
def test_the_exposure_hardly_matters(stops) -> None:
    found = auto_white_balance(codes_of(metal(), 4000.0, 0.8 * 2.0**stops), COLOUR)
    assert mired_off(found, 4000.0) < 12.0


def test_clipped_lamps_do_not_count() -> None:
    scene = metal()
    lamp = scene.copy()
    lamp[:30] = 50.0
    assert mired_off(auto_white_balance(codes_of(lamp, 3000.0), COLOUR), 3000.0) < 15.0


def test_dark_and_mono_pictures_are_left_at_daylight() -> None:
    assert auto_white_balance(codes_of(np.zeros((32, 32, 3)), 3000.0), COLOUR) == 6504.0
    assert auto_white_balance(codes_of(metal(), 3000.0), replace(COLOUR, colour="mono")) == 6504.0


def test_the_size_of_the_picture_hardly_matters() -> None:
    scene = np.tile(metal(), (8, 8, 1))
    small, large = (auto_white_balance(codes_of(s, 4000.0), COLOUR) for s in (metal(), scene))
    assert mired_off(small, large) < 6.0
