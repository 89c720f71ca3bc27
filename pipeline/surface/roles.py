"""What each B-rep face is in the workshop's eyes: a hole, a turned surface, a faced plane, a round.

Covers: joining faces that one cut makes (two half cylinders of one hole), the part's turning axis, and the roles of
each face in order of preference. Does not cover: which process makes a role (`finishes`). Geometry alone decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Face, Part

FULL_SWEEP = math.radians(200.0)
"""A round face that reaches more than half-way around its axis was turned, drilled or bored; less is a round."""
LARGEST_DRILL_M = 0.016
"""Holes up to this diameter are drilled, wider ones bored or reamed."""
TURNED_SHARE = 0.2
"""A part has a turning axis when the full round faces about one line are at least this share of its area."""
FACED_REACH = 1.05
"""A faced plane reaches at most this many times as far from the turning axis as the widest turned surface."""
LARGE_PLANE_SHARE = 0.1
"""A plane is large when it has at least this share of the part's plane area."""
SAME_DIRECTION = 1e-3
"""Sine of the angle below which two axes are parallel."""
SAME_PLACE = 1e-4
"""Two lengths are equal when they differ by less than this share of the part's diameter."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Axis:
    """A line in the part's frame."""

    origin: Vector
    """(3,) metres."""
    direction: Vector
    """(3,) unit."""


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


@dataclass(frozen=True, eq=False)
class Workpiece:
    """The operations of a part and what they need to know of each other."""

    operations: tuple[Operation, ...]
    turning_axis: Axis | None
    """Of the turned part of the work, if there is one."""
    roles: tuple[tuple[str, ...], ...]
    """Of each operation: roles in the order of preference, the words of assets/tables/finishes."""


def axis_of(face: Face) -> Axis | None:
    """The axis line of a cylinder, cone or torus, the normal line of a plane; None for other faces."""
    if face.axis is None or face.origin is None:
        return None
    return Axis(np.array(face.origin, dtype=np.float64), np.array(face.axis, dtype=np.float64))


def parallel(one: Vector, other: Vector) -> bool:
    """Whether two unit vectors have the same direction up to sign."""
    return float(np.linalg.norm(np.cross(one, other))) < SAME_DIRECTION


def distance_to_axis(points: Vector, axis: Axis) -> Vector:
    """Distance of (..., 3) points from a line, metres, (...)."""
    result: Vector = np.linalg.norm(np.cross(points - axis.origin, axis.direction), axis=-1)
    return result


def vertices_of_faces(part: Part) -> list[NDArray[np.int32]]:
    """Vertex indices of each face, by face_id."""
    order = np.argsort(part.face_of_triangle, kind="stable")
    bounds = np.searchsorted(part.face_of_triangle[order], np.arange(len(part.info.faces) + 1))
    return [np.unique(part.triangles[order[a:b]]) for a, b in pairwise(bounds)]


def understand(part: Part) -> Workpiece:
    """Operations, turning axis and roles of *part*."""
    members = vertices_of_faces(part)
    tolerance = SAME_PLACE * part.info.diameter_m
    operations = _join(part, members, tolerance)
    turning = _turning(operations, part.info.area_m2, tolerance)
    context = _Context(part, members, operations, turning, tolerance)
    axis = None if turning is None else turning.axis
    return Workpiece(operations, axis, tuple(context.roles(operation) for operation in operations))


def _join(part: Part, members: list[NDArray[np.int32]], tolerance: float) -> tuple[Operation, ...]:
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


def sweep_about(points: Vector, axis: Axis) -> float:
    """Angle (radians, 0..2 pi) that (n, 3) points cover about *axis*: the full turn less the widest empty gap."""
    across = np.cross(axis.direction, _any_other(axis.direction))
    across /= np.linalg.norm(across)
    along = np.cross(axis.direction, across)
    offsets = points - axis.origin
    u, v = offsets @ across, offsets @ along
    off_axis = np.hypot(u, v) > 1e-9
    angles = np.sort(np.arctan2(v[off_axis], u[off_axis]))
    if len(angles) < 2:
        return 0.0
    gaps = np.diff(angles, append=angles[0] + 2.0 * math.pi)
    return float(2.0 * math.pi - gaps.max())


