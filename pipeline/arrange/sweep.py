"""Solids of revolution around a rounded rectangle: slabs, trays and bins with rounded edges.

A profile (offset from the rectangle, height) is swept around a rounded rectangle and closed by flat caps. Normals
are exact: continuous over fillets, split at sharp corners. Does not cover: which support has which profile
(`supports`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_FILLET_SEGMENTS: Final = 6
_CORNER_SEGMENTS: Final = 12


@dataclass(frozen=True)
class Corner:
    """A corner of a profile and the radius that rounds it."""

    offset: float
    """Metres outward from the rectangle."""
    height: float
    """z, metres."""
    fillet: float = 0.0


@dataclass(frozen=True)
class Rectangle:
    """A rounded rectangle about *middle*, metres."""

    half_x: float
    half_y: float
    radius: float
    middle: tuple[float, float] = (0.0, 0.0)


Mesh = tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int32]]
"""Vertices (n, 3), normals (n, 3), triangles (m, 3)."""


def sweep(rectangle: Rectangle, corners: Sequence[Corner]) -> Mesh:
    """Sweep the profile through *corners* around *rectangle*, with a flat cap inside the first and the last ring.

    The profile runs from the middle of the top outward and back to the middle of the bottom, the solid on its right.
    Vertices are shared within smooth runs and split at sharp corners; merged by position the mesh is closed.
    Inward offsets may not exceed the rectangle's corner radius.
    """
    points, slopes = outline_profile(corners)
    across, anchors = rectangle_path(rectangle)
    rings = anchors[None] + (rectangle.radius + points[:, None, :1]) * across[None]
    count = len(across)
    vertices = np.concatenate([rings, np.broadcast_to(points[:, None, 1:], (len(points), count, 1))], axis=2)
    normals = np.concatenate(
        [slopes[:, None, :1] * across[None], np.broadcast_to(slopes[:, None, 1:], (len(points), count, 1))], axis=2
    )
    triangles = [band(i, count) for i in range(len(points) - 1) if not np.array_equal(points[i], points[i + 1])]
    top, bottom = vertices[0], vertices[-1]
    start = len(points) * count
    cap = fan(count)
    return (
        np.concatenate([vertices.reshape(-1, 3), top, bottom]),
        np.concatenate(
            [normals.reshape(-1, 3), np.tile([0.0, 0.0, 1.0], (count, 1)), np.tile([0.0, 0.0, -1.0], (count, 1))]
        ).astype(np.float32),
        np.concatenate([*triangles, start + cap, start + count + cap[:, ::-1]]).astype(np.int32),
    )


def slab(rectangle: Rectangle, *, top: float, thickness: float, edge: float) -> Mesh:
    """A rounded-rectangle slab with its top at z = *top* and edges rounded by *edge*, metres."""
    low = top - thickness
    inward = -2.0 * edge
    return sweep(
        rectangle,
        [Corner(inward, top), Corner(0.0, top, edge), Corner(0.0, low, edge), Corner(inward, low)],
    )


def outline_profile(corners: Sequence[Corner]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(p, 2) points and (p, 2) outward normals (offset, height); a sharp corner appears twice."""
    where = np.array([[corner.offset, corner.height] for corner in corners])
    along = np.diff(where, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.column_stack([-along[:, 1], along[:, 0]])
    points, normals = [where[0]], [normal[0]]
    for i in range(1, len(corners) - 1):
        before, after = along[i - 1], along[i]
        turn = float(np.arctan2(before[0] * after[1] - before[1] * after[0], before @ after))
        radius = corners[i].fillet
        start = where[i] - before * radius * np.tan(abs(turn) / 2.0)
        # Going right (turn < 0) the edge is convex: the arc's centre lies inside the solid, against the normal.
        centre = start + normal[i - 1] * radius * np.sign(turn)
        steps = np.linspace(0.0, turn, _FILLET_SEGMENTS + 1) if radius > 0.0 else np.array([0.0, turn])
        for angle in steps:
            cos, sin = np.cos(angle), np.sin(angle)
            direction = np.array([[cos, -sin], [sin, cos]]) @ normal[i - 1]
            points.append(centre - direction * radius * np.sign(turn) if radius > 0.0 else where[i])
            normals.append(direction)
    return np.array([*points, where[-1]]), np.array([*normals, normal[-1]])


def rectangle_path(rectangle: Rectangle) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(c, 2) outward normals and (c, 2) arc centres along the rounded rectangle, counter-clockwise."""
    quarter = np.linspace(0.0, np.pi / 2.0, _CORNER_SEGMENTS + 1)
    angles = np.concatenate([quarter + k * np.pi / 2.0 for k in range(4)])
    signs = np.repeat([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]], len(quarter), axis=0)
    inner = np.array([rectangle.half_x, rectangle.half_y]) - rectangle.radius
    return np.column_stack([np.cos(angles), np.sin(angles)]), np.array(rectangle.middle) + signs * inner


def band(ring: int, count: int) -> NDArray[np.int64]:
    """Triangles between profile points *ring* and *ring* + 1."""
    here = ring * count + np.arange(count)
    ahead = ring * count + (np.arange(count) + 1) % count
    return np.concatenate(
        [np.column_stack([here, here + count, ahead + count]), np.column_stack([here, ahead + count, ahead])]
    )


def fan(count: int) -> NDArray[np.int64]:
    """Triangles of a convex cap seen from above, counter-clockwise."""
    index = np.arange(1, count - 1)
    return np.column_stack([np.zeros_like(index), index, index + 1])


def tube(path: NDArray[np.float64], radius: float | NDArray[np.float64], *, sides: int, smooth: bool) -> Mesh:
    """A closed tube along (n, 3) *path* in a plane z = constant, with flat ends; *radius* may vary along it.

    *smooth*: round with continuous normals along the path, else a prism of *sides* flats.
    """
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross([0.0, 0.0, 1.0], ahead)
    # A prism has every edge twice, once for each of the two flats that meet there.
    edges = np.arange(sides) if smooth else np.repeat(np.arange(sides), 2)
    angle = 2.0 * np.pi * edges / sides
    lean = angle if smooth else 2.0 * np.pi * (np.repeat(np.arange(sides), 2) + np.tile([-0.5, 0.5], sides)) / sides
    count = len(edges)
    radii = np.broadcast_to(radius, len(path))[:, None, None]
    up = np.array([0.0, 0.0, 1.0])
    rings = path[:, None] + radii * (np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * up)
    normals = np.cos(lean)[:, None] * side[:, None] + np.sin(lean)[:, None] * up
    triangles = np.concatenate([band(i, count)[:, ::-1] for i in range(len(path) - 1)])
    vertices = np.concatenate([rings.reshape(-1, 3), rings[0], rings[-1]])
    start, cap = len(path) * count, fan(count)
    caps = np.concatenate([start + cap[:, ::-1], start + count + cap])
    triangles = np.concatenate([triangles, caps])
    corners = vertices[triangles]
    twice_area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return (
        vertices,
        np.concatenate([normals.reshape(-1, 3), np.tile(-ahead[0], (count, 1)), np.tile(ahead[-1], (count, 1))]).astype(
            np.float32
        ),
        triangles[twice_area > 1e-14].astype(np.int32),
    )


def ribbon(path: NDArray[np.float64], facing: NDArray[np.float64], *, width: float, thick: float) -> Mesh:
    """A closed band along (n, 3) *path* whose flat side faces (n, 3) *facing*, with continuous normals along it."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    flat = facing - np.sum(facing * ahead, axis=1, keepdims=True) * ahead
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    side = np.cross(ahead, flat)
    # The four sides of the section, counter-clockwise seen along the path; every edge has one vertex for each side.
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=np.float64)
    corner = signs[[0, 1, 1, 2, 2, 3, 3, 0]] * np.array([width, thick]) / 2.0
    lean = np.repeat([[0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.0, 0.0]], 2, axis=0)
    rings = path[:, None] + corner[None, :, :1] * side[:, None] + corner[None, :, 1:] * flat[:, None]
    normals = lean[None, :, :1] * side[:, None] + lean[None, :, 1:] * flat[:, None]
    quads = []
    for first in range(0, 8, 2):
        here = np.arange(len(path) - 1)[:, None] * 8 + first
        quads += [here + np.array(step) for step in ((0, 8, 9), (0, 9, 1))]
    count = 8 * len(path)
    ends = np.array([[0, 1, 2], [0, 2, 3]])
    triangles = np.concatenate([*quads, count + ends, count + 4 + ends[:, ::-1]])
    vertices = np.concatenate([rings.reshape(-1, 3), rings[0, ::2], rings[-1, ::2]])
    facing_out = np.concatenate([normals.reshape(-1, 3), np.tile(-ahead[0], (4, 1)), np.tile(ahead[-1], (4, 1))])
    return vertices, facing_out.astype(np.float32), triangles.astype(np.int32)
