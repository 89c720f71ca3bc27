"""The colour of a sensor: from linear Rec.709 to what its filters let through, and back.

A sensor's filters overlap, so its R, G, B are mixtures of those of Rec.709; the 3x3 matrix of a sensor undoes that, as
a camera maker's colour correction matrix or a DNG's ColorMatrix does. Does not cover: exposure (`expose`), demosaicking
and tone (`tone`), spectra: the matrix is a fit that holds for smooth spectra.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.camera.hardware import Sensor
from pipeline.camera.mix import cct_rgb

REC709_FROM_XYZ: Final = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
"""Linear Rec.709 out of CIE XYZ with white at D65 (IEC 61966-2-1, with more digits)."""
_FADE_START: Final = 0.6
"""Share of the sensor's largest value at which the matrix begins to fade out ..."""
_FADED: Final = np.float32(0.5)
"""... and how much of it has when a channel is at its largest value."""
_FULL: Final = 0.99
"""Share of the largest value from which a channel is as good as saturated."""
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""Sharpened cone responses out of XYZ, as ICC.1:2022, annex E, and the DNG specification adapt white."""


@cache
def _crosstalk(sensor: Sensor) -> NDArray[np.float64]:
    """(3, 3) white-balanced sensor RGB out of linear Rec.709; rows add up to 1. The unit matrix for a mono sensor."""
    if sensor.ccm is None:
        return np.eye(3)
    ccm = np.array(sensor.ccm).reshape(3, 3)
    mixed = np.linalg.inv(ccm / ccm.sum(axis=1, keepdims=True))
    return np.asarray(mixed, dtype=np.float64)


def camera_from_rec709(sensor: Sensor) -> NDArray[np.float64]:
    """(3, 3) matrix from linear Rec.709 to the sensor's R, G, B, relative to green under white (D65).

    For a mono sensor a diagonal of weights: its signal is the sum of the three.
    """
    return np.array(sensor.response)[:, None] * _crosstalk(sensor)


def rec709_from_camera(sensor: Sensor) -> NDArray[np.float64]:
    """(3, 3) inverse of `camera_from_rec709`."""
    return np.asarray(np.linalg.inv(camera_from_rec709(sensor)), dtype=np.float64)


def camera_neutral(sensor: Sensor, kelvin: float) -> NDArray[np.float64]:
    """(3,) signals of the sensor for a white surface under light of *kelvin*; green under D65 gives 1."""
    return np.asarray(camera_from_rec709(sensor) @ np.array(cct_rgb(kelvin)), dtype=np.float64)


def mixed_by_filters(radiance: NDArray[np.float32], scale: NDArray[np.float64], sensor: Sensor) -> NDArray[np.float32]:
    """Share of the range (h, w, 3) of each channel for *radiance* (h, w, 3); *scale* (3,) is that of white light.

    Radiance outside the filters' reach (negative signals) counts as dark.
    """
    matrix = np.asarray(scale)[:, None] * _crosstalk(sensor)
    mixed = cv2.transform(np.ascontiguousarray(radiance, dtype=np.float32), matrix)
    return np.asarray(np.maximum(mixed, np.float32(0.0)), dtype=np.float32)


def xyz_to_camera(sensor: Sensor) -> NDArray[np.float64]:
    """(3, 3) matrix from CIE XYZ to the sensor's R, G, B: ColorMatrix1 of a DNG with calibration illuminant D65."""
    return np.asarray(camera_from_rec709(sensor) @ REC709_FROM_XYZ, dtype=np.float64)


def rec709_from_balanced(sensor: Sensor, kelvin: float) -> NDArray[np.float64]:
    """(3, 3) matrix from sensor R, G, B, white-balanced for light of *kelvin*, to linear Rec.709; rows add up to 1.

    The way of the DNG specification (1.6, chapter 6) without forward matrices: undo the balance, invert the colour
    matrix, adapt that light's white to D65 by Bradford. Grey stays grey whatever *kelvin* is.
    """
    undone = rec709_from_camera(sensor) @ np.diag(camera_neutral(sensor, kelvin))
    result = adaptation(kelvin) @ undone
    return np.asarray(result / result.sum(axis=1, keepdims=True), dtype=np.float64)


def adaptation(kelvin: float) -> NDArray[np.float64]:
    """(3, 3) Bradford adaptation in linear Rec.709 that turns the white of *kelvin* into (1, 1, 1)."""
    cones = _BRADFORD @ np.linalg.inv(REC709_FROM_XYZ)
    seen, wanted = cones @ np.array(cct_rgb(kelvin)), cones @ np.ones(3)
    return np.asarray(np.linalg.inv(cones) @ np.diag(wanted / seen) @ cones, dtype=np.float64)


def developed_colours(
    balanced: NDArray[np.float32], sensor: Sensor, kelvin: float, ceiling: float
) -> NDArray[np.float32]:
    """Linear Rec.709 (h, w, 3) of white-balanced sensor values (h, w, 3), *ceiling* being the largest there are.

    A channel that was cut at the ceiling has lost its share in the mixture, and the matrix alone would turn warm
    highlights green. So, as RAW converters do, it partly fades out towards the ceiling, and a channel at the ceiling
    stays the largest. It would also enlarge the false colours of demosaicking, which are taken out before. A mono
    sensor's values stay as they are.
    """
    if sensor.ccm is None:
        return balanced
    balanced = without_false_colours(balanced, ceiling)
    colours = np.asarray(cv2.transform(balanced, rec709_from_balanced(sensor, kelvin)), dtype=np.float32)
    red, green, blue = cv2.split(balanced)
    bright = np.flatnonzero(cv2.max(cv2.max(red, green), blue) > np.float32(_FADE_START * ceiling))
    pixels = colours.reshape(-1, 3)
    pixels[bright] = _highlights(balanced.reshape(-1, 3)[bright], pixels[bright], ceiling)
    return colours


def without_false_colours(balanced: NDArray[np.float32], ceiling: float) -> NDArray[np.float32]:
    """Sensor values (h, w, 3) with the 5x5 median of R - G and B - G: Freeman, US patent 4724395 (1988, expired).

    Pixels that are white at the *ceiling* stay so.
    """
    red, green, blue = cv2.split(balanced)  # OpenCV's plane arithmetic is several times faster than NumPy's strides
    full = cv2.min(cv2.min(red, green), blue) >= np.float32(ceiling * _FULL)
    smooth = [cv2.min(cv2.add(green, cv2.medianBlur(cv2.subtract(plane, green), 5)), ceiling) for plane in (red, blue)]
    for changed, plane in zip(smooth, (red, blue), strict=True):
        np.copyto(changed, plane, where=full)
    return np.asarray(cv2.merge([smooth[0], green, smooth[1]]), dtype=np.float32)


def _highlights(balanced: NDArray[np.float32], colours: NDArray[np.float32], ceiling: float) -> NDArray[np.float32]:
    """Colours (n, 3) of pixels with a channel near the ceiling."""
    t = np.clip((balanced / np.float32(ceiling) - np.float32(_FADE_START)) / np.float32(1.0 - _FADE_START), 0.0, 1.0)
    nearness = t * t * (3.0 - 2.0 * t)
    faded = colours + _FADED * _largest(nearness) * (balanced - colours)
    return np.asarray(faded + nearness * (_largest(faded) - faded), dtype=np.float32)


def _largest(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 1) largest of three channels: much faster than max(axis=-1)."""
    return np.asarray(np.maximum(np.maximum(values[..., :1], values[..., 1:2]), values[..., 2:]), dtype=np.float32)
