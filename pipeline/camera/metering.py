"""Metering: how much exposure a camera would choose for a picture, in each of its metering modes.

Every mode looks at the radiance of at most about SAMPLES pixels, a regular grid, whatever the size of the picture. The
results are shares of the sensor's (green) range per unit of radiance. Does not cover: how shutter and gain give that
exposure (`expose`), how a control follows it from photo to photo (`exposure_control`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.colour_matrix import mixed_by_filters
from pipeline.camera.hardware import Sensor
from pipeline.spec.processing import Metering
from pipeline.spec.scene import Tone
from pipeline.view_light import luminance

GREY: Final = 0.18
"""Reflectance of the metering card, and the scene-linear value at which a picture should show it."""
GREY_WITHOUT_CURVE: Final = 0.36
"""The value for pictures that no curve brightens: inspection cameras aim at about a third of their range."""
HEADROOM: Final = math.sqrt(2.0)
"""White lies half a stop below saturation, as in ISO 12232's saturation-based speed."""
GUARDED_SHARE: Final = 0.01
"""At most this share of the pixels may saturate at the metered exposure ..."""
GUARD_LIMIT_STOPS: Final = 2.5
"""... unless saving them would darken the picture by more than this: small lamps in polished metal stay white."""
KEY_LIMIT: Final = 2.5
"""A bright scene's average is shown at most this many times as bright as grey."""
PROTECTED_SHARE: Final = 0.001
"""Highlight mode: at most this share of the pixels may saturate ..."""
PROTECT_LIMIT_STOPS: Final = 5.0
"""... unless that took more than this off the centre-weighted exposure: nobody exposes for a bare lamp."""
SPOT_SHARE: Final = 0.03
"""Share of the picture's area that the spot meter sees, a circle in the middle; makers state 1.5 to 4 %."""
ZONES: Final = (5, 7)
"""Rows and columns of zones of the matrix meter."""
_ZONE_TRUST_STOPS: Final = 2.0
"""A zone that is this much brighter than the median zone (a lamp, a window) counts 1/e; a darker one the same."""
SAMPLES: Final = 1 << 16
"""About as many pixels are metered."""
_FLAT: Final = math.log(1.1)
"""An image whose luminances differ by less is a test card, not a scene."""
_METER_SIGMA: Final = 0.3
"""Standard deviation of the centre weighting, in image widths and heights."""
_DARKEST: Final = 0.1
"""Pixels darker than this share of the mean count as that dark, so that black backgrounds do not rule the meter."""
_LEAST_RADIANCE: Final = 1e-6
"""What the meter reads in complete darkness."""
_BISECTIONS: Final = 40


def grey_of(tone: Tone) -> float:
    """The scene-linear value at which a picture of this *tone* shows the metered average."""
    return GREY_WITHOUT_CURVE if tone == "linear" else GREY


def metered_scale(
    radiance: NDArray[np.float32], sensor: Sensor, grey: float = GREY, mode: Metering = "centre_weighted"
) -> float:
    """Share of the sensor's (green) range per unit of radiance that a camera would choose for *radiance* (h, w, 3).

    What the mode takes for the picture's brightness is shown at *grey*, half a stop of headroom kept above white.
    """
    return _MODES[mode](_sampled(radiance), sensor, grey)


def centre_weighted(radiance: NDArray[np.float32], sensor: Sensor, grey: float) -> float:
    """The centre-weighted log-average luminance becomes *grey*, or up to KEY_LIMIT times that in a bright scene (see
    `scene_key`); less, down to GUARD_LIMIT_STOPS, when more than GUARDED_SHARE of the pixels would saturate."""
    light = luminance(radiance)
    scale = grey * scene_key(light) / HEADROOM / log_average(light)
    return _guarded(scale, radiance, sensor, GUARDED_SHARE, GUARD_LIMIT_STOPS)


