"""Connectivity of triangles: welding, open edges, shells, volume.

Covers: pure array functions on triangle soups whose vertices may be split. Does not cover: B-rep faces (`assemble`).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def extent(points: NDArray[np.floating[Any]]) -> float:
    """Longest side of the box around (n, 3) points; 0 for none."""
    return float(np.max(np.ptp(points, axis=0))) if len(points) else 0.0


def count_ids(ids: NDArray[np.integer[Any]]) -> int:
    """One more than the largest of *ids*; 0 for none."""
    return int(np.max(ids)) + 1 if ids.size else 0


def rows_by_id(ids: NDArray[np.integer[Any]], count: int) -> list[Ints]:
    """For every id below *count* the rows that carry it, ascending; one sort instead of a search for each."""
    order = np.argsort(ids, kind="stable")
    bounds = np.searchsorted(ids[order], np.arange(count + 1))
    return [order[bounds[i] : bounds[i + 1]] for i in range(count)]


def weld(vertices: Floats, distance: float = 0.0) -> Ints:
    """(n,) index of the group of coincident vertices that each of the (n, 3) *vertices* belongs to.

    With *distance* > 0 vertices nearer than that are joined too (chains of near vertices become one group).
    """
    _, exact = np.unique(vertices + 0.0, axis=0, return_inverse=True)
    exact = exact.reshape(-1).astype(np.int64)
    if distance <= 0 or len(vertices) == 0:
        return exact
    _, first = np.unique(exact, return_index=True)
    pairs = cKDTree(vertices[first]).query_pairs(distance, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(first), len(first)))
    _, group = connected_components(graph, directed=False)
    return np.asarray(group[exact], dtype=np.int64)


def signed_edges(triangles: Ints) -> tuple[Ints, Ints]:
    """The 3m edges of (m, 3) welded *triangles* as one integer key each, and their direction (+1, -1; 0 if collapsed).

    Edge i belongs to triangle i // 3. Two triangles that share an edge and agree on the outside have opposite signs.
    """
    start = triangles.reshape(-1)
    end = np.roll(triangles, -1, axis=1).reshape(-1)
    low, high = np.minimum(start, end), np.maximum(start, end)
    return low * count_ids(triangles) + high, np.sign(end - start)


def count_open_edges(triangles: Ints) -> int:
    """Number of edges of welded *triangles* whose two sides do not cancel: 0 means a closed, consistent surface."""
    keys, signs = signed_edges(triangles)
    _, inverse = np.unique(keys, return_inverse=True)
    return int(np.count_nonzero(np.bincount(inverse.reshape(-1), weights=signs.astype(np.float64))))


def closed_runs(triangles: Ints, face_of_triangle: NDArray[np.int32]) -> NDArray[np.int32]:
    """(faces,) number of the shell of each face, for faces listed shell after shell as a CAD kernel explores them.

    A shell ends at the first face with which everything since the previous shell is closed; this keeps apart solids
    that touch along a common face or edge, which connectivity cannot. Faces that never close form the last shell.
    """
    faces = count_ids(face_of_triangle)
    keys, signs = signed_edges(triangles)
    owner = np.repeat(face_of_triangle.astype(np.int64), 3)
    edges, edge = np.unique(keys, return_inverse=True)
    face_edge, inverse = np.unique(owner * len(edges) + edge.reshape(-1), return_inverse=True)
    weight = np.bincount(inverse.reshape(-1), weights=signs.astype(np.float64)).astype(np.int64)
    border = weight != 0
    shell = np.zeros(faces, dtype=np.int32)
    balance: Counter[int] = Counter()
    current = 0
    split = np.searchsorted(face_edge[border] // len(edges), np.arange(faces + 1))
    ids, values = (face_edge[border] % len(edges)).tolist(), weight[border].tolist()
    for face in range(faces):
        shell[face] = current
        for i in range(split[face], split[face + 1]):
            balance[ids[i]] += values[i]
            if balance[ids[i]] == 0:
                del balance[ids[i]]
        if not balance:
            current += 1
    return shell


def connected_triangles(triangles: Ints, barrier: NDArray[np.bool_] | None = None) -> NDArray[np.int32]:
    """(m,) component of each welded triangle; triangles are neighbours when exactly two share an edge.

    *barrier* (e,) marks pairs from `adjacent_pairs` that must not connect.
    """
    pairs = adjacent_pairs(triangles)[0]
    if barrier is not None:
        pairs = pairs[~barrier]
    count = len(triangles)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)


def adjacent_pairs(triangles: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """(e, 2) triangles that share an edge with exactly one other, and (e,) whether they agree on the outside."""
    keys, signs = signed_edges(triangles)
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    pair = starts[np.diff(np.append(starts, len(keys))) == 2]
    first, second = order[pair], order[pair + 1]
    return np.column_stack([first // 3, second // 3]), signs[first] != signs[second]


def volume(vertices: Floats, triangles: NDArray[np.int32]) -> float:
    """Signed volume in m3 enclosed by closed triangles (divergence theorem), independent of the origin's distance."""
    corners = vertices[triangles] - vertices.mean(axis=0)
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0)


def area_vectors(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(m, 3) normal of each triangle times its area, m2."""
    corners = vertices[triangles]
    return np.asarray(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2.0)
