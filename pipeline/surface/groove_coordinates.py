"""Groove coordinates: how far each vertex of a face lies across and along its grooves, in metres.

Covers: (u, v) at the vertices of one cut, for the relief of `material.Relief`. Does not cover: the direction of the
grooves (`lay`), what lies between them (`relief`).

u grows by one per metre across the lay, towards cross(normal, along). Where the grooves of a curved face are cuts with
parallel planes (freeform passes, printed layers) u is the distance between the planes: grooves lie farther apart on
slopes, as they do. Straight grooves of a cone or a ring converge; there u is the arc at the mean radius.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Face, Part
from pipeline.surface.axes import Axis, Vector, axis_of, parallel
from pipeline.surface.lay import Course, along_grooves, tangent_to

Indices = NDArray[np.int32]


def groove_coordinates(part: Part, faces: Sequence[int], members: Sequence[Indices], course: Course) -> Vector:
    """(n, 2) metres: u across and v along the lay at the vertices of *faces*, one after the other as in *members*.

    v is 0 on circular lays, and both are on planes with rings, whose shader measures from the axis.
    """
    vertices = np.concatenate(members)
    kind = part.info.faces[faces[0]].kind
    if course.way == "none" or (course.axis is not None and kind == "plane"):
        return np.zeros((len(vertices), 2))
    points, normals = part.vertices[vertices], part.normals[vertices].astype(np.float64)
    if course.axis is not None and kind in ("cylinder", "cone"):
        # Face by face: the countersinks at both ends of a hole are one cut, and slant opposite ways.
        rows_of = [rows for _, _, rows in _pieces(faces, members)]
        u_of = [
            _along_generatrix(points[rows], normals[rows], course.axis) for rows in rows_of if rows.start < rows.stop
        ]
        return np.stack([np.concatenate(u_of), np.zeros(len(points))], axis=1)
    along = along_grooves(points, normals, course)
    across = np.cross(normals, along)
    v = np.zeros(len(points)) if course.axis is not None else points @ _mean_direction(along, course)
    if course.step is not None:
        return np.stack([points @ course.step, v], axis=1)
    if kind == "plane":
        return np.stack([points @ across[0], v], axis=1)
    pieces = _pieces(faces, members)
    u = [_across_face(part, part.info.faces[face], own, across[rows], course) for face, own, rows in pieces]
    return np.stack([np.concatenate(u), v], axis=1)


def _pieces(faces: Sequence[int], members: Sequence[Indices]) -> list[tuple[int, Indices, slice]]:
    """face_id, vertices and rows of each face of a cut."""
    ends = np.cumsum([len(own) for own in members])
    return [
        (face, own, slice(int(end) - len(own), int(end))) for face, own, end in zip(faces, members, ends, strict=True)
    ]


def _mean_direction(along: Vector, course: Course) -> Vector:
    """(3,) unit: the course's direction, with the sign that most grooves have; their own where they agree."""
    mean = along.mean(axis=0)
    if np.linalg.norm(mean) > 0.99:
        return np.asarray(mean / np.linalg.norm(mean), dtype=np.float64)
    direction = np.asarray(course.direction)
    return np.asarray(direction * (1.0 if float(mean @ direction) >= 0.0 else -1.0), dtype=np.float64)


def _along_generatrix(points: Vector, normals: Vector, axis: Axis) -> Vector:
    """(n,) metres along the straight lines of a cylinder or cone: exact at every vertex."""
    arms = points - axis.origin
    heights = arms @ axis.direction
    radial = arms - heights[:, None] * axis.direction
    radii = np.linalg.norm(radial, axis=1)
    off_apex = radii > 1e-9
    outward = radial[off_apex] / radii[off_apex, None]
    across = np.cross(normals[off_apex], np.cross(axis.direction, outward))
    slope = np.array([(across * outward).sum(axis=1).mean(), (across @ axis.direction).mean()])
    slope /= np.linalg.norm(slope)
    return np.asarray(radii * slope[0] + heights * slope[1], dtype=np.float64)


def _across_face(part: Part, face: Face, vertices: Indices, across: Vector, course: Course) -> Vector:
    """(n,) metres: the way across the lay from the first vertex of *face*, summed over the edges of its mesh.

    Seams are open, as their vertices are double. On walls and bends the sum does not depend on the way.
    """
    triangles = np.searchsorted(vertices, part.triangles[part.face_of_triangle == face.face_id])
    before = _spanning_tree(len(vertices), triangles)
    points, axis = part.vertices[vertices], axis_of(face)
    if axis is not None and course.direction is not None and parallel(axis.direction, np.asarray(course.direction)):
        u = _arcs(points, before, across, axis)
    else:
        middle = across + across[before]
        lengths = np.linalg.norm(middle, axis=1, keepdims=True)
        middle = np.divide(middle, lengths, out=np.zeros_like(middle), where=lengths > 0.0)
        u = ((points - points[before]) * middle).sum(axis=1)
    while before.any():  # pointer doubling: log2 of the longest way
        u = u + u[before]
        before = before[before]
    return np.asarray(u, dtype=np.float64)


def _arcs(points: Vector, before: NDArray[np.int64], across: Vector, axis: Axis) -> Vector:
    """(n,) metres around *axis* from the vertex before each one, at the mean radius of all."""
    arms = points - axis.origin
    first = tangent_to(axis.direction[None, :], arms[:1])[0]
    second = np.cross(axis.direction, first)
    x, y = arms @ first, arms @ second
    radii, angles = np.hypot(x, y), np.arctan2(y, x)
    sign = np.sign((across * np.cross(axis.direction, arms)).sum())
    steps = np.mod(angles - angles[before] + np.pi, 2.0 * np.pi) - np.pi
    steps[(radii < 1e-9) | (radii[before] < 1e-9)] = 0.0
    return np.asarray(sign * 0.5 * (radii.min() + radii.max()) * steps, dtype=np.float64)


def _spanning_tree(count: int, triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """(count,) the vertex before each one on the way from vertex 0, which is before itself.

    Loose pieces of a face are joined to vertex 0 by their first vertices.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    graph = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()
    pieces, label = connected_components(graph, directed=False)
    if pieces > 1:
        first = np.unique(label, return_index=True)[1]
        bridges = np.stack([np.zeros_like(first), first], axis=1)
        return _spanning_tree(count, np.concatenate([triangles, bridges[:, [0, 1, 1]]]))
    before = breadth_first_order(graph, 0, directed=False)[1].astype(np.int64)
    before[0] = 0
    return np.asarray(before)
