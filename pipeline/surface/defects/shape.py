"""What a defect's drawing works with: its sizes, a grid of texels, and noise on it.

Does not cover: what single kinds look like (`strokes`, `hollows`, `deposits`, `greases`, `waves`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

TEXELS: Final = 1_500_000
"""Most texels of one raster; a longer defect gets coarser ones."""
TEXEL_RANGE_M: Final = (4e-6, 50e-6)


@dataclass(frozen=True)
class Shape:
    """One defect to draw, in metres."""

    length_m: float
    """Length of a line, diameter of a hollow, extent of a patch."""
    width_m: float
    """Width of a line, of single pores, or period of waves and ridges; 0 where the length says it all."""
    depth_m: float
    cover: float
    """Share of the patch that is covered, for the kinds that cover."""
    severity: float
    seed: int

    def random(self, stream: int = 0) -> np.random.Generator:
        """A generator of its own for each *stream* of this defect."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, stream]))


@dataclass(frozen=True)
class Grid:
    """Texels of a raster whose middle is the origin."""

    rows: int
    columns: int
    texel_m: float

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    @property
    def x(self) -> Array:
        """(1, columns) metres."""
        middles: Array = (np.arange(self.columns, dtype=np.float64) + 0.5 - self.columns / 2) * self.texel_m
        return middles[None, :]

    @property
    def y(self) -> Array:
        """(rows, 1) metres."""
        middles: Array = (np.arange(self.rows, dtype=np.float64) + 0.5 - self.rows / 2) * self.texel_m
        return middles[:, None]


def grid(length_m: float, width_m: float, finest_m: float) -> Grid:
    """A grid of *length_m* x *width_m* whose texels are a fraction of *finest_m*, the smallest thing to be drawn."""
    texel = min(max(finest_m / 8.0, TEXEL_RANGE_M[0]), TEXEL_RANGE_M[1])
    texel = max(texel, math.sqrt(length_m * width_m / TEXELS))
    return Grid(max(math.ceil(width_m / texel), 4), max(math.ceil(length_m / texel), 4), texel)


def noise(on: Grid, wavelength_m: float, random: np.random.Generator) -> Array:
    """(rows, columns) smooth noise of mean 0 and deviation 1 whose features are about *wavelength_m* apart."""
    step = max(wavelength_m / 4.0, on.texel_m)
    coarse = [max(math.ceil(n * on.texel_m / step), 1) + 8 for n in on.shape]
    values = gaussian_filter(random.standard_normal(coarse), 1.0, mode="wrap")
    # Deviation of white noise after a Gaussian of sigma 1: 1 / (2 sqrt(pi)).
    values *= 2.0 * math.sqrt(math.pi)
    factor = step / on.texel_m
    if factor > 1.0:
        values = zoom(values, factor, order=3, mode="nearest", grid_mode=True)
    top, left = ((have - want) // 2 for have, want in zip(values.shape, on.shape, strict=True))
    result: Array = values[top : top + on.rows, left : left + on.columns]
    return result


def fractal(on: Grid, wavelength_m: float, random: np.random.Generator, octaves: int = 5) -> Array:
    """(rows, columns) noise of deviation about 1 with ever finer detail: halved wavelength, 0.55 of the height."""
    total, weight, power = np.zeros(on.shape), 1.0, 0.0
    for _ in range(octaves):
        total += weight * noise(on, wavelength_m, random)
        power += weight**2
        weight, wavelength_m = 0.55 * weight, wavelength_m / 2.0
    result: Array = total / math.sqrt(power)
    return result


def ramp(values: Array, low: float, high: float) -> Array:
    """0 below *low*, 1 above *high* (or the other way round), smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    result: Array = t * t * (3.0 - 2.0 * t)
    return result


def single(values: Array) -> NDArray[np.float32]:
    """As a raster stores it."""
    return np.ascontiguousarray(values, dtype=np.float32)
