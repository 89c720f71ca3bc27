"""Spectra of white light, and their colour: black bodies, CIE daylight, white LEDs, seen by the CIE 1931 observer.

Covers: spectral power for a correlated colour temperature, integration to XYZ and linear Rec.709. Does not cover: what
a spectrum does to a metal or a sensor; bundles hold three channels, so a light's spectrum acts through its colour.
Spectra are float64 arrays over `WAVELENGTH_NM`, in relative power per nanometre.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline import tables
from pipeline.errors import InputError
from pipeline.spec.photo_state import Spectrum
from pipeline.spec.scene import CCT_RANGE_K

Floats = NDArray[np.float64]

WAVELENGTH_NM: Final[Floats] = np.arange(380.0, 780.1, 5.0)
REC709_FROM_XYZ: Final[Floats] = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
"""Linear Rec.709 of XYZ (IEC 61966-2-1, white D65)."""

_PLANCK_C2_NM_K: Final = 1.438776877e7
"""Second radiation constant h c / k, nanometre kelvin (CODATA 2018)."""
_LED_PUMP_NM: Final = (450.0, 20.0)
"""Peak and width at half maximum of the blue chip of a phosphor-converted white LED."""
_LED_PHOSPHOR: Final = ((2700.0, 600.0, 126.0), (6500.0, 564.0, 120.0))
"""(CCT, peak, width at half maximum) of the phosphor of a warm and a cold LED; linear in reciprocal kelvin between."""


def black_body(kelvin: float) -> Floats:
    """Planck's law at *kelvin*, 1 at 560 nm."""

    def power(nm: Floats) -> Floats:
        return np.asarray(nm**-5.0 / np.expm1(_PLANCK_C2_NM_K / (nm * kelvin)), dtype=np.float64)

    return np.asarray(power(WAVELENGTH_NM) / power(np.array([560.0])), dtype=np.float64)


def daylight_xy(kelvin: float) -> tuple[float, float]:
    """CIE 1931 (x, y) of CIE daylight, 4000 to 25000 K (CIE 15:2018, section 4.1.2)."""
    t = kelvin
    if t <= 7000.0:
        x = -4.6070e9 / t**3 + 2.9678e6 / t**2 + 0.09911e3 / t + 0.244063
    else:
        x = -2.0064e9 / t**3 + 1.9018e6 / t**2 + 0.24748e3 / t + 0.237040
    return x, -3.0 * x**2 + 2.870 * x - 0.275


def daylight(kelvin: float) -> Floats:
    """CIE daylight of *kelvin*, 4000 to 25000 K, 100 at 560 nm: S0 + M1 S1 + M2 S2 (CIE 15:2018, section 4.1.2)."""
    x, y = daylight_xy(kelvin)
    divisor = 0.0241 + 0.2562 * x - 0.7341 * y
    m1 = (-1.3515 - 1.7703 * x + 5.9114 * y) / divisor
    m2 = (0.0300 - 31.4424 * x + 30.0717 * y) / divisor
    components = tables.table("spectra")["daylight"]
    s0, s1, s2 = (np.array(components[name]) for name in ("s0", "s1", "s2"))
    return np.asarray(s0 + m1 * s1 + m2 * s2, dtype=np.float64)


def led(kelvin: float) -> Floats:
    """A white LED, 2700 to 25000 K: a blue chip, and a phosphor whose peak shifts to red in warm lamps.

    The share of blue is such that the correlated colour temperature is *kelvin*. Bands are Gaussian; peaks and widths
    are typical of data sheets, chosen so that lamps lie well within ANSI C78.377 (|Duv| < 0.006) from 2700 to 6500 K.
    """
    (warm, warm_nm, warm_width), (cold, cold_nm, cold_width) = _LED_PHOSPHOR
    share = (1.0 / warm - 1.0 / kelvin) / (1.0 / warm - 1.0 / cold)
    phosphor = _band(warm_nm + share * (cold_nm - warm_nm), warm_width + share * (cold_width - warm_width))
    pump = _band(*_LED_PUMP_NM)
    low, high = 0.0, 8.0
    for _ in range(40):  # more blue is always colder
        middle = (low + high) / 2.0
        low, high = (middle, high) if correlated_cct(phosphor + middle * pump) < kelvin else (low, middle)
    return np.asarray(phosphor + low * pump, dtype=np.float64)


