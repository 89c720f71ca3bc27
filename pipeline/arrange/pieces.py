"""Convex pieces of a part, for collisions: what `settle` pushes about instead of the part's mesh.

A part is cut by planes along its own axes until each piece differs from its convex hull by less than a share of the
part's diameter, or there are enough pieces. Every piece's hull spans the surface within its cell, so parts whose pieces
do not interpenetrate do not either. Pure arrays, no random numbers. Does not cover: the simulation (`settle`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from pipeline.arrange.bounds import extreme_points

Floats = NDArray[np.float64]

CONCAVITY: Final = 0.02
"""A piece is good enough when no point of the surface lies deeper in its hull than this share of the diameter."""
MOST_PIECES: Final = 12
_CUTS: Final = np.linspace(0.1, 0.9, 9)
"""Where a piece may be cut, as shares of its extent along the cut's normal."""
_SAMPLES: Final = 500
"""Triangles of a coarser stand-in from which the cuts are chosen."""
_CHOICE_DIRECTIONS: Final = 48
_CORNER_DIRECTIONS: Final = 768
"""Directions along which a piece keeps its farthest corners: a ball then lacks a two-thousandth of its radius, where
192 let things sink in by 0.3 mm."""


@dataclass(frozen=True, eq=False)
class _Cell:
    """A piece in the making: its triangles as corners (m, 3, 3), and how deep its surface lies in its hull."""

    corners: Floats
    depth: float


def convex_pieces(vertices: Floats, triangles: NDArray[np.int32]) -> tuple[Floats, ...]:
    """Corners of the hull of each convex piece of a mesh, (k, 3) metres; the extreme ones where there are many."""
    scale = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    cells = [_cell(vertices[triangles])]
    while len(cells) < MOST_PIECES:
        worst = max(range(len(cells)), key=lambda i: cells[i].depth)
        if cells[worst].depth < CONCAVITY * scale:
            break
        halves = _best_cut(cells[worst], scale)
        if halves is None:
            cells[worst] = _Cell(cells[worst].corners, 0.0)
            continue
        cells[worst : worst + 1] = halves
    pieces = (_corners_of_hull(cell.corners.reshape(-1, 3)) for cell in cells)
    return tuple(piece for piece in pieces if piece is not None)


def _corners_of_hull(points: Floats) -> Floats | None:
    """The hull's corners, thinned out where there are more than collisions need; None where the points are flat."""
    hull = _hull(points)
    return None if hull is None else extreme_points(points[np.sort(hull.vertices)], _CORNER_DIRECTIONS)


def _hull(points: Floats) -> ConvexHull | None:
    """The convex hull, None where the points are flat."""
    try:
        return ConvexHull(points)
    except QhullError:
        return None


def _cell(corners: Floats) -> _Cell:
    """Measure how far the triangles' middles and corners lie below the hull."""
    points = corners.reshape(-1, 3)
    hull = _hull(extreme_points(points)) if len(points) > 3 else None
    if hull is None:
        return _Cell(corners, 0.0)
    middles = corners[:: max(1, len(corners) // 2000)].mean(axis=1)
    planes = hull.equations
    below = -(middles @ planes[:, :3].T + planes[:, 3]).max(axis=1)
    return _Cell(corners, float(np.max(below)))


def _best_cut(cell: _Cell, scale: float) -> tuple[_Cell, _Cell] | None:
    """Cut along the axis plane that leaves the least hull volume; None when no cut helps."""
    coarse = cell.corners[:: max(1, len(cell.corners) // _SAMPLES)]
    low, high = coarse.reshape(-1, 3).min(axis=0), coarse.reshape(-1, 3).max(axis=0)
    best: tuple[float, int, float] | None = None
    for axis in range(3):
        if high[axis] - low[axis] < 0.02 * scale:
            continue
        for share in _CUTS:
            at = float(low[axis] + share * (high[axis] - low[axis]))
            # Halving a ring first gains nothing: among equal cuts, those across the longest side's middle lead on.
            lopsided = abs(share - 0.5) + 1.0 - float((high - low)[axis] / np.max(high - low))
            volume = sum(_volume(half) for half in _split(coarse, axis, at)) * (1.0 + 0.1 * lopsided)
            if best is None or volume < best[0] * (1.0 - 1e-6):
                best = (volume, axis, at)
    if best is None:
        return None
    first, second = _split(cell.corners, best[1], best[2])
    if not len(first) or not len(second):
        return None
    return _cell(first), _cell(second)


def _volume(corners: Floats) -> float:
    if len(corners) < 2:
        return 0.0
    hull = _hull(extreme_points(corners.reshape(-1, 3), _CHOICE_DIRECTIONS))
    return 0.0 if hull is None else float(hull.volume)


def _split(corners: Floats, axis: int, at: float) -> tuple[Floats, Floats]:
    """The triangles below and above a plane, (m, 3, 3) each; those across it are clipped."""
    height = corners[:, :, axis] - at
    below, above = (height <= 0.0).all(axis=1), (height >= 0.0).all(axis=1)
    across = ~below & ~above
    low, high = [corners[below]], [corners[above & ~below]]
    if across.any():
        cut, side = corners[across], height[across]
        # The corner that is alone on its side comes first; each such triangle falls into a triangle and two more.
        lonely = np.where((side > 0.0).sum(axis=1) == 1, np.argmax(side, axis=1), np.argmin(side, axis=1))
        order = (lonely[:, None] + np.arange(3)) % 3
        cut, side = np.take_along_axis(cut, order[:, :, None], 1), np.take_along_axis(side, order, 1)
        share = side[:, :1] / (side[:, :1] - side[:, 1:])
        entry = cut[:, :1] + share[:, :, None] * (cut[:, 1:] - cut[:, :1])
        tip = np.stack([cut[:, 0], entry[:, 0], entry[:, 1]], axis=1)
        rest = np.concatenate(
            [
                np.stack([entry[:, 0], cut[:, 1], cut[:, 2]], axis=1),
                np.stack([entry[:, 0], cut[:, 2], entry[:, 1]], axis=1),
            ]
        )
        tip_above = side[:, 0] > 0.0
        high += [tip[tip_above], rest[np.tile(~tip_above, 2)]]
        low += [tip[~tip_above], rest[np.tile(tip_above, 2)]]
    return np.concatenate(low), np.concatenate(high)
