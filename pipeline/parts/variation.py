"""One copy of a part as manufactured: every dimension a little off, within its tolerance.

Covers: moving the mesh and updating the face records for drawn offsets (`deviations`). Does not cover: form, position
and run-out errors, which general size tolerances do not bound; edges that a process breaks.

A *leading* face moves by its own offset along its outward normal, exactly. A *blend* (a fillet, a chamfer's run-out:
any face that passes smoothly into a leading one) takes a smooth transition between the offsets of the faces it joins,
harmonic over its mesh, so that it stays tangent. Where faces meet at an edge, the vertex goes where all of their
offsets are met: least squares on the stacked normals. Coincident vertices of one solid move alike, so a closed mesh
stays closed. Normals stay as they were: the offset of a plane, cylinder, cone, sphere or torus has the same ones.

Resting poses and symmetries stay nominal, but for the height of the poses: a pose or a symmetry of a copy that is off
by microns is that of the nominal part for whoever grasps or scores it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from pipeline.parts.check import diameter_of
from pipeline.parts.deviations import (
    ToleranceLike,
    dimensions,
    draw_offsets,
    limits_m,
    mean_by_face,
    truncated_normal,
)
from pipeline.parts.part import Face, Part, RestingPose, Solid
from pipeline.parts.surfaces import Vector
from pipeline.parts.topology import area_vectors, count_ids, count_open_edges, extent, volume, weld

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMOOTH_COSINE: Final = 0.9986
"""Normals of two faces that agree this well at an edge (3 degrees) pass smoothly into one another."""
WEAK: Final = 0.05
"""Directions in which the normals at a vertex differ less than this (eigenvalue) are held back, not amplified."""
SAME_POINT: Final = 1e-6
MOST_HALVINGS: Final = 3
"""How often the offsets around triangles that would turn over are halved."""
MOST_RELAXATIONS: Final = 40
"""How often the corners of those that still would are moved as one."""


@dataclass(frozen=True, eq=False)
class _Mesh:
    """Vertices of a part in groups."""

    group: Ints
    """(n,) coincident vertices of one solid."""
    smooth: Ints
    """(n,) coincident vertices whose faces pass smoothly into one another, or are one."""
    owner: Ints
    """(n,) face of each vertex."""
    leading: NDArray[np.bool_]
    """(faces,)"""


def varied_part(part: Part, tolerance: ToleranceLike | None) -> Part:
    """The copy of *part* that *tolerance* describes; *part* itself without one."""
    return part if tolerance is None else vary(part, tolerance)


def vary(part: Part, tolerance: ToleranceLike) -> Part:
    """A copy of *part* with every dimension drawn within *tolerance*; the same seed gives the same bytes.

    A mesh without B-rep faces is scaled as a whole, within the tolerance of its largest size. Raises InputError for an
    unknown standard.
    """
    if not part.info.exact_normals:
        return _scaled(part, tolerance)
    mesh = _grouped(part)
    offsets = draw_offsets(part, tolerance)
    for attempt in range(MOST_HALVINGS + 1):
        field = _offset_field(part, mesh, offsets)
        shift = _displacement(part, mesh, field)
        upset = _turned_over(part, part.vertices + shift)
        if not upset.any() or attempt == MOST_HALVINGS:
            break
        tight = np.isin(dimensions(part), dimensions(part)[_around(part, mesh, upset)])
        offsets = np.where(tight, offsets / 2, offsets)
    return _described(part, part.vertices + _relaxed(part, mesh, shift), mean_by_face(part, field))


def _grouped(part: Part) -> _Mesh:
    """Find coincident vertices, smooth borders and leading faces."""
    solid = np.zeros(len(part.vertices), dtype=np.int64)
    solid[part.triangles] = part.solid_of_triangle[:, None]
    owner = np.zeros(len(part.vertices), dtype=np.int64)
    owner[part.triangles] = part.face_of_triangle[:, None]
    place = weld(part.vertices)
    if part.info.watertight and count_open_edges(place[part.triangles]):
        place = weld(part.vertices, SAME_POINT * extent(part.vertices))
    _, group = np.unique(place * len(part.info.solids) + solid, return_inverse=True)
    group = group.reshape(-1).astype(np.int64)
    pairs = _pairs(group)
    normals = part.normals.astype(np.float64)
    agree = np.einsum("ij,ij->i", normals[pairs[:, 0]], normals[pairs[:, 1]]) > SMOOTH_COSINE
    faces = np.sort(owner[pairs], axis=1)
    key = faces[:, 0] * len(part.info.faces) + faces[:, 1]
    _, inverse = np.unique(key, return_inverse=True)
    inverse = inverse.reshape(-1)
    met, agreed = np.bincount(inverse), np.bincount(inverse, agree)
    smooth_border = (agreed >= 2) & (agreed >= 0.5 * met)
    joined = pairs[agree & (smooth_border[inverse] | (faces[:, 0] == faces[:, 1]))]
    count = len(part.vertices)
    graph = coo_matrix((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(count, count))
    smooth = connected_components(graph, directed=False)[1].astype(np.int64)
    neighbours = np.unique(faces[agree & smooth_border[inverse] & (faces[:, 0] != faces[:, 1])], axis=0)
    return _Mesh(group, smooth, owner, _leading(part, neighbours))


def _pairs(group: Ints) -> Ints:
    """(p, 2) all pairs of rows with the same *group*."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    most = int(np.max(np.bincount(group)))
    found = []
    for step in range(1, most):
        same = np.flatnonzero(ordered[step:] == ordered[:-step])
        if not len(same):
            break
        found.append(np.column_stack([order[same], order[same + step]]))
    return np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)


