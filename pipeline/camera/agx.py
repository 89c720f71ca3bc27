"""AgX: the view transform of Blender, from scene-linear Rec.709 to linear display light.

AgX is by Troy Sobotka; Blender ships Eary Chow's version as a 3-D table in its OpenColorIO configuration, "AgX Base
sRGB". This is the formula that fills that table (github.com/EaryChow/AgX_LUT_Gen, AgXBasesRGB.py), evaluated without
the table: pull the primaries in, take a sigmoid of the logarithm of each channel, bring 60 % of the hue shift back,
push the primaries out, fit what leaves the gamut of Rec.709. A test compares it with Blender's table. It is a look of
consumer pictures; inspection cameras use none. Does not cover: the sRGB curve (`tone`).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

MIDDLE_GREY: Final = 0.18
_LOWEST_STOP, _HIGHEST_STOP = -10.0, 6.5
"""Stops about middle grey that the sigmoid spans."""
_POWER: Final = 2.4
"""Exponent of the display (Rec.1886) in which the sigmoid's value is meant."""
_SLOPE: Final = 2.4
_BEND: Final = 1.5
"""Slope of the sigmoid at middle grey, and exponent of its toe and shoulder."""
_HUE_KEPT: Final = 0.6
"""Share of the hue before the sigmoid in the hue after it."""

_REC2020_FROM_REC709: Final = np.array(  # ITU-R BT.2087
    [[0.627404, 0.329283, 0.043313], [0.069097, 0.919540, 0.011362], [0.016391, 0.088013, 0.895595]]
)
_INSET: Final = np.array(
    [
        [0.856627153315983, 0.0951212405381588, 0.0482516061458583],
        [0.137318972929847, 0.761241990602591, 0.101439036467562],
        [0.11189821299995, 0.0767994186031903, 0.811302368396859],
    ]
)
"""Rec.2020 primaries moved towards white and turned: rotation 2.14, -1.23, -3.05 degrees, inset 33 %, 28 %, 12 %."""
_OUTSET_INVERSE: Final = np.array(
    [
        [0.899796955911611, 0.0871996192028351, 0.013003424885555],
        [0.11142098895748, 0.875575586156966, 0.0130034248855548],
        [0.11142098895748, 0.0871996192028349, 0.801379391839686],
    ]
)
"""The same, unturned, with 32 %, 28 %, 4 %: its inverse gives the colours back."""
_LUMINANCE_2020: Final = np.array([0.2589235, 0.6104985, 0.1305779])
"""Luminance of Rec.2020 by the CIE 2015 10 degree functions, which AgX's gamut step uses."""
_STEPS: Final = 1 << 14
"""Entries of the table of the sigmoid: 0.001 stops apart."""


def agx(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear display light (h, w, 3), 0..1, of scene-linear Rec.709 (h, w, 3); middle grey stays where it is."""
    inward = (_INSET @ _REC2020_FROM_REC709).astype(np.float32)
    outward = np.linalg.inv(_OUTSET_INVERSE @ _REC2020_FROM_REC709).astype(np.float32)
    before: list[NDArray[np.float32]] = list(cv2.split(cv2.transform(np.maximum(linear, np.float32(0)), inward)))
    formed = [_sigmoid_of(channel) for channel in before]
    shown = cv2.transform(cv2.merge(_hue_kept(before, formed)), outward)
    outside = np.minimum(np.minimum(shown[..., 0], shown[..., 1]), shown[..., 2]) < 0
    if outside.any():
        shown[outside] = _into_gamut(shown[outside])
    return np.asarray(np.clip(shown, 0.0, 1.0), dtype=np.float32)


def sigmoid(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve of AgX: position in the range of stops (0..1) to value in the display's encoding (0..1)."""
    pivot = -_LOWEST_STOP / (_HIGHEST_STOP - _LOWEST_STOP)
    grey = MIDDLE_GREY ** (1.0 / _POWER)

    def scale(across: float, up: float) -> float:
        return float(((_SLOPE * across) ** -_BEND * ((_SLOPE * across / up) ** _BEND - 1.0)) ** (-1.0 / _BEND))

    toe, shoulder = scale(pivot, grey), scale(1.0 - pivot, 1.0 - grey)
    rise = _SLOPE * (position - pivot)
    high, low = np.maximum(rise, 0.0) / shoulder, np.maximum(-rise, 0.0) / toe
    bent = shoulder * high / (1.0 + high**_BEND) ** (1.0 / _BEND) - toe * low / (1.0 + low**_BEND) ** (1.0 / _BEND)
    return np.asarray(grey + bent, dtype=np.float64)


@cache
def _table() -> NDArray[np.float32]:
    """Linear display light for _STEPS positions between the lowest and the highest stop."""
    return np.asarray(np.maximum(sigmoid(np.linspace(0.0, 1.0, _STEPS)), 0.0) ** _POWER, dtype=np.float32)


def _sigmoid_of(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear display light (h, w) of one channel."""
    darkest = MIDDLE_GREY * 2.0**_LOWEST_STOP
    stops = np.log2(np.maximum(channel, np.float32(darkest)))
    per_stop = (_STEPS - 1) / (_HIGHEST_STOP - _LOWEST_STOP)
    position = stops * np.float32(per_stop) + np.float32(0.5 - np.log2(darkest) * per_stop)
    return np.asarray(np.take(_table(), np.minimum(position, np.float32(_STEPS - 1)).astype(np.uint16)), np.float32)


def _hue_kept(before: list[NDArray[np.float32]], after: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """*after* with most of the HSV hue of *before*: a curve that rises keeps the order of the channels, so the hue
    is where the middle channel stands between the largest and the smallest one."""
    high, low = _extremes(before)
    span = np.maximum(high - low, np.float32(1e-9))
    new_high, new_low = _extremes(after)
    new_span = new_high - new_low
    kept, rest = np.float32(_HUE_KEPT), np.float32(1.0 - _HUE_KEPT)
    slope = kept * new_span / span
    return [(old - low) * slope + (new - new_low) * rest + new_low for old, new in zip(before, after, strict=True)]


def _extremes(planes: list[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(largest, smallest) of the three channels."""
    first, second, third = planes
    return np.maximum(np.maximum(first, second), third), np.minimum(np.minimum(first, second), third)


def _into_gamut(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (n, 3) of Rec.709 without negative values: lifted to 0, then dimmed to the luminance they had."""
    lifted = colours - np.minimum(colours.min(axis=1, keepdims=True), 0.0)
    wanted, found = _brightness(colours), _brightness(lifted)
    ratio = np.where(found > wanted, wanted / np.maximum(found, 1e-9), 1.0)
    return np.asarray(lifted * ratio[:, None], dtype=np.float32)


def _brightness(colours: NDArray[np.float32]) -> NDArray[np.float64]:
    """Luminance (n,), mixed in the shadows with that of the inverted colour's complement, as AgX weighs it."""
    weights = _LUMINANCE_2020 @ _REC2020_FROM_REC709
    luminance = colours @ weights
    inverse = colours.max(axis=1, keepdims=True) - colours
    complement = inverse.max(axis=1) - inverse @ weights + luminance
    share = np.clip(np.maximum(luminance, 0.0) ** 0.08, 0.0, 1.0)
    return np.asarray(complement + share * (luminance - complement), dtype=np.float64)
