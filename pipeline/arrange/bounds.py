"""Extreme points and bounding spheres of point sets.

Covers: a few points that stand for a part's convex hull, and a near-smallest enclosing sphere. Does not cover:
footprints (`place`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DIRECTIONS: Final = 192
_STEPS: Final = 400


@cache
def _fibonacci_directions(count: int) -> NDArray[np.float64]:
    """(count, 3) unit vectors spread evenly over the sphere (Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    z = 1.0 - 2.0 * index / count
    turn = np.pi * (1.0 + 5.0**0.5) * index
    ring = np.sqrt(1.0 - z * z)
    return np.column_stack([ring * np.cos(turn), ring * np.sin(turn), z])


def extreme_points(points: NDArray[np.float64], directions: int = _DIRECTIONS) -> NDArray[np.float64]:
    """The points of (n, 3) *points* that lie farthest along *directions* directions: (k, 3), in input order."""
    farthest = np.argmax(points @ _fibonacci_directions(directions).T, axis=0)
    return points[np.unique(farthest)]


def bounding_sphere(clouds: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], float]:
    """Centre (3,) and radius of a sphere that holds every point of the (n, 3) *clouds*.

    The centre walks towards the farthest point by 1/(step+1) (Badoiu and Clarkson, "Smaller core-sets for balls",
    2003), which comes within about a percent of the smallest sphere; the radius is then exact for that centre.
    """
    points = np.concatenate([extreme_points(cloud) for cloud in clouds])
    centre = (points.min(axis=0) + points.max(axis=0)) / 2.0
    for step in range(1, _STEPS):
        away = points - centre
        centre = centre + away[np.argmax(np.einsum("ij,ij->i", away, away))] / (step + 1.0)
    radius = max(float(np.sqrt(np.max(np.sum((cloud - centre) ** 2, axis=1)))) for cloud in clouds)
    return centre, radius
