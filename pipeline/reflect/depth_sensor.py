"""Where a structured-light depth sensor would fail: shadow, saturation, dark returns, grazing views, second paths.

Formulas and their sources are in docs/truth.md, "Depth sensor". Covers: one projector, one view, in arrays. Does not
cover: rays through the scene (`line_of_sight`), files (`depth_failure_layers`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera

Floats = NDArray[np.float32]

CAUSES: Final = ("shadow", "saturation", "dark", "grazing", "second_path")
FAILURE: Final = "failure"
"""Any of CAUSES, as if they were independent."""

SOFT_STOPS: Final = 1.0
"""Limits are not sharp: from this far below a limit to as far above it a prior goes from 0 to 1. Model assumption."""
STRETCH_STOPS: Final = (1.0, 3.0)
"""A pattern seen or thrown at a slant is stretched by 1 / cos: no harm up to a factor of 2 (60 degrees), none read from
8 on (83 degrees). Model assumption."""
UNSEEN_RETURN: Final = 0.15
"""Radiance over that of a facing white surface that a lit thing has which the camera sees in a mirror only: reflectance
0.3 at 60 degrees. Model assumption."""
SAME_DEPTH: Final = 0.01
"""A mirrored point is the one that the camera sees at its pixel when their depths agree to this share."""
LEAST_ALPHA: Final = 1e-3
"""Of a lobe: polished metal shows a projector's lens at least this widely."""


@dataclass(frozen=True, eq=False)
class Surfaces:
    """The n pixels of a view that show something; camera frame, metres."""

    camera: PlacedCamera
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    point: Floats
    """(n, 3)."""
    normal: Floats
    """(n, 3) unit, towards the camera."""
    diffuse: Floats
    """(n,) luminance of the diffuse reflectance."""
    glossy: Floats
    """(n,) luminance of the directional albedo of the mirroring lobe."""
    alpha: Floats
    """(n,) GGX alpha."""
    mirrored_m: Floats
    """(n,) length of the mirrored ray where it meets something that a projector can light, else 0."""


@dataclass(frozen=True)
class Reading:
    """What light the sensor can read, stops relative to a white matt surface that faces the projector."""

    saturation: float
    floor: float


def depth_failure(surfaces: Surfaces, place: Floats, hidden: NDArray[np.bool_], reading: Reading) -> dict[str, Floats]:
    """Priors (n,) in 0..1 of CAUSES and FAILURE for a projector at *place* (3,), camera frame.

    *hidden* (n,): whether something stands between the point and the projector.
    """
    towards = place - surfaces.point
    distance = _length(towards)
    light = np.asarray(towards / np.maximum(distance, 1e-12)[:, None], dtype=np.float32)
    view = -surfaces.point / _length(surfaces.point)[:, None]
    cos_light = np.asarray((light * surfaces.normal).sum(axis=1), dtype=np.float32)
    cos_view = np.maximum((view * surfaces.normal).sum(axis=1), 1e-3)
    shadow = hidden | (cos_light <= 0.0)
    middle = float(np.median(distance)) if len(distance) else 1.0
    lit = np.where(cos_light > 0.0, cos_light, 0.0) * _falloff(distance, middle)
    direct = _stops(math.pi * _brdf(surfaces, light, view, cos_light, cos_view) * lit)
    mirror = 2.0 * (view * surfaces.normal).sum(axis=1)[:, None] * surfaces.normal - view
    mirrored = surfaces.point + surfaces.mirrored_m[:, None] * mirror
    unseen = UNSEEN_RETURN * _falloff(_length(place - mirrored), middle)
    second = _second_path(surfaces, mirrored, np.where(shadow, 0.0, surfaces.diffuse * lit), unseen)
    second_stops = _stops(second)
    dark = _ramp(reading.floor - direct)
    priors = {
        "shadow": shadow.astype(np.float32),
        "saturation": _ramp(direct - reading.saturation),
        "dark": dark,
        "grazing": _grazing(np.minimum(np.maximum(cos_light, 1e-3), cos_view)),
        "second_path": second
        / np.maximum(second + np.exp2(direct), 1e-12)
        * (1.0 - _ramp(reading.floor - second_stops)),
    }
    priors["saturation"][shadow] = 0.0
    priors["dark"][shadow] = 0.0
    priors["grazing"][shadow] = 0.0
    sound = np.prod([1.0 - priors[cause] for cause in CAUSES], axis=0)
    return {name: np.asarray(values, dtype=np.float32) for name, values in (priors | {FAILURE: 1.0 - sound}).items()}


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.linalg.norm(vectors, axis=1), dtype=np.float32)


