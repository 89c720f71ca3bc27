"""Metering: grey cards, highlights, limits of shutter and gain."""

import math

import numpy as np
import pytest

from pipeline.camera.expose import expose, exposure_matrix, log_average, metered_scale, sensor_signal
from pipeline.camera.hardware import lens_named, sensor_named

COLOUR, MONO = sensor_named("mv_global_shutter_color"), sensor_named("mv_mono")
LENS = lens_named("c_mount_25mm")


@pytest.mark.parametrize("sensor", [COLOUR, MONO], ids=lambda s: s.name)
@pytest.mark.parametrize("radiance", [0.02, 0.5, 3.0])
def test_a_grey_card_of_any_brightness_lands_half_a_stop_below_18_percent(sensor, radiance) -> None:
    card = np.full((40, 60, 3), radiance, np.float32)
    exposure = expose(card, sensor, LENS, 4.0, 0.0)
    signal = sensor_signal(card, exposure.exposure_scale, sensor)
    green = signal[..., 1] if signal.shape[-1] == 3 else signal[..., 0]
    np.testing.assert_allclose(green, 0.18 / math.sqrt(2.0), rtol=1e-4)


def test_each_stop_doubles_the_exposure() -> None:
    card = np.full((40, 60, 3), 0.4, np.float32)
    scales = [expose(card, COLOUR, LENS, 4.0, ev).exposure_scale for ev in (-1.0, 0.0, 1.5)]
    np.testing.assert_allclose(scales[1] / scales[0], 2.0)
    np.testing.assert_allclose(scales[2] / scales[1], 2.0**1.5)


def test_meter_leaves_at_most_one_percent_of_a_glossy_scene_saturated() -> None:
    rng = np.random.default_rng(5)
    scene = np.full((100, 100, 3), 0.01, np.float32)
    scene[rng.random((100, 100)) < 0.05] = 0.4
    scene[rng.random((100, 100)) < 0.004] = 500.0
    for sensor in (COLOUR, MONO):
        signal = sensor_signal(scene, metered_scale(scene, sensor) * np.array(sensor.response), sensor)
        saturated = (signal > 1.0 + 1e-6).any(axis=-1).mean()
        assert 0.0 < saturated <= 0.01


def test_meter_gives_up_saving_what_would_cost_more_than_two_and_a_half_stops() -> None:
    scene = np.full((100, 100, 3), 0.01, np.float32)
    scene[:10, :10] = 0.01001
    alone = metered_scale(scene, COLOUR)
    scene[:, :3] = 100.0
    assert log_average(scene[..., 1]) * metered_scale(scene, COLOUR) == pytest.approx(0.01 * alone / 2.0**2.5, rel=0.01)


def test_the_middle_of_the_picture_counts_most() -> None:
    image = np.full((90, 120), 0.1, np.float32)
    middle, edge = image.copy(), image.copy()
    middle[35:55, 50:70] = 1.0
    edge[:20, :20] = 1.0
    assert log_average(middle) > 1.1 * log_average(edge) > 1.1 * 0.1


def test_black_surroundings_do_not_blow_up_the_exposure() -> None:
    scene = np.zeros((60, 60, 3), np.float32)
    scene[20:40, 20:40] = 0.5
    assert (
        0.18 / math.sqrt(2.0) / 0.5 < metered_scale(scene, COLOUR) <= 1.0 / 0.5
    )  # 0.5 is grey at least, white at most
    assert math.isfinite(metered_scale(np.zeros((8, 8, 3), np.float32), COLOUR))


def test_saturation_radiance_is_where_the_signal_reaches_one() -> None:
    card = np.full((10, 10, 3), 0.4, np.float32)
    for sensor in (COLOUR, MONO):
        exposure = expose(card, sensor, LENS, 4.0, 0.3)
        for channel, radiance in enumerate(exposure.saturation_radiance):
            white = np.full((1, 1, 3), radiance, np.float32)
            signal = np.broadcast_to(sensor_signal(white, exposure.exposure_scale, sensor), (1, 1, 3))
            assert signal[0, 0, channel] == pytest.approx(1.0, rel=1e-5)


def test_exposure_matrix_gives_the_signal_of_any_colour() -> None:
    card = np.full((10, 10, 3), 0.4, np.float32)
    light = np.float32([[[0.9, 0.3, 0.1], [0.1, 0.2, 0.8]]])
    for sensor in (COLOUR, MONO):
        exposure = expose(card, sensor, LENS, 4.0, 0.3)
        signal = light @ np.reshape(exposure_matrix(exposure, sensor), (3, 3)).T
        signal = signal.sum(axis=-1, keepdims=True) if sensor is MONO else signal
        np.testing.assert_allclose(sensor_signal(light, exposure.exposure_scale, sensor), signal, rtol=1e-5)


def test_shutter_goes_first_then_gain_and_both_have_limits() -> None:
    def of(radiance: float, f_number: float = 4.0):
        return expose(np.full((8, 8, 3), radiance, np.float32), COLOUR, LENS, f_number, 0.0)

    bright, dim, dark = of(1.0), of(0.01, 8.0), of(1e-5, 16.0)
    assert (bright.gain, bright.shutter_s < 0.5) == (1.0, True)
    assert (dim.shutter_s, 1.0 < dim.gain < COLOUR.max_gain) == (0.5, True)
    assert (dark.shutter_s, dark.gain) == (0.5, COLOUR.max_gain)
    assert of(1.0, 8.0).shutter_s == pytest.approx(4.0 * bright.shutter_s)
    assert of(1.0, 64.0).f_number == LENS.f_max


def test_base_iso_agrees_with_the_exposure_meters_equation() -> None:
    """ISO 2720 with K = 12.5: a meter asks for t = K N^2 / (L S); ISO 12232's saturation speed puts grey there."""
    sensor, f_number = sensor_named("dslr_fullframe"), 5.6
    exposure = expose(np.full((8, 8, 3), 0.18, np.float32), sensor, LENS, f_number, 0.0)
    candela_per_m2 = 0.18 * 1000.0 / math.pi
    assert exposure.shutter_s == pytest.approx(12.5 * f_number**2 / (candela_per_m2 * 100.0), rel=0.25)


def test_a_white_scene_is_shown_brighter_than_grey_and_a_dark_one_no_darker():
    white = np.full((60, 60, 3), 0.8, np.float32)
    white[20:30, 20:30] = 0.05
    dark = np.full((60, 60, 3), 0.05, np.float32)
    dark[20:30, 20:30] = 0.8
    shown = {name: log_average(s[..., 1]) * metered_scale(s, COLOUR) for name, s in (("white", white), ("dark", dark))}
    grey = 0.18 / math.sqrt(2.0)
    assert 1.5 * grey < shown["white"] <= 2.5 * grey + 1e-6
    assert shown["dark"] <= grey + 1e-6
