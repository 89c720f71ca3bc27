"""White balance, demosaicking and tone curves."""

import numpy as np
import pytest

from pipeline.camera.expose import expose
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.mix import cct_rgb
from pipeline.camera.sensor import capture
from pipeline.camera.tone import develop_codes, encode, filmic, shoulder, srgb_from_linear

COLOUR = sensor_named("dslr_fullframe")
TOP = float(np.sqrt(2.0))


def _developed(card: np.ndarray, kelvin: float, sensor=COLOUR, ev: float = 0.0, tone="srgb") -> np.ndarray:
    exposure = expose(card, sensor, lens_named("macro_100mm"), 4.0, ev)
    return develop_codes(capture(card, exposure, sensor, 1).codes, sensor, kelvin, tone)


@pytest.mark.parametrize("kelvin", [2700.0, 4000.0, 6504.0, 9000.0])
def test_a_grey_card_is_grey_118_under_the_light_that_the_camera_takes_for_white(kelvin: float) -> None:
    """18 % grey is sRGB 118: 255 x (1.055 x 0.18^(1/2.4) - 0.055)."""
    card = np.full((64, 64, 3), 0.5, np.float32) * np.float32(cct_rgb(kelvin))
    picture = _developed(card, kelvin)[4:-4, 4:-4].reshape(-1, 3).mean(axis=0)
    assert picture == pytest.approx([118.0] * 3, abs=1.5)


def test_wrong_white_balance_tints_the_picture() -> None:
    card = np.full((64, 64, 3), 0.5, np.float32)
    red, _, blue = _developed(card, 3000.0).reshape(-1, 3).mean(axis=0)
    assert blue > red + 30


@pytest.mark.parametrize("name", ["dslr_fullframe", "mv_global_shutter_color", "phone", "mv_mono"])
@pytest.mark.parametrize("kelvin", [2500.0, 6504.0, 15000.0])
@pytest.mark.parametrize("tone", ["filmic", "srgb", "linear"])
def test_a_saturated_picture_is_white_whatever_the_white_balance(name: str, kelvin: float, tone) -> None:
    picture = _developed(np.full((32, 32, 3), 0.5, np.float32), kelvin, sensor_named(name), ev=6.0, tone=tone)
    assert picture.min() >= 252


def test_demosaicking_keeps_each_colour_in_its_place() -> None:
    card = np.full((64, 96, 3), 0.05, np.float32)
    for third, channel in enumerate(range(3)):
        card[:, third * 32 : third * 32 + 32, channel] = 0.5
    picture = _developed(card, 6504.0).astype(int)
    for third in range(3):
        patch = picture[10:-10, third * 32 + 8 : third * 32 + 24].reshape(-1, 3).mean(axis=0)
        assert patch.argmax() == third
        assert patch.max() > 2 * np.median(patch)


def test_mono_sensor_gives_grey() -> None:
    picture = _developed(np.full((16, 16, 3), (0.9, 0.4, 0.1), np.float32), 3000.0, sensor_named("mv_mono"))
    assert (np.ptp(picture, axis=-1) == 0).all()


def test_shoulder_is_smooth_rises_and_ends_at_white() -> None:
    x = np.linspace(0.0, TOP, 20001, dtype=np.float64)
    y = shoulder(x.astype(np.float32), TOP).astype(np.float64)
    assert np.array_equal(y[x <= 0.25], x[x <= 0.25].astype(np.float32))
    assert (np.diff(y) > -1e-6).all()
    assert y[-1] == pytest.approx(1.0, abs=1e-6)
    slopes = np.diff(y[::100]) / np.diff(x[::100])
    assert np.abs(np.diff(slopes)).max() < 0.03  # no kink, at the start of the shoulder least of all
    assert shoulder(np.float32([5.0, -0.1]), TOP).tolist() == pytest.approx([1.0, 0.0])


def test_filmic_keeps_hue_and_bleaches_highlights() -> None:
    base = np.float32([[1.0, 0.6, 0.2]])
    dim, bright = filmic(base * np.float32(0.2), TOP)[0], filmic(base * np.float32(TOP), TOP)[0]

    def hue(c):
        return (c[1] - c[2]) / (c[0] - c[2])

    def saturation(c):
        return 1.0 - c[2] / c[0]

    assert hue(bright) == pytest.approx(hue(dim), abs=1e-3)
    assert saturation(bright) < saturation(dim) - 0.05
    np.testing.assert_allclose(filmic(np.full((1, 3), 9.0, np.float32), TOP), 1.0, atol=1e-6)


def test_srgb_curve_at_known_values() -> None:
    values = srgb_from_linear(np.float32([0.0, 0.001, 0.2140411, 1.0, 3.0]))
    assert values.tolist() == pytest.approx([0.0, 0.01292, 0.5, 1.0, 1.0], abs=1e-5)


def test_linear_tone_is_proportional_to_light() -> None:
    ramp = np.repeat(np.linspace(0.0, 1.0, 11, dtype=np.float32)[:, None], 3, axis=1)[None]
    assert encode(ramp, "linear", TOP)[0, :, 0].tolist() == pytest.approx(np.linspace(0, 255, 11), abs=0.51)
