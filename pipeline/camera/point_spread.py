"""Point spread: diffraction at the aperture, defocus and residual aberrations, as one kernel per colour channel.

Covers: the Airy pattern, the image of a defocused iris, their kernels on the pixel grid, and blurring with them. Does
not cover: scattered light (`glare`). Kernels sum to 1: light is spread, never lost.

A kernel holds the integrals of the point spread over each pixel about the point, so that a perfect lens is the
identity; the render's own pixels are already averages over their area.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WAVELENGTH_UM: Final = (0.60, 0.54, 0.46)
"""Middle of the R, G and B bands of Bayer filters, micrometres."""
_AIRY_REACH: Final = 8.0
"""A kernel of diffraction reaches to this many wavelength x f-number, which holds 97.5 % of the light ..."""
_LARGEST_PX: Final = 24
"""... or to this many pixels."""
_SAMPLES_OF_RING: Final = 6
"""Samples per wavelength x f-number: eight rings of Airy's pattern are told apart."""
_MOST_SAMPLES: Final = 151
"""Along one pixel's side."""
_IRIS_SAMPLES: Final = 16
_GAUSS_REACH: Final = 3.5
_NEGLIGIBLE: Final = 5e-4
"""A kernel's outer rings are cut while they hold less than this."""
_DIRECT_SIDE: Final = 11
"""OpenCV filters by Fourier transforms from this size of kernel on, which leaves rounding errors of either sign."""


def airy_intensity(radius_um: Floats, wavelength_um: float, f_number: float) -> Floats:
    """Intensity per square micrometre at *radius_um* of a point of unit power seen through a round aperture.

    I(r) = pi / (4 (lambda N)^2) (2 J1(v) / v)^2, v = pi r / (lambda N); its first zero lies at 1.22 lambda N (Born and
    Wolf, Principles of Optics, section 8.5.2).
    """
    from scipy.special import j1

    ring = wavelength_um * f_number
    v = np.pi * np.maximum(radius_um, 1e-9 * ring) / ring
    return np.asarray(np.pi / (4.0 * ring**2) * (2.0 * j1(v) / v) ** 2, dtype=np.float64)


@lru_cache(maxsize=64)
def diffraction_kernel(wavelength_um: float, f_number: float, pitch_um: float) -> Floats:
    """Square kernel of Airy's pattern on pixels of *pitch_um*; what lies beyond its reach is shared by its pixels."""
    ring_px = wavelength_um * f_number / pitch_um
    radius = min(max(1, math.ceil(_AIRY_REACH * ring_px - 0.5)), _LARGEST_PX)
    samples = min(max(3, math.ceil(_SAMPLES_OF_RING / ring_px)), _MOST_SAMPLES) | 1
    along = (np.arange((radius + 1) * samples) + 0.5) / samples - 0.5  # from the middle pixel's edge to one corner
    r = np.hypot(along[:, None], along[None, :]) * pitch_um
    fine = airy_intensity(r, wavelength_um, f_number) * (pitch_um / samples) ** 2
    quadrant = fine.reshape(radius + 1, samples, radius + 1, samples).sum(axis=(1, 3))
    half = np.concatenate([quadrant[:0:-1], quadrant])
    kernel = np.concatenate([half[:, :0:-1], half], axis=1)
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def defocus_kernel(diameter_px: float, blades: int) -> Floats:
    """Square kernel of an evenly lit iris: a disc of *diameter_px*, or a polygon of *blades* sides and its area."""
    radius = max(0, math.ceil(diameter_px * 0.65 - 0.5))  # a hexagon's corners lie 10 % outside the disc of its area
    side = 2 * radius + 1
    at = (np.arange(side * _IRIS_SAMPLES) + 0.5) / _IRIS_SAMPLES - side / 2.0
    x, y = np.meshgrid(at, at)
    inside = _polygon(x, y, diameter_px / 2.0, blades) if blades >= 3 else np.hypot(x, y) <= diameter_px / 2.0
    kernel = inside.reshape(side, _IRIS_SAMPLES, side, _IRIS_SAMPLES).mean(axis=(1, 3))
    if kernel.sum() == 0.0:  # smaller than a sample
        kernel[radius, radius] = 1.0
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def _polygon(x: Floats, y: Floats, disc_radius: float, blades: int) -> NDArray[np.bool_]:
    """Inside of the regular polygon with the area of a disc of *disc_radius*."""
    apothem = disc_radius * math.sqrt(math.pi / (blades * math.tan(math.pi / blades)))
    angles = (np.arange(blades) + 0.5) * 2.0 * np.pi / blades
    inside = np.ones(x.shape, dtype=np.bool_)
    for angle in angles:
        inside &= x * math.cos(angle) + y * math.sin(angle) <= apothem
    return inside


def gaussian_kernel(sigma_px: float) -> Floats:
    """Square kernel of a Gaussian of *sigma_px*."""
    side = 2 * math.ceil(_GAUSS_REACH * sigma_px) + 1
    line = cv2.getGaussianKernel(side, sigma_px)[:, 0] if sigma_px > 0.0 else np.ones(1)
    return np.outer(line, line)


@lru_cache(maxsize=64)
def lens_kernels(
    f_number: float, pitch_um: float, defocus_px: float, blades: int, sigma_px: float
) -> tuple[NDArray[np.float32], ...]:
    """The kernels of R, G and B: diffraction, defocus and aberrations one after the other. Shared, read only."""
    rest = _convolved(defocus_kernel(defocus_px, blades), gaussian_kernel(sigma_px))
    kernels = []
    for wavelength in WAVELENGTH_UM:
        kernel = _cropped(np.maximum(_convolved(rest, diffraction_kernel(wavelength, f_number, pitch_um)), 0.0))
        kernel.flags.writeable = False
        kernels.append(kernel)
    return tuple(kernels)


def _convolved(a: Floats, b: Floats) -> Floats:
    """Full convolution of two kernels."""
    rows, columns = a.shape[0] + b.shape[0] - 1, a.shape[1] + b.shape[1] - 1
    product = np.fft.rfft2(a, (rows, columns)) * np.fft.rfft2(b, (rows, columns))
    return np.asarray(np.fft.irfft2(product, (rows, columns)), dtype=np.float64)


def _cropped(kernel: Floats) -> NDArray[np.float32]:
    """*kernel* without outer rings that hold next to nothing, sum 1."""
    total, cut = kernel.sum(), 0
    while min(kernel.shape) > 2 * cut + 1:
        inner = kernel[cut + 1 : kernel.shape[0] - cut - 1, cut + 1 : kernel.shape[1] - cut - 1]
        if inner.sum() < (1.0 - _NEGLIGIBLE) * total:
            break
        cut += 1
    kept = kernel[cut : kernel.shape[0] - cut, cut : kernel.shape[1] - cut]
    return np.asarray(kept / kept.sum(), dtype=np.float32)


def blurred(radiance: NDArray[np.float32], kernels: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
    """*radiance* (h, w, 3) with each channel spread by its kernel; the border repeats. Never negative."""
    channels = []
    for image, kernel in zip(cv2.split(radiance), kernels, strict=True):
        spread = cv2.filter2D(image, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
        channels.append(spread if kernel.shape[0] < _DIRECT_SIDE else np.maximum(spread, np.float32(0)))
    return np.asarray(cv2.merge(channels), dtype=np.float32)
