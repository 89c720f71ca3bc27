"""The sensor: light behind the lens becomes electrons, noise and codes, in the model of EMVA 1288 release 4.0.

mean = black + K x electrons, variance = K^2 x (electrons + read^2) + 1/12, plus a fixed pattern of gains (PRNU) that
belongs to the sensor, not to the photo. Does not cover: colour and tone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.expose import Exposure, sensor_signal
from pipeline.camera.hardware import Sensor

_BAYER_CHANNEL = ((0, 1), (1, 2))
"""Channel under the colour filter at (row % 2, column % 2): RGGB."""


@dataclass(frozen=True, eq=False)
class RawFrame:
    """What the converter delivers."""

    codes: NDArray[np.uint16]
    """(h, w) converter codes: an RGGB mosaic, or grey."""
    clipped: NDArray[np.bool_]
    """(h, w, 3): the channel's noise-free exposure exceeds the full well or the converter's range at this gain. All
    three channels are told at every pixel, whatever filter lies over it; a mono sensor has three equal ones."""


def capture(irradiance: NDArray[np.float32], exposure: Exposure, sensor: Sensor, seed: int) -> RawFrame:
    """Expose *sensor* to *irradiance* (h, w, 3; radiance as it comes through the lens). Same seed, same codes."""
    signal = sensor_signal(irradiance, exposure.exposure_scale, sensor)
    clipped = np.broadcast_to(signal > 1.0, irradiance.shape)
    electrons = _one_filter_per_pixel(signal) * (sensor.full_well_e / exposure.gain)
    # Beyond twice the range the outcome is certain; the limit only keeps the random numbers cheap.
    electrons = np.minimum(electrons, 2.0 * sensor.full_well_e / exposure.gain)
    rng = np.random.default_rng(seed)
    height, width = electrons.shape
    lit = rng.poisson(electrons * fixed_pattern(sensor.name, sensor.prnu, height, width))
    dark = rng.poisson(sensor.dark_e_per_s * exposure.shutter_s, (height, width))
    charge = np.minimum(lit + dark, sensor.full_well_e)
    charge = charge + sensor.read_noise_e * rng.standard_normal((height, width), dtype=np.float32)
    codes = np.rint(charge * (exposure.gain / sensor.electrons_per_dn)) + sensor.black_level_dn
    return RawFrame(np.clip(codes, 0, sensor.white_dn).astype(np.uint16), clipped)


@lru_cache(maxsize=8)
def fixed_pattern(name: str, prnu: float, height: int, width: int) -> NDArray[np.float32]:
    """Relative gain (h, w) of every pixel, mean 1, standard deviation *prnu*: one pattern per sensor and image size."""
    seed = int.from_bytes(hashlib.sha256(f"prnu {name}".encode()).digest()[:8], "little")
    noise = np.random.default_rng(seed).standard_normal((height, width), dtype=np.float32)
    pattern: NDArray[np.float32] = np.maximum(1.0 + np.float32(prnu) * noise, np.float32(0))
    pattern.flags.writeable = False
    return pattern


def bayer_gains(height: int, width: int, gains: NDArray[np.float32]) -> NDArray[np.float32]:
    """The gain (h, w) that each pixel of an RGGB mosaic gets out of *gains* (3,)."""
    result = np.empty((height, width), dtype=np.float32)
    for row in (0, 1):
        for column in (0, 1):
            result[row::2, column::2] = gains[_BAYER_CHANNEL[row][column]]
    return result


def _one_filter_per_pixel(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) out of (h, w, c): the channel whose filter lies over each pixel."""
    if signal.shape[-1] == 1:
        return signal[..., 0]
    mosaic = np.empty(signal.shape[:2], dtype=np.float32)
    for row in (0, 1):
        for column in (0, 1):
            mosaic[row::2, column::2] = signal[row::2, column::2, _BAYER_CHANNEL[row][column]]
    return mosaic
