"""Light mix: what the scene looks like when each light group has its own brightness and colour temperature.

Light adds, so one render serves many mixes. Covers: colour of a correlated colour temperature, gains of the groups,
their sum. Does not cover: exposure and sensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.spec.scene import CCT_RANGE_K, RENDERED_CCT_K, PhotoSpec
from pipeline.view_light import REC709_LUMINANCE, luminance

_REC709_FROM_XYZ: Final = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
_LEAST_CHANNEL: Final = 0.02
"""Lamps below 1900 K lie outside Rec.709; their blue is held here, relative to the luminance."""


def planck_xy(kelvin: float) -> tuple[float, float]:
    """CIE 1931 (x, y) of a black body, 1667 to 25000 K: cubic splines of Kim et al., US patent 7024034 (2006)."""
    t = kelvin
    if t <= 4000.0:
        x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
    else:
        x = -3.0258469e9 / t**3 + 2.1070379e6 / t**2 + 0.2226347e3 / t + 0.240390
    if t <= 2222.0:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif t <= 4000.0:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y


def daylight_xy(kelvin: float) -> tuple[float, float]:
    """CIE 1931 (x, y) of CIE daylight, 4000 to 25000 K (CIE 15:2018, section 4.1.2)."""
    t = kelvin
    if t <= 7000.0:
        x = -4.6070e9 / t**3 + 2.9678e6 / t**2 + 0.09911e3 / t + 0.244063
    else:
        x = -2.0064e9 / t**3 + 1.9018e6 / t**2 + 0.24748e3 / t + 0.237040
    return x, -3.0 * x**2 + 2.870 * x - 0.275


def white_xy(kelvin: float) -> tuple[float, float]:
    """(x, y) of white light: black body to 4000 K, daylight from 5000 K, mixed between (as CIE 224:2017 does).

    Raises InputError outside CCT_RANGE_K.
    """
    if not CCT_RANGE_K[0] <= kelvin <= CCT_RANGE_K[1]:
        low, high = CCT_RANGE_K
        raise InputError(f"expected a colour temperature of {low:g} to {high:g} K, found {kelvin:g} K")
    if kelvin <= 4000.0:
        return planck_xy(kelvin)
    if kelvin >= 5000.0:
        return daylight_xy(kelvin)
    share = (kelvin - 4000.0) / 1000.0
    cool, warm = daylight_xy(kelvin), planck_xy(kelvin)
    return warm[0] + share * (cool[0] - warm[0]), warm[1] + share * (cool[1] - warm[1])


@cache
def cct_rgb(kelvin: float) -> tuple[float, float, float]:
    """Linear Rec.709 colour of light of *kelvin*, relative to D65: luminance 1, (1, 1, 1) at 6504 K."""
    relative = _rgb_of_xy(*white_xy(kelvin)) / _rgb_of_xy(*daylight_xy(RENDERED_CCT_K))
    relative = np.maximum(relative / (relative @ REC709_LUMINANCE), _LEAST_CHANNEL)
    red, green, blue = (float(v) for v in relative / (relative @ REC709_LUMINANCE))
    return red, green, blue


def _rgb_of_xy(x: float, y: float) -> NDArray[np.float64]:
    xyz = np.array([x / y, 1.0, (1.0 - x - y) / y])
    return np.asarray(_REC709_FROM_XYZ @ xyz, dtype=np.float64)


def group_gains(photo: PhotoSpec, groups: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
    """Gain (3,) of each light group in *photo*: brightness times colour, for linear Rec.709.

    Raises InputError when the photo names a group that the scene has not.
    """
    unknown = sorted((photo.light_weights.keys() | photo.light_cct_k.keys()) - set(groups))
    if unknown:
        raise InputError(
            f"photo {photo.photo_index} of view {photo.view_index}: expected light groups out of "
            f"{', '.join(groups)}; found {', '.join(unknown)}; name only groups of the rig and the surroundings"
        )
    gains = {}
    for group in groups:
        colour = np.array(cct_rgb(photo.light_cct_k.get(group, RENDERED_CCT_K)), dtype=np.float32)
        gains[group] = np.float32(photo.light_weights.get(group, 1.0)) * colour
    return gains


def mix(groups: Mapping[str, NDArray[np.float32]], gains: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Radiance (h, w, 3) float32 of all *groups* together, each multiplied by its gain (3,)."""
    first = next(iter(groups.values()))
    total = np.zeros_like(first)
    for group, radiance in groups.items():
        total += radiance * gains[group]
    return total


def mixed_cct(
    means: Mapping[str, NDArray[np.float32]],
    gains: Mapping[str, NDArray[np.float32]],
    light_cct_k: Mapping[str, float],
) -> float:
    """Colour temperature (kelvin) of the light in a photo: the mean reciprocal temperature of its groups, weighted by
    the luminance each gives to the picture. *means* holds the mean radiance (3,) of each group. 6504 K in the dark."""
    weights = [float(luminance(mean * gains[group])) for group, mean in means.items()]
    if sum(weights) <= 0.0:
        return RENDERED_CCT_K
    mired = [1e6 / light_cct_k.get(group, RENDERED_CCT_K) for group in means]
    return 1e6 / (sum(w * m for w, m in zip(weights, mired, strict=True)) / sum(weights))
