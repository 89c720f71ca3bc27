"""How many samples a scene takes until its rendering error is hidden by the noise of its photos' sensors.

Covers: error of two independent pilot renders, untouched and denoised, in units of the sensor's noise, and the number
of samples that brings it below that. Does not cover: rendering the pilots (`blender.pilot`). Pure numpy.

Per pixel of luminance L, photon noise has the variance t^2 G L, when t is the relative noise at the metered grey G
(EMVA 1288: variance proportional to signal). A render's error is measured in those units. Two pilots A and B of n
samples each give the untouched variance (A - B)^2 / 2, and with their denoised pictures a and b the squared error of
denoising, its bias included, without a converged render: the mean of (a - B)^2 and (b - A)^2 less (A - B)^2 / 2, for
the errors of a and B are independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import SamplesChoice

PILOT_SAMPLES: Final = 16
PILOT_SCALE: Final = 0.25
"""Size of a pilot's picture over that of the view ..."""
LEAST_PILOT_PX: Final = 96
"""... but not fewer pixels along its short side: denoising needs neighbours."""
UNTOUCHED_EXPONENT: Final = 1.0
"""Squared error of independent samples falls with 1/n."""
DENOISED_EXPONENT: Final = 0.4
"""Squared error of denoised pictures falls more slowly: 0.36 to 0.39 measured by benchmarks/noise_budget.py."""
GREY_OVER_WHITE: Final = 0.18 / math.sqrt(2.0)
"""Metered grey over what saturates the sensor (ISO 12232): brighter pixels are white whatever their noise."""
DARKEST: Final = 1.0 / 32.0
"""Share of grey that is added to a pixel's luminance: five stops below grey, read noise takes over."""
SAMPLES_STEP: Final = 8
"""Chosen samples are a multiple of this."""


@dataclass(frozen=True)
class PilotError:
    """Mean squared error of one pilot of PILOT_SAMPLES over its pixels, in units of the squared noise at t = 1."""

    untouched: float
    denoised: float | None
    """None where the scene is not denoised."""


def pilot_scale(width: int, height: int) -> float:
    """Size of the pilots of a view of *width* x *height* pixels over the view's, in whole per cents, at most 1."""
    scale = max(PILOT_SCALE, min(LEAST_PILOT_PX / min(width, height), 1.0))
    return math.ceil(100 * scale) / 100


def pilot_error(
    untouched: tuple[NDArray[np.float32], NDArray[np.float32]],
    denoised: tuple[NDArray[np.float32], NDArray[np.float32]] | None,
) -> PilotError:
    """Error of two independent pilots of one view, from their luminances (h, w), untouched and denoised."""
    a, b = (image.astype(np.float64) for image in untouched)
    seen = [image.astype(np.float64) for image in denoised or untouched]
    level = (seen[0] + seen[1]) / 2
    grey = metered_grey(level)
    counted = level < grey / GREY_OVER_WHITE
    unit = (grey * (level + DARKEST * grey))[counted]
    variance = ((a - b) ** 2 / 2)[counted]
    if denoised is None:
        return PilotError(float((variance / unit).mean()), None)
    squared = (((seen[0] - b) ** 2 + (seen[1] - a) ** 2) / 2)[counted] - variance
    spread = ((seen[0] - seen[1]) ** 2 / 2)[counted]  # without the bias: a lower bound that is never negative
    error = max(float((squared / unit).mean()), float((spread / unit).mean()))
    return PilotError(float((variance / unit).mean()), error)


def metered_grey(luminance: NDArray[np.float64]) -> float:
    """Log-average luminance, which a meter shows as grey; darkness is held at a tenth of the mean, as it does there."""
    floor = max(0.1 * float(luminance.mean()), 1e-9)
    return math.exp(float(np.log(np.maximum(luminance, floor)).mean()))


def choose_samples(pilots: Iterable[PilotError], tolerated: float, least: int, most: int) -> SamplesChoice:
    """The samples at which the error of the noisiest of *pilots* equals the sensor's noise, within the limits.

    *tolerated*: relative noise of the cleanest photo at metered grey. The denoised error decides where there is one,
    for photos are made of denoised light; it never asks for more samples than the untouched error, which it is below.
    """
    errors = list(pilots)
    untouched = max(entry.untouched for entry in errors)
    cleaned = [entry.denoised for entry in errors if entry.denoised is not None]
    denoised = max(cleaned) if cleaned else None
    exact = PILOT_SAMPLES * _more(untouched, tolerated, UNTOUCHED_EXPONENT)
    if denoised is not None:
        exact = min(exact, PILOT_SAMPLES * _more(denoised, tolerated, DENOISED_EXPONENT))
    wanted = SAMPLES_STEP * math.ceil(min(exact, 1e9) / SAMPLES_STEP)
    samples = min(max(wanted, least), most)
    noisy = untouched * (samples / PILOT_SAMPLES) ** -UNTOUCHED_EXPONENT
    clean = None if denoised is None else min(denoised * (samples / PILOT_SAMPLES) ** -DENOISED_EXPONENT, noisy)
    return SamplesChoice(
        samples=samples,
        wanted=wanted,
        least=least,
        most=most,
        tolerated=tolerated,
        pilot_samples=PILOT_SAMPLES,
        pilot_untouched=math.sqrt(untouched),
        pilot_denoised=None if denoised is None else math.sqrt(denoised),
        untouched=math.sqrt(noisy),
        denoised=None if clean is None else math.sqrt(clean),
    )


def _more(squared: float, tolerated: float, exponent: float) -> float:
    """Times the samples until a squared error that falls with n^-exponent equals the square of *tolerated*."""
    return float((squared / tolerated**2) ** (1.0 / exponent))