def _falloff(distance: Floats, middle: float) -> Floats:
    """Light (n,) of a point source relative to that at the *middle* distance, where the sensor is exposed for white."""
    return np.asarray((middle / np.maximum(distance, 1e-6)) ** 2, dtype=np.float32)


def _brdf(surfaces: Surfaces, light: Floats, view: Floats, cos_light: Floats, cos_view: Floats) -> Floats:
    """(n,) 1/sr: Lambert and isotropic GGX (Walter et al. 2007), masking and shadowing correlated (Heitz 2014).

    The directional albedo stands for Fresnel's factor.
    """
    half = light + view
    half /= np.maximum(np.linalg.norm(half, axis=1), 1e-9)[:, None]
    cos2 = np.clip((half * surfaces.normal).sum(axis=1), 0.0, 1.0) ** 2
    a2 = np.maximum(surfaces.alpha, LEAST_ALPHA).astype(np.float64) ** 2
    lobe = a2 / (math.pi * (cos2 * (a2 - 1.0) + 1.0) ** 2)
    i, o = np.maximum(cos_light, 1e-3), cos_view
    smith = 0.5 / (i * np.sqrt(a2 + (1.0 - a2) * o**2) + o * np.sqrt(a2 + (1.0 - a2) * i**2))
    return np.asarray(surfaces.diffuse / math.pi + surfaces.glossy * lobe * smith, dtype=np.float32)


def _second_path(surfaces: Surfaces, mirrored: Floats, returned: Floats, unseen: Floats) -> Floats:
    """(n,) radiance of the pattern on other things that each point mirrors into the camera.

    A *mirrored* point (n, 3) has the return (n,) of the pixel that shows it, if one does, and *unseen* (n,) otherwise.
    """
    camera = surfaces.camera
    matt, depth = np.zeros((2, camera.height, camera.width), dtype=np.float32)
    matt[surfaces.rows, surfaces.columns] = returned
    depth[surfaces.rows, surfaces.columns] = surfaces.point[:, 2]
    z = np.maximum(mirrored[:, 2], 1e-6)
    x = np.floor(np.clip(camera.fx * mirrored[:, 0] / z + camera.cx, -1, camera.width)).astype(np.int64)
    y = np.floor(np.clip(camera.fy * mirrored[:, 1] / z + camera.cy, -1, camera.height)).astype(np.int64)
    inside = (mirrored[:, 2] > 1e-6) & (x >= 0) & (y >= 0) & (x < camera.width) & (y < camera.height)
    at = np.where(inside, y, 0), np.where(inside, x, 0)
    seen = inside & (np.abs(depth[at] - z) < SAME_DEPTH * z)
    light = surfaces.glossy * np.where(seen, matt[at], unseen)
    return np.asarray(np.where(surfaces.mirrored_m > 0.0, light, 0.0), dtype=np.float32)


def _grazing(cosine: Floats) -> Floats:
    low, high = STRETCH_STOPS
    return np.asarray(np.clip((-np.log2(cosine) - low) / (high - low), 0.0, 1.0), dtype=np.float32)


def _stops(light: Floats) -> Floats:
    return np.asarray(np.log2(np.maximum(light, 1e-9)), dtype=np.float32)


def _ramp(stops: Floats) -> Floats:
    """0 at SOFT_STOPS below, 1 at SOFT_STOPS above."""
    return np.asarray(np.clip(stops / (2.0 * SOFT_STOPS) + 0.5, 0.0, 1.0), dtype=np.float32)
