"""Missing features: holes that were not made.

A hole is the wall of a concave full cylinder with whatever belongs to it (a drill's tip, a counterbore, a countersink,
a chamfer). It can be left out when all its mouths are flat: each is closed with triangles of the plane around it, which
keep that plane's finish.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.bundle import PlacedDefect
from pipeline.parts.part import Part
from pipeline.parts.topology import weld
from pipeline.spec.scene import DefectSpec
from pipeline.surface.axes import Axis, axis_of, distance_to_axis, parallel
from pipeline.surface.defects.body import NO_FACE, Addition, Body, with_triangles, without_triangles
from pipeline.surface.defects.edges import face_borders
from pipeline.surface.operations import Operation
from pipeline.surface.roles import Workpiece

Vector = NDArray[np.float64]
FLAT: Final = 1e-6
"""A mouth is flat when its points lie within this share of the part's diameter of the plane around it."""
WIDEST: Final = 3.5
"""Faces about the same axis belong to a hole up to this many times its radius (counterbores, countersinks)."""


def missing_hole(
    body: Body, workpiece: Workpiece, spec: DefectSpec, instance_id: int
) -> tuple[Body, PlacedDefect] | str:
    """*body* without one of its holes, or why all of them are there."""
    holes = [o for o in workpiece.operations if o.full and o.face.kind == "cylinder" and o.face.inner]
    if not holes:
        return "expected a hole to leave out, found none"
    first = min(int(spec.face_quantile * len(holes)), len(holes) - 1)
    for k in range(len(holes)):
        made = _filled(body, workpiece, holes[(first + k) % len(holes)], spec, instance_id)
        if made is not None:
            return made
    return "expected a hole whose mouths are flat, found none"


def _filled(
    body: Body, workpiece: Workpiece, hole: Operation, spec: DefectSpec, instance_id: int
) -> tuple[Body, PlacedDefect] | None:
    part = body.part
    faces = _members(part, workpiece, hole)
    wall = np.isin(part.face_of_triangle, list(faces))
    mouths = _mouths(part, wall)
    if not mouths:
        return None
    name = f"{instance_id}-missing-{spec.defect_id}"
    material, surface = -1, body.surface
    caps = []
    for plane, loop in mouths:
        face = part.info.faces[plane] if plane != NO_FACE else None
        if face is None or face.kind != "plane" or face.axis is None or face.origin is None:
            return None
        off = (part.vertices[loop] - np.array(face.origin)) @ np.array(face.axis)
        if np.abs(off).max() > FLAT * part.info.diameter_m:
            return None
        if material < 0:
            around = body.surface.materials[body.surface.material_of_triangle[part.face_of_triangle == plane][0]]
            surface = replace(surface, materials=(*surface.materials, replace(around, name=name)))
            material = len(surface.materials) - 1
        caps.append(_cap(Body(part, surface), plane, loop, material))
    filled = without_triangles(Body(part, surface), ~wall)
    for cap in caps:
        filled = with_triangles(filled, cap)
    mouth = part.vertices[mouths[0][1]]
    centre, radius = mouth.mean(axis=0), float(hole.face.radius_m or 0.0)
    depth = np.ptp(part.vertices[part.triangles[wall]].reshape(-1, 3) @ np.array(hole.face.axis))
    placed = PlacedDefect(
        instance_id=instance_id,
        defect_id=spec.defect_id,
        kind=spec.kind,
        severity=spec.severity,
        face_ids=tuple(sorted(faces)),
        centre_m=(float(centre[0]), float(centre[1]), float(centre[2])),
        size_m=(2.0 * radius, 2.0 * radius),
        depth_m=float(depth),
        material=name,
    )
    return filled, placed


def _members(part: Part, workpiece: Workpiece, hole: Operation) -> set[int]:
    """face_ids of *hole* and of everything that is reached from it about the same axis within WIDEST radii."""
    axis = axis_of(hole.face)
    if axis is None:
        return set(hole.faces)
    round_faces, planes = set(hole.faces), set[int]()
    for operation in workpiece.operations:
        face, own = operation.face, axis_of(operation.face)
        if own is None or face.inner is False or not parallel(own.direction, axis.direction):
            continue
        if face.kind == "plane":
            planes |= set(operation.faces)
        elif float(distance_to_axis(own.origin, axis)) < 1e-6:
            round_faces |= set(operation.faces)
    reach = {face: _reach(part, face, axis) for face in round_faces | planes}
    widest = WIDEST * float(hole.face.radius_m or 0.0)
    near = {face for face in round_faces if reach[face] < widest}
    # The floor of a counterbore ends at its wall; the plane around the hole goes on.
    rim = max((reach[face] for face in near), default=0.0) * (1.0 + 1e-4)
    near |= {face for face in planes if reach[face] <= rim}
    return _connected(part, set(hole.faces), near)