def _any_other(direction: Vector) -> Vector:
    other = np.zeros(3)
    other[int(np.argmin(np.abs(direction)))] = 1.0
    return other


@dataclass(frozen=True, eq=False)
class _Turning:
    """A line about which full round faces lie."""

    axis: Axis
    operations: list[Operation]

    @property
    def area_m2(self) -> float:
        return sum(operation.area_m2 for operation in self.operations)

    @property
    def convex(self) -> bool:
        return any(operation.face.inner is False for operation in self.operations)


def _turning(operations: tuple[Operation, ...], area_m2: float, tolerance: float) -> _Turning | None:
    """The line about which most full round area lies, if it is enough and some of it is convex."""
    lines: list[_Turning] = []
    for operation in operations:
        axis = axis_of(operation.face) if operation.full else None
        if axis is None:
            continue
        for line in lines:
            near = float(distance_to_axis(axis.origin, line.axis)) < tolerance
            if near and parallel(axis.direction, line.axis.direction):
                line.operations.append(operation)
                break
        else:
            lines.append(_Turning(axis, [operation]))
    candidates = [line for line in lines if line.convex and line.area_m2 >= TURNED_SHARE * area_m2]
    return max(candidates, key=lambda line: line.area_m2, default=None)


@dataclass(frozen=True, eq=False)
class _Context:
    """What deciding the roles of one operation needs of the whole part."""

    part: Part
    members: list[NDArray[np.int32]]
    operations: tuple[Operation, ...]
    turning: _Turning | None
    tolerance: float

    def roles(self, operation: Operation) -> tuple[str, ...]:
        face = operation.face
        if face.kind == "plane":
            return self._plane_roles(operation)
        if face.kind == "freeform":
            return ("freeform",)
        if face.kind == "sphere":
            return ("turned",) if self._on_turning_axis(face) else ("edge",)
        if not operation.full:
            return ("edge",)
        if not face.inner or face.kind == "torus":
            return ("turned",)
        return ("hole_small",) if 2.0 * (face.radius_m or 0.0) <= LARGEST_DRILL_M else ("hole_large",)

    def _on_turning_axis(self, face: Face) -> bool:
        if self.turning is None or face.origin is None:
            return False
        return float(distance_to_axis(np.array(face.origin), self.turning.axis)) < self.tolerance

    def _plane_roles(self, operation: Operation) -> tuple[str, ...]:
        normal = np.array(operation.face.axis, dtype=np.float64)
        roles = []
        if self._is_faced(operation, normal):
            roles.append("plane_faced")
        if self._opens_a_hole(operation, normal):
            roles.append("plane_at_hole")
        planes = sum(other.area_m2 for other in self.operations if other.face.kind == "plane")
        roles.append("plane_large" if operation.area_m2 >= LARGE_PLANE_SHARE * planes else "plane_small")
        return tuple(roles)

    def _is_faced(self, operation: Operation, normal: Vector) -> bool:
        """Whether a plane is square to the turning axis and no wider than the turned surfaces about it."""
        if self.turning is None or not parallel(normal, self.turning.axis.direction):
            return False
        reach = max(self._reach(other, self.turning.axis) for other in self.turning.operations)
        return self._reach(operation, self.turning.axis) <= FACED_REACH * reach

    def _reach(self, operation: Operation, axis: Axis) -> float:
        return float(np.max(distance_to_axis(self._points(operation), axis)))

    def _points(self, operation: Operation) -> Vector:
        indices = np.concatenate([self.members[i] for i in operation.faces])
        points: Vector = self.part.vertices[indices]
        return points

    def _opens_a_hole(self, operation: Operation, normal: Vector) -> bool:
        """Whether a hole square to this plane has its rim (or the rim of its countersink) on it."""
        points = self._points(operation)
        for other in self.operations:
            radius, axis = other.face.radius_m, axis_of(other.face)
            if (
                not (other.full and other.face.inner and other.face.kind == "cylinder")
                or radius is None
                or axis is None
            ):
                continue
            if parallel(normal, axis.direction):
                rim = np.abs(distance_to_axis(points, axis) - radius)
                if float(rim.min(initial=np.inf)) < 0.6 * radius:
                    return True
        return False
