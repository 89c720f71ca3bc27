"""Plates with pockets and holes: pocket trays and fixture plates, with rounded edges and exact normals.

A pocket is a convex outline grown by a clearance, with a filleted floor and a rounded brim. Does not cover: where
pockets are (`supports`, `holders`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.arrange.sweep import Corner, Mesh, Rectangle, band, fan, outline_profile, rectangle_path

Floats = NDArray[np.float64]
_ARC_SEGMENTS = 10


@dataclass(frozen=True, eq=False)
class Pocket:
    """A pocket's wall at its floor: everything within *clearance* of a convex polygon. Metres."""

    outline: shapely.Geometry
    clearance: float
    floor: float | None = None
    """Height of its floor; None = the plate's."""
    segments: int = _ARC_SEGMENTS
    """Steps of a rounded corner of 90 degrees."""
    draft: float | None = None
    """How much wider it is at the top than at its floor; None = the plate's."""


@dataclass(frozen=True, eq=False)
class Plate:
    """A plate from *low* to *top* with pockets down to *floor* (all heights in metres)."""

    outside: Rectangle
    pockets: Sequence[Pocket]
    top: float
    floor: float
    low: float
    edge: float
    draft: float = 0.0
    """How much wider a pocket is at the top than at its floor."""

    @property
    def brim(self) -> float:
        """Offset from a pocket's floor outline to where the flat top begins."""
        return self.draft + 2.0 * self.edge


def plate_mesh(plate: Plate) -> Mesh:
    """The closed mesh of *plate*. Pockets may not meet: each keeps twice `brim` from its neighbours and the outside."""
    inward = -2.0 * plate.edge
    outer = [
        Corner(inward, plate.top),
        Corner(0.0, plate.top, plate.edge),
        Corner(0.0, plate.low, plate.edge),
        Corner(inward, plate.low),
    ]
    across, anchors = rectangle_path(plate.outside)
    radius = plate.outside.radius
    meshes = [_skin(across, anchors, radius, outer)]
    bottom = anchors + (radius + inward) * across
    meshes.append(_flat(fan(len(bottom))[:, ::-1], bottom, plate.low, -1.0))
    rim = shapely.Polygon(bottom)
    for pocket in plate.pockets:
        mesh, brim = _pocket(plate, pocket)
        meshes += mesh
        rim = rim.difference(brim)
    meshes.append(_top(rim, plate.top))
    return joined(meshes)


def _pocket(plate: Plate, pocket: Pocket) -> tuple[list[Mesh], shapely.Geometry]:
    """Wall and floor of a pocket, and the polygon that it cuts out of the top."""
    across, anchors = convex_path(pocket.outline, pocket.segments)
    floor = plate.floor if pocket.floor is None else pocket.floor
    draft = plate.draft if pocket.draft is None else pocket.draft
    brim = draft + 2.0 * plate.edge
    # Less than half the clearance, so that the flat inside the fillet does not shrink to a point.
    round_ = min(0.45 * pocket.clearance, 0.3 * (plate.top - floor))
    corners = [
        Corner(-2.0 * round_, floor),
        Corner(0.0, floor, round_),
        Corner(draft, plate.top, plate.edge),
        Corner(brim, plate.top),
    ]
    wall = _skin(across, anchors, pocket.clearance, corners)
    ground = anchors + (pocket.clearance - 2.0 * round_) * across
    cut = anchors + (pocket.clearance + brim) * across
    return [wall, _flat(fan(len(ground)), ground, floor, 1.0)], shapely.Polygon(cut)


def convex_path(polygon: shapely.Geometry, segments: int = _ARC_SEGMENTS) -> tuple[Floats, Floats]:
    """(c, 2) outward normals and (c, 2) corners that a rounded offset of a convex *polygon* turns about."""
    ring = np.asarray(shapely.orient_polygons(shapely.simplify(polygon, 1e-5)).exterior.coords)[:-1]
    ahead = np.roll(ring, -1, axis=0) - ring
    angle = np.unwrap(np.arctan2(-ahead[:, 0], ahead[:, 1]))
    before = np.roll(angle, 1)
    before[0] -= 2.0 * np.pi
    across, anchors = [], []
    for corner, start, stop in zip(ring, before, angle, strict=True):
        steps = max(2, int(np.ceil((stop - start) / (np.pi / 2.0 / segments))) + 1)
        turn = np.linspace(start, stop, steps)
        across.append(np.column_stack([np.cos(turn), np.sin(turn)]))
        anchors.append(np.tile(corner, (steps, 1)))
    return np.concatenate(across), np.concatenate(anchors)


def _skin(across: Floats, anchors: Floats, radius: float, corners: Sequence[Corner]) -> Mesh:
    """The profile through *corners* swept along a path, open at both ends."""
    points, slopes = outline_profile(corners)
    count = len(across)
    flat = anchors[None] + (radius + points[:, None, :1]) * across[None]
    vertices = np.concatenate([flat, np.broadcast_to(points[:, None, 1:], (len(points), count, 1))], axis=2)
    up = np.broadcast_to(slopes[:, None, 1:], (len(points), count, 1))
    normals = np.concatenate([slopes[:, None, :1] * across[None], up], axis=2)
    bands = [band(i, count) for i in range(len(points) - 1) if not np.array_equal(points[i], points[i + 1])]
    triangles = np.concatenate(bands).astype(np.int32)
    return vertices.reshape(-1, 3), normals.reshape(-1, 3).astype(np.float32), triangles


def _flat(triangles: NDArray[np.int64], points: Floats, height: float, up: float) -> Mesh:
    vertices = np.column_stack([points, np.full(len(points), height)])
    return vertices, np.tile([0.0, 0.0, up], (len(points), 1)).astype(np.float32), triangles.astype(np.int32)


def _top(polygon: shapely.Geometry, height: float) -> Mesh:
    pieces = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
    corners = np.concatenate([np.asarray(shapely.orient_polygons(p).exterior.coords)[:3] for p in pieces])
    return _flat(np.arange(len(corners)).reshape(-1, 3), corners, height, 1.0)


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _, _ in meshes[:-1])])
    return (
        np.concatenate([vertices for vertices, _, _ in meshes]),
        np.concatenate([normals for _, normals, _ in meshes]),
        np.concatenate([tri + start for (_, _, tri), start in zip(meshes, starts, strict=True)]).astype(np.int32),
    )
