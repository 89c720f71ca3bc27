"""The sensor: photon statistics, clipping, Bayer pattern, fixed pattern, seeds."""

import numpy as np
import pytest

from pipeline.camera.expose import Exposure
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.optics import through_lens, vignetting
from pipeline.camera.sensor import bayer_gains, capture, fixed_pattern

MONO, COLOUR = sensor_named("mv_mono"), sensor_named("mv_global_shutter_color")


def _exposure(sensor, gain: float = 1.0) -> Exposure:
    response = np.array(sensor.response)
    return Exposure(0.01, gain, 4.0, response, 1.0 / response)


def _flat(value: float, size: int = 400) -> np.ndarray:
    return np.full((size, size, 3), value, np.float32)


@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_photon_transfer_gives_the_gain_within_two_percent(gain: float) -> None:
    """EMVA 1288: the slope of variance over mean is the gain K. Differences of two frames cancel the fixed pattern."""
    exposure = _exposure(MONO, gain)
    means, variances = [], []
    for level in (0.1, 0.3, 0.6):
        first, second = (capture(_flat(level), exposure, MONO, seed).codes.astype(float) for seed in (1, 2))
        means.append((first.mean() + second.mean()) / 2.0 - MONO.black_level_dn)
        variances.append((first - second).var() / 2.0)
    slope, dark_variance = np.polyfit(means, variances, 1)
    assert slope == pytest.approx(gain / MONO.electrons_per_dn, rel=0.02)
    assert means == pytest.approx([level * (4095 - 64) for level in (0.1, 0.3, 0.6)], rel=0.002)
    assert dark_variance < 4.0 * (MONO.read_noise_e * gain / MONO.electrons_per_dn) ** 2 + 0.2


def test_darkness_shows_black_level_read_noise_and_quantisation() -> None:
    codes = capture(_flat(0.0), _exposure(MONO, 8.0), MONO, 3).codes.astype(float)
    expected = (MONO.read_noise_e * 8.0 / MONO.electrons_per_dn) ** 2 + 1.0 / 12.0
    dark = MONO.dark_e_per_s * 0.01 * (8.0 / MONO.electrons_per_dn) ** 2
    assert codes.mean() == pytest.approx(MONO.black_level_dn, abs=0.3)
    assert codes.var() == pytest.approx(expected + dark, rel=0.03)


@pytest.mark.parametrize("sensor", [MONO, COLOUR], ids=lambda s: s.name)
def test_clipped_pixels_are_exactly_those_beyond_the_range(sensor) -> None:
    rng = np.random.default_rng(0)
    light = (rng.random((60, 80, 3)) * 4.0).astype(np.float32)
    exposure = _exposure(sensor, 2.0)
    if sensor.colour == "mono":
        beyond = np.repeat((light * np.float32(sensor.response)).sum(axis=-1)[..., None] > 1.0, 3, axis=-1)
    else:
        beyond = light > 1.0 / np.float32(sensor.response)
    clipped = capture(light, exposure, sensor, 1).clipped
    assert beyond.any()
    assert not beyond.all()
    assert np.array_equal(clipped, beyond)


def test_far_beyond_the_range_every_code_is_the_last() -> None:
    for gain in (1.0, 6.0):
        codes = capture(_flat(50.0, 64), _exposure(MONO, gain), MONO, 1).codes
        assert (codes >= MONO.white_dn - 20).all()
        assert codes.max() == MONO.white_dn


def test_each_pixel_sees_the_channel_of_its_filter() -> None:
    light = np.zeros((64, 64, 3), np.float32)
    light[...] = (0.2, 0.4, 0.6)
    codes = capture(light, _exposure(COLOUR), COLOUR, 1).codes.astype(float) - COLOUR.black_level_dn
    signal = np.array([0.2, 0.4, 0.6]) * COLOUR.response * (COLOUR.white_dn - COLOUR.black_level_dn)
    measured = [codes[0::2, 0::2].mean(), codes[0::2, 1::2].mean(), codes[1::2, 0::2].mean(), codes[1::2, 1::2].mean()]
    assert measured == pytest.approx([signal[0], signal[1], signal[1], signal[2]], rel=0.01)
    assert bayer_gains(2, 2, np.float32([1, 2, 3])).tolist() == [[1, 2], [2, 3]]


def test_same_seed_same_codes_and_noise_changes_with_the_seed() -> None:
    frames = [capture(_flat(0.3, 50), _exposure(COLOUR), COLOUR, seed).codes for seed in (5, 5, 6)]
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])


def test_fixed_pattern_belongs_to_the_sensor() -> None:
    """The mean of many frames keeps the pattern: it does not average out as noise does."""
    frames = np.mean([capture(_flat(0.8, 60), _exposure(MONO), MONO, seed).codes for seed in range(60)], axis=0)
    pattern = fixed_pattern(MONO.name, MONO.prnu, 60, 60)
    assert pattern.std() == pytest.approx(MONO.prnu, rel=0.05)
    assert np.corrcoef(frames.ravel(), pattern.ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(pattern.ravel(), fixed_pattern("other", MONO.prnu, 60, 60).ravel())[0, 1]) < 0.1


def test_lens_spreads_light_without_losing_or_moving_it() -> None:
    lens = lens_named("macro_100mm")
    image = np.zeros((161, 161, 3), np.float32)
    image[80, 80] = 100.0
    seen = through_lens(image, lens)[..., 1] / vignetting(lens, 161, 161)
    x = np.arange(161)
    core = seen[70:91, 70:91] - seen[60, 60]
    assert seen.sum() == pytest.approx(100.0, rel=0.02)
    assert (core * x[70:91]).sum() / core.sum() == pytest.approx(80.0, abs=0.02)
    assert seen[80, 80] < 100.0 * (1.0 - lens.glare)


def test_vignetting_is_one_in_the_centre_and_even_about_it() -> None:
    lens = lens_named("kit_zoom")
    fall = vignetting(lens, 101, 75)
    assert fall[37, 50] == pytest.approx(1.0)
    assert fall[0, 0] == pytest.approx(1.0 / 1.3**2, abs=0.01)
    np.testing.assert_allclose(fall, fall[::-1, ::-1], rtol=1e-6)
