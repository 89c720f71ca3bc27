"""Truth layers as the pictures that ControlNet 1.1 was trained on, each network in its own convention.

Conventions: github.com/lllyasviel/ControlNet-v1-1-nightly, README ("Depth", "NormalBae", "Canny"). Layers must lie on
the photo's own pixels (see `photo_geometry`). Edges come from geometry, not from the photo: those of a photo would
freeze noise and reflections. Does not cover: the networks (`load`), when they take part (`settings.ControlUse`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CREASE_DEG: Final = 25.0
"""Angle between the normals of neighbouring pixels that counts as an edge; tessellated curves turn by less."""
DEPTH_STEP: Final = 0.02
"""Relative change of depth between neighbouring pixels that counts as an edge."""


def depth_control(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Inverse depth as MiDaS gives it: nearest = white, farthest = black, (h, w, 3).

    *depth* (h, w) in metres along the camera's axis; 0 = nothing there = black.
    """
    hit = depth > 0
    inverse = np.zeros(depth.shape, np.float32)
    inverse[hit] = 1 / depth[hit]
    if not hit.any():
        return np.zeros((*depth.shape, 3), np.uint8)
    low, high = float(np.min(inverse[hit])), float(np.max(inverse[hit]))
    scale = 1 / (high - low) if high > low else 0.0
    grey = np.where(hit, np.rint(255 * (inverse - low) * scale) if scale else 255, 0)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def normal_control(normal: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Normals in the colours of NormalBae: "blue front, red left, green top", (h, w, 3).

    *normal* (h, w, 3): unit vectors in the OpenCV camera frame (x right, y down, z forward), so all three axes turn
    round; 0 = nothing there = as a wall that faces the camera.
    """
    unit = np.where((normal == 0).all(axis=-1, keepdims=True), np.array([0, 0, -1], np.float32), normal)
    return np.rint(np.clip(0.5 - 0.5 * unit, 0, 1) * 255).astype(np.uint8)


def canny_control(
    depth: NDArray[np.float32], normal: NDArray[np.float32], instances: NDArray[np.uint16]
) -> NDArray[np.uint8]:
    """White lines of one pixel on black, (h, w, 3), where the part changes, depth jumps or the surface has a crease.

    Layers as above; *instances* (h, w), 0 = no part.
    """
    edges = np.zeros(depth.shape, np.bool_)
    for axis in (0, 1):
        first, second = _pairs(depth, axis)
        nearest = np.minimum(first, second)
        step = np.abs(first - second) > DEPTH_STEP * nearest
        one, other = _pairs(normal, axis)
        both = (first > 0) & (second > 0)
        crease = both & ((one * other).sum(axis=-1) < np.cos(np.radians(CREASE_DEG)))
        a, b = _pairs(instances, axis)
        found = ((a != b) | step | crease) & ((a != 0) | (b != 0) | both)
        target = edges[1:] if axis == 0 else edges[:, 1:]
        target |= found
    return np.repeat((edges * np.uint8(255))[..., None], 3, axis=2)


def _pairs(layer: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Each pixel but the last, and its neighbour below (axis 0) or to the right (axis 1)."""
    return (layer[:-1], layer[1:]) if axis == 0 else (layer[:, :-1], layer[:, 1:])
