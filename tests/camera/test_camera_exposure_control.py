"""The lagged auto-exposure against the step response of a first-order low-pass."""

import math

import numpy as np
import pytest

from pipeline.camera.exposure_control import SEEN_OVER_STOPS, AutoExposure, settled_after


@pytest.mark.parametrize("delay", [1, 2, 4])
@pytest.mark.parametrize("constant", [0.7, 3.0, 12.0])
def test_step_response(constant: float, delay: int) -> None:
    control = AutoExposure(-2.0, constant, delay)
    used = []
    for _ in range(20):
        used.append(control.exposure)
        control.observe(3.0)  # the light is another from frame 0 on
    wanted = [3.0 - 5.0 * math.exp(-max(n + 1 - delay, 0) / constant) for n in range(20)]
    assert used == pytest.approx(wanted, rel=1e-9)


def test_no_lag_follows_in_the_next_frame() -> None:
    control = AutoExposure(0.0, 0.0, 1)
    assert [control.observe(metered) for metered in (1.0, -2.0, 5.0)] == [1.0, -2.0, 5.0]


def test_limits_hold_and_do_not_wind_up() -> None:
    control = AutoExposure(9.0, 2.0, 1, limits=(-1.0, 4.0))
    assert control.exposure == 4.0
    for _ in range(50):
        control.observe(20.0)
    assert control.exposure == 4.0
    assert control.observe(-1.0) == pytest.approx(4.0 - 5.0 * (1 - math.exp(-0.5)))  # no debt to work off


def test_a_ramp_is_followed_at_a_constant_distance() -> None:
    """A low-pass with share k per frame trails a ramp of r stops per frame by r (1 / k - 1), and by r more for each
    frame of delay."""
    for delay in (1, 3):
        control = AutoExposure(0.0, 4.0, delay)
        for frame in range(300):
            last = control.observe(-0.05 * frame)
        share = 1.0 - math.exp(-0.25)
        assert last - (-0.05 * 299) == pytest.approx(0.05 * (1.0 / share - 1.0 + delay - 1), abs=1e-9)


def _burst(start: float, photos: int, constant: float = 1.0 / math.log(2.0), limits=(-99.0, 99.0)) -> np.ndarray:
    return np.array([settled_after(n, 0.0, start, constant, 1, limits) for n in range(photos)])


def test_far_overexposure_is_seen_as_white_only() -> None:
    """6 stops over, a picture is white: the first correction is half of 3 stops, not of 6."""
    over, under = _burst(6.0, 40), _burst(-6.0, 40)
    assert pytest.approx(math.log2(math.sqrt(2.0) / 0.18)) == SEEN_OVER_STOPS
    assert over[:2] == pytest.approx([6.0, 6.0 - 0.5 * SEEN_OVER_STOPS])
    assert (np.diff(over) <= 0.0).all()
    assert over[-1] == pytest.approx(0.0, abs=1e-6)
    assert under == pytest.approx(-6.0 * 0.5 ** np.arange(40))


def test_a_burst_settles_at_the_limit_where_the_light_is_too_low() -> None:
    assert _burst(2.0, 30, limits=(-99.0, -1.5))[[0, 29]].tolist() == [-1.5, -1.5]
