"""Whether geometry can be a part at all: finite, of plausible size, not too many triangles.

Covers: the checks and their messages. Does not cover: open surfaces (`brep`, `meshes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from pipeline.errors import InputError
from pipeline.parts.container import METRES, LengthUnit
from pipeline.parts.limits import Limits

SMALLEST_DIAMETER_M: Final = 1e-4
LARGEST_DIAMETER_M: Final = 20.0
"""A part is held by a machine vice or a crane: outside these sizes its unit is wrong."""

_FLAT: Final = 1e-6
"""Thickness over diameter below which a shape counts as flat (float32 coordinates resolve about 1e-7)."""

MOST_COMPARED: Final = 4096

MOST_FACES: Final = 65534
"""Pictures hold face_id + 1 in 16 bits; 0 is no part."""


def check_size(vertices: Sequence[NDArray[np.float64]], unit: LengthUnit) -> float:
    """Diameter in metres of all the (n, 3) *vertices* together, if a part can have it; else raises InputError."""
    points = np.concatenate([v.reshape(-1, 3) for v in vertices]) if vertices else np.zeros((0, 3))
    check_finite(points)
    extent = float(np.linalg.norm(np.ptp(points, axis=0))) if len(points) else 0.0
    if extent <= 1e-12:
        raise InputError("the part has zero size: all of its points are the same; export the solid again")
    if not SMALLEST_DIAMETER_M <= extent <= LARGEST_DIAMETER_M * 1.7321:
        raise InputError(_size_message(extent, unit))
    diameter = diameter_of(points)
    if not SMALLEST_DIAMETER_M <= diameter <= LARGEST_DIAMETER_M:
        raise InputError(_size_message(diameter, unit))
    return diameter


def check_finite(points: NDArray[np.float64]) -> None:
    """Raises InputError when a coordinate of (n, 3) *points* is NaN or infinite."""
    bad = int(np.count_nonzero(~np.isfinite(points).all(axis=1)))
    if bad:
        raise InputError(
            f"{bad} of {len(points)} vertices have coordinates that are not numbers (NaN or infinite); "
            "repair or export the mesh again"
        )


def check_triangles(count: int, limits: Limits) -> None:
    """Raises InputError when a part has more triangles than *limits* allow."""
    if count > limits.triangles:
        raise InputError(
            f"the part has {count} triangles, more than the limit of {limits.triangles}; check the file's length unit "
            "(a part read too large is meshed too finely), ask for a coarser tolerance, or raise the limit"
        )


def check_faces(count: int) -> None:
    """Raises InputError when a part has more faces than the 16-bit face layer of a picture can tell apart."""
    if count > MOST_FACES:
        raise InputError(
            f"the part has {count} faces, more than the {MOST_FACES} that can be told apart; "
            "simplify the model (smooth a scanned mesh), or split it into several parts"
        )


def diameter_of(points: NDArray[np.float64]) -> float:
    """Largest distance between two of (n, 3) points, metres. Raises InputError when they lie in a plane."""
    try:
        hull = points[ConvexHull(points).vertices]
    except QhullError:
        hull = np.zeros((0, 3))
    if len(hull) == 0 or float(np.linalg.svd(hull - hull.mean(axis=0), compute_uv=False)[2]) < _FLAT * np.ptp(hull):
        raise InputError(
            "the part is flat: all of its points lie in one plane, so it has no volume; Glint needs solids"
        )
    return _farthest_pair(hull)


def _farthest_pair(points: NDArray[np.float64]) -> float:
    """Largest distance between two of (n, 3) points.

    Exact while at most MOST_COMPARED points lie far enough from the middle to take part; beyond that (a finely meshed
    ball) the best of many walks from a point to the one farthest from it.
    """
    points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    radius = np.linalg.norm(points, axis=1)
    best = max(_walk(points, start) for start in points[np.argsort(-radius, kind="stable")[:4]])
    points = points[radius >= (best - float(np.max(radius))) * (1 - 1e-9)]
    if len(points) > MOST_COMPARED:
        return max(best, *(_walk(points, start) for start in points[:: len(points) // 128]))
    square = np.einsum("ij,ij->i", points, points)
    for row in range(0, len(points), 1024):
        block = square[row : row + 1024, None] + square[None, :] - 2.0 * points[row : row + 1024] @ points.T
        best = max(best, float(np.sqrt(max(0.0, float(np.max(block))))))
    return best


def _walk(points: NDArray[np.float64], start: NDArray[np.float64]) -> float:
    """Go to the farthest point again and again; the longest step."""
    best = 0.0
    while True:
        away = np.linalg.norm(points - start, axis=1)
        farthest = int(np.argmax(away))
        if away[farthest] <= best * (1 + 1e-12):
            return best
        best, start = float(away[farthest]), points[farthest]


def _size_message(diameter: float, unit: LengthUnit) -> str:
    origin = {"file": "as the file says", "spec": "as was asked for", "assumed": "assumed: the file names no unit"}
    likely = [
        name for name in ("um", "mm", "cm", "m", "inch")
        if SMALLEST_DIAMETER_M <= diameter / unit.metres * METRES[name] <= LARGEST_DIAMETER_M
    ]  # fmt: skip
    hint = f"if its lengths are really in {' or '.join(likely)}, " if likely else "correct the model, "
    fix = "say so with units = ..." if likely and unit.source != "file" else "export it again with the right unit"
    return (
        f"the part measures {diameter:.3g} m across in {unit.name} ({origin[unit.source]}); expected between "
        f"{SMALLEST_DIAMETER_M * 1e3:g} mm and {LARGEST_DIAMETER_M:g} m: is the unit right? {hint}{fix}"
    )
