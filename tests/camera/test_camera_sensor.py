"""The sensor: proportion, clipping, Bayer pattern, seeds; its noise is measured in test_camera_emva."""

import numpy as np
import pytest

from pipeline.camera.colour_matrix import camera_from_rec709
from pipeline.camera.expose import Exposure
from pipeline.camera.hardware import sensor_named
from pipeline.camera.sensor import bayer_gains, capture
from pipeline.spec.scene import BodySpec

MONO, COLOUR = sensor_named("mv_mono"), sensor_named("mv_global_shutter_color")


def _exposure(sensor, gain: float = 1.0) -> Exposure:
    response = np.array(sensor.response)
    return Exposure(0.01, gain, 4.0, response, 1.0 / response)


def _flat(value: float, size: int = 400) -> np.ndarray:
    return np.full((size, size, 3), value, np.float32)


def test_means_are_proportional_to_light_above_the_black_level() -> None:
    for gain in (1.0, 4.0):
        levels = (0.0, 0.1, 0.3, 0.6)
        means = [capture(_flat(level), _exposure(MONO, gain), MONO, 1).codes.mean() for level in levels]
        assert means == pytest.approx([64 + level * (4095 - 64) for level in levels], rel=0.002)


@pytest.mark.parametrize("sensor", [MONO, COLOUR], ids=lambda s: s.name)
def test_clipped_pixels_are_exactly_those_beyond_the_range(sensor) -> None:
    rng = np.random.default_rng(0)
    light = (rng.random((60, 80, 3)) * 4.0).astype(np.float32)
    exposure = _exposure(sensor, 2.0)
    signal = light.astype(float) @ camera_from_rec709(sensor).T
    if sensor.colour == "mono":
        signal = np.repeat(signal.sum(axis=-1, keepdims=True), 3, axis=-1)
    assert np.abs(signal - 1.0).min() > 1e-6  # so that rounding decides nowhere
    beyond = signal > 1.0
    assert beyond.any()
    assert not beyond.all()
    for body in (BodySpec(), BodySpec("0002", 80.0)):
        assert np.array_equal(capture(light, exposure, sensor, 1, body).clipped, beyond)


def test_far_beyond_the_range_every_code_is_the_last() -> None:
    for gain in (1.0, 6.0):
        codes = capture(_flat(50.0, 64), _exposure(MONO, gain), MONO, 1).codes
        assert (codes >= MONO.white_dn - 20).all()
        assert codes.max() == MONO.white_dn


def test_each_pixel_sees_the_channel_of_its_filter() -> None:
    light = np.zeros((256, 256, 3), np.float32)
    light[...] = (0.2, 0.4, 0.6)
    codes = capture(light, _exposure(COLOUR), COLOUR, 1).codes.astype(float) - COLOUR.black_level_dn
    signal = camera_from_rec709(COLOUR) @ (0.2, 0.4, 0.6) * (COLOUR.white_dn - COLOUR.black_level_dn)
    measured = [codes[0::2, 0::2].mean(), codes[0::2, 1::2].mean(), codes[1::2, 0::2].mean(), codes[1::2, 1::2].mean()]
    assert measured == pytest.approx([signal[0], signal[1], signal[1], signal[2]], rel=0.003)
    assert bayer_gains(2, 2, np.float32([1, 2, 3])).tolist() == [[1, 2], [2, 3]]


def test_same_seed_same_codes_and_noise_changes_with_the_seed() -> None:
    frames = [capture(_flat(0.3, 50), _exposure(COLOUR), COLOUR, seed).codes for seed in (5, 5, 6)]
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])
