"""White balance: the gains for a colour temperature, and the temperature that a camera finds by itself.

Does not cover: the camera's colour matrix (`tone`), light colours (`mix`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.colour_matrix import camera_neutral
from pipeline.camera.hardware import Sensor
from pipeline.spec.scene import RENDERED_CCT_K

AUTO_RANGE_K: Final = (2300.0, 10000.0)
"""Colour temperatures that an automatic white balance may find; cameras state about as much."""
_AUTO_STEPS: Final = 120
_TINT: Final = 0.15
"""Cells this far off the line of white lights, in log R/G + log B/G, count 0.6 of those on it; twice as far, 0.14."""
_STRAY: Final = 0.01
"""What cells far off the line count all the same, so that something is found in any picture."""
_CLIPPED: Final = 0.95
"""Share of the range from which a 2 x 2 cell may be clipped and does not count."""
_NOISE_CODES: Final = 8.0
"""Cells with a channel darker than this many codes are noise."""
_CELLS: Final = 32768
"""About as many 2 x 2 cells are looked at, whatever the size of the picture."""


def white_balance_gains(sensor: Sensor, kelvin: float) -> NDArray[np.float32]:
    """Factors (3,) that turn the sensor's signals for a white surface under light of *kelvin* into equal ones.

    Green under D65 has factor 1. A mono sensor has factors of 1.
    """
    if sensor.colour == "mono":
        return np.ones(3, dtype=np.float32)
    return np.asarray(1.0 / camera_neutral(sensor, kelvin), dtype=np.float32)


def auto_white_balance(codes: NDArray[np.uint16], sensor: Sensor) -> float:
    """Colour temperature, kelvin, that the camera takes for white in an RGGB mosaic (h, w) of converter codes.

    Each cell of 2 x 2 pixels that is neither clipped nor noise votes for the white light whose hue between warm and
    cool it has, with its brightness, and the less the greener or more magenta it is than any white light. The median
    vote wins, in reciprocal kelvin: colour by correlation (Finlayson, Hordley and Hubel 2001) along one line. So a
    green mat or a brass nut on a grey table hardly counts. 6504 K for a mono sensor and in the dark.
    """
    if sensor.colour == "mono":
        return RENDERED_CCT_K
    cells = _cells(codes, sensor)
    if len(cells) == 0:
        return RENDERED_CCT_K
    logs = np.log(cells)
    red, blue = logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1]
    mireds, warmth, tint = _white_lights(sensor)
    votes = np.interp(red - blue, warmth, mireds)
    off = (red + blue - np.interp(red - blue, warmth, tint)) / _TINT
    weights = cells.sum(axis=1) * (np.exp(-0.5 * off**2) + _STRAY)
    order = np.argsort(votes)
    sums = np.cumsum(weights[order])
    winner = votes[order[int(np.searchsorted(sums, 0.5 * sums[-1]))]]
    return float(round(1e6 / winner))  # whole kelvins: the last bits of a maths library must not reach the picture


def _cells(codes: NDArray[np.uint16], sensor: Sensor) -> NDArray[np.float64]:
    """Signals (n, 3) of 2 x 2 cells, share of the range, without clipped and dark ones."""
    height, width = codes.shape[0] // 2 * 2, codes.shape[1] // 2 * 2
    step = 2 * max(1, round((height * width / 4 / _CELLS) ** 0.5))
    red, blue = codes[0:height:step, 0:width:step], codes[1:height:step, 1:width:step]
    first, second = codes[0:height:step, 1:width:step], codes[1:height:step, 0:width:step]
    green = (first.astype(np.float64) + second) / 2.0
    cells = np.stack([red.ravel(), green.ravel(), blue.ravel()], axis=1, dtype=np.float64) - sensor.black_level_dn
    span = sensor.white_dn - sensor.black_level_dn
    brightest = np.maximum(first, second).ravel() - float(sensor.black_level_dn)
    good = (np.maximum(cells.max(axis=1), brightest) < _CLIPPED * span) & (cells.min(axis=1) > _NOISE_CODES)
    return np.asarray(cells[good] / span, dtype=np.float64)


@lru_cache(maxsize=16)
def _white_lights(sensor: Sensor) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The line of white lights, from cool to warm: reciprocal megakelvin, log R/B and log R/G + log B/G of the signals
    for a white surface."""
    low, high = AUTO_RANGE_K
    mireds = np.linspace(1e6 / high, 1e6 / low, _AUTO_STEPS)
    gains = np.array([white_balance_gains(sensor, float(1e6 / mired)) for mired in mireds], dtype=np.float64)
    logs = -np.log(gains)
    red, blue = logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1]
    return mireds, red - blue, red + blue
