"""White balance: the gains for a colour temperature, and the temperature that a camera finds by itself.

Does not cover: the camera's colour matrix (`tone`), light colours (`mix`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.hardware import Sensor
from pipeline.camera.mix import cct_rgb
from pipeline.spec.scene import RENDERED_CCT_K

AUTO_RANGE_K: Final = (2300.0, 10000.0)
"""Colour temperatures that an automatic white balance may find; cameras state about as much."""
_AUTO_STEPS: Final = 120
_BRIGHT_SHARE: Final = 0.05
"""The brightest unclipped share of the picture, where metal mirrors its lamps, counts by itself as white."""
_CLIPPED: Final = 0.95
"""Share of the range from which a 2 x 2 cell may be clipped and does not count."""
_NOISE_CODES: Final = 8.0
"""Cells with a channel darker than this many codes are noise."""
_MINKOWSKI: Final = 6
"""Norm of Shades of Grey (Finlayson and Trezzi 2004): between grey world (1) and white patch (infinite)."""
_CELLS: Final = 65536
"""About as many 2 x 2 cells are looked at, whatever the size of the picture."""


def white_balance_gains(sensor: Sensor, kelvin: float) -> NDArray[np.float32]:
    """Factors (3,) that turn the sensor's signals for a white surface under light of *kelvin* into equal ones.

    Green under D65 has factor 1. A mono sensor has factors of 1.
    """
    if sensor.colour == "mono":
        return np.ones(3, dtype=np.float32)
    return np.asarray(1.0 / (np.array(sensor.response) * np.array(cct_rgb(kelvin))), dtype=np.float32)


def auto_white_balance(codes: NDArray[np.uint16], sensor: Sensor) -> float:
    """Colour temperature, kelvin, that the camera takes for white in an RGGB mosaic (h, w) of converter codes.

    Shades of Grey (Finlayson and Trezzi, "Shades of gray and colour constancy", 2004) over cells that are neither
    clipped nor noise, averaged with the mean of the brightest of them; then the nearest light on the line of white
    lights, so that a green mat does not make the picture magenta. 6504 K for a mono sensor and in the dark.
    """
    if sensor.colour == "mono":
        return RENDERED_CCT_K
    cells = _cells(codes, sensor)
    if len(cells) == 0:
        return RENDERED_CCT_K
    grey = np.mean(cells**_MINKOWSKI, axis=0) ** (1.0 / _MINKOWSKI)
    total = cells.sum(axis=1)
    bright = cells[total >= np.quantile(total, 1.0 - _BRIGHT_SHARE)].mean(axis=0)
    found = 0.5 * (np.log(grey / grey[1]) + np.log(bright / bright[1]))
    kelvins, lights = _white_lights(sensor)
    distance = np.abs(lights - found[[0, 2]]).sum(axis=1)
    return float(kelvins[int(distance.argmin())])


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
def _white_lights(sensor: Sensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colour temperatures, evenly spaced in reciprocal kelvin, and the log signals (n, 2) of R/G and B/G of white."""
    low, high = AUTO_RANGE_K
    kelvins = 1e6 / np.linspace(1e6 / high, 1e6 / low, _AUTO_STEPS)
    gains = np.array([white_balance_gains(sensor, float(kelvin)) for kelvin in kelvins], dtype=np.float64)
    signals = -np.log(gains)
    return kelvins, signals[:, [0, 2]] - signals[:, 1:2]
