"""The sensor: light behind the lens becomes electrons, noise and codes, in the model of EMVA 1288 release 4.0.

mean = black + K x electrons, variance = K^2 x (electrons + read^2) + 1/12, with gains, offsets and hot pixels that
belong to one camera (`fixed_pattern`), not to the photo. Does not cover: colour and tone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.expose import Exposure, sensor_signal
from pipeline.camera.fixed_pattern import FixedPattern, fixed_pattern
from pipeline.camera.hardware import Sensor
from pipeline.spec.scene import BodySpec

_BAYER_CHANNEL = ((0, 1), (1, 2))
"""Channel under the colour filter at (row % 2, column % 2): RGGB."""
_FAINT_E: Final = 50.0
"""From this many electrons on, a Gaussian stands for the Poisson distribution: its skewness is below 0.15 there."""
_CERTAIN: Final = 2.0
"""Beyond this many times the range a pixel is saturated whatever the noise."""


@dataclass(frozen=True, eq=False)
class RawFrame:
    """What the converter delivers."""

    codes: NDArray[np.uint16]
    """(h, w) converter codes: an RGGB mosaic, or grey."""
    clipped: NDArray[np.bool_]
    """(h, w, 3): the channel's noise-free exposure exceeds the full well or the converter's range at this gain. All
    three channels are told at every pixel, whatever filter lies over it; a mono sensor has three equal ones."""
    signal: NDArray[np.float32]
    """(h, w, 3): that exposure as a share of the range; above 1 where *clipped*."""


def capture(
    irradiance: NDArray[np.float32], exposure: Exposure, sensor: Sensor, seed: int, body: BodySpec | None = None
) -> RawFrame:
    """Expose *sensor* to *irradiance* (h, w, 3; radiance as it comes through the lens). Same seed, same codes.

    *body*: which camera of the model, and how warm; camera 0001 at 25 degrees Celsius if nothing is said. Raises
    InputError when the sensor has not the exposure's shutter time or gain.
    """
    body = body or BodySpec()
    sensor.check_settings(exposure.shutter_s, exposure.gain)
    signal = sensor_signal(irradiance, exposure.exposure_scale, sensor)
    clipped = np.broadcast_to(signal > 1.0, irradiance.shape)
    exposed = np.broadcast_to(signal, irradiance.shape)
    pattern = fixed_pattern(sensor, body.serial, *irradiance.shape[:2])
    rng = np.random.default_rng(seed)
    charge = _with_shot_noise(_expected_electrons(signal, exposure, sensor, pattern, body.temperature_c), rng)
    np.minimum(charge, np.float32(sensor.full_well_e), out=charge)
    read_noise = np.float32(sensor.read_noise_at(exposure.gain))
    charge += pattern.offset_e + read_noise * rng.standard_normal(charge.shape, dtype=np.float32)
    codes = np.rint(charge * np.float32(exposure.gain / sensor.electrons_per_dn)) + np.float32(sensor.black_level_dn)
    return RawFrame(np.clip(codes, 0, sensor.white_dn).astype(np.uint16), clipped, exposed)


def _expected_electrons(
    signal: NDArray[np.float32], exposure: Exposure, sensor: Sensor, pattern: FixedPattern, temperature_c: float
) -> NDArray[np.float32]:
    """Mean electrons (h, w) of every pixel, from light and from dark current."""
    lit = np.minimum(_one_filter_per_pixel(signal), np.float32(_CERTAIN))
    electrons = lit * np.float32(sensor.full_well_e / exposure.gain) * pattern.gain
    warm_s = sensor.dark_current_factor(temperature_c) * exposure.shutter_s
    electrons += np.float32(sensor.dark_e_per_s * warm_s)
    electrons[pattern.hot_rows, pattern.hot_columns] += pattern.hot_e_per_s * np.float32(warm_s)
    return electrons


def _with_shot_noise(electrons: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Counts (h, w) whose means are *electrons*: Poisson, or its Gaussian limit where there are many."""
    counts = rng.standard_normal(electrons.shape, dtype=np.float32)
    counts *= np.sqrt(electrons)
    counts += electrons
    faint = electrons < _FAINT_E
    counts[faint] = rng.poisson(electrons[faint])
    return counts


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
