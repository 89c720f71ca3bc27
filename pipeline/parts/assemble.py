"""Bodies to a Part: solids, faces, exact normals, resting poses and symmetries.

Covers: everything between a reader and `save_part`. Does not cover: reading files (`brep`, `meshes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.parts import surfaces
from pipeline.parts.body import Body, Color, Reading
from pipeline.parts.check import check_faces, check_size
from pipeline.parts.container import LengthUnit
from pipeline.parts.fit import fit_surface
from pipeline.parts.part import Face, FaceKind, Part, PartInfo, Solid
from pipeline.parts.resting import resting_poses
from pipeline.parts.surfaces import Surface
from pipeline.parts.symmetry import find_symmetries
from pipeline.parts.topology import (
    area_vectors,
    closed_runs,
    count_ids,
    count_open_edges,
    extent,
    rows_by_id,
    volume,
    weld,
)

Floats = NDArray[np.float64]

SAME_POINT: Final = 1e-6
"""Vertices nearer than this share of a body's size are one when exact equality leaves gaps (float32 kernel output)."""
MADE_UP_NAMES: Final = ("Open CASCADE STEP translator", "COMPOUND", "SOLID", "SHELL", "solid", "geometry_0")
"""The first as a beginning, the others whole."""
FIT_RELATIVE: Final = 2e-7
FIT_ANGLE: Final = 1e-4
"""A freeform face is an analytic surface when vertices and normals fit it to float32 precision."""


@dataclass(frozen=True)
class Origin:
    """Where a part comes from."""

    path: Path
    sha256: str
    file_format: str
    unit: LengthUnit


@dataclass(frozen=True, eq=False)
class _Piece:
    """One solid: a body's triangles and faces that belong together."""

    name: str
    vertices: Floats
    normals: Floats
    triangles: NDArray[np.int32]
    face_of_triangle: NDArray[np.int32]
    surfaces: tuple[Surface | None, ...]
    colors: tuple[Color | None, ...]
    watertight: bool
    volume_m3: float


def build_part(reading: Reading, origin: Origin) -> Part:
    """Join the bodies of *reading* into a Part. Raises InputError for implausible geometry."""
    diameter = check_size([b.vertices for b in reading.bodies], origin.unit)
    bodies = [_named(body, origin.path.stem) for body in reading.bodies]
    pieces = [p for body in bodies for p in _solids(body, reading.exact_normals)]
    pieces = [_cleaned(_with_exact_normals(p, reading.exact_normals, diameter), diameter) for p in pieces]
    if not pieces or not sum(len(p.triangles) for p in pieces):
        raise InputError("the part has no surface: all of its triangles have zero area; export the solid again")
    return _joined(_uniquely_named(pieces), reading, origin, diameter)


def _named(body: Body, stem: str) -> Body:
    """The body under its own name, or under the file's where the kernel or a translator made up one."""
    made_up = body.name.startswith(MADE_UP_NAMES[0]) or body.name in MADE_UP_NAMES[1:]
    return replace(body, name=stem) if made_up else body


def _solids(body: Body, is_brep: bool) -> list[_Piece]:
    """Split a body into its solids; inner shells (voids) stay with the solid around them."""
    group = weld(body.vertices)
    if count_open_edges(group[body.triangles]):
        group = weld(body.vertices, SAME_POINT * extent(body.vertices))
    welded = group[body.triangles]
    if not is_brep:  # `meshes` made one body of each solid
        return [_piece(body.name, body, welded, np.arange(len(welded)))]
    shell = closed_runs(welded, body.face_of_triangle)[body.face_of_triangle]
    shells = rows_by_id(shell, count_ids(shell))
    volumes = [volume(body.vertices, body.triangles[rows]) for rows in shells]
    solids: list[list[int]] = []
    for rows, enclosed in zip(shells, volumes, strict=True):
        if enclosed < 0 and solids:
            solids[-1].extend(rows.tolist())
        else:
            solids.append(rows.tolist())
    names = [body.name] if len(solids) == 1 else [f"{body.name} {i + 1}" for i in range(len(solids))]
    return [
        _piece(name, body, welded, np.array(sorted(rows), dtype=np.int64))
        for name, rows in zip(names, solids, strict=True)
    ]


