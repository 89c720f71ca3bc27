"""Metering and exposure: which shutter time and gain a photo is taken with, and what that does to radiance.

Saturation happens on the sensor, before white balance: a channel is clipped where `sensor_signal` > 1.
Does not cover: noise and conversion (`sensor`), colour (`tone`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.colour_matrix import camera_from_rec709, mixed_by_filters
from pipeline.camera.hardware import Lens, Sensor
from pipeline.view_light import luminance

GREY: Final = 0.18
"""Reflectance of the metering card, and the scene-linear value at which a picture should show it."""
GREY_WITHOUT_CURVE: Final = 0.36
"""The value for pictures that no curve brightens: inspection cameras aim at about a third of their range."""
HEADROOM: Final = math.sqrt(2.0)
"""White lies half a stop below saturation, as in ISO 12232's saturation-based speed."""
WHITE_LUMINANCE_CD_M2: Final = 1000.0 / math.pi
"""Luminance of radiance 1: a white surface at 1000 lx, the lighting EN 12464-1 asks for at precision work."""
SHUTTER_RANGE_S: Final = (1.0 / 4000.0, 0.5)
GUARDED_SHARE: Final = 0.01
"""At most this share of the pixels may saturate at the metered exposure ..."""
GUARD_LIMIT_STOPS: Final = 2.5
"""... unless saving them would darken the picture by more than this: small lamps in polished metal stay white."""
KEY_LIMIT: Final = 2.5
"""A bright scene's average is shown at most this many times as bright as grey."""
_FLAT: Final = math.log(1.1)
"""An image whose luminances differ by less is a test card, not a scene."""
_METER_SIGMA: Final = 0.3
"""Standard deviation of the centre weighting, in image widths and heights."""
_DARKEST: Final = 0.1
"""Pixels darker than this share of the mean count as that dark, so that black backgrounds do not rule the meter."""
_LEAST_RADIANCE: Final = 1e-6
"""What the meter reads in complete darkness."""


@dataclass(frozen=True, eq=False)
class Exposure:
    """How a photo is exposed."""

    shutter_s: float
    gain: float
    """Analogue gain as a factor, 1 = base ISO."""
    f_number: float
    exposure_scale: NDArray[np.float64]
    """(3,) share of the sensor's range per unit of white (D65) radiance, in the image centre; other colours mix by the
    sensor's filters. A mono sensor adds the three channels up."""
    saturation_radiance: NDArray[np.float64]
    """(3,) radiance of white light (D65) at which each channel clips in the image centre."""


def expose(
    radiance: NDArray[np.float32], sensor: Sensor, lens: Lens, f_number: float, ev: float, grey: float = GREY
) -> Exposure:
    """Exposure of *radiance* (h, w, 3), *ev* stops from the metered one, which shows the average at *grey*.

    The aperture is the nearest that *lens* has. The shutter is lengthened first, then gain is raised; what the limits
    of both do not allow remains under- or overexposed.
    """
    aperture = min(max(f_number, lens.f_min), lens.f_max)
    wanted = metered_scale(radiance, sensor, grey) * 2.0**ev
    per_second = _scale_per_second(sensor, aperture)
    shutter = min(max(wanted / per_second, SHUTTER_RANGE_S[0]), SHUTTER_RANGE_S[1])
    gain = min(max(wanted / (per_second * shutter), 1.0), sensor.max_gain)
    scale = per_second * shutter * gain
    response = np.array(sensor.response)
    saturation = np.full(3, 1.0 / scale) if sensor.colour == "mono" else 1.0 / (scale * response)
    return Exposure(shutter, gain, aperture, scale * response, saturation)


