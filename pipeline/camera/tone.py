"""From converter codes to an 8-bit picture: white balance, demosaicking, tone curve, noise reduction, sharpening.

Tones: "filmic" bends the highlights into a shoulder that ends at the sensor's saturation, then encodes as sRGB; "agx"
is Blender's AgX, raised to end there; "srgb" cuts at white and encodes as sRGB; "linear" cuts at white and leaves codes
proportional to light, as inspection cameras do at gamma 1. Does not cover: the steps themselves (`white_balance`,
`demosaic`, `agx`, `detail`), writing files (`develop`).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.agx import agx
from pipeline.camera.colour_matrix import developed_colours
from pipeline.camera.demosaic import demosaic
from pipeline.camera.detail import denoise, sharpen
from pipeline.camera.expose import HEADROOM
from pipeline.camera.hardware import Sensor
from pipeline.camera.sensor import bayer_gains
from pipeline.camera.white_balance import white_balance_gains
from pipeline.spec.processing import DEFAULT_PROCESSING, Demosaic, ProcessingSpec
from pipeline.spec.scene import Tone

SHOULDER_START: Final = 0.25
"""Below this scene-linear value the filmic curve is the identity, so 18 % grey keeps its place."""
_STRIP_ROWS: Final = 32
"""Rows that are encoded together: what a curve needs in between stays in the processor's cache."""
_CODES: Final = 65535
"""Linear values are looked up with 16 bits: at most 0.05 of an 8-bit code apart, where the sRGB curve is steepest."""


def develop_codes(
    codes: NDArray[np.uint16],
    sensor: Sensor,
    kelvin: float,
    tone: Tone,
    processing: ProcessingSpec = DEFAULT_PROCESSING,
) -> NDArray[np.uint8]:
    """Develop converter codes (h, w) into an sRGB picture (h, w, 3) uint8, RGB order."""
    gains = white_balance_gains(sensor, kelvin)
    # A saturated pixel must come out white: no channel may exceed what the weakest can reach.
    ceiling = min(gains.tolist())
    balanced = developed_colours(
        _balanced_rgb(codes, sensor, gains, ceiling, processing.demosaic), sensor, kelvin, ceiling
    )
    picture = encode(np.asarray(balanced * np.float32(HEADROOM)), tone, ceiling * HEADROOM)
    picture = denoise(picture, processing.denoise)
    return sharpen(picture, processing.sharpen_radius_px, processing.sharpen_amount)


