"""The exposure control against the closed form of a first-order lag, its delay, its limits, its blindness to clipping."""

import math

import numpy as np
import pytest

from pipeline.camera.exposure_control import SEEN_OVER_STOPS, AutoExposure, ControlSettings, settling
from pipeline.errors import InputError


@pytest.mark.parametrize("lag", [0.1, 0.35, 1.0])
@pytest.mark.parametrize("start_ev", [-3.0, 2.5])
def test_the_error_decays_geometrically(lag, start_ev) -> None:
    exposures = settling(0.4, start_ev, 20, ControlSettings(lag, 0))
    expected = start_ev * (1.0 - lag) ** np.arange(20)
    assert np.log2(np.array(exposures) / 0.4) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("delay", [1, 3])
def test_nothing_happens_before_the_delay_is_over(delay) -> None:
    stops = np.log2(settling(1.0, 2.0, 12, ControlSettings(0.5, delay)))
    assert stops[: delay + 1] == pytest.approx(2.0)
    assert stops[delay + 1 :] == pytest.approx(2.0 * 0.5 ** np.arange(1, 12 - delay))


def test_a_ramp_is_followed_at_a_constant_distance() -> None:
    """A first-order lag trails a ramp of r stops per frame by r / k, and by r more for each frame of delay."""
    for delay in (0, 2):
        control = AutoExposure(1.0, ControlSettings(0.25, delay))
        for frame in range(200):
            last = control.update(2.0 ** (-0.05 * frame))
        trail = math.log2(last) - (-0.05 * 199)
        assert trail == pytest.approx(0.05 * (1 / 0.25 - 1 + delay), abs=1e-6)


def test_far_overexposure_is_seen_as_white_only() -> None:
    """6 stops over, a frame is white: the first correction is a share of 3 stops, not of 6."""
    stops = np.log2(settling(1.0, 6.0, 40, ControlSettings(0.5, 0)))
    assert stops[1] == pytest.approx(6.0 - 0.5 * SEEN_OVER_STOPS)
    assert pytest.approx(math.log2(math.sqrt(2) / 0.18)) == SEEN_OVER_STOPS
    assert (np.diff(stops) <= 0).all()
    assert stops[-1] == pytest.approx(0.0, abs=1e-6)
    under = np.log2(settling(1.0, -6.0, 2, ControlSettings(0.5, 0)))
    assert under[1] == pytest.approx(-3.0)


def test_the_limits_hold() -> None:
    control = AutoExposure(1.0, ControlSettings(0.9, 0, least=0.5, most=2.0))
    assert [control.update(1e9) for _ in range(4)][-1] == 2.0
    assert [control.update(0.0) for _ in range(40)][-1] == 0.5
    assert AutoExposure(9.0, ControlSettings(most=2.0)).exposure == 2.0


@pytest.mark.parametrize("wrong", [{"lag": 0.0}, {"lag": 1.5}, {"delay_frames": -1}, {"least": 2.0, "most": 1.0}])
def test_settings_without_a_meaning_are_refused(wrong) -> None:
    with pytest.raises(InputError, match="expected an exposure control"):
        ControlSettings(**wrong)
    with pytest.raises(InputError, match="first exposure above 0"):
        AutoExposure(0.0)
