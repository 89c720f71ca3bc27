"""What a lens does to radiance: point spread, veiling glare, vignetting. Nothing here moves a pixel.

Does not cover: exposure and sensor.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.camera.hardware import Lens

_GLARE_STEP = 8
"""Glare is so smooth that it is blurred on an image this many times smaller."""


def through_lens(radiance: NDArray[np.float32], lens: Lens) -> NDArray[np.float32]:
    """Radiance (h, w, 3) as it reaches the sensor behind *lens*; a flat field keeps its value in the centre."""
    sharp = cv2.GaussianBlur(radiance, (0, 0), lens.psf_sigma_px, borderType=cv2.BORDER_REPLICATE)
    veiled = (1.0 - lens.glare) * sharp + lens.glare * _scattered(radiance, lens)
    height, width = radiance.shape[:2]
    result: NDArray[np.float32] = np.asarray(veiled * vignetting(lens, width, height)[..., None], dtype=np.float32)
    return np.asarray(result, dtype=np.float32)


def vignetting(lens: Lens, width: int, height: int) -> NDArray[np.float32]:
    """Transmission (h, w) relative to the centre: 1 / (1 + k r^2)^2, r = 1 in the image corner."""
    x = np.arange(width, dtype=np.float32) + 0.5 - width / 2.0
    y = np.arange(height, dtype=np.float32) + 0.5 - height / 2.0
    r2 = (x[None, :] ** 2 + y[:, None] ** 2) / (width**2 + height**2) * 4.0
    result: NDArray[np.float32] = (1.0 / (1.0 + lens.vignetting * r2) ** 2).astype(np.float32)
    return np.asarray(result, dtype=np.float32)


def _scattered(radiance: NDArray[np.float32], lens: Lens) -> NDArray[np.float32]:
    """Radiance (h, w, 3) spread by a wide Gaussian."""
    height, width = radiance.shape[:2]
    small_size = (max(1, width // _GLARE_STEP), max(1, height // _GLARE_STEP))
    small = cv2.resize(radiance, small_size, interpolation=cv2.INTER_AREA)
    sigma = max(lens.glare_sigma * small_size[0], 1.0)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    result = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(result, dtype=np.float32)
