"""Prisms: outlines drawn out along an axis, such as profiles of aluminium, belts, rollers, racks and step blocks.

Normals are continuous where an outline bends gently (rounds) and split where it has a corner. Does not cover: rounded
slabs and rims (`sweep`), plates with pockets (`plates`).
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.arrange.sweep import Mesh

Floats = NDArray[np.float64]
CREASE_RAD: Final = np.deg2rad(25.0)
"""An outline that turns by more than this between two edges has a corner there."""
_CIRCLE_QUARTER: Final = 12


def prism(polygon: shapely.Geometry, low: float, high: float, axis: Literal["x", "y", "z"]) -> Mesh:
    """The closed solid of *polygon* (metres, holes allowed) from *low* to *high* along *axis*.

    The polygon lies in (x, y) for axis z, in (y, z) for axis x and in (x, z) for axis y.
    """
    shape = shapely.orient_polygons(polygon)
    walls = [_wall(np.asarray(ring.coords)[:-1]) for ring in (shape.exterior, *shape.interiors)]
    span = {"x": (low, high), "y": (-high, -low), "z": (low, high)}[axis]
    vertices: list[Floats] = []
    normals: list[Floats] = []
    triangles: list[NDArray[np.int64]] = []
    start = 0
    for flat, lean in walls:
        quads = np.arange(len(flat) // 2)[:, None] * 2
        count = len(flat)
        # Each edge has two points of its own, below and above: the quad (a, b) turns outward with b ahead of a.
        triangles += [
            start + quads + np.array(step, dtype=np.int64) for step in ((0, 1, count + 1), (0, count + 1, count))
        ]
        vertices += [np.column_stack([flat, np.full(count, height)]) for height in span]
        normals += [np.column_stack([lean, np.zeros(count)])] * 2
        start += 2 * count
    caps = shapely.get_parts(shapely.constrained_delaunay_triangles(shape))
    flat = np.concatenate([np.asarray(shapely.orient_polygons(cap).exterior.coords)[:3] for cap in caps])
    order = np.arange(len(flat)).reshape(-1, 3)
    for height, up, turned in ((span[0], -1.0, order[:, ::-1]), (span[1], 1.0, order)):
        triangles.append(start + turned)
        vertices.append(np.column_stack([flat, np.full(len(flat), height)]))
        normals.append(np.tile([0.0, 0.0, up], (len(flat), 1)))
        start += len(flat)
    points, facing = _turned(np.concatenate(vertices), axis), _turned(np.concatenate(normals), axis)
    return points, facing.astype(np.float32), np.concatenate(triangles).astype(np.int32)


def _turned(values: Floats, axis: Literal["x", "y", "z"]) -> Floats:
    """(a, b, c) of a prism along c in the world's x, y, z; each case is a rotation."""
    a, b, c = values.T
    return np.column_stack({"x": (c, a, b), "y": (a, -c, b), "z": (a, b, c)}[axis])


def _wall(ring: Floats) -> tuple[Floats, Floats]:
    """(2 e, 2) points and outward normals of the edges of *ring*, two for each edge."""
    ahead = np.roll(ring, -1, axis=0) - ring
    length = np.linalg.norm(ahead, axis=1, keepdims=True)
    normal = np.column_stack([ahead[:, 1], -ahead[:, 0]]) / length
    before = np.roll(normal, 1, axis=0)
    # Weighed by length, so that a round does not tilt the shading of the long flat that it runs into.
    mean = np.roll(length, 1, axis=0) * before + length * normal
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    gentle = np.sum(before * normal, axis=1, keepdims=True) > np.cos(CREASE_RAD)
    first = np.where(gentle, mean, normal)
    second = np.where(np.roll(gentle, -1, axis=0), np.roll(mean, -1, axis=0), normal)
    points = np.stack([ring, np.roll(ring, -1, axis=0)], axis=1).reshape(-1, 2)
    return points, np.stack([first, second], axis=1).reshape(-1, 2)


def circle(middle: tuple[float, float], radius: float) -> shapely.Geometry:
    """A disc's outline."""
    return shapely.Point(*middle).buffer(radius, quad_segs=_CIRCLE_QUARTER)


def hexagon(middle: tuple[float, float], across: float) -> shapely.Geometry:
    """A hexagon of *across* metres over its flats."""
    angle = np.arange(6) * np.pi / 3.0
    return shapely.Polygon(np.asarray(middle) + across / np.sqrt(3.0) * np.column_stack([np.cos(angle), np.sin(angle)]))


def rounded(polygon: shapely.Geometry, radius: float) -> shapely.Geometry:
    """*polygon* with its outer corners rounded."""
    return polygon.buffer(-radius, join_style="mitre").buffer(radius, quad_segs=4)
