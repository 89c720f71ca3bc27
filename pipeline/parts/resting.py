"""Resting poses: how a part lies on a table when it is dropped.

Covers: the quasi-static toppling model of Goldberg, Mirtich, Zhuang, Craig, Carlisle and Canny, "Part Pose Statistics:
Estimators and Experiments", IEEE Trans. Robotics and Automation 15 (1999): a part dropped in a random orientation lands
on a facet of its convex hull with the probability of the solid angle under which its centre of mass sees the facet, and
then topples over edges, always losing height, until its centre of mass is above the facet. Does not cover: bouncing,
rolling on, friction, neighbours (`pipeline.arrange`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull

from pipeline.parts.part import RestingPose, Symmetries
from pipeline.parts.topology import extent

Floats = NDArray[np.float64]

COVERAGE: Final = 0.99
"""Least probable poses are dropped as long as the rest has this probability."""
MOST_POSES: Final = 24
SAME_DIRECTION: Final = math.radians(1.0)
COARSER: Final = tuple(math.radians(a) for a in (5.0, 10.0, 15.0, 20.0, 30.0, 45.0))
"""When there are more than MOST_POSES, poses nearer than the first of these angles that helps are joined: a tessellated
round flank has a facet, and so a pose, for every few degrees."""
_COPLANAR: Final = 1e-6


@dataclass(frozen=True, eq=False)
class _Facets:
    """Flat regions of a convex hull."""

    normal: Floats
    """(f, 3) outward."""
    height: Floats
    """(f,) distance of the centre of mass from the facet's plane."""
    probability: Floats
    """(f,) of landing on the facet first."""
    successor: NDArray[np.int64]
    """(f,) facet that the part topples to; itself where it is stable."""


def resting_poses(vertices: Floats, triangles: NDArray[np.int32], symmetries: Symmetries) -> tuple[RestingPose, ...]:
    """Stable poses of a part of uniform density, most probable first.

    *vertices* (n, 3) metres, *triangles* (m, 3). Poses that differ only by a turn about the vertical, or by one of the
    part's own *symmetries*, are one. At least 0.99 of the probability is kept, in at most 24 poses, and scaled to 1.
    """
    hull = ConvexHull(vertices)
    facets = _facets(hull, _centre_of_mass(vertices, triangles, hull))
    down, probability = _settled(facets)
    down, probability = _joined(down, probability, SAME_DIRECTION, symmetries)
    for angle in COARSER:
        if _enough(probability) <= MOST_POSES:
            break
        down, probability = _joined(down, probability, angle, symmetries)
    count = min(_enough(probability), MOST_POSES)
    share = probability[:count] / probability[:count].sum()
    points = vertices[hull.vertices]
    return tuple(
        RestingPose(tuple(_pose(points, d).reshape(-1).tolist()), float(p)) for d, p in zip(down, share, strict=False)
    )


def _centre_of_mass(vertices: Floats, triangles: NDArray[np.int32], hull: ConvexHull) -> Floats:
    """Centre of the enclosed volume; of the hull's points where the surface does not enclose one properly."""
    middle = vertices[hull.vertices].mean(axis=0)
    corners = vertices[triangles] - middle
    six_volumes = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    total = float(six_volumes.sum())
    if total <= 1e-9 * hull.volume:
        return np.asarray(middle)
    centre = middle + (six_volumes[:, None] * corners.sum(axis=1)).sum(axis=0) / (4.0 * total)
    inside = np.all(hull.equations[:, :3] @ centre + hull.equations[:, 3] < 0)
    return np.asarray(centre if inside else middle)


def _facets(hull: ConvexHull, centre: Floats) -> _Facets:
    """Join coplanar hull triangles, and see which way each facet topples."""
    size = extent(hull.points[hull.vertices])
    normals, neighbors = hull.equations[:, :3], hull.neighbors
    rows = np.repeat(np.arange(len(normals)), 3)
    columns = neighbors.reshape(-1)
    same = np.einsum("ij,ij->i", normals[rows], normals[columns]) > 1 - _COPLANAR
    same &= np.abs(hull.equations[rows, 3] - hull.equations[columns, 3]) < _COPLANAR * size * 10
    graph = coo_matrix((np.ones(int(same.sum())), (rows[same], columns[same])), shape=(len(normals),) * 2)
    count, label = connected_components(graph, directed=False)
    corners = hull.points[hull.simplices]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    normal = np.stack([np.bincount(label, area * normals[:, i], count) for i in range(3)], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-30)[:, None]
    height = np.zeros(count)
    np.maximum.at(height, label, -(hull.equations[:, :3] @ centre + hull.equations[:, 3]))
    probability = np.bincount(label, _solid_angles(corners - centre), count)
    successor = _successors(hull, label, normal, height, centre, 1e-9 * size)
    return _Facets(normal, height, probability / probability.sum(), successor)