def _piece(name: str, body: Body, welded: NDArray[np.int64], rows: NDArray[np.int64]) -> _Piece:
    faces, face_of_triangle = np.unique(body.face_of_triangle[rows], return_inverse=True)
    used, triangles = np.unique(body.triangles[rows], return_inverse=True)
    corners: NDArray[np.int32] = triangles.reshape(-1, 3).astype(np.int32)
    return _Piece(
        name=name,
        vertices=body.vertices[used],
        normals=body.normals[used],
        triangles=corners,
        face_of_triangle=face_of_triangle.reshape(-1).astype(np.int32),
        surfaces=tuple(body.surfaces[i] for i in faces),
        colors=tuple(body.colors[i] for i in faces),
        watertight=count_open_edges(welded[rows]) == 0,
        volume_m3=volume(body.vertices[used], corners),
    )


def _with_exact_normals(piece: _Piece, exact: bool, diameter: float) -> _Piece:
    """Normals from the analytic surfaces where there are any, else the given ones, else those of the triangles.

    Faces of a B-rep that are analytic in all but name (the kernel calls them B-splines) get their surface here.
    """
    owner = np.zeros(len(piece.vertices), dtype=np.int64)
    owner[piece.triangles] = piece.face_of_triangle[:, None]
    flat = np.zeros_like(piece.vertices)
    areas = area_vectors(piece.vertices, piece.triangles)
    for corner in range(3):
        np.add.at(flat, piece.triangles[:, corner], areas)
    flat = _unit(flat)
    normals = _unit(np.nan_to_num(piece.normals))
    normals = np.where(normals.any(axis=1)[:, None], normals, flat)
    normals *= np.where(np.einsum("ij,ij->i", normals, flat) < -0.5, -1.0, 1.0)[:, None]
    found = list(piece.surfaces)
    for face, rows in enumerate(rows_by_id(owner, len(found))):
        if found[face] is None and exact:
            found[face] = fit_surface(piece.vertices[rows], normals[rows], FIT_RELATIVE * diameter, FIT_ANGLE)
        surface = found[face]
        if surface is not None:
            normals[rows] = _analytic(surface, piece.vertices[rows], normals[rows])
    return replace(piece, normals=normals, surfaces=tuple(found))


def _analytic(surface: Surface, points: Floats, given: Floats) -> Floats:
    """Normals of *surface* on the side of the *given* ones; given ones stay where the surface has none (an apex)."""
    exact = surfaces.normal(surface, points)
    side = np.sign(np.einsum("ij,ij->", exact, given)) or 1.0
    return np.asarray(np.where(exact.any(axis=1)[:, None], exact * side, given))


def _cleaned(piece: _Piece, diameter: float) -> _Piece:
    """Without triangles of (nearly) no area, and without the vertices that only they used."""
    area = np.linalg.norm(area_vectors(piece.vertices, piece.triangles), axis=1)
    keep = area > 1e-14 * diameter**2
    used, triangles = np.unique(piece.triangles[keep], return_inverse=True)
    return replace(
        piece,
        vertices=piece.vertices[used],
        normals=piece.normals[used],
        triangles=triangles.reshape(-1, 3).astype(np.int32),
        face_of_triangle=piece.face_of_triangle[keep],
    )


