"""From converter codes to an 8-bit picture: white balance, demosaicking, tone curve.

Tones: "filmic" bends the highlights into a shoulder that ends at the sensor's saturation, then encodes as sRGB;
"srgb" cuts at white and encodes as sRGB; "linear" cuts at white and leaves codes proportional to light, as inspection
cameras do at gamma 1. Does not cover: writing files (`develop`).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.camera.colour_matrix import camera_neutral, developed_colours
from pipeline.camera.expose import HEADROOM
from pipeline.camera.hardware import Sensor
from pipeline.camera.sensor import bayer_gains
from pipeline.spec.scene import Tone

SHOULDER_START: Final = 0.25
"""Below this scene-linear value the filmic curve is the identity, so 18 % grey keeps its place."""
_PEDESTAL: Final = 4000.0
_SPAN: Final = 60000.0
"""16-bit codes for the demosaicking: black lies at _PEDESTAL, so that noise may go below; the ceiling at their sum."""


def white_balance_gains(sensor: Sensor, kelvin: float) -> NDArray[np.float32]:
    """Factors (3,) that turn the sensor's signals for a white surface under light of *kelvin* into equal ones.

    Green under D65 has factor 1. A mono sensor has factors of 1.
    """
    if sensor.colour == "mono":
        return np.ones(3, dtype=np.float32)
    return np.asarray(1.0 / camera_neutral(sensor, kelvin), dtype=np.float32)


def develop_codes(codes: NDArray[np.uint16], sensor: Sensor, kelvin: float, tone: Tone) -> NDArray[np.uint8]:
    """Develop converter codes (h, w) into an sRGB picture (h, w, 3) uint8, RGB order."""
    gains = white_balance_gains(sensor, kelvin)
    # A saturated pixel must come out white: no channel may exceed what the weakest can reach.
    ceiling = min(gains.tolist())
    balanced = developed_colours(_balanced_rgb(codes, sensor, gains, ceiling), sensor, kelvin, ceiling)
    return encode(np.asarray(balanced * np.float32(HEADROOM)), tone, ceiling * HEADROOM)


def encode(linear: NDArray[np.float32], tone: Tone, saturation: float) -> NDArray[np.uint8]:
    """8-bit codes (h, w, 3) of scene-linear values (1 = white card); *saturation* is the sensor's largest value."""
    white = np.float32(min(1.0, saturation))  # a saturated pixel is white, whatever the white balance
    if tone == "filmic":
        display = srgb_from_linear(filmic(linear, saturation))
    elif tone == "srgb":
        display = srgb_from_linear(linear / white)
    else:
        display = np.clip(linear / white, 0.0, 1.0)
    return np.asarray(display * 255.0 + 0.5).astype(np.uint8)


def filmic(linear: NDArray[np.float32], saturation: float) -> NDArray[np.float32]:
    """Film-like tone (h, w, 3), 0..1: `shoulder` on the largest and the smallest channel, the middle one between them
    as before. Hue stays and highlights lose colour, as in the tone step of Adobe's DNG SDK (RefBaselineRGBTone)."""
    red, green, blue = linear[..., :1], linear[..., 1:2], linear[..., 2:]
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    toned_high, toned_low = shoulder(high, saturation), shoulder(low, saturation)
    slope = (toned_high - toned_low) / np.maximum(high - low, np.float32(1e-6))
    result: NDArray[np.float32] = np.asarray(toned_low + (linear - low) * slope, dtype=np.float32)
    return result


def shoulder(value: NDArray[np.float32], saturation: float) -> NDArray[np.float32]:
    """Identity up to SHOULDER_START, then a rational curve of slope 1 there that reaches 1 at *saturation*.

    The bend is Reinhard et al. 2002, equation 4: t (1 + t / w^2) / (1 + t), with w chosen to end at 1.
    """
    span = 1.0 - SHOULDER_START
    end = (saturation - SHOULDER_START) / span
    t = np.clip((value - SHOULDER_START) / span, 0.0, end)
    bent = SHOULDER_START + span * t * (1.0 + t / end**2) / (1.0 + t)
    result: NDArray[np.float32] = np.where(value <= SHOULDER_START, np.maximum(value, 0.0), bent).astype(np.float32)
    return result


def srgb_from_linear(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Encode linear light 0..1 (cut outside) with the sRGB curve (IEC 61966-2-1)."""
    cut = np.clip(linear, 0.0, 1.0)
    result: NDArray[np.float32] = np.where(
        cut <= 0.0031308, 12.92 * cut, 1.055 * np.power(cut, 1.0 / 2.4) - 0.055
    ).astype(np.float32)
    return result


def _balanced_rgb(
    codes: NDArray[np.uint16], sensor: Sensor, gains: NDArray[np.float32], ceiling: float
) -> NDArray[np.float32]:
    """White-balanced signal (h, w, 3), 1 = the sensor's range in green under D65, cut at *ceiling*."""
    span = np.float32(sensor.white_dn - sensor.black_level_dn)
    signal = (codes.astype(np.float32) - np.float32(sensor.black_level_dn)) / span
    if sensor.colour == "mono":
        return np.repeat(signal[..., None], 3, axis=-1)
    balanced = np.minimum(
        signal * bayer_gains(signal.shape[0], signal.shape[1], gains), np.float32(ceiling)
    ) / np.float32(ceiling)
    packed = np.clip(np.rint(balanced * _SPAN + _PEDESTAL), 0, 65535).astype(np.uint16)
    # OpenCV names a Bayer pattern after its pixel (1, 1): RGGB data is "BG" there.
    rgb = cv2.cvtColor(packed, cv2.COLOR_BayerBG2RGB_EA).astype(np.float32)
    result: NDArray[np.float32] = (rgb - np.float32(_PEDESTAL)) * np.float32(ceiling / _SPAN)
    return result
