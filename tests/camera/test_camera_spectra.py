"""Spectra of white light: against Planck's law integrated with another observer's fit, published whites and limits."""

import numpy as np
import pytest

from pipeline.camera.spectra import (
    WAVELENGTH_NM,
    black_body,
    correlated_cct,
    daylight,
    daylight_xy,
    duv,
    led,
    rec709_of,
    spectrum_of,
    xy_of,
)
from pipeline.errors import InputError


def _planck_by_integration(kelvin: float) -> tuple[float, float]:
    """(x, y) from Planck's law and Wyman, Sloan and Shirley's fits of the CIE 1931 observer (JCGT 2013, table 1)."""
    nm = np.arange(360.0, 831.0)

    def lobe(peak: float, below: float, above: float) -> np.ndarray:
        return np.exp(-0.5 * ((nm - peak) * np.where(nm < peak, below, above)) ** 2)

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323) - 0.065 * lobe(501.1, 0.049, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    spectrum = (nm * 1e-9) ** -5.0 / np.expm1(1.4388e-2 / (nm * 1e-9 * kelvin))
    xyz = np.array([(spectrum * curve).sum() for curve in (x, y, z)])
    return xyz[0] / xyz.sum(), xyz[1] / xyz.sum()


@pytest.mark.parametrize("kelvin", [1800.0, 2400.0, 3000.0, 4500.0, 8000.0])
def test_black_body_colour_agrees_with_plancks_law(kelvin: float) -> None:
    assert xy_of(black_body(kelvin)) == pytest.approx(_planck_by_integration(kelvin), abs=0.006)


def test_published_whites() -> None:
    """CIE 15:2018, table 4: illuminants A, D50, D65; the 2-degree observer."""
    assert xy_of(black_body(2855.5)) == pytest.approx((0.44758, 0.40745), abs=2e-4)
    assert xy_of(daylight(5002.8)) == pytest.approx((0.34567, 0.35851), abs=2e-4)
    assert xy_of(daylight(6504.0)) == pytest.approx((0.31272, 0.32903), abs=2e-4)
    assert rec709_of(daylight(6504.0)) == pytest.approx((1.0, 1.0, 1.0), abs=2e-3)


@pytest.mark.parametrize("kelvin", [4000.0, 5500.0, 7000.0, 12000.0, 25000.0])
def test_daylight_spectra_have_the_chromaticity_that_defines_them(kelvin: float) -> None:
    assert xy_of(daylight(kelvin)) == pytest.approx(daylight_xy(kelvin), abs=3e-4)


@pytest.mark.parametrize("kelvin", [1700.0, 2856.0, 4000.0, 6504.0, 15000.0])
def test_a_black_body_has_its_own_colour_temperature(kelvin: float) -> None:
    assert correlated_cct(black_body(kelvin)) == pytest.approx(kelvin, rel=2e-4)
    assert correlated_cct(daylight(6504.0)) == pytest.approx(6504.0, rel=2e-3)


@pytest.mark.parametrize("kelvin", [2700.0, 3000.0, 4000.0, 5000.0, 6500.0])
def test_white_leds_keep_the_limits_of_their_standard(kelvin: float) -> None:
    spectrum = led(kelvin)
    assert correlated_cct(spectrum) == pytest.approx(kelvin, rel=0.002)
    assert duv(spectrum) < 0.006
    blue = WAVELENGTH_NM[WAVELENGTH_NM < 490][spectrum[WAVELENGTH_NM < 490].argmax()]
    valley = spectrum[(WAVELENGTH_NM > 465) & (WAVELENGTH_NM < 500)].min()
    assert blue == 450.0  # the chip is a peak of its own, with the cyan gap of phosphor-converted LEDs beyond it
    assert valley < 0.6 * spectrum[WAVELENGTH_NM == 450.0][0]


def test_white_has_no_jump_between_black_body_and_daylight() -> None:
    points = np.array([xy_of(spectrum_of("white", kelvin)) for kelvin in np.arange(3900.0, 5200.0, 10.0)])
    assert np.abs(np.diff(points, axis=0)).max() < 0.0015


def test_kinds_give_way_to_black_bodies_where_they_end() -> None:
    np.testing.assert_array_equal(spectrum_of("daylight", 3000.0), black_body(3000.0))
    np.testing.assert_array_equal(spectrum_of("led", 2000.0), black_body(2000.0))
    assert xy_of(spectrum_of("led", 4000.0)) != pytest.approx(xy_of(black_body(4000.0)), abs=1e-4)


def test_impossible_temperatures_are_named() -> None:
    with pytest.raises(InputError, match="1667 to 25000 K, found 900 K"):
        spectrum_of("white", 900.0)
