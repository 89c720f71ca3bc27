"""What is fixed in one camera: gains and offsets of its pixels, and its hot pixels, by serial number.

Two photos of one camera share the pattern, two cameras of a model do not. Does not cover: noise that changes from photo
to photo (`sensor`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.hardware import Sensor


@dataclass(frozen=True, eq=False)
class FixedPattern:
    """The pixels of one camera at one image size; arrays are read-only."""

    gain: NDArray[np.float32]
    """(h, w) response relative to the mean: 1 with standard deviation `prnu`."""
    offset_e: NDArray[np.float32]
    """(h, w) electrons added in the dark: 0 with standard deviation `dsnu_e`."""
    hot_rows: NDArray[np.intp]
    hot_columns: NDArray[np.intp]
    """Places (n,) of the hot pixels."""
    hot_e_per_s: NDArray[np.float32]
    """(n,) their dark current beyond the sensor's, electrons per second at 25 degrees Celsius."""


@lru_cache(maxsize=8)
def fixed_pattern(sensor: Sensor, serial: str, height: int, width: int) -> FixedPattern:
    """The pattern of the camera *serial* of a model, for images of *height* x *width* pixels."""
    digest = hashlib.sha256(f"fixed pattern\0{sensor.name}\0{serial}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "little"))
    shape = (height, width)
    gain = np.maximum(1.0 + np.float32(sensor.prnu) * rng.standard_normal(shape, dtype=np.float32), np.float32(0.0))
    offset = np.float32(sensor.dsnu_e) * rng.standard_normal(shape, dtype=np.float32)
    hot = np.nonzero(rng.random(shape, dtype=np.float32) < sensor.hot_share)
    excess = np.float32(sensor.hot_e_per_s) * rng.standard_exponential(hot[0].size, dtype=np.float32)
    for array in (gain, offset, *hot, excess):
        array.flags.writeable = False
    return FixedPattern(gain, offset, hot[0], hot[1], excess)
