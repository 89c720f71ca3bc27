"""STL, OBJ, PLY, GLB and 3MF files to bodies, through trimesh.

Covers: loading, units, NaN, merging of duplicate vertices, watertightness, orientation, and one face per region that
is smooth across its edges. Does not cover: CAD files (`brep`), joining bodies into a Part (`assemble`).
"""

from __future__ import annotations

import io
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.parts.body import Body, Color, Reading
from pipeline.parts.check import check_finite, check_size, check_triangles
from pipeline.parts.container import LengthUnit, choose_unit, unit_name
from pipeline.parts.fit import fit_surface
from pipeline.parts.limits import Limits
from pipeline.parts.smooth import corner_normals, smooth_regions
from pipeline.parts.topology import connected_triangles, count_ids, count_open_edges, rows_by_id, volume, weld

SHARP_EDGE: Final = math.radians(30.0)
"""Edges that turn by more split the normals and the faces."""
FIT: Final = 1e-5
"""A region is a plane or cylinder when its vertices lie on it within this share of the part's size."""


def read_mesh(data: bytes, file_format: str, asked_unit: str | None, limits: Limits) -> tuple[Reading, LengthUnit]:
    """Bodies of a mesh file's bytes and the unit that its lengths were read in.

    Raises InputError for damaged, empty, open or implausible meshes.
    """
    pieces, in_file, skipped = _load(data, file_format)
    unit = choose_unit(in_file, asked_unit)
    if not pieces:
        raise InputError(f"this {file_format.upper()} file holds no triangles; export the part again")
    check_triangles(sum(len(mesh.faces) for _, mesh in pieces), limits)
    for _, mesh in pieces:
        check_finite(np.asarray(mesh.vertices, dtype=np.float64))
    diameter = check_size([np.asarray(m.vertices, dtype=np.float64) * unit.metres for _, m in pieces], unit)
    bodies = [b for name, mesh in pieces for b in _closed_bodies(name, mesh, unit.metres, diameter)]
    return Reading(tuple(bodies), tuple(skipped), 0.0, exact_normals=False), unit


def _load(data: bytes, file_format: str) -> tuple[list[tuple[str, Any]], str | None, list[str]]:
    """(name, trimesh) of every placed mesh, the unit that the file carries, and sentences on what was left out."""
    import trimesh  # half a second; children that read STEP files need it only later

    try:
        scene = trimesh.load_scene(io.BytesIO(data), file_type=file_format, process=False)
    except MemoryError:
        raise
    except Exception as error:  # trimesh's readers raise whatever their parsing stumbles over
        raise InputError(
            f"this is no readable {file_format.upper()} file ({type(error).__name__}: {error}); export it again"
        ) from error
    pieces, skipped = [], []
    for node in scene.graph.nodes_geometry:
        matrix, key = scene.graph[node]
        geometry = scene.geometry[key]
        if not isinstance(geometry, trimesh.Trimesh):
            skipped.append(f"free curves or points: {node!r}")
        elif len(geometry.faces):
            pieces.append((str(node), _placed(geometry, np.asarray(matrix, dtype=np.float64))))
    return pieces, _unit_in_file(file_format, scene), skipped