def average(radiance: NDArray[np.float32], sensor: Sensor, grey: float) -> float:
    """The mean of the picture, as the sensor records it, becomes *grey*: lamps count as white, no more.

    This is where the exposure control of an inspection camera settles, which looks at the mean grey value. A few bright
    spots in the dark drive it to the camera's limits.
    """
    light = luminance(radiance)
    aim = grey / HEADROOM
    low, high = aim / max(float(np.max(light)), _LEAST_RADIANCE), aim / _LEAST_RADIANCE
    for _ in range(_BISECTIONS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if np.minimum(light * middle, 1.0).mean() < aim else (low, middle)
    return float(high)


def spot(radiance: NDArray[np.float32], sensor: Sensor, grey: float) -> float:
    """The mean of the circle in the middle becomes *grey*."""
    height, width = radiance.shape[:2]
    radius = math.sqrt(SPOT_SHARE * height * width / math.pi)
    y, x = np.arange(height) + 0.5 - height / 2.0, np.arange(width) + 0.5 - width / 2.0
    inside = x[None, :] ** 2 + y[:, None] ** 2 <= max(radius, 1.0) ** 2
    return grey / HEADROOM / max(float(luminance(radiance[inside]).mean(dtype=np.float64)), _LEAST_RADIANCE)


def highlight(radiance: NDArray[np.float32], sensor: Sensor, grey: float) -> float:
    """The centre-weighted exposure, lowered until only PROTECTED_SHARE of the pixels saturate, at most by
    PROTECT_LIMIT_STOPS."""
    scale = centre_weighted(radiance, sensor, grey)
    return _guarded(scale, radiance, sensor, PROTECTED_SHARE, PROTECT_LIMIT_STOPS)


def matrix(radiance: NDArray[np.float32], sensor: Sensor, grey: float) -> float:
    """The mean of the log luminances of ZONES becomes *grey*; zones in the middle count more, zones far from the
    median less. With the guard and the key of the centre-weighted mode."""
    light = luminance(radiance)
    logs = np.log2(np.maximum(light, _darkness(light)))
    rows, columns = (np.array_split(np.arange(size), count) for size, count in zip(light.shape, ZONES, strict=True))
    zones = np.array([[logs[r[0] : r[-1] + 1, c[0] : c[-1] + 1].mean() for c in columns if len(c)] for r in rows])
    weight = np.outer(_bell(zones.shape[0]), _bell(zones.shape[1]))
    weight *= np.exp(-np.abs(zones - np.median(zones)) / _ZONE_TRUST_STOPS)
    scale = grey * scene_key(light) / HEADROOM / 2.0 ** float((zones * weight).sum() / weight.sum())
    return _guarded(scale, radiance, sensor, GUARDED_SHARE, GUARD_LIMIT_STOPS)


_MODES: Final[dict[Metering, Callable[[NDArray[np.float32], Sensor, float], float]]] = {
    "centre_weighted": centre_weighted,
    "average": average,
    "spot": spot,
    "highlight": highlight,
    "matrix": matrix,
}


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


def log_average(image: NDArray[np.float32]) -> float:
    """Centre-weighted geometric mean of an image (h, w) of luminances; darkness is held at a tenth of the mean."""
    height, width = image.shape
    weight = np.outer(_bell(height), _bell(width))
    logs = np.log(np.maximum(image, _darkness(image)), dtype=np.float64)
    return math.exp(float((logs * weight).sum() / weight.sum()))


def _guarded(scale: float, radiance: NDArray[np.float32], sensor: Sensor, share: float, limit_stops: float) -> float:
    """*scale*, lowered until only *share* of the pixels saturate, at most by *limit_stops*."""
    signal = sensor_signal(radiance, np.array(sensor.response), sensor)
    # Channel by channel is many times faster than max(axis=-1) over three values.
    brightest = reduce(np.maximum, [signal[..., channel] for channel in range(signal.shape[-1])]).ravel()
    rank = max(0, math.ceil(brightest.size * (1.0 - share)) - 1)
    guard = float(np.partition(brightest, rank)[rank])
    if guard * scale <= 1.0:
        return scale
    return max(1.0 / guard, float(scale / 2.0**limit_stops))


def _sampled(radiance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every n-th pixel of every n-th row, about SAMPLES in all."""
    height, width = radiance.shape[:2]
    step = max(1, round(math.sqrt(height * width / SAMPLES)))
    return np.ascontiguousarray(radiance[step // 2 :: step, step // 2 :: step])


def _darkness(image: NDArray[np.float32]) -> float:
    """The luminance below which everything counts as dark."""
    return max(_DARKEST * float(np.mean(image, dtype=np.float64)), _LEAST_RADIANCE)


def _bell(size: int) -> NDArray[np.float64]:
    """Gaussian weights (size,) about the middle."""
    offset = (np.arange(size) + 0.5) / size - 0.5
    result: NDArray[np.float64] = np.exp(-0.5 * (offset / _METER_SIGMA) ** 2)
    return result
