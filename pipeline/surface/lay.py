"""The direction of the grooves on every face: the axis of circular ones, a tangent vector per vertex of straight ones.

Covers: rings about the true axis of a turned face, the longest direction of a flat one. Does not cover: which
kind of lay a process leaves (`processes`), how strong it is (`roughness`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Face, Part
from pipeline.surface.processes import LayKind
from pipeline.surface.roles import Axis, Vector, axis_of, parallel

EQUAL_SPREAD = 1.02
"""A face whose two largest second moments differ by less than this factor has no longest direction of its own."""
LOST = 1e-3
"""Sine of the angle to the normal below which a direction says nothing about the tangent plane."""


@dataclass(frozen=True, eq=False)
class Lay:
    """Groove directions at the vertices of a part, in its frame: straight ones as vectors, rings by their axis."""

    straight: Vector
    """(n, 3) unit, orthogonal to the vertex normal; zero where the lay is circular or there is none."""
    axis: Vector
    """(n, 3) unit axis of the rings; zero elsewhere."""
    origin: Vector
    """(n, 3) metres, a point on that axis; zero elsewhere."""


@dataclass(frozen=True, eq=False)
class LayGuide:
    """What the whole part says about the lay of one face."""

    turning: Axis | None
    sheet_normal: Vector
    """(3,) normal of the largest plane, for lays through the thickness of a sheet."""


def no_lay(count: int) -> Lay:
    """A lay of *count* vertices without any direction, to be filled by `lay_face`."""
    return Lay(np.zeros((count, 3)), np.zeros((count, 3)), np.zeros((count, 3)))


def lay_face(lay: Lay, part: Part, members: NDArray[np.int32], face: Face, *, kind: LayKind, guide: LayGuide) -> None:
    """Write the groove directions of *face*, whose vertices are *members*, into *lay*."""
    if kind == "none" or len(members) == 0:
        return
    rings = _rings(face, kind, guide.turning)
    if rings is not None:
        lay.axis[members] = rings.direction
        lay.origin[members] = rings.origin
        return
    direction = guide.sheet_normal if kind == "thickness" else _straight(part, face)
    normals = part.normals[members].astype(np.float64)
    lay.straight[members] = tangent_to(normals, np.broadcast_to(direction, normals.shape))


def _rings(face: Face, kind: LayKind, turning: Axis | None) -> Axis | None:
    """The axis about which the grooves of this face run, or None when they run straight."""
    own = axis_of(face)
    if face.kind == "torus" and kind not in ("axial", "thickness"):
        return own  # straight passes of a mill follow a round along its length, which is a ring here
    if kind in ("linear", "axial", "thickness") or (kind == "brush" and face.kind not in ("cylinder", "cone")):
        return None
    if face.kind in ("cylinder", "cone"):
        return own
    if face.kind == "plane" and turning is not None and own is not None:
        return turning if parallel(own.direction, turning.direction) else None
    return turning if face.kind != "plane" else None


def _straight(part: Part, face: Face) -> Vector:
    """Direction of straight grooves: the axis of a round face, the longest direction of any other."""
    if face.kind in ("cylinder", "cone", "torus") and face.axis is not None:
        return np.array(face.axis, dtype=np.float64)
    return longest_direction(part, face.face_id)


def longest_direction(part: Part, face_id: int) -> Vector:
    """(3,) unit direction in which a face extends most: first principal axis of its area.

    Of a face without one (a square, a disc) the world axis that lies flattest in it. The sign is such that the largest
    component is positive.
    """
    corners = part.vertices[part.triangles[part.face_of_triangle == face_id]]
    areas = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = areas.sum()
    if total <= 0.0:
        return np.array([1.0, 0.0, 0.0])
    middles = corners.mean(axis=1)
    corners = corners - (areas[:, None] * middles).sum(axis=0) / total
    middles = corners.mean(axis=1)
    # Second moment of a triangle of area A: A/12 (sum of the corners' products + 9 times that of the middle).
    moment = np.einsum("t,tci,tcj->ij", areas, corners, corners) + 9.0 * np.einsum(
        "t,ti,tj->ij", areas, middles, middles
    )
    spread, axes = np.linalg.eigh(moment)
    direction = axes[:, 2] if spread[2] > EQUAL_SPREAD * spread[1] else _flattest_axis(axes[:, 0])
    return np.asarray(direction * np.sign(direction[np.argmax(np.abs(direction))]), dtype=np.float64)


def _flattest_axis(normal: Vector) -> Vector:
    axis = np.eye(3)[int(np.argmin(np.round(np.abs(normal), 6)))]
    in_plane: Vector = axis - normal * float(axis @ normal)
    return in_plane / np.linalg.norm(in_plane)


def tangent_to(normals: Vector, directions: Vector) -> Vector:
    """Project (n, 3) *directions* into the tangent planes of unit *normals* and normalise.

    Where a direction is zero or parallel to the normal any tangent is as good: the one nearest to a world axis.
    """
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)  # float32 normals are unit to 1e-7 only
    flat = _project(normals, directions)
    lengths = np.linalg.norm(flat, axis=1)
    lost = lengths <= LOST * np.maximum(np.linalg.norm(directions, axis=1), 1e-9)
    flat[lost] = _project(normals[lost], np.eye(3)[np.argmin(np.abs(normals[lost]), axis=1)])
    flat = _project(normals, flat)  # again: a short rest of a long vector has lost digits
    result: Vector = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return result


def _project(normals: Vector, directions: Vector) -> Vector:
    result: Vector = directions - normals * (directions * normals).sum(axis=1, keepdims=True)
    return result