def _uniquely_named(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Repeated names get " #2", " #3" ..."""
    seen: dict[str, int] = {}
    result = []
    for piece in pieces:
        seen[piece.name] = seen.get(piece.name, 0) + 1
        count = seen[piece.name]
        result.append(piece if count == 1 else replace(piece, name=f"{piece.name} #{count}"))
    return result


def _joined(pieces: Sequence[_Piece], reading: Reading, origin: Origin, diameter: float) -> Part:
    """Concatenate the solids and describe them."""
    faces: list[Face] = []
    face_of_triangle = []
    for solid_id, piece in enumerate(pieces):
        numbers = np.full(len(piece.surfaces), -1, dtype=np.int32)
        for local, rows in enumerate(rows_by_id(piece.face_of_triangle, len(piece.surfaces))):
            if len(rows):
                numbers[local] = len(faces)
                faces.append(_face(piece, local, rows, len(faces), solid_id))
        face_of_triangle.append(numbers[piece.face_of_triangle])
    check_faces(len(faces))
    first = np.cumsum([0, *(len(p.vertices) for p in pieces)])
    vertices = np.concatenate([p.vertices for p in pieces])
    triangles = np.concatenate([p.triangles + first[i] for i, p in enumerate(pieces)]).astype(np.int32)
    solids = tuple(_solid(p, i) for i, p in enumerate(pieces))
    face_ids = np.concatenate(face_of_triangle).astype(np.int32)
    symmetries = find_symmetries(vertices, triangles, face_ids, faces, diameter, reading.tolerance_m)
    info = PartInfo(
        name=origin.path.stem,
        source_file=origin.path.name,
        source_sha256=origin.sha256,
        file_format=origin.file_format,
        units=origin.unit.name,
        units_source=origin.unit.source,
        solids=solids,
        faces=tuple(faces),
        bounds_m=(_vector(vertices.min(axis=0)), _vector(vertices.max(axis=0))),
        diameter_m=diameter,
        volume_m3=sum(s.volume_m3 for s in solids),
        area_m2=sum(f.area_m2 for f in faces),
        watertight=all(s.watertight for s in solids),
        tolerance_m=reading.tolerance_m,
        exact_normals=reading.exact_normals,
        skipped=reading.skipped,
        resting_poses=resting_poses(vertices, triangles, symmetries),
        symmetries=symmetries,
    )
    return Part(
        info=info,
        vertices=vertices,
        normals=np.concatenate([p.normals for p in pieces]).astype(np.float32),
        triangles=triangles,
        face_of_triangle=face_ids,
        solid_of_triangle=np.repeat(np.arange(len(pieces)), [len(p.triangles) for p in pieces]).astype(np.int32),
    )


def _solid(piece: _Piece, solid_id: int) -> Solid:
    colors = set(piece.colors)
    color = next(iter(colors)) if len(colors) == 1 else None
    return Solid(solid_id, piece.name, color, piece.watertight, piece.volume_m3)


def _face(piece: _Piece, local: int, rows: NDArray[np.int64], face_id: int, solid_id: int) -> Face:
    """Describe one face from its surface and its own triangles (*rows*)."""
    triangles = piece.triangles[rows]
    areas = area_vectors(piece.vertices, triangles)
    weight = np.linalg.norm(areas, axis=1)
    surface = piece.surfaces[local]
    kind: FaceKind = "freeform"
    origin = axis = radius = minor = inner = None
    if surface is not None:
        kind, origin = surface.kind, surface.origin
        middle = piece.vertices[triangles].mean(axis=1)
        outward = float(np.einsum("ij,ij->", surfaces.normal(surface, middle), areas))
        axis = None if kind == "sphere" else surface.axis
        inner = None if kind == "plane" else outward < 0
        radius = None if kind == "plane" else surface.radius
        minor = surface.minor if kind == "torus" else None
        if kind == "plane" and outward < 0:
            axis = _vector(-np.array(surface.axis))
        if kind == "cone":
            radius = float(weight @ _distance_to_axis(surface, middle) / weight.sum())
    return Face(
        face_id, solid_id, kind, float(weight.sum()), origin, axis, radius, minor, inner, None, piece.colors[local]
    )


def _distance_to_axis(surface: Surface, points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(np.cross(points - np.array(surface.origin), np.array(surface.axis)), axis=1))


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-30, vectors / np.where(length > 1e-30, length, 1.0), 0.0))


def _vector(values: Floats) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
