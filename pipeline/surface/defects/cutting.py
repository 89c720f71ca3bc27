"""Cutting a closed tool out of a body, with every triangle's attributes kept.

The boolean itself is manifold3d's. Triangles that the tool does not touch stay exactly as they are, so that the rest of
the part renders as in the defect-free twin; cut ones get new corners whose attributes are interpolated within the
triangle that they come from. Does not cover: the shape of the tool (`chip`).
"""

from __future__ import annotations

from typing import Any

import manifold3d
import numpy as np
from numpy.typing import NDArray

from pipeline.parts.topology import weld
from pipeline.surface.defects.body import NO_FACE, Addition, Body, with_triangles, without_triangles

Vector = NDArray[np.float64]
Triangles = NDArray[np.int64]


def cut_out(body: Body, tool: Vector, tool_triangles: Triangles, solid: int, material: int) -> Body | str:
    """*body* without what lies in the closed *tool* ((n, 3) metres, (m, 3)); the new surface gets *material*.

    Only the solid number *solid* is cut. A sentence when its mesh is not closed, or the tool does not meet it.
    """
    part = body.part
    own = np.flatnonzero(part.solid_of_triangle == solid)
    own = own[part.face_of_triangle[own] != NO_FACE]
    ids = weld(part.vertices, 1e-9)
    _, first = np.unique(ids, return_index=True)
    welded = ids[part.triangles[own]]
    whole = (welded[:, 0] != welded[:, 1]) & (welded[:, 1] != welded[:, 2]) & (welded[:, 2] != welded[:, 0])
    own, welded = own[whole], welded[whole]
    used, compact = np.unique(welded, return_inverse=True)
    stock_id = int(manifold3d.Manifold.reserve_ids(2))
    stock = _manifold(part.vertices[first[used]], compact.reshape(-1, 3), own, stock_id)
    knife = _manifold(tool, tool_triangles, np.arange(len(tool_triangles)), stock_id + 1)
    if stock.status() != manifold3d.Error.NoError or stock.is_empty():
        return "expected a closed mesh to break a piece out of, found one with gaps"
    result = (stock - knife).to_mesh64()
    if len(result.tri_verts) == 0:
        return "expected an edge larger than the piece that breaks out, found a smaller one"
    return _rebuilt(body, result, stock_id, own, (solid, material))


def _manifold(vertices: Vector, triangles: Triangles, face_ids: NDArray[Any], name: int) -> Any:
    mesh = manifold3d.Mesh64(
        vert_properties=np.ascontiguousarray(vertices, dtype=np.float64),
        tri_verts=np.ascontiguousarray(triangles, dtype=np.uint64),
        run_index=np.array([0, 3 * len(triangles)], dtype=np.uint64),
        run_original_id=np.array([name], dtype=np.uint32),
        face_id=np.ascontiguousarray(face_ids, dtype=np.uint64),
    )
    return manifold3d.Manifold(mesh)


def _rebuilt(body: Body, result: Any, stock_id: int, own: Triangles, labels: tuple[int, int]) -> Body | str:
    """*body* with the triangles *own* replaced by those of the boolean's *result*."""
    corners = np.asarray(result.vert_properties)[:, :3][np.asarray(result.tri_verts, dtype=np.int64)]
    source = np.asarray(result.face_id, dtype=np.int64)
    from_stock = np.zeros(len(corners), dtype=bool)
    bounds = np.asarray(result.run_index, dtype=np.int64) // 3
    for run, original in enumerate(result.run_original_id):
        if int(original) == stock_id:
            from_stock[bounds[run] : bounds[run + 1]] = True
    area = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    if not (~from_stock & (area > 0.0)).any():
        return "expected the piece that breaks out to meet the part, found none of it"
    kept, pieces = _sort_out(body, corners[from_stock], source[from_stock], area[from_stock], own)
    keep = np.ones(len(body.part.triangles), dtype=bool)
    keep[own] = False
    keep[kept] = True
    cut = without_triangles(body, keep)
    cut = with_triangles(cut, _cut_triangles(body, corners[from_stock][pieces], source[from_stock][pieces]))
    return with_triangles(cut, _fracture(corners[~from_stock & (area > 1e-16)], *labels))


def _sort_out(
    body: Body, corners: Vector, source: Triangles, area: Vector, own: Triangles
) -> tuple[Triangles, NDArray[np.bool_]]:
    """Triangles of the body that came through whole, and which of *corners* are pieces of the others."""
    original = body.part.vertices[body.part.triangles]
    full = 0.5 * np.linalg.norm(np.cross(original[:, 1] - original[:, 0], original[:, 2] - original[:, 0]), axis=1)
    left = np.bincount(source, weights=area, minlength=len(original))
    count = np.bincount(source, minlength=len(original))
    whole = np.zeros(len(original), dtype=bool)
    whole[own] = (count[own] >= 1) & (np.abs(left[own] - full[own]) <= 1e-6 * full[own])
    return np.flatnonzero(whole), ~whole[source] & (area > 1e-18)


def _cut_triangles(body: Body, corners: Vector, source: Triangles) -> Addition:
    """Pieces *corners* (m, 3, 3) of the body's triangles *source* (m,), with interpolated attributes."""
    part, surface = body.part, body.surface
    triangles = part.triangles[source]
    weights = _barycentric(part.vertices[triangles], corners)

    def interpolated(values: NDArray[Any] | None) -> Any:
        if values is None:
            return None
        return np.einsum("mkc,mcd->mkd", weights, values[triangles].astype(np.float64)).reshape(-1, 3)

    normals = interpolated(part.normals)
    return Addition(
        vertices=corners.reshape(-1, 3),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        triangles=np.arange(3 * len(corners)).reshape(-1, 3),
        face=part.face_of_triangle[source],
        solid=part.solid_of_triangle[source],
        material=surface.material_of_triangle[source],
        lay=interpolated(surface.lay),
        lay_axis=interpolated(surface.lay_axis),
        lay_origin=interpolated(surface.lay_origin),
        groove=interpolated(surface.groove),
    )


def _barycentric(triangles: Vector, points: Vector) -> Vector:
    """Weights (m, k, 3) of points (m, k, 3) in triangles (m, 3, 3)."""
    a = triangles[:, :1]
    ab, ac, ap = triangles[:, 1:2] - a, triangles[:, 2:3] - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    under = d00 * d11 - d01 * d01
    v, w = (d11 * d20 - d01 * d21) / under, (d00 * d21 - d01 * d20) / under
    weights = np.clip(np.stack([1.0 - v - w, v, w], axis=-1), 0.0, 1.0)
    result: Vector = weights / weights.sum(axis=-1, keepdims=True)
    return result


def _fracture(corners: Vector, solid: int, material: int) -> Addition:
    """The tool's surface that was laid open, (m, 3, 3), shaded flat: a fracture has facets."""
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    count = len(corners)
    return Addition(
        vertices=corners.reshape(-1, 3),
        normals=np.repeat(across / np.linalg.norm(across, axis=1, keepdims=True), 3, axis=0),
        triangles=np.arange(3 * count).reshape(-1, 3),
        face=np.full(count, NO_FACE, dtype=np.int32),
        solid=np.full(count, solid, dtype=np.int32),
        material=np.full(count, material, dtype=np.int32),
    )
