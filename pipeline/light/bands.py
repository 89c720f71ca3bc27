"""Colours of narrow-band LEDs: linear Rec.709 of light of one peak wavelength.

Covers: 400 to 700 nm. Does not cover: infrared and ultraviolet lamps, which a colour bundle cannot hold, and white
lamps, whose colour temperature a photo decides. The metal's (n, k) stay those of the R, G and B channels.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.surface.material import Rgb

WAVELENGTHS_NM: Final = (400.0, 700.0)
FWHM_NM: Final = 20.0
"""Spectral width of a narrow-band LED at half its peak (15 to 30 nm in makers' data sheets)."""
LEAST_CHANNEL: Final = 0.02
"""LEDs lie outside Rec.709; their weak channels are held here, relative to the luminance."""
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])
_REC709_FROM_XYZ: Final = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)


def color_matching(wavelengths_nm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) CIE 1931 x-bar, y-bar, z-bar: the multi-lobe fit of Wyman, Sloan and Shirley, JCGT 2(2), 2013, table 1."""

    def lobe(mean: float, below: float, above: float) -> NDArray[np.float64]:
        steepness = np.where(wavelengths_nm < mean, below, above)
        result: NDArray[np.float64] = np.exp(-0.5 * ((wavelengths_nm - mean) * steepness) ** 2)
        return result

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323) - 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    return np.stack([x, y, z], axis=1)


@cache
def band_rgb(peak_nm: float) -> Rgb:
    """Linear Rec.709 colour of an LED with a Gaussian spectrum of FWHM_NM about *peak_nm*, luminance 1, none negative.

    Raises InputError outside WAVELENGTHS_NM.
    """
    low, high = WAVELENGTHS_NM
    if not low <= peak_nm <= high:
        raise InputError(f"expected a lamp of {low:g} to {high:g} nm, found {peak_nm:g} nm; choose a visible band")
    wavelengths = np.arange(380.0, 781.0)
    spectrum = np.exp(-4.0 * np.log(2.0) * ((wavelengths - peak_nm) / FWHM_NM) ** 2)
    linear = _REC709_FROM_XYZ @ (spectrum @ color_matching(wavelengths))
    held = np.maximum(linear / (linear @ _LUMINANCE), LEAST_CHANNEL)
    red, green, blue = (float(value) for value in held / (held @ _LUMINANCE))
    return red, green, blue
