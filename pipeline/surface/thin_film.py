"""What a conductor reflects under a thin transparent film: the Airy sum over the spectrum, as linear Rec.709.

Covers: temper colours, anodised titanium, passivated zinc, for tests and for Blender lines whose conductor has no thin
film. Does not cover: films thicker than light's coherence (lacquer, anodised aluminium), which have no such colour.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

WAVELENGTH_NM: Floats = np.arange(380.0, 781.0, 10.0)
# fmt: off
D65: Floats = np.array([
    49.98, 54.65, 82.75, 91.49, 93.43, 86.68, 104.86, 117.01, 117.81, 114.86, 115.92, 108.81, 109.35, 107.80,
    104.79, 107.69, 104.41, 104.05, 100.00, 96.33, 95.79, 88.69, 90.01, 89.60, 87.70, 83.29, 83.70, 80.03,
    80.21, 82.28, 78.28, 69.72, 71.61, 74.35, 61.60, 69.89, 75.09, 63.59, 46.42, 66.81, 63.38,
])
# fmt: on
"""Relative spectral power of the CIE standard illuminant D65 at `WAVELENGTH_NM` (ISO/CIE 11664-2)."""
REC709_FROM_XYZ: Floats = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
POINTS_NM = (450.0, 550.0, 650.0)


def film_reflectance(
    thickness_nm: ArrayLike, film_ior: float, indices: Sequence[tuple[float, float]], cos_theta: float = 1.0
) -> Floats:
    """Linear Rec.709 reflectance (..., 3) of a conductor under a film, relative to white in D65.

    *thickness_nm*: any shape (...); *indices*: (n, k) of the conductor at 650, 550 and 450 nm, between which they are
    interpolated and beyond which they are held; *cos_theta*: cosine of the angle of incidence in air. Colours outside
    Rec.709 keep a negative channel.
    """
    thickness = np.asarray(thickness_nm, dtype=np.float64)[..., None]
    nk = np.array(indices[::-1], dtype=np.float64)
    metal = np.interp(WAVELENGTH_NM, POINTS_NM, nk[:, 0]) + 1j * np.interp(WAVELENGTH_NM, POINTS_NM, nk[:, 1])
    result: Floats = airy(thickness, film_ior, metal, WAVELENGTH_NM, cos_theta) @ _weights().T
    return result


def airy(
    thickness_nm: ArrayLike, film_ior: float, metal: ArrayLike, wavelength_nm: ArrayLike, cos_theta: float = 1.0
) -> Floats:
    """Unpolarised reflectance of air / film / metal with complex index n + ik, arguments broadcast together.

    r = (r01 + r12 e^(2 i b)) / (1 + r01 r12 e^(2 i b)), b = 2 pi n_film d cos(theta_film) / wavelength: the sum of all
    reflections in the film (Born and Wolf, Principles of Optics, section 7.6 and 14.4), mean of both polarisations.
    """
    metal = np.asarray(metal, dtype=np.complex128)
    sine2 = 1.0 - cos_theta**2
    # Normal components of the wave vectors, over that in vacuum.
    air, film, below = cos_theta, np.sqrt(film_ior**2 - sine2), np.sqrt(metal**2 - sine2)
    phase = np.exp(4j * np.pi * film * np.asarray(thickness_nm) / np.asarray(wavelength_nm))
    total: Floats = np.zeros(1)
    for first, second, third in (
        (air, film, below),
        (1.0 / air if air > 0 else np.inf, film_ior**2 / film, metal**2 / below),
    ):
        top, bottom = (first - second) / (first + second), (second - third) / (second + third)
        total = total + 0.5 * np.abs((top + bottom * phase) / (1.0 + top * bottom * phase)) ** 2
    return total


def _weights() -> Floats:
    """(3, wavelengths): Rec.709 response to a reflectance in D65, each channel 1 for a perfect white.

    Colour matching functions: the analytic fit of Wyman, Sloan and Shirley, JCGT 2(2), 2013.
    """
    x = _lobe(1.056, 599.8, 37.9, 31.0) + _lobe(0.362, 442.0, 16.0, 26.7) + _lobe(-0.065, 501.1, 20.4, 26.2)
    y = _lobe(0.821, 568.8, 46.9, 40.5) + _lobe(0.286, 530.9, 16.3, 31.1)
    z = _lobe(1.217, 437.0, 11.8, 36.0) + _lobe(0.681, 459.0, 26.0, 13.8)
    response = REC709_FROM_XYZ @ (np.stack([x, y, z]) * D65)
    result: Floats = response / response.sum(axis=1, keepdims=True)
    return result


def _lobe(height: float, centre_nm: float, left_nm: float, right_nm: float) -> Floats:
    width = np.where(WAVELENGTH_NM - centre_nm < 0.0, left_nm, right_nm)
    result: Floats = height * np.exp(-0.5 * ((WAVELENGTH_NM - centre_nm) / width) ** 2)
    return result
