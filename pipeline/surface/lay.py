"""The direction of the grooves on every cut: the axis of circular ones, a tangent vector per vertex of straight ones.

Covers: rings about the true axis of a turned face, passes along the longest direction of a milled one, lines along a
tool, a profile or through a sheet, level layers. Does not cover: which kind of lay a process leaves (`processes`), how
strong it is (`roughness`), how far it is from one groove to the next (`groove_coordinates`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Face, Part
from pipeline.surface.axes import Axis, Vector, axis_of, parallel
from pipeline.surface.processes import LayKind
from pipeline.surface.roles import BUILD

EQUAL_SPREAD = 1.02
"""A face whose two largest second moments differ by less than this factor has no longest direction of its own."""
LOST = 1e-3
"""Sine of the angle to the normal below which a direction says nothing about the tangent plane."""
SQUARE = 0.99
"""Cosine of the angle between normal and direction above which a plane counts as square to it."""
WALL = 0.1
"""Cosine up to which every normal of a freeform face must be square to a direction along which it is to run."""


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
    """What the whole part says about the lay of one cut."""

    turning: Axis | None
    tool: Vector
    """(3,) normal of the largest plane: the axis of mills, the thickness of sheets."""
    profile: Vector
    """(3,) direction along which most of the part's faces run: that of an extrusion."""


@dataclass(frozen=True, eq=False)
class Course:
    """How the grooves of one cut run."""

    way: Literal["none", "rings", "parallel", "planes"]
    """none; rings about *axis*; along *direction*, as far as the face allows; along the cuts of the face with planes
    square to *step* (the passes of a mill on a freeform face, layers)."""
    axis: Axis | None = None
    direction: Vector | None = None
    """(3,) unit: "parallel" grooves' own, the one that grooves in planes follow most."""
    step: Vector | None = None
    """(3,) unit: from one plane to the next."""


def no_lay(count: int) -> Lay:
    """A lay of *count* vertices without any direction, to be filled by `lay_cut`."""
    return Lay(np.zeros((count, 3)), np.zeros((count, 3)), np.zeros((count, 3)))


def course_of(part: Part, faces: Sequence[int], kind: LayKind, guide: LayGuide) -> Course:
    """How grooves of *kind* run over *faces* (face_ids of one cut)."""
    face = part.info.faces[faces[0]]
    rings = _rings(face, kind, guide.turning)
    if rings is not None:
        return Course("rings", axis=rings)
    if kind == "none":
        return Course("none")
    if kind in ("build", "parting") and not _is_square_to(face, BUILD):
        return Course("planes", direction=np.eye(3)[0], step=BUILD)
    own = _own_direction(face, kind, guide)
    if own is not None and (face.kind != "freeform" or _runs_along(part, faces, own)):
        return Course("parallel", direction=own)
    least, _, longest = principal_axes(part, faces)
    if kind == "feed":
        return Course("parallel", direction=np.cross(longest, least))
    return Course("planes", direction=longest, step=np.cross(least, longest))


def lay_cut(lay: Lay, part: Part, vertices: NDArray[np.int32], course: Course) -> None:
    """Write the groove directions at the *vertices* of a cut into *lay*."""
    if course.axis is not None:
        lay.axis[vertices] = course.axis.direction
        lay.origin[vertices] = course.axis.origin
    elif course.way != "none":
        points, normals = part.vertices[vertices], part.normals[vertices].astype(np.float64)
        lay.straight[vertices] = along_grooves(points, normals, course)


def along_grooves(points: Vector, normals: Vector, course: Course) -> Vector:
    """(n, 3) unit groove directions at (n, 3) *points* with unit *normals*, of a course that has any."""
    if course.axis is not None:
        return tangent_to(normals, np.cross(course.axis.direction, points - course.axis.origin))
    if course.step is not None:
        across = tangent_to(normals, np.broadcast_to(course.step, normals.shape))
        result: Vector = np.cross(across, normals / np.linalg.norm(normals, axis=1, keepdims=True))
        return result
    return tangent_to(normals, np.broadcast_to(np.asarray(course.direction), normals.shape))


def _rings(face: Face, kind: LayKind, turning: Axis | None) -> Axis | None:
    """The axis about which the grooves of this face run, or None when they run straight."""
    own = axis_of(face)
    if face.kind == "torus" and kind in ("circular", "linear", "brush", "tool"):
        return own  # straight passes of a mill follow a round along its length, which is a ring here
    if kind not in ("circular", "brush") or (kind == "brush" and face.kind not in ("cylinder", "cone")):
        return None
    if face.kind in ("cylinder", "cone"):
        return own
    if face.kind == "plane" and turning is not None and own is not None:
        return turning if parallel(own.direction, turning.direction) else None
    return turning if face.kind != "plane" else None


def _own_direction(face: Face, kind: LayKind, guide: LayGuide) -> Vector | None:
    """Direction of straight grooves that follows from the kind of the face; None when its extent decides."""
    if kind == "thickness" and not _is_square_to(face, guide.tool):
        return guide.tool
    if face.kind in ("cylinder", "cone", "torus") and face.axis is not None:
        return np.array(face.axis, dtype=np.float64)
    wanted = {"tool": guide.tool, "axial": guide.profile}.get(kind)
    if wanted is None or face.kind == "sphere" or _is_square_to(face, wanted):
        return None
    return wanted


def _is_square_to(face: Face, direction: Vector) -> bool:
    """Whether the face is a plane square to *direction*, which then leads nowhere on it."""
    if face.kind != "plane" or face.axis is None:
        return False
    return abs(float(np.dot(face.axis, direction))) > SQUARE


def _runs_along(part: Part, faces: Sequence[int], direction: Vector) -> bool:
    """Whether *faces* are a wall along *direction*: a profile, the edge of a sheet."""
    corners = np.unique(part.triangles[np.isin(part.face_of_triangle, faces)])
    return bool(np.abs(part.normals[corners] @ direction).max(initial=0.0) < WALL)


def principal_axes(part: Part, faces: Sequence[int]) -> tuple[Vector, Vector, Vector]:
    """(3,) unit directions in which the area of *faces* extends least, next and most; a right-handed frame.

    Of faces without a longest direction (a square, a disc) the world axis that lies flattest in them counts as it. Its
    sign is such that the largest component is positive.
    """
    corners = part.vertices[part.triangles[np.isin(part.face_of_triangle, faces)]]
    areas = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = areas.sum()
    if total <= 0.0:
        x, y, z = np.eye(3)
        return z, y, x
    corners = corners - (areas[:, None] * corners.mean(axis=1)).sum(axis=0) / total
    middles = corners.mean(axis=1)
    # Second moment of a triangle of area A: A/12 (sum of the corners' products + 9 times that of the middle).
    flat = corners.reshape(-1, 3)
    weights = np.repeat(areas, 3)[:, None]
    moment = (flat * weights).T @ flat + 9.0 * (middles * areas[:, None]).T @ middles
    spread, axes = np.linalg.eigh(moment)
    longest = axes[:, 2] if spread[2] > EQUAL_SPREAD * spread[1] else _flattest_axis(axes[:, 0])
    longest = longest * np.sign(longest[np.argmax(np.abs(longest))])
    least = axes[:, 0]
    return least, np.cross(longest, least), longest


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