def _leading(part: Part, neighbours: Ints) -> NDArray[np.bool_]:
    """(faces,) which faces move by their own offset, given (p, 2) pairs that pass smoothly into one another.

    Planes first, then round faces, the largest first; a face beside a leading one of another dimension is a blend.
    """
    dimension = dimensions(part)
    beside: dict[int, list[int]] = {}
    for one, two in neighbours.tolist():
        beside.setdefault(one, []).append(two)
        beside.setdefault(two, []).append(one)
    rank = {"plane": 0, "cylinder": 1, "cone": 1, "sphere": 2, "torus": 3, "freeform": 4}
    leading = np.zeros(len(part.info.faces), dtype=np.bool_)
    for face in sorted(part.info.faces, key=lambda f: (rank[f.kind], -f.area_m2, f.face_id)):
        others = [other for other in beside.get(face.face_id, []) if leading[other]]
        leading[face.face_id] = all(dimension[other] == dimension[face.face_id] for other in others)
    return leading


def _offset_field(part: Part, mesh: _Mesh, offsets: Floats) -> Floats:
    """(n,) offset of every vertex along its normal: a leading face's own, harmonic over blends."""
    count = count_ids(mesh.smooth)
    fixed = np.full(count, np.nan)
    lead = mesh.leading[mesh.owner]
    fixed[mesh.smooth[lead]] = offsets[mesh.owner[lead]]
    free = np.isnan(fixed)
    if free.any():
        fixed[free] = _harmonic(part, mesh, fixed, free)
    return np.asarray(fixed[mesh.smooth])


def _harmonic(part: Part, mesh: _Mesh, fixed: Floats, free: NDArray[np.bool_]) -> Floats:
    """Offsets of the *free* smooth vertices: each the mean of its neighbours', nearer ones weighing more."""
    blend = ~mesh.leading[part.face_of_triangle]
    corners = part.triangles[blend].astype(np.int64)
    edges = np.stack([corners, np.roll(corners, -1, axis=1)], axis=-1).reshape(-1, 2)
    length = np.linalg.norm(part.vertices[edges[:, 0]] - part.vertices[edges[:, 1]], axis=1)
    ends = mesh.smooth[edges]
    weight = 1.0 / np.maximum(length, 1e-9)
    rows, columns = np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])
    count = len(fixed)
    near = csr_matrix((np.concatenate([weight, weight]), (rows, columns)), shape=(count, count))
    total = np.asarray(near.sum(axis=1)).reshape(-1)
    rest = 1e-9 * float(np.max(total))  # a blend that no leading face holds stays where it is
    laplacian = coo_matrix((total + rest, (np.arange(count), np.arange(count))), shape=(count, count)).tocsr() - near
    known = np.where(free, 0.0, fixed)
    return np.asarray(spsolve(laplacian[free][:, free].tocsc(), near[free] @ known))


def _displacement(part: Part, mesh: _Mesh, field: Floats) -> Floats:
    """(n, 3) metres: per group of coincident vertices the shift whose component along each normal is its offset.

    Least squares by the eigenvectors of the summed outer products of the normals; one vote for each face and place.
    """
    normals = part.normals.astype(np.float64)
    groups = count_ids(mesh.group)
    moment = np.stack(
        [np.bincount(mesh.group, normals[:, i] * normals[:, j], groups) for i in range(3) for j in range(3)]
    )
    target = np.stack([np.bincount(mesh.group, normals[:, i] * field, groups) for i in range(3)], axis=1)
    values, vectors = np.linalg.eigh(moment.T.reshape(groups, 3, 3))
    inverse = np.where(values > WEAK, 1.0 / np.maximum(values, WEAK), np.maximum(values, 0.0) / WEAK**2)
    shift = np.einsum("gij,gj,gkj,gk->gi", vectors, inverse, vectors, target)
    return np.asarray(shift[mesh.group])


def _turned_over(part: Part, moved: Floats) -> NDArray[np.bool_]:
    """(m,) triangles that the motion turned over or squeezed to nothing."""
    before, after = area_vectors(part.vertices, part.triangles), area_vectors(moved, part.triangles)
    return np.asarray(np.einsum("ij,ij->i", before, after) <= 1e-3 * np.einsum("ij,ij->i", before, before))


