"""Exposure: which shutter time and gain a photo is taken with, and what that does to radiance.

Saturation happens on the sensor, before white balance: a channel is clipped where `sensor_signal` > 1.
Does not cover: what the meter wants (`metering`), noise and conversion (`sensor`), colour (`tone`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.colour_matrix import camera_from_rec709
from pipeline.camera.exposure_control import settled_after
from pipeline.camera.hardware import Lens, Sensor
from pipeline.camera.metering import (
    GREY,
    GREY_WITHOUT_CURVE,
    HEADROOM,
    log_average,
    metered_scale,
    scene_key,
    sensor_signal,
)
from pipeline.errors import InputError
from pipeline.spec.processing import SHUTTER_RANGE_S, Metering, SeriesSpec

__all__ = [
    "GREY",
    "GREY_WITHOUT_CURVE",
    "HEADROOM",
    "SHUTTER_RANGE_S",
    "WHITE_LUMINANCE_CD_M2",
    "Exposure",
    "expose",
    "log_average",
    "metered_scale",
    "scene_key",
    "sensor_signal",
]

WHITE_LUMINANCE_CD_M2: Final = 1000.0 / math.pi
"""Luminance of radiance 1: a white surface at 1000 lx, the lighting EN 12464-1 asks for at precision work."""
BRACKET_TOLERANCE_STOPS: Final = 1.0 / 6.0
"""How far an exposure of a bracket may be from what was asked: half of the third-stop steps of a camera's dials."""


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
    ev: float = 0.0
    """Stops from the metered exposure, as asked for, before the limits of shutter and gain."""


def expose(
    radiance: NDArray[np.float32],
    sensor: Sensor,
    lens: Lens,
    f_number: float,
    ev: float,
    grey: float = GREY,
    *,
    metering: Metering = "centre_weighted",
    series: SeriesSpec | None = None,
    longest_s: float | None = None,
) -> Exposure:
    """Exposure of *radiance* (h, w, 3), *ev* stops from the metered one, which shows the average at *grey*.

    The aperture is the nearest that *lens* has. The shutter is lengthened first, then gain is raised; what the limits
    of both do not allow remains under- or overexposed. In a *series*, the exposure is that of its place: a step of a
    bracket, or where a burst's exposure control has got to. *longest_s*: no exposure takes longer (the time of a clip's
    frame); None = as long as the camera can. Raises InputError for a step of a bracket that the limits do not allow.
    """
    aperture = min(max(f_number, lens.f_min), lens.f_max)
    per_second = _scale_per_second(sensor, aperture)
    wanted = metered_scale(radiance, sensor, grey, metering) * 2.0**ev
    if series is not None:
        place = _in_series(wanted, series, per_second * SHUTTER_RANGE_S[0], _most(per_second, sensor))
        wanted, ev = place, ev + math.log2(place / wanted)
    longest = SHUTTER_RANGE_S[1] if longest_s is None else min(longest_s, SHUTTER_RANGE_S[1])
    shutter = min(max(wanted / per_second, SHUTTER_RANGE_S[0]), longest)
    gain = min(max(wanted / (per_second * shutter), 1.0), sensor.max_gain)
    scale = per_second * shutter * gain
    response = np.array(sensor.response)
    saturation = np.full(3, 1.0 / scale) if sensor.colour == "mono" else 1.0 / (scale * response)
    return Exposure(shutter, gain, aperture, scale * response, saturation, ev)


def exposure_range_stops(sensor: Sensor) -> float:
    """Stops between the shortest exposure at base gain and the longest at full gain."""
    return math.log2(_most(1.0, sensor) / SHUTTER_RANGE_S[0])


def _most(per_second: float, sensor: Sensor) -> float:
    """The largest exposure that shutter and gain give."""
    return float(per_second * SHUTTER_RANGE_S[1] * sensor.max_gain)


def exposure_matrix(exposure: Exposure, sensor: Sensor) -> list[float]:
    """Row-major (3, 3): share of the range per unit of linear Rec.709; a mono sensor's channels add up."""
    relative = camera_from_rec709(sensor) / np.array(sensor.response)[:, None]
    return [float(v) for v in (exposure.exposure_scale[:, None] * relative).ravel()]


def _in_series(wanted: float, series: SeriesSpec, least: float, most: float) -> float:
    """The exposure of one photo of a series for which *wanted* was metered."""
    if series.kind == "burst":
        limits = (math.log2(least), math.log2(most))
        settled = settled_after(
            series.index, math.log2(wanted), series.start_ev, series.lag_frames, series.delay_frames, limits
        )
        return float(2.0**settled)
    step = float(wanted * 2.0**series.bracket_ev)
    off = math.log2(step / min(max(step, least), most))
    if abs(off) > BRACKET_TOLERANCE_STOPS:
        room = (math.log2(least / wanted), math.log2(most / wanted))
        raise InputError(
            f"bracket {series.number}, exposure {series.index}: expected a step that the camera's shutter and gain "
            f"allow in this light, {room[0]:+.1f} to {room[1]:+.1f} stops from the metered exposure; found "
            f"{series.bracket_ev:+g}; change photos.bracket_ev, exposure_ev, f_number or the sensor"
        )
    return step


def _scale_per_second(sensor: Sensor, f_number: float) -> float:
    """Share of the range per unit radiance and second at gain 1: H = 0.65 L t / N^2 (ISO 12232, lens factor q)."""
    return 0.65 * WHITE_LUMINANCE_CD_M2 / f_number**2 / sensor.saturating_exposure_lx_s
