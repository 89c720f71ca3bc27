"""Operations: faces of a part that one cut makes, such as the two half cylinders of one hole.

Covers: joining faces that lie on the same surface. Does not cover: what they are for (`roles`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Face, Part
from pipeline.surface.axes import SAME_DIRECTION, axis_of, sweep_about

FULL_SWEEP = math.radians(200.0)
"""A round face that reaches more than half-way around its axis was turned, drilled or bored; less is a round."""


@dataclass(frozen=True, eq=False)
class Operation:
    """Faces that one cut makes: the same surface, perhaps in several pieces."""

    faces: tuple[int, ...]
    """face_ids, ascending."""
    face: Face
    """The first of them, which stands for all."""
    area_m2: float
    full: bool
    """A cylinder, cone or torus that reaches around its axis (FULL_SWEEP)."""


def vertices_of_faces(part: Part) -> list[NDArray[np.int32]]:
    """Vertex indices of each face, by face_id."""
    order = np.argsort(part.face_of_triangle, kind="stable")
    bounds = np.searchsorted(part.face_of_triangle[order], np.arange(len(part.info.faces) + 1))
    return [np.unique(part.triangles[order[a:b]]) for a, b in pairwise(bounds)]


def join_faces(part: Part, members: list[NDArray[np.int32]], tolerance: float) -> tuple[Operation, ...]:
    """The operations of *part*; *members* are the vertices of each face, *tolerance* is in metres."""
    groups: list[list[Face]] = []
    for face in part.info.faces:
        for group in groups:
            if _same_surface(group[0], face, tolerance):
                group.append(face)
                break
        else:
            groups.append([face])
    return tuple(_operation(part, members, group) for group in groups)


def _same_surface(one: Face, other: Face, tolerance: float) -> bool:
    if (one.kind, one.inner, one.solid_id) != (other.kind, other.inner, other.solid_id):
        return False
    if one.kind == "freeform":
        return True  # one program of the ball mill makes them all
    same_radius = abs((one.radius_m or 0.0) - (other.radius_m or 0.0)) <= tolerance
    return same_radius and _same_place(one, other, tolerance)


def _same_place(one: Face, other: Face, tolerance: float) -> bool:
    # Plain arithmetic: this runs for every pair of faces, and numpy is slow on three numbers.
    if one.origin is None or other.origin is None:
        return False
    offset = tuple(b - a for a, b in zip(one.origin, other.origin, strict=True))
    if one.axis is None or other.axis is None:  # spheres
        return math.hypot(*offset) <= tolerance
    if _cross_length(one.axis, other.axis) > SAME_DIRECTION:
        return False
    if one.kind == "plane":
        same_side = _dot(one.axis, other.axis) > 0.0
        return same_side and abs(_dot(offset, one.axis)) <= tolerance
    return _cross_length(offset, one.axis) <= tolerance


def _dot(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross_length(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _operation(part: Part, members: list[NDArray[np.int32]], faces: list[Face]) -> Operation:
    ids = tuple(face.face_id for face in faces)
    full = False
    if faces[0].kind in ("cylinder", "cone", "torus"):
        axis = axis_of(faces[0])
        if axis is not None:
            points = part.vertices[np.concatenate([members[i] for i in ids])]
            full = sweep_about(points, axis) >= FULL_SWEEP
    return Operation(ids, faces[0], sum(face.area_m2 for face in faces), full)
