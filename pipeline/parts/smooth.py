"""Regions of a mesh that are smooth across their edges, and normals for them.

Covers: what stands in for B-rep faces and kernel normals when a file has only triangles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.topology import adjacent_pairs, area_vectors, connected_triangles, count_ids

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def smooth_regions(vertices: Floats, triangles: Ints, group: Ints, sharp: float) -> NDArray[np.int32]:
    """(m,) region of each triangle: regions meet at edges that turn by more than *sharp* radians.

    *group* (n,) joins coincident vertices. Regions are numbered by their first triangle.
    """
    welded = group[triangles]
    pairs, _ = adjacent_pairs(welded)
    normal = _unit(area_vectors(vertices, triangles.astype(np.int32)))
    turn = np.einsum("ij,ij->i", normal[pairs[:, 0]], normal[pairs[:, 1]])
    region = connected_triangles(welded, barrier=turn < np.cos(sharp))
    _, first, inverse = np.unique(region, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    return np.asarray(rank[inverse.reshape(-1)], dtype=np.int32)


def corner_normals(vertices: Floats, triangles: Ints, welded: Ints, region: NDArray[np.int32]) -> Floats:
    """(m, 3, 3) unit normal at each triangle corner: the mean over its region's triangles around that vertex.

    Weighted by area times corner angle, so that a large flat triangle beside a fillet stays flat.
    """
    weighted = area_vectors(vertices, triangles.astype(np.int32))[:, None, :] * _angles(vertices[triangles])[..., None]
    key = welded.astype(np.int64) * count_ids(region) + region[:, None]
    _, inverse = np.unique(key.reshape(-1), return_inverse=True)
    inverse = inverse.reshape(-1)
    total = np.stack([np.bincount(inverse, weights=weighted[..., i].reshape(-1)) for i in range(3)], axis=1)
    return np.asarray(_unit(total)[inverse].reshape(-1, 3, 3))


def _angles(corners: Floats) -> Floats:
    """(m, 3) inner angle at each corner of (m, 3, 3) triangles, radians."""
    ahead = _unit(np.roll(corners, -1, axis=1) - corners)
    behind = _unit(np.roll(corners, 1, axis=1) - corners)
    return np.asarray(np.arccos(np.clip(np.einsum("ijk,ijk->ij", ahead, behind), -1.0, 1.0)))


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.where(length > 0, vectors / np.where(length > 0, length, 1.0), 0.0))