def metered_scale(radiance: NDArray[np.float32], sensor: Sensor, grey: float = GREY) -> float:
    """Share of the sensor's (green) range per unit of radiance that a camera would choose for *radiance* (h, w, 3).

    The centre-weighted log-average luminance becomes *grey*, or up to KEY_LIMIT times that in a bright scene (see
    `scene_key`), half a stop of headroom kept above white; less, down to GUARD_LIMIT_STOPS, when more than
    GUARDED_SHARE of the pixels would saturate.
    """
    light = luminance(radiance)
    grey_scale = grey * scene_key(light) / HEADROOM / log_average(light)
    signal = sensor_signal(radiance, np.array(sensor.response), sensor)
    # Channel by channel is many times faster than max(axis=-1) over three values.
    brightest = reduce(np.maximum, [signal[..., channel] for channel in range(signal.shape[-1])]).ravel()
    rank = max(0, math.ceil(brightest.size * (1.0 - GUARDED_SHARE)) - 1)
    guard = float(np.partition(brightest, rank)[rank])
    if guard * grey_scale <= 1.0:
        return grey_scale
    return max(1.0 / guard, float(grey_scale / 2.0**GUARD_LIMIT_STOPS))


def scene_key(image: NDArray[np.float32]) -> float:
    """How much brighter than grey the average of an image (h, w) of luminances should be shown, 1 to KEY_LIMIT.

    Reinhard, "Parameter estimation for photographic tone reproduction" (2002): 4 to the power of where the log-average
    lies between the darkest and the brightest luminance. Parts on a white sweep or under a dome stay bright, as a
    photographer's compensation keeps them. Dark scenes are not darkened: their highlights have the guard.
    """
    low, high = np.log(np.maximum(np.percentile(image, (1.0, 99.0)), _darkness(image)))
    if high - low < _FLAT:
        return 1.0
    key = 4.0 ** ((2.0 * math.log(log_average(image)) - low - high) / (high - low))
    return float(min(max(key, 1.0), KEY_LIMIT))


def sensor_signal(radiance: NDArray[np.float32], scale: NDArray[np.float64], sensor: Sensor) -> NDArray[np.float32]:
    """Share of the sensor's range (h, w, c) that *radiance* (h, w, 3) fills; c is 3 for colour, 1 for mono."""
    if sensor.colour == "mono":
        scaled = radiance * scale.astype(np.float32)
        return np.asarray(scaled[..., :1] + scaled[..., 1:2] + scaled[..., 2:], dtype=np.float32)
    return mixed_by_filters(radiance, scale, sensor)


def exposure_matrix(exposure: Exposure, sensor: Sensor) -> list[float]:
    """Row-major (3, 3): share of the range per unit of linear Rec.709; a mono sensor's channels add up."""
    relative = camera_from_rec709(sensor) / np.array(sensor.response)[:, None]
    return [float(v) for v in (exposure.exposure_scale[:, None] * relative).ravel()]


def log_average(image: NDArray[np.float32]) -> float:
    """Centre-weighted geometric mean of an image (h, w) of luminances; darkness is held at a tenth of the mean."""
    height, width = image.shape
    weight = np.outer(_bell(height), _bell(width))
    logs = np.log(np.maximum(image, _darkness(image)), dtype=np.float64)
    return math.exp(float((logs * weight).sum() / weight.sum()))


def _darkness(image: NDArray[np.float32]) -> float:
    """The luminance below which everything counts as dark."""
    return max(_DARKEST * float(np.mean(image, dtype=np.float64)), _LEAST_RADIANCE)


def _bell(size: int) -> NDArray[np.float64]:
    """Gaussian weights (size,) about the middle."""
    offset = (np.arange(size) + 0.5) / size - 0.5
    result: NDArray[np.float64] = np.exp(-0.5 * (offset / _METER_SIGMA) ** 2)
    return result


def _scale_per_second(sensor: Sensor, f_number: float) -> float:
    """Share of the range per unit radiance and second at gain 1: H = 0.65 L t / N^2 (ISO 12232, lens factor q)."""
    return 0.65 * WHITE_LUMINANCE_CD_M2 / f_number**2 / sensor.saturating_exposure_lx_s
