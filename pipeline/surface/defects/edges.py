"""Edges between CAD faces: where a burr stands and a chip breaks out.

Covers: chains of mesh edges that two faces share, their angle and direction. Does not cover: what is made there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Part
from pipeline.parts.topology import weld

Vector = NDArray[np.float64]

SHARP: Final = 0.5
"""Sine of the smallest angle between the normals of two faces whose edge counts as sharp: 30 degrees."""


@dataclass(frozen=True, eq=False)
class Edge:
    """A chain of points along which two faces meet."""

    faces: tuple[int, int]
    points: Vector
    """(k, 3) metres, in order; the first is repeated at the end when the chain is closed."""
    normals: tuple[Vector, Vector]
    """Two (k, 3) arrays: unit outward normals of either face at the points."""
    solid: int

    @property
    def length_m(self) -> float:
        """Metres along the chain."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())


def convex_edges(part: Part) -> list[Edge]:
    """The sharp, convex edges of *part*, in an order that depends on it alone."""
    ids = weld(part.vertices)
    segments: dict[tuple[int, int], list[tuple[int, int, int, int, int]]] = defaultdict(list)
    here, there = face_borders(part, ids)
    rows, face = part.triangles, part.face_of_triangle
    for one, other in zip(here, there, strict=True):
        t, t2 = int(one) // 3, int(other) // 3
        if face[t] >= face[t2] or min(face[t], face[t2]) < 0:
            continue
        edge = int(rows[t][one % 3]), int(rows[t][(one + 1) % 3])
        twin = int(rows[t2][(other + 1) % 3]), int(rows[t2][other % 3])
        if _is_convex(part, t2, edge, twin):
            segments[int(face[t]), int(face[t2])].append((*edge, *twin, t))
    edges: list[Edge] = []
    for faces in sorted(segments):
        edges += _chains(part, faces, segments[faces], ids)
    return edges


def face_borders(part: Part, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Directed mesh edges between different faces and their twins, each (k,); edge i of triangle t is number 3 t + i.

    *ids* are the vertices' groups from `weld`.
    """
    start = ids[part.triangles].reshape(-1)
    end = ids[np.roll(part.triangles, -1, axis=1)].reshape(-1)
    size = int(np.max(ids)) + 1
    key, twin = start * size + end, end * size + start
    order = np.argsort(key, kind="stable")
    at = np.minimum(np.searchsorted(key[order], twin), len(key) - 1)
    other = order[at]
    face = np.repeat(part.face_of_triangle, 3)
    border = np.flatnonzero((key[other] == twin) & (face != face[other]))
    return border, other[border]


def _is_convex(part: Part, t2: int, edge: tuple[int, int], twin: tuple[int, int]) -> bool:
    """Whether two triangles meet in a sharp ridge: the second, *t2*, lies below the plane of the first."""
    n1, n2 = part.normals[edge[0]].astype(np.float64), part.normals[twin[0]].astype(np.float64)
    if np.linalg.norm(np.cross(n1, n2)) < SHARP:
        return False
    middle = part.vertices[part.triangles[t2]].mean(axis=0) - part.vertices[edge[0]]
    return bool(middle @ n1 < 0.0)


def _chains(
    part: Part, faces: tuple[int, int], segments: list[tuple[int, int, int, int, int]], ids: NDArray[np.int64]
) -> list[Edge]:
    """Join segments (a, b of the first face, a, b of the second, triangle) into chains of points."""
    after = {int(ids[s[0]]): s for s in segments}
    before = {int(ids[s[1]]) for s in segments}
    starts = [start for start in after if start not in before] or sorted(after)[:1]
    edges, left = [], set(after)
    while left:
        at = next((start for start in starts if start in left), min(left))
        run = []
        while at in left:
            left.remove(at)
            run.append(after[at])
            at = int(ids[after[at][1]])
        order = [run[0][0], *(s[1] for s in run)]
        twins = [run[0][2], *(s[3] for s in run)]
        normals = (part.normals[order].astype(np.float64), part.normals[twins].astype(np.float64))
        edges.append(Edge(faces, part.vertices[order], normals, int(part.solid_of_triangle[run[0][4]])))
    return edges


def stretch(edge: Edge, length_m: float, share: float, step_m: float) -> tuple[Vector, Vector, Vector]:
    """Points (k, 3) every *step_m* of a stretch of *edge*, with both faces' unit normals there.

    *share* (0..1) says where it starts among the places that are possible; a closed edge has room all around.
    """
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(edge.points, axis=0), axis=1))])
    total = along[-1]
    length = min(length_m, 0.94 * total)
    start = 0.03 * total + share * (0.94 * total - length)
    at = start + np.linspace(0.0, length, max(int(length / step_m), 8) + 1)

    def along_edge(values: Vector) -> Vector:
        return np.stack([np.interp(at, along, values[:, axis]) for axis in range(3)], axis=1)

    first, second = (along_edge(normals) for normals in edge.normals)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return along_edge(edge.points), first, second


def choose(edges: list[Edge], quantile: float) -> Edge:
    """The edge at *quantile* (0..1) of the edges' common length."""
    ends = np.cumsum([edge.length_m for edge in edges])
    return edges[min(int(np.searchsorted(ends, quantile * ends[-1], side="right")), len(edges) - 1)]
