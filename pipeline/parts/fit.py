"""Find the analytic surface that a set of points with normals lies on.

Covers: plane, cylinder, cone and sphere, accepted only when every point lies on it. Does not cover: tori and noisy
scans; what fits nothing stays freeform.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.surfaces import Surface, Vector, distance, normal

Floats = NDArray[np.float64]


def fit_surface(points: Floats, normals: Floats, tolerance: float, angle: float) -> Surface | None:
    """The plane, sphere, cylinder or cone through (n, 3) *points* with unit (n, 3) *normals*, or None.

    Every point must lie within *tolerance* metres, every normal within *angle* radians up to one common sign.
    """
    if len(points) < 3 or not np.isfinite(normals).all():
        return None
    for candidate in (_plane(points, normals), _sphere(points, normals), _revolved(points, normals)):
        if candidate is not None and _holds(candidate, points, normals, tolerance, angle):
            return candidate
    return None


def _holds(surface: Surface, points: Floats, normals: Floats, tolerance: float, angle: float) -> bool:
    if not np.all(np.abs(distance(surface, points)) <= tolerance):
        return False
    cosine = np.einsum("ij,ij->i", normal(surface, points), normals)
    return bool(np.all(cosine >= math.cos(angle)) or np.all(cosine <= -math.cos(angle)))


def _plane(points: Floats, normals: Floats) -> Surface | None:
    mean = normals.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < 0.9:
        return None
    return Surface("plane", _vector(points.mean(axis=0)), _vector(mean / length))


def _sphere(points: Floats, normals: Floats) -> Surface | None:
    """Least squares for centre c and radius r in p = c + r n (signed r)."""
    spread = normals - normals.mean(axis=0)
    square = float(np.einsum("ij,ij->", spread, spread))
    if square < 1e-9 * len(points):
        return None
    radius = float(np.einsum("ij,ij->", spread, points - points.mean(axis=0))) / square
    centre = (points - radius * normals).mean(axis=0)
    return Surface("sphere", _vector(centre), (0.0, 0.0, 1.0), abs(radius)) if radius != 0 else None


def _revolved(points: Floats, normals: Floats) -> Surface | None:
    """A cylinder or cone: its normals all make the same angle with the axis, so they end on one plane."""
    spread = normals - normals.mean(axis=0)
    values, vectors = np.linalg.eigh(spread.T @ spread / len(points))
    if values[1] < 1e-9:
        return None
    axis = vectors[:, 0]
    lean = float((normals @ axis).mean())
    if abs(lean) > 0.999:
        return None
    across = normals - np.outer(normals @ axis, axis)
    across /= np.linalg.norm(across, axis=1)[:, None]
    height = points @ axis
    # p = c + r(h) u with r(h) = r0 + slope h: linear in c (across the axis), r0 and slope.
    slope = -math.tan(math.asin(max(-1.0, min(1.0, lean))))
    base, side = vectors[:, 1], vectors[:, 2]
    known = points - np.outer(height, axis) - (slope * height)[:, None] * across
    rows = np.concatenate([np.column_stack([np.ones(len(points)), np.zeros(len(points)), across @ base]),
                           np.column_stack([np.zeros(len(points)), np.ones(len(points)), across @ side])])  # fmt: skip
    solution, *_ = np.linalg.lstsq(rows, np.concatenate([known @ base, known @ side]), rcond=None)
    centre = solution[0] * base + solution[1] * side
    radius = float(solution[2])
    if abs(slope) < 1e-6:
        return Surface("cylinder", _vector(centre + height.mean() * axis), _vector(axis), abs(radius))
    apex = centre - (radius / slope) * axis
    direction = axis if float(((points - apex) @ axis).mean()) > 0 else -axis
    return Surface("cone", _vector(apex), _vector(direction), half_angle=abs(math.atan(slope)))


def _vector(values: Floats) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