def _relaxed(part: Part, mesh: _Mesh, shift: Floats) -> Floats:
    """*shift* with the corners of every triangle that would turn over moved alike: slivers between two edges."""
    first = np.unique(mesh.group, return_index=True)[1]
    by_group = shift[first]
    corners = mesh.group[part.triangles]
    stiff = np.zeros(len(corners), dtype=np.bool_)
    moved = by_group
    for _ in range(MOST_RELAXATIONS):
        upset = _turned_over(part, part.vertices + moved[mesh.group])
        if not upset.any():
            break
        stiff |= upset
        ends = corners[stiff]
        rows, columns = ends[:, :2].T.reshape(-1), ends[:, 1:].T.reshape(-1)
        joined = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(first), len(first)))
        patch = connected_components(joined, directed=False)[1]
        mean = np.stack([np.bincount(patch, by_group[:, i]) for i in range(3)], axis=1)
        moved = (mean / np.bincount(patch)[:, None])[patch]
    return np.asarray(moved[mesh.group])


def _around(part: Part, mesh: _Mesh, triangles: NDArray[np.bool_]) -> Ints:
    """Faces that have a vertex at a corner of the marked *triangles*."""
    places = np.zeros(count_ids(mesh.group), dtype=np.bool_)
    places[mesh.group[part.triangles[triangles]]] = True
    return np.unique(mesh.owner[places[mesh.group]])


def _scaled(part: Part, tolerance: ToleranceLike) -> Part:
    """A mesh without faces, larger or smaller as a whole about the middle of its box."""
    low, high = (np.array(corner) for corner in part.info.bounds_m)
    size = float(np.max(high - low))
    least, most = limits_m(tolerance.standard, size)
    drawn = truncated_normal(np.random.default_rng(tolerance.seed).random(1))[0]
    factor = 1.0 + ((least + most) / 2 + drawn * (most - least) / 2) / size
    middle = (low + high) / 2
    return _described(part, middle + (part.vertices - middle) * factor, np.zeros(len(part.info.faces)))


def _described(part: Part, moved: Floats, offsets: Floats) -> Part:
    """*part* with the vertices *moved* and everything about it that follows from them."""
    size = np.linalg.norm(area_vectors(moved, part.triangles), axis=1)
    areas = np.bincount(part.face_of_triangle, size, minlength=len(part.info.faces))
    lean = _lean(part)
    faces = tuple(
        replace(_offset_face(face, float(offsets[i]), float(lean[i])), area_m2=float(areas[i]))
        for i, face in enumerate(part.info.faces)
    )
    solids = tuple(_solid(part, solid, moved) for solid in part.info.solids)
    info = replace(
        part.info,
        faces=faces,
        solids=solids,
        bounds_m=(_vector(moved.min(axis=0)), _vector(moved.max(axis=0))),
        diameter_m=diameter_of(moved),
        volume_m3=sum(solid.volume_m3 for solid in solids),
        area_m2=float(areas.sum()),
        resting_poses=tuple(_on_the_plane(pose, moved) for pose in part.info.resting_poses),
    )
    return replace(part, info=info, vertices=moved)


def _lean(part: Part) -> Floats:
    """(faces,) mean component of each face's normals along its axis; that of a cone is the same everywhere on it."""
    owner = np.zeros(len(part.vertices), dtype=np.int64)
    owner[part.triangles] = part.face_of_triangle[:, None]
    axes = np.array([face.axis or (0.0, 0.0, 0.0) for face in part.info.faces])
    return mean_by_face(part, np.einsum("ij,ij->i", part.normals.astype(np.float64), axes[owner]))


def _offset_face(face: Face, offset: float, lean: float) -> Face:
    """The record of *face* after moving by *offset* along its outward normal; *lean*: of the normal along the axis."""
    outwards = -offset if face.inner else offset
    if face.kind == "plane" and face.origin is not None and face.axis is not None:
        return replace(face, origin=_vector(np.array(face.origin) + offset * np.array(face.axis)))
    if face.kind in ("cylinder", "sphere") and face.radius_m is not None:
        return replace(face, radius_m=face.radius_m + outwards)
    if face.kind == "torus" and face.minor_radius_m is not None:
        return replace(face, minor_radius_m=face.minor_radius_m + outwards)
    if face.kind == "cone" and face.origin is not None and face.axis is not None and face.radius_m is not None:
        apex = (
            np.array(face.origin) + offset / lean * np.array(face.axis) if abs(lean) > 1e-9 else np.array(face.origin)
        )
        flat = float(np.sqrt(max(1.0 - lean**2, 1e-12)))
        return replace(face, origin=_vector(apex), radius_m=face.radius_m + outwards / flat)
    return face


def _solid(part: Part, solid: Solid, moved: Floats) -> Solid:
    return replace(solid, volume_m3=volume(moved, part.triangles[part.solid_of_triangle == solid.solid_id]))


def _on_the_plane(pose: RestingPose, moved: Floats) -> RestingPose:
    """The nominal *pose*, lifted so that the lowest of the *moved* vertices lies on z = 0."""
    matrix = np.array(pose.world_from_part).reshape(4, 4)
    matrix[2, 3] = -float((moved @ matrix[2, :3]).min())
    return RestingPose(tuple(matrix.reshape(-1).tolist()), pose.probability)


def _vector(values: Floats) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
