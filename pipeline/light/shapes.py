"""Simple solids as triangle meshes, for lamps, rooms and what stands in them.

Covers: rectangles, boxes, tapered boxes, posts, surfaces of revolution, joining and turning. All lengths in metres; all
triangles counter-clockwise seen from outside (or from the side that a rectangle faces). Does not cover: materials.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in space."""

    vertices: Vector
    """(n, 3) metres."""
    triangles: NDArray[np.int32]
    """(m, 3)."""


def unit(vector: ArrayLike) -> Vector:
    """*vector* (3,) scaled to length 1."""
    values = np.asarray(vector, dtype=np.float64)
    return values / float(np.linalg.norm(values))


def direction_of(azimuth_rad: float, elevation_rad: float) -> Vector:
    """(3,) unit vector at an azimuth (0 = +x, a quarter turn = +y) and an elevation above the horizontal."""
    flat = math.cos(elevation_rad)
    return np.array([flat * math.cos(azimuth_rad), flat * math.sin(azimuth_rad), math.sin(elevation_rad)])


def upright_frame(normal: ArrayLike) -> tuple[Vector, Vector]:
    """(right, up) unit vectors that span the plane square to *normal*, up as near to +z as can be.

    right x up = normal: seen by somebody whom the normal points at, right is to the right.
    """
    facing = unit(normal)
    reference = np.array([0.0, 0.0, 1.0]) if abs(facing[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
    right = unit(np.cross(reference, facing))
    return right, np.cross(facing, right)


def rectangle(centre: ArrayLike, normal: ArrayLike, width: float, height: float) -> Mesh:
    """A rectangle that faces along *normal*, its height as upright as can be."""
    return Mesh(_corners(centre, normal, width, height), np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))


def _corners(centre: ArrayLike, normal: ArrayLike, width: float, height: float) -> Vector:
    right, up = upright_frame(normal)
    signs = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    offsets = 0.5 * (signs[:, :1] * width * right + signs[:, 1:] * height * up)
    return np.asarray(centre, dtype=np.float64) + offsets


_SIDES = ((0, 1, 2, 3), (5, 4, 7, 6), (4, 0, 3, 7), (1, 5, 6, 2), (3, 2, 6, 7), (4, 5, 1, 0))
_HEXAHEDRON = np.array([t for a, b, c, d in _SIDES for t in ((a, b, c), (a, c, d))], dtype=np.int32)
"""Front, back, left, right, top and bottom of a box whose corners 0..3 are its front's and 4..7 its back's."""


def tapered_box(
    front: ArrayLike,
    normal: ArrayLike,
    front_size: tuple[float, float],
    back_size: tuple[float, float],
    *,
    depth: float,
) -> Mesh:
    """A closed box behind the rectangle at *front* that faces *normal*, narrowing to *back_size* at *depth*."""
    back = np.asarray(front, dtype=np.float64) - depth * unit(normal)
    corners = [_corners(front, normal, *front_size), _corners(back, normal, *back_size)]
    return Mesh(np.concatenate(corners), _HEXAHEDRON)


def box(low: ArrayLike, high: ArrayLike) -> Mesh:
    """An upright box between two corners."""
    (x0, y0, z0), (x1, y1, z1) = (np.asarray(corner, dtype=np.float64) for corner in (low, high))
    plan = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    vertices = [(x, y, z) for z in (z1, z0) for x, y in plan]
    return Mesh(np.array(vertices), _HEXAHEDRON)


def standing_box(x: float, y: float, size: tuple[float, float, float], *, base: float, turn: float = 0.0) -> Mesh:
    """A box of (length, width, height) whose base is centred on (x, y, *base*), turned about the vertical by *turn*."""
    length, width, height = size
    upright = box((-length / 2, -width / 2, base), (length / 2, width / 2, base + height))
    return moved(turned(upright, turn), (x, y, 0.0))


def beam(start: ArrayLike, end: ArrayLike, thickness: float) -> Mesh:
    """A square bar from *start* to *end*."""
    first, last = (np.asarray(point, dtype=np.float64) for point in (start, end))
    size = (thickness, thickness)
    return tapered_box(last, last - first, size, size, depth=float(np.linalg.norm(last - first)))


def revolved(profile: ArrayLike, segments: int, start_rad: float = 0.0, sweep_rad: float = 2.0 * math.pi) -> Mesh:
    """Turn a profile of (k, 2) points (radius, height) about the z axis.

    Triangles face to the left of the profile's direction, seen with the radius to the right and z up: a profile that
    climbs faces the axis. A full turn is not welded (its seam has two copies of each vertex).
    """
    points = np.asarray(profile, dtype=np.float64)
    angles = start_rad + np.linspace(0.0, sweep_rad, segments + 1)
    rings = [np.stack([r * np.cos(angles), r * np.sin(angles), np.full_like(angles, z)], axis=1) for r, z in points]
    row, column = np.meshgrid(np.arange(len(points) - 1), np.arange(segments), indexing="ij")
    low = (row * (segments + 1) + column).ravel()
    high = low + segments + 1
    triangles = np.concatenate([np.stack([low, high, high + 1], axis=1), np.stack([low, high + 1, low + 1], axis=1)])
    return without_slivers(Mesh(np.concatenate(rings), triangles.astype(np.int32)))


def without_slivers(mesh: Mesh) -> Mesh:
    """Leave out triangles without area, such as those at the pole of a dome."""
    corners = mesh.vertices[mesh.triangles]
    doubled = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return Mesh(mesh.vertices, mesh.triangles[doubled > 1e-12])


def barrel(start: ArrayLike, end: ArrayLike, radius: float, segments: int = 24) -> Mesh:
    """A closed cylinder from *start* to *end*."""
    first, last = (np.asarray(point, dtype=np.float64) for point in (start, end))
    length = float(np.linalg.norm(last - first))
    upright = revolved([(0.0, length), (radius, length), (radius, 0.0), (0.0, 0.0)], segments)
    right, up = upright_frame(last - first)
    axes = np.stack([right, up, unit(last - first)])
    return Mesh(first + upright.vertices @ axes, upright.triangles)


def merged(meshes: Sequence[Mesh]) -> Mesh:
    """All *meshes* (at least one) as one."""
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    triangles = [mesh.triangles + start for mesh, start in zip(meshes, starts, strict=True)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(triangles).astype(np.int32))


def moved(mesh: Mesh, offset: ArrayLike) -> Mesh:
    """*mesh* shifted by (3,) *offset*."""
    return Mesh(mesh.vertices + np.asarray(offset, dtype=np.float64), mesh.triangles)


def turned(mesh: Mesh, yaw_rad: float, scale: float = 1.0) -> Mesh:
    """*mesh* scaled about the origin and turned about the vertical, counter-clockwise from above."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return Mesh(scale * mesh.vertices @ rotation.T, mesh.triangles)


def facing_away(mesh: Mesh) -> Mesh:
    """*mesh* with all triangles turned inside out."""
    return Mesh(mesh.vertices, np.ascontiguousarray(mesh.triangles[:, ::-1]))
