"""Analytic surfaces: plane, cylinder, cone, sphere, torus.

Covers: signed distance, normals, motion and scale of a surface, and how the CAD kernel describes one. Does not cover:
finding a surface in points (`fit`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import FaceKind

Floats = NDArray[np.float64]
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """An unbounded analytic surface, metres."""

    kind: FaceKind
    origin: Vector
    """Point of the plane, point on the cylinder's axis, apex of the cone, centre of the sphere or torus."""
    axis: Vector
    """Unit plane normal, or axis; (0, 0, 1) for a sphere."""
    radius: float = 0.0
    """Cylinder, sphere; major radius of a torus."""
    minor: float = 0.0
    """Minor radius of a torus."""
    half_angle: float = 0.0
    """Of a cone, radians."""


def from_kernel(definition: Mapping[str, Any] | None) -> Surface | None:
    """A face definition of cascadio's TM_brep_faces extension as a Surface; None when the kernel gave none."""
    if not definition:
        return None
    kind = definition.get("type")
    if kind in ("plane", "cylinder"):
        axis = definition["normal" if kind == "plane" else "axis"]
        return Surface(kind, _vector(definition["origin"]), _unit(axis), float(definition.get("radius", 0.0)))
    if kind == "cone":
        angle = abs(float(definition["semi_angle"]))
        return Surface("cone", _vector(definition["apex"]), _unit(definition["axis"]), half_angle=angle)
    if kind == "sphere":
        return Surface("sphere", _vector(definition["center"]), (0.0, 0.0, 1.0), float(definition["radius"]))
    if kind == "torus":
        radius, minor = float(definition["major_radius"]), float(definition["minor_radius"])
        return Surface("torus", _vector(definition["center"]), _unit(definition["axis"]), radius, minor)
    return None


def moved(surface: Surface, matrix: Floats) -> Surface:
    """*surface* after a 4x4 similarity transform (rotation, uniform scale, translation)."""
    scale = abs(float(np.linalg.det(matrix[:3, :3]))) ** (1.0 / 3.0)
    return replace(
        surface,
        origin=_vector(matrix[:3, :3] @ np.array(surface.origin) + matrix[:3, 3]),
        axis=_unit(matrix[:3, :3] @ np.array(surface.axis)),
        radius=surface.radius * scale,
        minor=surface.minor * scale,
    )


def distance(surface: Surface, points: Floats) -> Floats:
    """(n,) signed distance in metres of (n, 3) points, positive on the side that `normal` points to."""
    relative = points - np.array(surface.origin)
    height = relative @ np.array(surface.axis)
    if surface.kind == "plane":
        return np.asarray(height)
    if surface.kind == "sphere":
        return np.asarray(_norm(relative) - surface.radius)
    rho = _norm(relative - height[:, None] * np.array(surface.axis))
    if surface.kind == "cylinder":
        return np.asarray(rho - surface.radius)
    if surface.kind == "cone":
        return np.asarray(rho * math.cos(surface.half_angle) - np.abs(height) * math.sin(surface.half_angle))
    return np.asarray(np.hypot(rho - surface.radius, height) - surface.minor)


def normal(surface: Surface, points: Floats) -> Floats:
    """(n, 3) unit normals at (n, 3) points near the surface: along the plane's axis, away from the axis, the centre or
    the ring's core. Zero where the surface has none (on the axis)."""
    axis = np.array(surface.axis)
    relative = points - np.array(surface.origin)
    if surface.kind == "plane":
        return np.broadcast_to(axis, points.shape).copy()
    if surface.kind == "sphere":
        return _normalised(relative)
    height = relative @ axis
    radial = _normalised(relative - height[:, None] * axis, floor=1e-9 * max(float(np.abs(relative).max()), 1e-12))
    if surface.kind == "cylinder":
        return np.asarray(radial)
    if surface.kind == "cone":
        lean = np.sign(height)[:, None] * axis * math.sin(surface.half_angle)
        on_axis = ~radial.any(axis=1)
        result = radial * math.cos(surface.half_angle) - lean
        result[on_axis] = 0.0
        return np.asarray(result)
    return _normalised(relative - surface.radius * radial)


def _vector(values: Any) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


def _unit(values: Any) -> Vector:
    vector = np.array(_vector(values))
    return _vector(vector / np.linalg.norm(vector))


def _norm(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def _normalised(vectors: Floats, floor: float = 1e-12) -> Floats:
    """Unit vectors; zero for those shorter than *floor*."""
    length = _norm(vectors)
    return np.asarray(np.where(length[:, None] > floor, vectors / np.maximum(length, floor)[:, None], 0.0))
