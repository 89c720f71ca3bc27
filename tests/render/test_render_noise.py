"""Choosing samples: the error of pilots against noise made by hand, and the choice against its own definition."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.render import noise
from pipeline.render.noise import PILOT_SAMPLES, PilotError, choose_samples, metered_grey, pilot_error

SHAPE = (200, 300)


def pictures(sigma: float, bias: float = 0.0, rest: float = 0.3, seed: int = 1):
    """Two pilots of a gentle ramp, noise *sigma* of photon kind; denoised: *rest* of the noise, and a *bias*."""
    rng = np.random.default_rng(seed)
    level = np.exp2(np.linspace(-1, 1, SHAPE[1]))[None, :] * np.ones(SHAPE)
    grey = metered_grey(level)
    unit = np.sqrt(grey * (level + noise.DARKEST * grey))
    errors = [rng.standard_normal(SHAPE) * sigma * unit for _ in range(2)]
    wave = np.sqrt(2) * bias * unit * np.sin(np.linspace(0, 60, SHAPE[1]))
    untouched = tuple((level + error).astype(np.float32) for error in errors)
    return untouched, tuple((level + rest * error + wave).astype(np.float32) for error in errors)


def test_untouched_error_is_the_noise_that_was_put_in() -> None:
    untouched, _ = pictures(0.05)
    found = pilot_error(untouched, None)
    assert math.sqrt(found.untouched) == pytest.approx(0.05, rel=0.02)
    assert found.denoised is None


@pytest.mark.parametrize("bias", [0.0, 0.02, 0.04])
def test_denoised_error_counts_the_bias_without_a_reference(bias: float) -> None:
    # The rest of a pilot's own noise is not independent of it, but it is of the other's.
    found = pilot_error(*pictures(0.05, bias))
    assert math.sqrt(found.denoised) == pytest.approx(math.hypot(0.3 * 0.05, bias), rel=0.05)


def test_fireflies_and_clipped_lamps_do_not_count_as_denoising_error() -> None:
    untouched, denoised = pictures(0.05)
    untouched[1][10:14, 20:24] += 5.0  # a firefly that the denoiser removed
    for image in (*untouched, *denoised):
        image[100:110, :10] = 1000.0  # a lamp
    denoised[0][100:110, :10] = 800.0
    found = pilot_error(untouched, denoised)
    assert math.sqrt(found.denoised) == pytest.approx(0.3 * 0.05, rel=0.1)


def test_the_chosen_samples_bring_the_error_below_what_is_tolerated() -> None:
    choice = choose_samples([PilotError(0.01, 0.0004), PilotError(0.02, 0.0016)], 0.02, 8, 4096)
    assert choice.samples == choice.wanted
    assert choice.samples % noise.SAMPLES_STEP == 0
    assert choice.denoised <= 0.02
    fewer = choose_samples([PilotError(0.02, 0.0016)], 0.02, 8, choice.samples - noise.SAMPLES_STEP)
    assert fewer.denoised > 0.02
    assert (choice.pilot_untouched, choice.pilot_denoised) == pytest.approx((math.sqrt(0.02), 0.04))
    assert choice.untouched == pytest.approx(math.sqrt(0.02 * PILOT_SAMPLES / choice.samples))


@pytest.mark.parametrize(("size", "scale"), [((1024, 768), 0.25), ((640, 480), 0.25), ((320, 240), 0.4), ((64, 48), 1)])
def test_pilots_are_small_but_not_too_small(size: tuple[int, int], scale: float) -> None:
    assert noise.pilot_scale(*size) == scale


def test_limits_hold_and_show() -> None:
    few = choose_samples([PilotError(1e-6, 1e-7)], 0.02, 32, 256)
    assert (few.samples, few.wanted < 32) == (32, True)
    many = choose_samples([PilotError(4.0, 1.0)], 0.002, 32, 256)
    assert (many.samples, many.wanted > 256) == (256, True)
    assert many.denoised > many.tolerated


def test_denoising_never_asks_for_more_than_plain_sampling() -> None:
    choice = choose_samples([PilotError(0.01, 0.009)], 0.025, 1, 100_000)
    assert choice.wanted == 16 * 16
    assert choice.denoised == choice.untouched == pytest.approx(0.025)


def test_without_denoising_the_untouched_error_decides() -> None:
    choice = choose_samples([PilotError(0.01, None)], 0.05, 1, 10_000)
    assert choice.samples == 16 * 4
    assert choice.denoised is None
    assert choice.untouched == pytest.approx(0.05)