def white(kelvin: float) -> Floats:
    """Black body to 4000 K, daylight from 5000 K, mixed between at equal luminance (as CIE 224:2017 does)."""
    if kelvin <= 4000.0:
        return black_body(kelvin)
    if kelvin >= 5000.0:
        return daylight(kelvin)
    share = (kelvin - 4000.0) / 1000.0
    warm, cool = black_body(kelvin), daylight(kelvin)
    return np.asarray((1.0 - share) * warm / xyz_of(warm)[1] + share * cool / xyz_of(cool)[1], dtype=np.float64)


_KINDS: Final[dict[Spectrum, tuple[float, Callable[[float], Floats]]]] = {
    "white": (0.0, white),
    "black_body": (0.0, black_body),
    "daylight": (4000.0, daylight),
    "led": (_LED_PHOSPHOR[0][0], led),
}
"""Kind -> lowest colour temperature at which it exists, kelvin, and the function."""


def spectrum_of(kind: Spectrum, kelvin: float) -> Floats:
    """The spectrum of *kind* at *kelvin*.

    Where a kind ends, daylight at 4000 K and LEDs of one phosphor at 2700 K, a black body takes its place below.

    Raises InputError outside CCT_RANGE_K.
    """
    if not CCT_RANGE_K[0] <= kelvin <= CCT_RANGE_K[1]:
        low, high = CCT_RANGE_K
        raise InputError(f"expected a colour temperature of {low:g} to {high:g} K, found {kelvin:g} K")
    lowest, make = _KINDS[kind]
    return make(kelvin) if kelvin >= lowest else black_body(kelvin)


def xyz_of(spectrum: Floats) -> Floats:
    """(3,) CIE 1931 XYZ of *spectrum*, in units that only ratios make sense of."""
    return np.asarray(_observer() @ spectrum, dtype=np.float64)


def xy_of(spectrum: Floats) -> tuple[float, float]:
    """CIE 1931 (x, y) of *spectrum*."""
    xyz = xyz_of(spectrum)
    return float(xyz[0] / xyz.sum()), float(xyz[1] / xyz.sum())


def rec709_of(spectrum: Floats) -> Floats:
    """(3,) linear Rec.709 of *spectrum* at luminance 1; channels outside the gamut are negative."""
    xyz = xyz_of(spectrum)
    return np.asarray(REC709_FROM_XYZ @ (xyz / xyz[1]), dtype=np.float64)


def correlated_cct(spectrum: Floats) -> float:
    """Correlated colour temperature, kelvin: that of the nearest black body in CIE 1960 (u, v), 1000 to 50000 K.

    By projection on the chord between neighbouring points of the locus, 4 mired apart: within 1 mired.
    """
    points, mired = _locus()
    u, v = _uv(xyz_of(spectrum))
    distance = np.hypot(points[:, 0] - u, points[:, 1] - v)
    i = int(np.clip(np.argmin(distance), 1, len(mired) - 2))
    before, after = points[i - 1], points[i + 1]
    along = float((np.array([u, v]) - before) @ (after - before) / ((after - before) @ (after - before)))
    return float(1e6 / (mired[i - 1] + np.clip(along, 0.0, 1.0) * (mired[i + 1] - mired[i - 1])))


def duv(spectrum: Floats) -> float:
    """Distance of *spectrum* from the black body of its correlated colour temperature in CIE 1960 (u, v), >= 0."""
    u, v = _uv(xyz_of(spectrum))
    locus_u, locus_v = _uv(xyz_of(black_body(correlated_cct(spectrum))))
    return float(np.hypot(u - locus_u, v - locus_v))


def _uv(xyz: Floats) -> tuple[float, float]:
    """CIE 1960 (u, v)."""
    scale = float(xyz[0] + 15.0 * xyz[1] + 3.0 * xyz[2])
    return 4.0 * float(xyz[0]) / scale, 6.0 * float(xyz[1]) / scale


@cache
def _locus() -> tuple[Floats, Floats]:
    """(u, v) of black bodies every 2 mired, and those mireds."""
    mired = np.arange(20.0, 1001.0, 2.0)
    return np.array([_uv(xyz_of(black_body(1e6 / m))) for m in mired]), mired


@cache
def _observer() -> Floats:
    rows: dict[str, Any] = tables.table("spectra")["observer_1931"]
    return np.array([rows["x"], rows["y"], rows["z"]])


def _band(peak_nm: float, width_nm: float) -> Floats:
    """A Gaussian band of *width_nm* at half its maximum of 1."""
    return np.asarray(np.exp(-4.0 * np.log(2.0) * ((WAVELENGTH_NM - peak_nm) / width_nm) ** 2), dtype=np.float64)