def _solid_angles(corners: Floats) -> Floats:
    """(m,) solid angle of (m, 3, 3) triangles seen from the origin (Van Oosterom and Strackee 1983)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    triple = np.abs(np.einsum("ij,ij->i", a, np.cross(b, c)))
    below = la * lb * lc + np.einsum("ij,ij->i", a, b) * lc
    below += np.einsum("ij,ij->i", a, c) * lb + np.einsum("ij,ij->i", b, c) * la
    return np.asarray(2.0 * np.arctan2(triple, below))


def _successors(
    hull: ConvexHull, label: NDArray[np.int32], normal: Floats, height: Floats, centre: Floats, slack: float
) -> NDArray[np.int64]:
    """For every facet the neighbour beyond the border edge that the centre of mass overhangs most, or itself."""
    successor = np.arange(len(normal), dtype=np.int64)
    overhang = np.full(len(normal), slack)
    for corner in range(3):
        other = label[hull.neighbors[:, corner]]
        rows = np.flatnonzero(other != label)
        ends = np.delete(hull.simplices[rows], corner, axis=1)
        start, stop = hull.points[ends[:, 0]], hull.points[ends[:, 1]]
        opposite = hull.points[hull.simplices[rows, corner]]
        outward = np.cross(stop - start, normal[label[rows]])
        outward *= np.sign(np.einsum("ij,ij->i", outward, start - opposite))[:, None]
        outward /= np.maximum(np.linalg.norm(outward, axis=1), 1e-30)[:, None]
        over = np.einsum("ij,ij->i", outward, centre - start)
        for facet, target, amount in zip(label[rows].tolist(), other[rows].tolist(), over.tolist(), strict=True):
            if amount > overhang[facet] and height[target] < height[facet]:
                overhang[facet], successor[facet] = amount, target
    return successor


def _settled(facets: _Facets) -> tuple[Floats, Floats]:
    """Pass every facet's probability on, from the highest facet down; the stable ones keep it."""
    probability = facets.probability.copy()
    for facet in np.argsort(-facets.height, kind="stable").tolist():
        target = int(facets.successor[facet])
        if target != facet:
            probability[target] += probability[facet]
            probability[facet] = 0.0
    stable = probability > 0
    return _sorted(facets.normal[stable], probability[stable])


def _sorted(down: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """Most probable first; equal ones by direction, so that the order does not hang on the hull's."""
    keys = np.round(down, 6) + 0.0
    order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0], -np.round(probability, 9)))
    return down[order], probability[order]


def _joined(down: Floats, probability: Floats, angle: float, symmetries: Symmetries) -> tuple[Floats, Floats]:
    """Add the probability of every pose to the most probable one that is the same within *angle*."""
    turns = np.stack([np.eye(3)] + [np.array(m).reshape(4, 4)[:3, :3] for m in symmetries.discrete])
    axes = np.array([axis for axis, _ in symmetries.continuous]).reshape(-1, 3)
    images = np.zeros((len(down), len(turns), 3))
    kept: list[int] = []
    total = np.zeros(len(down))
    for i in range(len(down)):
        match = _first_match(images[: len(kept)], down[i], axes, angle)
        if match is None:
            images[len(kept)] = turns @ down[i]
            match = len(kept)
            kept.append(i)
        total[kept[match]] += probability[i]
    return _sorted(down[kept], total[kept])


def _first_match(images: Floats, direction: Floats, axes: Floats, angle: float) -> int | None:
    """First of the (k, t, 3) *images* that is *direction* within *angle*, or would be after a turn about an axis."""
    if len(axes) > 1 and len(images):  # a ball: two axes give every rotation
        return 0
    same = np.any(images @ direction >= math.cos(angle), axis=1)
    for axis in axes:
        tilts = np.arccos(np.clip(images @ axis, -1.0, 1.0))
        same |= np.any(np.abs(tilts - math.acos(np.clip(direction @ axis, -1.0, 1.0))) <= angle, axis=1)
    found = np.flatnonzero(same)
    return int(found[0]) if len(found) else None


def _enough(probability: Floats) -> int:
    """Number of leading poses whose probability reaches COVERAGE of the whole."""
    return int(np.searchsorted(np.cumsum(probability), COVERAGE * float(probability.sum()) - 1e-12)) + 1


def _pose(points: Floats, down: Floats) -> Floats:
    """4x4 pose that turns *down* to -z by the shortest way, lifts the lowest point to z = 0 and centres x and y."""
    goal = np.array([0.0, 0.0, -1.0])
    cross, cosine = np.cross(down, goal), float(down @ goal)
    if cosine < -1 + 1e-12:
        turn = np.diag([1.0, -1.0, -1.0])
    else:
        skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
        turn = np.eye(3) + skew + skew @ skew / (1.0 + cosine)
    turned = points @ turn.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    pose = np.eye(4)
    pose[:3, :3] = turn
    pose[:3, 3] = [-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]]
    return pose
