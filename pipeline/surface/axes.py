"""Lines and directions in a part: the axis of a face, the line about which a part was turned.

Covers: small geometry that `roles` and `lay` share. Does not cover: what a face is for (`roles`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Face

SAME_DIRECTION = 1e-3
"""Sine of the angle below which two axes are parallel."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Axis:
    """A line in the part's frame."""

    origin: Vector
    """(3,) metres."""
    direction: Vector
    """(3,) unit."""


def axis_of(face: Face) -> Axis | None:
    """The axis line of a cylinder, cone or torus, the normal line of a plane; None for other faces."""
    if face.axis is None or face.origin is None:
        return None
    return Axis(np.array(face.origin, dtype=np.float64), np.array(face.axis, dtype=np.float64))


def parallel(one: Vector, other: Vector) -> bool:
    """Whether two unit vectors have the same direction up to sign."""
    return float(np.linalg.norm(np.cross(one, other))) < SAME_DIRECTION


def distance_to_axis(points: Vector, axis: Axis) -> Vector:
    """Distance of (..., 3) points from a line, metres, (...)."""
    result: Vector = np.linalg.norm(np.cross(points - axis.origin, axis.direction), axis=-1)
    return result


def sweep_about(points: Vector, axis: Axis) -> float:
    """Angle (radians, 0..2 pi) that (n, 3) points cover about *axis*: the full turn less the widest empty gap."""
    across = np.cross(axis.direction, _any_other(axis.direction))
    across /= np.linalg.norm(across)
    along = np.cross(axis.direction, across)
    offsets = points - axis.origin
    u, v = offsets @ across, offsets @ along
    off_axis = np.hypot(u, v) > 1e-9
    angles = np.sort(np.arctan2(v[off_axis], u[off_axis]))
    if len(angles) < 2:
        return 0.0
    gaps = np.diff(angles, append=angles[0] + 2.0 * math.pi)
    return float(2.0 * math.pi - gaps.max())


def _any_other(direction: Vector) -> Vector:
    other = np.zeros(3)
    other[int(np.argmin(np.abs(direction)))] = 1.0
    return other