def encode(linear: NDArray[np.float32], tone: Tone, saturation: float) -> NDArray[np.uint8]:
    """8-bit codes (h, w, 3) of scene-linear values (1 = white card); *saturation* is the sensor's largest value."""
    codes = np.empty(linear.shape, dtype=np.uint8)
    for top in range(0, len(linear), _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        codes[strip] = _encode_strip(linear[strip], tone, saturation)
    return codes


def _encode_strip(linear: NDArray[np.float32], tone: Tone, saturation: float) -> NDArray[np.uint8]:
    white = np.float32(min(1.0, saturation))  # a saturated pixel is white, whatever the white balance
    if tone == "filmic":
        return _srgb_codes(filmic(linear, saturation))
    if tone == "agx":
        return _srgb_codes(agx_to(linear, saturation))
    if tone == "srgb":
        return _srgb_codes(linear / white)
    return np.asarray(np.clip(linear * (np.float32(255.0) / white) + np.float32(0.5), 0, 255)).astype(np.uint8)


def filmic(linear: NDArray[np.float32], saturation: float) -> NDArray[np.float32]:
    """Film-like tone (h, w, 3), 0..1: `shoulder` on the largest and the smallest channel, the middle one between them
    as before. Hue stays and highlights lose colour, as in the tone step of Adobe's DNG SDK (RefBaselineRGBTone)."""
    planes = [np.ascontiguousarray(linear[..., channel]) for channel in range(3)]
    high = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    low = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    toned_high, toned_low = shoulder(high, saturation), shoulder(low, saturation)
    slope = (toned_high - toned_low) / np.maximum(high - low, np.float32(1e-6))
    base = toned_low - low * slope
    result: NDArray[np.float32] = np.stack([plane * slope + base for plane in planes], axis=-1)
    return result


def shoulder(value: NDArray[np.float32], saturation: float) -> NDArray[np.float32]:
    """Identity up to SHOULDER_START, then a rational curve of slope 1 there that reaches 1 at *saturation*.

    The bend is Reinhard et al. 2002, equation 4: t (1 + t / w^2) / (1 + t), with w chosen to end at 1.
    """
    span = 1.0 - SHOULDER_START
    end = (saturation - SHOULDER_START) / span
    above = np.clip(value - np.float32(SHOULDER_START), np.float32(0.0), np.float32(end * span))
    t = above * np.float32(1.0 / span)
    bent = above * (1.0 + t * np.float32(1.0 / end**2)) / (1.0 + t)
    straight = np.clip(value, np.float32(0.0), np.float32(SHOULDER_START))
    return np.asarray(straight + bent, dtype=np.float32)


def agx_to(linear: NDArray[np.float32], saturation: float) -> NDArray[np.float32]:
    """AgX (h, w, 3), 0..1, with its highlights raised so that the sensor's largest value is white.

    AgX spans 6.5 stops above grey and a sensor about 3, so that its whites would be light grey. All channels are
    multiplied by 1 + (1 / top - 1) (y / top)^2, y the largest of them: white reaches 1, grey gains a tenth of a stop.
    """
    top = np.float32(np.min(agx(np.full((1, 1, 3), saturation, dtype=np.float32))))
    shown = agx(linear)
    largest = np.maximum(np.maximum(shown[..., 0], shown[..., 1]), shown[..., 2])
    raised = np.float32(1.0) + (1 / top - 1) * np.square(np.minimum(largest / top, np.float32(1.0)))
    return np.asarray(shown * raised[..., None], dtype=np.float32)


def srgb_from_linear(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Encode linear light 0..1 (cut outside) with the sRGB curve (IEC 61966-2-1)."""
    cut = np.clip(linear, 0.0, 1.0)
    result: NDArray[np.float32] = np.where(
        cut <= 0.0031308, 12.92 * cut, 1.055 * np.power(cut, 1.0 / 2.4) - 0.055
    ).astype(np.float32)
    return result


def _srgb_codes(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """8-bit sRGB codes of linear light, cut to 0..1: `srgb_from_linear` from a table."""
    index = np.clip(linear * np.float32(_CODES) + np.float32(0.5), 0, _CODES).astype(np.uint16)
    return np.asarray(np.take(_srgb_table(), index), dtype=np.uint8)


@cache
def _srgb_table() -> NDArray[np.uint8]:
    values = srgb_from_linear(np.linspace(0.0, 1.0, _CODES + 1, dtype=np.float32))
    return np.asarray(values * 255.0 + 0.5).astype(np.uint8)


def _balanced_rgb(
    codes: NDArray[np.uint16], sensor: Sensor, gains: NDArray[np.float32], ceiling: float, method: Demosaic
) -> NDArray[np.float32]:
    """White-balanced signal (h, w, 3), 1 = the sensor's range in green under D65, cut at *ceiling*."""
    span = np.float32(sensor.white_dn - sensor.black_level_dn)
    signal = codes.astype(np.float32) - np.float32(sensor.black_level_dn)
    if sensor.colour == "mono":
        return np.repeat((signal / span)[..., None], 3, axis=-1)
    signal *= bayer_gains(signal.shape[0], signal.shape[1], gains / (span * np.float32(ceiling)))
    rgb = demosaic(np.minimum(signal, np.float32(1.0)), method)
    return np.asarray(rgb * np.float32(ceiling), dtype=np.float32)
