"""Light mixes: gains of colour temperatures, and the additivity of light."""

import numpy as np
import pytest
from support.synthetic_bundle import photo

from pipeline.camera.mix import cct_rgb, group_gains, mix, mixed_cct
from pipeline.errors import InputError
from pipeline.spec.photo_state import LampDrive
from pipeline.view_light import luminance


def test_colour_gain_keeps_luminance_and_is_neutral_at_d65() -> None:
    for kelvin in (1700.0, 2700.0, 4300.0, 9000.0, 20000.0):
        for spectrum in ("white", "led", "black_body", "daylight"):
            assert float(luminance(np.array(cct_rgb(kelvin, spectrum)))) == pytest.approx(1.0, abs=1e-5)
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


def test_lamps_of_one_temperature_and_another_spectrum_have_another_colour() -> None:
    kelvin = {"key": 5500.0}
    plain = group_gains(photo(light_cct_k=kelvin), ("key",))["key"]
    drive = LampDrive("dc", "steady", "led")
    led = group_gains(photo(light_cct_k=kelvin, drives={"key": drive}), ("key",))["key"]
    np.testing.assert_allclose(led, cct_rgb(5500.0, "led"), rtol=1e-6)
    assert 0.003 < np.abs(led - plain).max() < 0.1
    assert group_gains(photo(drives={"key": drive}), ("key",))["key"].tolist() == [1.0, 1.0, 1.0]
