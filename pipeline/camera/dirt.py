"""Dirt in the light's way: dust on the sensor's cover glass, smears on the front lens.

Covers: transmission maps, drawn from a seed. Does not cover: scratched or wet lenses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

DUST_DIAMETER_UM: Final = (10.0, 80.0)
"""Range of dust grains that settle on filters: smaller ones cast no visible shadow, larger ones are blown off."""
COVER_DISTANCE_UM: Final = 1500.0
"""From the cover glass's surface to the pixels: 0.5 to 2 mm of glass and air in data sheets."""
_OPAQUE: Final = 0.9
"""Share of the light that a grain stops."""
_SMEARS: Final = 3
_SMEAR_SIZE: Final = (0.15, 0.4)
"""Standard deviation of a smear along its longer axis, in image widths: the front lens is far out of focus."""


@dataclass(frozen=True, eq=False)
class Dirt:
    """What dirt does in one photo."""

    transmission: NDArray[np.float32]
    """(h, w) share of the light that passes."""
    scattered: float
    """Share of the picture's light that the smears scatter into the veil: what they take away on average."""


@lru_cache(maxsize=4)
def dirt(
    seed: int, dust_spots: int, smear: float, f_number: float, pitch_um: float, shape: tuple[int, int]
) -> Dirt | None:
    """The dirt of a camera for pictures of *shape* (h, w); None when it is clean. Same seed, same places.

    A grain's shadow is its disc, blurred by the cone of light that comes through the aperture: COVER_DISTANCE_UM / N
    wide. So dust is sharp and dark when the lens is stopped down and all but gone when it is open. *smear* is the
    share of light that the worst place scatters.
    """
    if dust_spots == 0 and smear == 0.0:
        return None
    rng = np.random.default_rng(seed)
    haze = _smears(rng, smear, shape)
    dust = _dust(rng, dust_spots, f_number, pitch_um, shape)
    transmission = np.asarray((1.0 - haze) * dust, dtype=np.float32)
    transmission.flags.writeable = False
    return Dirt(transmission, float(haze.mean()))


def _smears(rng: np.random.Generator, smear: float, shape: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) share of light that smears scatter: soft ellipses, their sum at most *smear*."""
    height, width = shape
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / width)[:, None]
    total = np.zeros(shape, dtype=np.float32)
    for _ in range(_SMEARS):
        at_x, at_y = rng.random(), rng.random() * height / width
        angle, strength = rng.random() * math.pi, 0.3 + 0.7 * rng.random()
        long = _SMEAR_SIZE[0] + (_SMEAR_SIZE[1] - _SMEAR_SIZE[0]) * rng.random()
        short = long * (0.3 + 0.5 * rng.random())
        along = (x - at_x) * math.cos(angle) + (y - at_y) * math.sin(angle)
        across = (y - at_y) * math.cos(angle) - (x - at_x) * math.sin(angle)
        total += np.float32(strength) * np.exp(-0.5 * ((along / long) ** 2 + (across / short) ** 2))
    peak = float(np.max(total))
    return np.asarray(total * (smear / peak), dtype=np.float32)


def _dust(
    rng: np.random.Generator, spots: int, f_number: float, pitch_um: float, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """(h, w) transmission of grains of dust. Their sizes are uniform in the logarithm."""
    height, width = shape
    result = np.ones(shape, dtype=np.float32)
    low, high = (math.log(value) for value in DUST_DIAMETER_UM)
    for _ in range(spots):
        middle = (rng.random() * width, rng.random() * height)
        grain_um = math.exp(low + (high - low) * rng.random())
        _shade(result, middle, grain_um / pitch_um, COVER_DISTANCE_UM / f_number / pitch_um)
    return result


def _shade(image: NDArray[np.float32], middle: tuple[float, float], grain_px: float, cone_px: float) -> None:
    """Multiply *image* by the shadow of a disc of diameter *grain_px* under light from a disc of *cone_px*.

    Each pixel sees the aperture as a disc, of which the grain covers what the two discs have in common.
    """
    reach = math.ceil((grain_px + cone_px) / 2.0) + 1
    left, top = max(0, int(middle[0]) - reach), max(0, int(middle[1]) - reach)
    right, bottom = min(image.shape[1], int(middle[0]) + reach + 1), min(image.shape[0], int(middle[1]) + reach + 1)
    x, y = np.meshgrid(np.arange(left, right) + 0.5 - middle[0], np.arange(top, bottom) + 0.5 - middle[1])
    covered = overlap_of_discs(np.hypot(x, y), grain_px / 2.0, cone_px / 2.0) / (math.pi * (cone_px / 2.0) ** 2)
    # A pixel averages over its area; shadows smaller than one must not vanish between the samples.
    covered = cv2.GaussianBlur(covered, (0, 0), 0.4, borderType=cv2.BORDER_REPLICATE) if min(covered.shape) else covered
    image[top:bottom, left:right] *= (1.0 - _OPAQUE * covered).astype(np.float32)


def overlap_of_discs(distance: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    """Area common to discs of radius *a* and *b* whose middles are *distance* apart (any shape), in the same units."""
    d = np.clip(distance, abs(a - b) + 1e-12, a + b)
    at_a = np.arccos(np.clip((d**2 + a**2 - b**2) / (2.0 * d * a), -1.0, 1.0))
    at_b = np.arccos(np.clip((d**2 + b**2 - a**2) / (2.0 * d * b), -1.0, 1.0))
    kite = 0.5 * np.sqrt(np.maximum((-d + a + b) * (d + a - b) * (d - a + b) * (d + a + b), 0.0))
    lens = a**2 * at_a + b**2 * at_b - kite
    return np.asarray(np.where(distance <= abs(a - b), math.pi * min(a, b) ** 2, lens), dtype=np.float64)