def _placed(geometry: Any, matrix: NDArray[np.float64]) -> Any:
    """A copy of the mesh where its node puts it, keeping the normals that the file gave."""
    import trimesh

    given = geometry._cache.cache.get("vertex_normals")  # set by the readers, absent when the file has none
    triangles = np.asarray(geometry.faces)
    if np.linalg.det(matrix[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    placed = trimesh.Trimesh(
        vertices=np.asarray(geometry.vertices) @ matrix[:3, :3].T + matrix[:3, 3], faces=triangles, process=False
    )
    placed.metadata["given_normals"] = None if given is None else np.asarray(given) @ np.linalg.inv(matrix[:3, :3])
    placed.metadata["color"] = _color(geometry)
    return placed


def _unit_in_file(file_format: str, scene: Any) -> str | None:
    """GLB is in metres by its specification; 3MF says, and means millimetres when it does not."""
    if file_format == "glb":
        return "m"
    if file_format == "3mf":
        return unit_name(str(scene.units or "millimeter").rstrip("s"))
    return None


def _closed_bodies(name: str, mesh: Any, metres: float, diameter: float) -> list[Body]:
    """Weld a mesh, check that it is closed and turned outward, and split it into its connected solids."""
    vertices = np.asarray(mesh.vertices, dtype=np.float64) * metres
    triangles = np.asarray(mesh.faces, dtype=np.int64)
    group, triangles = _welded(name, vertices, triangles, diameter)
    flipped = volume(vertices, triangles.astype(np.int32)) < 0
    if flipped:
        triangles = triangles[:, ::-1]
    given = mesh.metadata["given_normals"]
    if given is not None and flipped:
        given = -given
    solid = _solid_numbers(vertices, triangles, connected_triangles(group[triangles]))
    names = _numbered(name, count_ids(solid))
    return [
        _body(own_name, vertices, triangles[rows], group, given, mesh.metadata["color"], diameter)
        for own_name, rows in zip(names, rows_by_id(solid, len(names)), strict=True)
    ]


def _solid_numbers(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], component: NDArray[np.int32]
) -> NDArray[np.int32]:
    """(m,) solid of each triangle: an inside-out component is a void and joins the smallest body whose box holds it."""
    boxes, volumes = [], []
    for rows in rows_by_id(component, count_ids(component)):
        own = triangles[rows].astype(np.int32)
        boxes.append((vertices[own].min(axis=(0, 1)), vertices[own].max(axis=(0, 1))))
        volumes.append(volume(vertices, own))
    bodies = [i for i, v in enumerate(volumes) if v > 0]
    number = np.zeros(len(volumes), dtype=np.int32)
    for i, (low, high) in enumerate(boxes):
        number[i] = i
        if volumes[i] <= 0:
            around = [b for b in bodies if np.all(boxes[b][0] <= low) and np.all(boxes[b][1] >= high)]
            number[i] = min(around, key=lambda b: volumes[b], default=i)
    return np.unique(number, return_inverse=True)[1].astype(np.int32)[component]


def _welded(
    name: str, vertices: NDArray[np.float64], triangles: NDArray[np.int64], diameter: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Groups of coincident vertices, and the triangles without those that vanish, with one sense of rotation."""
    open_edges = 0
    for reach in (0.0, 1e-7 * diameter, 1e-5 * diameter):
        group = weld(vertices, reach)
        kept = triangles[_has_three_corners(group[triangles])]
        open_edges = count_open_edges(group[kept]) if len(kept) else 0
        if len(kept) and open_edges:
            kept = _wound_alike(group, kept)
            open_edges = count_open_edges(group[kept])
        if len(kept) and not open_edges:
            return group, kept
    raise InputError(
        f"the mesh {name!r} is not watertight: {open_edges} open edges remain after merging duplicate vertices, so it "
        "has no inside; close its holes in the CAD program or a mesh tool, or use the STEP file of the part"
    )


def _has_three_corners(triangles: NDArray[np.int64]) -> NDArray[np.bool_]:
    a, b, c = triangles.T
    return np.asarray((a != b) & (b != c) & (c != a))


def _wound_alike(group: NDArray[np.int64], triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn triangles round so that neighbours agree on the outside, where that is what is wrong."""
    import trimesh

    mesh = trimesh.Trimesh(vertices=np.zeros((count_ids(group), 3)), faces=group[triangles], process=False)
    trimesh.repair.fix_winding(mesh)
    turned = ~np.any(
        [np.all(np.roll(mesh.faces, shift, axis=1) == group[triangles], axis=1) for shift in range(3)], axis=0
    )
    result = triangles.copy()
    result[turned] = result[turned, ::-1]
    return result


def _body(
    name: str,
    vertices: NDArray[np.float64],
    triangles: NDArray[np.int64],
    group: NDArray[np.int64],
    given: NDArray[np.float64] | None,
    color: Color | None,
    diameter: float,
) -> Body:
    """One connected solid with a face per smooth region; every triangle corner keeps or gets its normal."""
    face = smooth_regions(vertices, triangles, group, SHARP_EDGE)
    normals = corner_normals(vertices, triangles, group[triangles], face)
    if given is not None:
        normals = _usable(given[triangles], normals)
    corners = vertices[triangles].reshape(-1, 3)
    # One vertex per (place, face, normal): corners that agree in all three are the same vertex.
    key = np.column_stack([group[triangles].reshape(-1), np.repeat(face, 3), np.round(normals.reshape(-1, 3), 6)])
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    points, unit = corners[first], normals.reshape(-1, 3)[first]
    owner = np.repeat(face, 3)[first]
    surfaces = tuple(
        fit_surface(points[rows], unit[rows], FIT * diameter, math.radians(12.0))
        for rows in rows_by_id(owner, count_ids(face))
    )
    return Body(
        name=name,
        vertices=points,
        normals=unit,
        triangles=inverse.reshape(-1, 3).astype(np.int32),
        face_of_triangle=face,
        surfaces=tuple(s if s is not None and s.kind in ("plane", "cylinder") else None for s in surfaces),
        colors=(color,) * len(surfaces),
    )


def _usable(given: NDArray[np.float64], estimated: NDArray[np.float64]) -> NDArray[np.float64]:
    """The file's (m, 3, 3) corner normals where they are finite, not zero and on the outer side; else the estimate."""
    length = np.linalg.norm(given, axis=2, keepdims=True)
    good = np.isfinite(given).all(axis=2) & (length[..., 0] > 1e-6)
    unit = np.where(good[..., None], given, estimated) / np.where(good[..., None], length, 1.0)
    good &= np.einsum("ijk,ijk->ij", unit, estimated) > 0.2
    return np.asarray(np.where(good[..., None], unit, estimated))


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} {i + 1}" for i in range(count)]


def _color(geometry: Any) -> Color | None:
    """Linear RGB of a mesh's material, if its file gave it one."""
    material = getattr(geometry.visual, "material", None)
    factor = getattr(material, "baseColorFactor", None)
    if factor is None:
        return None
    rgb = np.asarray(factor, dtype=np.float64)[:3] / (255.0 if np.asarray(factor).dtype.kind == "u" else 1.0)
    return float(rgb[0]), float(rgb[1]), float(rgb[2])
