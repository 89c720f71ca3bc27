"""Light mixes: colours against Planck's law, and the additivity of light."""

import numpy as np
import pytest
from support.synthetic_bundle import photo

from pipeline.camera.mix import cct_rgb, daylight_xy, group_gains, mix, mixed_cct, planck_xy, white_xy
from pipeline.errors import InputError
from pipeline.view_light import luminance


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
    assert planck_xy(kelvin) == pytest.approx(_planck_by_integration(kelvin), abs=0.006)


def test_daylight_at_6504_kelvin_is_d65() -> None:
    assert daylight_xy(6504.0) == pytest.approx((0.3127, 0.3290), abs=3e-4)


def test_white_has_no_jump_between_black_body_and_daylight() -> None:
    points = np.array([white_xy(kelvin) for kelvin in np.arange(3900.0, 5200.0, 10.0)])
    assert np.abs(np.diff(points, axis=0)).max() < 0.0015


def test_colour_gain_keeps_luminance_and_is_neutral_at_d65() -> None:
    for kelvin in (1700.0, 2700.0, 4300.0, 9000.0, 20000.0):
        assert float(luminance(np.array(cct_rgb(kelvin)))) == pytest.approx(1.0, abs=1e-5)
    assert cct_rgb(6504.0) == pytest.approx((1.0, 1.0, 1.0), abs=1e-9)
    warm, cold = cct_rgb(2700.0), cct_rgb(12000.0)
    assert warm[0] > 1.4
    assert warm[2] < 0.5
    assert cold[0] < 0.95
    assert cold[2] > 1.2


def test_one_lamp_at_a_time_adds_up_to_all() -> None:
    rng = np.random.default_rng(3)
    groups = {name: rng.gamma(0.3, 4.0, (20, 30, 3)).astype(np.float32) for name in ("key", "fill", "world")}
    spec = photo(light_weights={"key": 1.7, "fill": 0.3}, light_cct_k={"key": 3000.0, "world": 9000.0})
    gains = group_gains(spec, tuple(groups))
    alone = [mix(groups, {g: gains[g] * (g == name) for g in groups}) for name in groups]
    together = mix(groups, gains)
    np.testing.assert_allclose(np.sum(alone, axis=0), together, rtol=1e-4)
    expected = 1.7 * np.array(cct_rgb(3000.0)) * groups["key"][4, 5] + 0.3 * groups["fill"][4, 5]
    expected = expected + np.array(cct_rgb(9000.0)) * groups["world"][4, 5]
    np.testing.assert_allclose(together[4, 5], expected, rtol=1e-5)


def test_unknown_group_is_named() -> None:
    with pytest.raises(InputError, match=r"key, world.*found lamp"):
        group_gains(photo(light_weights={"lamp": 2.0}), ("key", "world"))


def test_colour_temperature_of_a_mix_lies_between_its_lamps() -> None:
    groups = {"warm": np.ones(3, np.float32), "cold": np.ones(3, np.float32)}
    warm_only = group_gains(photo(light_weights={"cold": 0.0}), ("warm", "cold"))
    both = group_gains(photo(), ("warm", "cold"))
    kelvin = {"warm": 2500.0, "cold": 10000.0}
    assert mixed_cct(groups, warm_only, kelvin) == pytest.approx(2500.0)
    assert mixed_cct(groups, both, kelvin) == pytest.approx(4000.0)  # 400 and 100 mired: 250 between them
