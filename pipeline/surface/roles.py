"""What each B-rep face is in the workshop's eyes: a hole, a turned surface, a faced plane, a round.

Covers: the part's turning axis, the axis of its mills, its profile, and the roles of each face in order of preference.
Does not cover: faces that one cut makes (`operations`), which process makes a role (`finishes`). Geometry decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Face, Part
from pipeline.surface.axes import Axis, Vector, axis_of, distance_to_axis, parallel
from pipeline.surface.operations import Operation, join_faces, vertices_of_faces

LARGEST_DRILL_M = 0.016
"""Holes up to this diameter are drilled, wider ones bored or reamed."""
TURNED_SHARE = 0.2
"""A part has a turning axis when the full round faces about one line are at least this share of its area."""
FACED_REACH = 1.05
"""A faced plane reaches at most this many times as far from the turning axis as the widest turned surface."""
LARGE_PLANE_SHARE = 0.1
"""A plane is large when it has at least this share of the part's plane area."""
OBLIQUE = 0.01
"""Cosine (and one minus cosine) up to which a face counts as parallel (or square) to a direction of the part."""
BUILD = np.array([0.0, 0.0, 1.0])
"""Direction in which printed layers are stacked and moulds open: the part's z."""
SAME_PLACE = 1e-4
"""Two lengths are equal when they differ by less than this share of the part's diameter."""


@dataclass(frozen=True, eq=False)
class Workpiece:
    """The operations of a part and what they need to know of each other."""

    operations: tuple[Operation, ...]
    turning_axis: Axis | None
    """Of the turned part of the work, if there is one."""
    tool: Vector
    """(3,) normal of the largest plane, z without one: the axis of mills, the thickness of sheets."""
    profile: Vector
    """(3,) direction along which most of the area runs: that of an extrusion or a bar."""
    roles: tuple[tuple[str, ...], ...]
    """Of each operation: roles in the order of preference, the words of assets/tables/finishes."""


def understand(part: Part) -> Workpiece:
    """Operations, turning axis and roles of *part*."""
    members = vertices_of_faces(part)
    tolerance = SAME_PLACE * part.info.diameter_m
    operations = join_faces(part, members, tolerance)
    turning = _turning(operations, part.info.area_m2, tolerance)
    tool, profile = _tool(operations), _profile(operations, part)
    context = _Context(part, members, operations, turning, tool, profile, tolerance)
    axis = None if turning is None else turning.axis
    return Workpiece(operations, axis, tool, profile, tuple(context.roles(operation) for operation in operations))


def _tool(operations: tuple[Operation, ...]) -> Vector:
    planes = [operation for operation in operations if operation.face.kind == "plane"]
    if not planes:
        return np.array([0.0, 0.0, 1.0])
    return np.array(max(planes, key=lambda plane: plane.area_m2).face.axis, dtype=np.float64)


def _profile(operations: tuple[Operation, ...], part: Part) -> Vector:
    """The axis of the part's frame or of a cylinder to which most area of planes and cylinders is parallel.

    The longest extent of the part's box decides between equals.
    """
    planes = [one for one in operations if one.face.kind == "plane"]
    tubes = [one for one in operations if one.face.kind == "cylinder"]
    plane_axes = np.array([one.face.axis for one in planes], dtype=np.float64).reshape(-1, 3)
    tube_axes = np.array([one.face.axis for one in tubes], dtype=np.float64).reshape(-1, 3)
    plane_areas, tube_areas = (np.array([one.area_m2 for one in some]) for some in (planes, tubes))
    low, high = part.info.bounds_m
    extent = np.subtract(high, low)
    candidates = np.concatenate([np.eye(3)[np.argsort(-extent, kind="stable")], tube_axes])
    runs = (np.abs(candidates @ plane_axes.T) < OBLIQUE) @ plane_areas
    runs += (np.abs(candidates @ tube_axes.T) > 1.0 - OBLIQUE) @ tube_areas
    best: Vector = candidates[int(np.argmax(runs > (1.0 - OBLIQUE) * runs.max()))]
    return best


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
    tool: Vector
    profile: Vector
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
        if abs(float(normal @ BUILD)) > 1.0 - OBLIQUE:
            roles.append("plane_level")
        if abs(float(normal @ self.profile)) > 1.0 - OBLIQUE:
            roles.append("plane_end")
        planes = sum(other.area_m2 for other in self.operations if other.face.kind == "plane")
        if operation.area_m2 >= LARGE_PLANE_SHARE * planes:
            return (*roles, "plane_large")
        floor = abs(float(normal @ self.tool)) > 1.0 - OBLIQUE
        return (*roles, "plane_floor" if floor else "plane_wall", "plane_small")

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