def _reach(part: Part, face_id: int, axis: Axis) -> float:
    """Largest distance of a face from *axis*, metres."""
    points = part.vertices[part.triangles[part.face_of_triangle == face_id]].reshape(-1, 3)
    return float(np.max(distance_to_axis(points, axis))) if len(points) else float("inf")


def _connected(part: Part, start: set[int], allowed: set[int]) -> set[int]:
    """The *allowed* faces that are reached from *start* over shared edges."""
    here, there = face_borders(part, weld(part.vertices))
    face = part.face_of_triangle
    neighbours = np.unique(np.stack([face[here // 3], face[there // 3]], axis=1), axis=0)
    found, grown = set(start), True
    while grown:
        more = {int(b) for a, b in neighbours if int(a) in found and int(b) in allowed - found}
        grown = bool(more)
        found |= more
    return found


def _mouths(part: Part, wall: NDArray[np.bool_]) -> list[tuple[int, NDArray[np.int64]]]:
    """(face_id around it, vertex indices of that face in order) of each closed border of the triangles *wall*."""
    ids = weld(part.vertices)
    here, there = face_borders(part, ids)
    outside = here[~wall[here // 3] & wall[there // 3]]
    after: dict[int, dict[int, int]] = defaultdict(dict)
    vertex: dict[tuple[int, int], int] = {}
    for edge in outside:
        triangle, face = part.triangles[edge // 3], int(part.face_of_triangle[edge // 3])
        a, b = int(triangle[edge % 3]), int(triangle[(edge + 1) % 3])
        after[face][int(ids[a])] = int(ids[b])
        vertex[face, int(ids[a])] = a
    loops = []
    for face, following in sorted(after.items()):
        while following:
            first = at = min(following)
            loop = []
            while at in following:
                loop.append(vertex[face, at])
                at = following.pop(at)
            if at != first:
                return []  # the border wanders from face to face: not a flat mouth
            loops.append((face, np.array(loop)))
    return loops


def _cap(body: Body, plane: int, loop: NDArray[np.int64], material: int) -> Addition:
    """Triangles of the plane *plane* within *loop*, with that face's attributes."""
    part, surface = body.part, body.surface
    normal = np.array(part.info.faces[plane].axis)
    u = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = u - (u @ normal) * normal
    u /= np.linalg.norm(u)
    points = part.vertices[loop]
    flat = np.stack([points @ u, points @ np.cross(normal, u)], axis=1)
    triangles = _ears(flat)
    count = len(triangles)
    groove = surface.groove

    def own(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values[loop]

    return Addition(
        vertices=points,
        normals=np.repeat(normal[None], len(loop), axis=0),
        triangles=triangles,
        face=np.full(count, plane, dtype=np.int32),
        solid=np.full(count, part.info.faces[plane].solid_id, dtype=np.int32),
        material=np.full(count, material, dtype=np.int32),
        lay=own(surface.lay),
        lay_axis=own(surface.lay_axis),
        lay_origin=own(surface.lay_origin),
        groove=None if groove is None else own(groove),
    )


def _ears(flat: Vector) -> NDArray[np.int64]:
    """Counter-clockwise triangles (m, 3) of the polygon with corners *flat* (n, 2)."""
    pieces = shapely.constrained_delaunay_triangles(shapely.Polygon(flat)).geoms
    index = {tuple(point): k for k, point in enumerate(flat.tolist())}
    triangles = []
    for piece in pieces:
        a, b, c = (index[tuple(point)] for point in list(piece.exterior.coords)[:3])
        turn = np.cross(np.append(flat[b] - flat[a], 0.0), np.append(flat[c] - flat[a], 0.0))[2]
        triangles.append((a, b, c) if turn > 0.0 else (a, c, b))
    return np.array(triangles, dtype=np.int64)
