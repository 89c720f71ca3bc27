"""Confidence intervals by drawing photos again with replacement.

Covers: intervals of a mean over photos, and of a distance between two sets. Photos are drawn, not patches: patches of
one photo are not independent. Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

_Z95: Final = 1.96
MEAN_ROUNDS: Final = 1000
DISTANCE_ROUNDS: Final = 24


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % confidence interval; None where it could not be measured."""

    value: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        """For example: 1.23 (1.10 to 1.36)."""
        if self.value is None or self.low is None or self.high is None:
            return "not measurable"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


NONE: Final = Estimate(None, None, None)


def mean_of(values: Floats, seed: int) -> Estimate:
    """Mean of one value per photo (n,), NaN left out; percentile interval. NONE for fewer than three values."""
    kept = values[np.isfinite(values)]
    if kept.size < 3:
        return NONE
    drawn = np.random.default_rng([seed, 5]).integers(0, kept.size, (MEAN_ROUNDS, kept.size))
    means = kept[drawn].mean(axis=1)
    return Estimate(float(kept.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)))


def mean_of_two(first: Floats, second: Floats, seed: int) -> Estimate:
    """Mean of the means of one value per photo of two sets, (n,) and (m,); percentile interval."""
    rng = np.random.default_rng([seed, 6])
    means = 0.5 * sum(
        values[rng.integers(0, values.size, (MEAN_ROUNDS, values.size))].mean(axis=1) for values in (first, second)
    )
    middle = 0.5 * float(first.mean() + second.mean())
    return Estimate(middle, float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)))


def distances_of(
    distances: Callable[[Numbers, Numbers], tuple[float, ...]], size: int, seed: int
) -> tuple[Estimate, ...]:
    """Distances between two sets of *size* photos each, given the numbers of the photos of each set.

    The interval is the distance plus and minus 1.96 standard deviations over the draws, not below 0: drawing with
    replacement repeats photos, which lifts every distance between distributions, so percentiles would lie too high.
    """
    every = np.arange(size)
    rng = np.random.default_rng([seed, 7])
    draws = [distances(rng.integers(0, size, size), rng.integers(0, size, size)) for _ in range(DISTANCE_ROUNDS)]
    spread = _Z95 * np.std(np.array(draws), axis=0, ddof=1)
    return tuple(
        Estimate(value, max(0.0, value - wide), value + wide)
        for value, wide in zip(distances(every, every), spread.tolist(), strict=True)
    )
