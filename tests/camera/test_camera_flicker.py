"""Lamps over time: closed forms against sums over many moments, and the bands of a rolling shutter."""

import numpy as np
import pytest
from support.synthetic_bundle import photo

from pipeline.camera.flicker import Exposing, gains_during, gathered, mean_gains, varies
from pipeline.camera.mix import group_gains, mix
from pipeline.spec.photo_state import LampDrive

MAINS = LampDrive("led_ripple", "mains", "led", frequency_hz=100.0, modulation=0.4, phase=0.3)
PWM = LampDrive("led_pwm", "pwm", "led", frequency_hz=730.0, duty=0.35, phase=0.8, modulation=1.0)
STROBE = LampDrive("strobe", "pulse", "led", pulse_s=0.0005, level=5.0)
STEADY = LampDrive("dc", "steady", "led")


def _light(drive: LampDrive, t: np.ndarray) -> np.ndarray:
    """Brightness at each moment, written down anew."""
    turns = drive.frequency_hz * t + drive.phase
    if drive.wave == "mains":
        return 1.0 + drive.modulation * np.cos(2.0 * np.pi * turns)
    return np.where(turns % 1.0 < drive.duty, 1.0 / drive.duty, 0.0)


@pytest.mark.parametrize("drive", [MAINS, PWM], ids=lambda d: d.wave)
@pytest.mark.parametrize("shutter", [1 / 4000, 0.0037, 1 / 60, 0.11])
def test_gain_is_the_mean_of_the_wave_over_the_exposure(drive: LampDrive, shutter: float) -> None:
    exposing = Exposing(shutter, 0.012, 5, start_s=0.0213)
    moments = (np.arange(200_000) + 0.5) / 200_000 * shutter
    expected = [_light(drive, start + moments).mean() for start in exposing.row_starts]
    assert gathered(drive, exposing) == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert gathered(drive, Exposing(shutter, 0.0, 480, 0.0213)).tolist() == pytest.approx(expected[:1], rel=1e-4)


def test_whole_periods_gather_no_flicker() -> None:
    assert gathered(MAINS, Exposing(0.02, 0.03, 100)) == pytest.approx(np.ones(100), abs=1e-9)
    assert gathered(PWM, Exposing(3 / 730.0, 0.03, 100)) == pytest.approx(np.ones(100), abs=1e-9)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_bands_of_a_rolling_shutter_have_the_period_of_twice_the_mains(mains_hz: float) -> None:
    rows, readout = 1200, 0.06
    drive = LampDrive("led_ripple", "mains", "led", frequency_hz=2.0 * mains_hz, modulation=0.3)
    gains = gathered(drive, Exposing(1 / 1000, readout, rows))
    bright = np.flatnonzero((gains[1:-1] > gains[:-2]) & (gains[1:-1] >= gains[2:]))
    row_time = readout / (rows - 1)
    assert np.diff(bright).mean() == pytest.approx(1.0 / (2.0 * mains_hz) / row_time, rel=0.01)
    assert 0.25 < (np.ptp(gains) / 2.0) < 0.3


def test_a_global_shutter_changes_whole_photos_between_one_minus_and_one_plus_m() -> None:
    gains = np.array([gathered(MAINS, Exposing(1e-4, 0.0, 100, start))[0] for start in np.linspace(0, 0.05, 501)])
    assert gains.min() == pytest.approx(0.6, abs=0.002)
    assert gains.max() == pytest.approx(1.4, abs=0.002)


def test_exposure_beyond_the_flash_adds_none_of_its_light() -> None:
    """Light gathered is gain x time: 2.5 ms of steady light once the flash is over, however long the shutter."""
    for shutter in (0.0005, 0.002, 0.05):
        assert gathered(STROBE, Exposing(shutter, 0.0, 10))[0] * shutter == pytest.approx(0.0025)
    assert gathered(STROBE, Exposing(0.0001, 0.0, 10))[0] == pytest.approx(5.0)


def test_a_flash_lights_only_rows_that_are_open() -> None:
    gains = gathered(STROBE, Exposing(0.005, 0.02, 201))
    starts = np.linspace(0.0, 0.02, 201)
    assert (gains[starts < 0.0149] == 0.0).all()
    assert gains[starts > 0.0156] == pytest.approx(np.full((starts > 0.0156).sum(), 0.5))


def test_photos_mix_rows_where_the_shutter_rolls() -> None:
    rng = np.random.default_rng(1)
    groups = {name: rng.random((40, 30, 3)).astype(np.float32) for name in ("key", "room", "window")}
    spec = photo(light_weights={"room": 2.0}, light_cct_k={"room": 3000.0}, drives={"key": STEADY, "room": MAINS})
    mean = group_gains(spec, tuple(groups))
    exposing = Exposing(0.002, 0.02, 40)
    gains = gains_during(mean, spec.drives, exposing)
    assert {group: gain.shape for group, gain in gains.items()} == {"key": (3,), "room": (40, 3), "window": (3,)}
    seen = mix(groups, gains)
    share = gathered(MAINS, exposing)
    expected = groups["key"] + groups["window"] + groups["room"] * mean["room"] * share[:, None, None]
    np.testing.assert_allclose(seen, expected, rtol=1e-5)
    np.testing.assert_allclose(mean_gains(gains)["room"], mean["room"] * share.mean(), rtol=1e-5)
    upside_down = mix(groups, gains, np.broadcast_to(np.arange(40)[::-1, None], (40, 30)))
    expected = groups["key"] + groups["window"] + groups["room"] * mean["room"] * share[::-1, None, None]
    np.testing.assert_allclose(upside_down, expected, rtol=1e-5)
    assert varies(spec.drives)
    assert not varies({"key": STEADY})
