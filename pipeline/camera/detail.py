"""Noise reduction and sharpening as cameras do them: on the finished picture, luma and chroma apart.

Noise reduction takes the noise of the picture itself as its measure, so a clean picture stays as it is. Does not
cover: anything before the tone curve.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_CHROMA_SIGMA_PX: Final = 2.5
"""Standard deviation of the blur of the colour differences at strength 1: eyes and JPEG resolve colour coarsely."""
_LUMA_WINDOW_PX: Final = 5
_LUMA_SIGMA_PX: Final = 1.5
"""Window and spatial standard deviation of the bilateral filter on luma."""
_LUMA_RANGE: Final = 2.5
"""Luma differences that are smoothed at strength 1, in standard deviations of the noise."""
_LEAST_NOISE: Final = 0.3
"""Noise in 8-bit codes below which rounding is all there is (1 / sqrt(12) = 0.29)."""
_NOISE_MASK: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)


def picture_noise(luma: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise of an image (h, w), in codes.

    J. Immerkaer, "Fast noise variance estimation" (1996), with the median instead of the mean of the mask's absolute
    response, so that edges do not count: for white Gaussian noise the response has 6 times its deviation.
    """
    response = np.abs(cv2.filter2D(luma[: luma.shape[0] // 2 * 2], cv2.CV_32F, _NOISE_MASK)[1:-1:2, 1:-1:2])
    return float(np.median(response)) / (0.6745 * 6.0)


def denoise(picture: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    """*picture* (h, w, 3) RGB with less noise; *strength* 0 leaves it alone, 1 is that of a consumer camera.

    Luma: bilateral filter over differences up to a few times the measured noise. Chroma: Gaussian blur.
    """
    if strength <= 0.0:
        return picture
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    noise = picture_noise(luma)
    if noise <= _LEAST_NOISE:
        return picture
    smooth = cv2.bilateralFilter(luma, _LUMA_WINDOW_PX, _LUMA_RANGE * strength * noise, _LUMA_SIGMA_PX)
    colour = cv2.subtract(picture, cv2.merge([luma] * 3), dtype=cv2.CV_16S)
    colour = cv2.GaussianBlur(colour, (0, 0), _CHROMA_SIGMA_PX * strength, borderType=cv2.BORDER_REPLICATE)
    result: NDArray[np.uint8] = cv2.add(colour, cv2.merge([smooth] * 3), dtype=cv2.CV_8U)
    return result


def sharpen(picture: NDArray[np.uint8], radius_px: float, amount: float) -> NDArray[np.uint8]:
    """*picture* (h, w, 3) RGB plus *amount* times what a Gaussian of *radius_px* takes from its luma (unsharp mask).

    The same is added to all channels, so no colour changes.
    """
    if amount <= 0.0:
        return picture
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    blurred = cv2.GaussianBlur(luma, (0, 0), radius_px, borderType=cv2.BORDER_REPLICATE)
    added = np.rint((luma - blurred) * np.float32(amount)).astype(np.int16)
    result: NDArray[np.uint8] = cv2.add(picture, cv2.merge([added] * 3), dtype=cv2.CV_8U)
    return result
