"""Scattered light: the halo about highlights (bloom) and the veil over the whole picture (veiling glare).

Both are made from radiance before any clipping, so a small lamp a thousand times brighter than white shows its halo.
Covers: two Gaussians per lens. Does not cover: ghosts and stars, light from outside the picture.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_SIGMA_AT_LEVEL: Final = 1.25
"""A Gaussian is drawn on the level of the pyramid on which it is at least this many pixels wide: ..."""
_LEVEL_VARIANCE: Final = 2.0
"""... going one level down and up again blurs by a variance of 2 px^2 of the larger one, two 5-tap binomial filters."""


def scattered(
    radiance: NDArray[np.float32], bloom: float, bloom_sigma: float, veil: float, veil_sigma: float
) -> NDArray[np.float32]:
    """The light (h, w, 3) that arrives by scatter: share *bloom* of *radiance*, and share *veil*, spread by Gaussians.

    The sigmas are shares of the image width, that of the veil the larger one. The border repeats: light beyond it is
    taken as equal to that at it. What is scattered must be taken off the direct light, 1 - bloom - veil.
    """
    width = radiance.shape[1]
    levels = [radiance]
    halo_level, veil_level = _level(bloom_sigma * width), _level(veil_sigma * width)
    for _ in range(max(halo_level, veil_level)):
        levels.append(np.asarray(cv2.pyrDown(levels[-1], borderType=cv2.BORDER_REPLICATE), dtype=np.float32))
    halo = bloom * _blurred(levels[halo_level], bloom_sigma * width, halo_level)
    haze = veil * _blurred(levels[veil_level], veil_sigma * width, veil_level)
    total, at = haze, veil_level
    while at > 0:
        total = total + halo if at == halo_level else total
        at -= 1
        total = np.asarray(cv2.pyrUp(total, dstsize=levels[at].shape[1::-1]), dtype=np.float32)
    return total + halo if halo_level == 0 else total


def _level(sigma_px: float) -> int:
    """How often the picture is halved before a Gaussian of *sigma_px* is drawn."""
    return max(0, math.floor(math.log2(max(sigma_px, 1e-3) / _SIGMA_AT_LEVEL)))


def _blurred(image: NDArray[np.float32], sigma_px: float, level: int) -> NDArray[np.float32]:
    """The *level*'s *image* blurred by what going there and back leaves of *sigma_px*, pixels of the full picture."""
    resampling = _LEVEL_VARIANCE * (4.0**level - 1.0) / 3.0
    own = math.sqrt(sigma_px**2 - resampling) / 2.0**level
    if own == 0.0:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), own, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)
