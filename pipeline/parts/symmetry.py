"""Rigid motions that map a part onto itself, in the form of the BOP benchmark.

Covers: continuous axes and discrete rotations, found among likely candidates and each proven by moving surface samples
onto the part. Does not cover: mirror images (no rigid motion) and near symmetries: what moves the surface by more than
0.1 % of the diameter is none.

All motions of a bounded part that map it onto itself share a fixed point, the centre of its surface, so candidates are
directions only: of the faces' axes and normals, of the principal axes, and, for half turns, from an axis to the faces
around it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.parts.part import Face, Symmetries
from pipeline.parts.topology import area_vectors, count_ids

Floats = NDArray[np.float64]

PLANE_DISTANCE: Final = 1e-3
"""Largest distance of a moved sample from the surface, as a share of the diameter."""
MESH_PLANE_DISTANCE: Final = 3e-3
"""The same for meshes, whose round faces are facetted."""
NORMAL_COSINE: Final = 0.8
"""Least agreement of a moved sample's normal with the surface's."""
CONTINUOUS_ANGLES: Final = (0.0713, 0.7548, 2.3999, 4.1231)
"""Turns that no regular n-fold part with n up to 64 survives, radians."""
LARGEST_FOLD: Final = 64
MOST_DIRECTIONS: Final = 16
MOST_MOTIONS: Final = 256
_NEIGHBORS: Final = 8


@dataclass(frozen=True, eq=False)
class _Samples:
    """Points of the surface with normals and faces."""

    points: Floats
    normals: Floats
    face: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Shape:
    """What candidates are tested against; points are relative to the centre of the surface."""

    tree: cKDTree
    dense: _Samples
    probe: _Samples
    few: _Samples
    plane_distance: float
    reach: float


def find_symmetries(
    vertices: Floats,
    triangles: NDArray[np.int32],
    face_of_triangle: NDArray[np.int32],
    faces: Sequence[Face],
    diameter: float,
    tolerance_m: float,
) -> Symmetries:
    """Symmetries of a part given by (n, 3) vertices in metres, (m, 3) triangles and its faces.

    *tolerance_m* is the chord error of the mesh (0 for mesh files).
    """
    areas = area_vectors(vertices, triangles)
    weight = np.linalg.norm(areas, axis=1)
    centre = weight @ vertices[triangles].mean(axis=1) / weight.sum()
    corners = vertices[triangles] - centre
    shape = _shape(corners, areas, face_of_triangle.astype(np.int64), diameter, tolerance_m)
    directions = _directions(corners, weight, faces, face_of_triangle)
    round_axes = [d for d in directions if all(_maps(shape, _turn(d, a)) for a in CONTINUOUS_ANGLES)]
    if round_axes:
        flips = [] if len(round_axes) > 1 else _first_flip(shape, round_axes[0])
        return Symmetries(_matrices(flips, centre), tuple((_vector(d), _vector(centre)) for d in round_axes))
    turns: list[Floats] = []
    folds = _folds(faces)
    for direction in directions:
        n = next((n for n in folds if _maps(shape, _turn(direction, 2 * math.pi / n))), 1)
        if n > 1:
            turns.append(_turn(direction, 2 * math.pi / n))
    for axis in [_axis_of(t) for t in turns[:3]] or directions[:3]:
        turns += [f for f in _flips(shape, axis, corners, weight, face_of_triangle) if not _contains(turns, f)][:1]
    return Symmetries(_matrices(_group(turns), centre), ())


def _shape(corners: Floats, areas: Floats, face: NDArray[np.int64], diameter: float, tolerance_m: float) -> _Shape:
    generator = np.random.default_rng(20260101)  # fixed: the same part has the same symmetries
    faces = count_ids(face)
    dense = _sample(corners, areas, face, 80_000, max(20, min(300, 60_000 // faces)), generator)
    probe = _sample(corners, areas, face, 1_500, max(2, min(8, 3_000 // faces)), generator)
    chosen = generator.permutation(len(probe.points))[:200]
    few = _Samples(probe.points[chosen], probe.normals[chosen], probe.face[chosen])
    total = float(np.linalg.norm(areas, axis=1).sum())
    relative = PLANE_DISTANCE if tolerance_m > 0 else MESH_PLANE_DISTANCE
    return _Shape(
        tree=cKDTree(dense.points),
        dense=dense,
        probe=probe,
        few=few,
        plane_distance=max(relative * diameter, 2 * tolerance_m),
        reach=8 * math.sqrt(total / 80_000),
    )


def _sample(
    corners: Floats, areas: Floats, face: NDArray[np.int64], count: int, least: int, generator: np.random.Generator
) -> _Samples:
    """About *count* points spread by area, and at least *least* on every face."""
    weight = np.linalg.norm(areas, axis=1)
    face_area = np.bincount(face, weight)
    wanted = np.maximum(face_area / weight.sum() * count, np.where(face_area > 0, least, 0))
    per_triangle = weight / np.maximum(face_area[face], 1e-300) * wanted[face]
    cumulative = np.cumsum(per_triangle)
    ticks = np.arange(int(cumulative[-1])) + generator.random()
    rows = np.minimum(np.searchsorted(cumulative, ticks), len(weight) - 1)
    u, v = generator.random((2, len(rows)))
    fold = u + v > 1
    u, v = np.where(fold, 1 - u, u), np.where(fold, 1 - v, v)
    a, b, c = corners[rows, 0], corners[rows, 1], corners[rows, 2]
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return _Samples(points, areas[rows] / np.maximum(weight[rows], 1e-300)[:, None], face[rows])


def _maps(shape: _Shape, turn: Floats) -> bool:
    """Whether *turn* about the centre moves the surface onto itself; a few samples refuse most candidates at once."""
    if float(_on_surface(shape, shape.few, turn).mean()) < 0.9:
        return False
    good = _on_surface(shape, shape.probe, turn)
    if float(good.mean()) < 0.98:
        return False
    total = np.bincount(shape.probe.face)
    share = np.bincount(shape.probe.face, good) / np.maximum(total, 1)
    return bool(np.all(share[total >= 2] >= 0.5))


def _on_surface(shape: _Shape, samples: _Samples, turn: Floats) -> NDArray[np.bool_]:
    """Which moved samples find a near surface sample in whose tangent plane they lie, facing the same way."""
    points, normals = samples.points @ turn.T, samples.normals @ turn.T
    distance, near = shape.tree.query(points, k=_NEIGHBORS)
    offset = points[:, None, :] - shape.dense.points[near]
    surface_normal = shape.dense.normals[near]
    good = np.abs(np.einsum("ijk,ijk->ij", offset, surface_normal)) < shape.plane_distance
    good &= np.einsum("ijk,ik->ij", surface_normal, normals) > NORMAL_COSINE
    good &= distance < shape.reach
    return np.asarray(good.any(axis=1))


def _directions(
    corners: Floats, weight: Floats, faces: Sequence[Face], face_of_triangle: NDArray[np.int32]
) -> list[Floats]:
    """Distinct unit directions to try, those of the largest faces first, then the principal axes."""
    by_line: list[tuple[Floats, float]] = []
    for face in sorted(faces, key=lambda f: (f.kind == "plane", -f.area_m2, f.face_id)):
        if face.axis is not None:
            _add_line(by_line, np.array(face.axis), face.area_m2)
    by_line.sort(key=lambda entry: -entry[1])
    lines = by_line[:MOST_DIRECTIONS]
    middle = corners.mean(axis=1)
    _, principal = np.linalg.eigh((middle * weight[:, None]).T @ middle)
    for axis in principal.T:
        _add_line(lines, axis, 0.0)
    return [line for line, _ in lines]


def _add_line(lines: list[tuple[Floats, float]], direction: Floats, area: float) -> None:
    """Add *area* to the line of the same direction (either sense, within half a degree), or a new line."""
    for i, (line, sum_of_area) in enumerate(lines):
        if abs(float(line @ direction)) > math.cos(math.radians(0.5)):
            lines[i] = (line, sum_of_area + area)
            return
    largest = int(np.argmax(np.abs(np.round(direction, 6))))
    lines.append((direction * (1.0 if direction[largest] >= 0 else -1.0), area))


def _folds(faces: Sequence[Face]) -> list[int]:
    """Orders of rotation to try, largest first: 2 to 12, and what the numbers of equal faces suggest."""
    size = sum(f.area_m2 for f in faces)
    alike = Counter((f.kind, round(math.log(max(f.area_m2 / size, 1e-12)) * 50)) for f in faces)
    counts = {n for n in alike.values() if n > 1}
    hinted = {n for n in range(13, LARGEST_FOLD + 1) if any(count % n == 0 for count in counts)}
    return sorted(hinted | set(range(2, 13)), reverse=True)


def _first_flip(shape: _Shape, axis: Floats) -> list[Floats]:
    flip = _turn(_perpendicular(axis), math.pi)
    return [flip] if _maps(shape, flip) else []


def _flips(
    shape: _Shape, axis: Floats, corners: Floats, weight: Floats, face_of_triangle: NDArray[np.int32]
) -> Iterable[Floats]:
    """Half turns about lines across *axis*: towards the faces around it and halfway between two of them."""
    middle = corners.mean(axis=1)
    area = np.bincount(face_of_triangle, weight)
    centres = np.stack([np.bincount(face_of_triangle, weight * middle[:, i]) for i in range(3)], axis=1)
    centres = centres[area > 0] / area[area > 0][:, None]
    across = centres - np.outer(centres @ axis, axis)
    length = np.linalg.norm(across, axis=1)
    across = across[length > 0.02 * float(np.max(np.linalg.norm(middle, axis=1)))]
    x = _perpendicular(axis)
    y = np.cross(axis, x)
    angles = np.unique(np.round(np.arctan2(across @ y, across @ x) % math.pi, 3))[:24]
    halves = (angles[:12, None] + angles[None, :12]).reshape(-1) / 2
    tried: list[float] = []
    for angle in [*angles.tolist(), *halves.tolist(), *(halves + math.pi / 2).tolist()]:
        if any(abs(math.remainder(angle - t, math.pi)) < 5e-3 for t in tried) or len(tried) >= 40:
            continue
        tried.append(angle)
        flip = _turn(math.cos(angle) * x + math.sin(angle) * y, math.pi)
        if _maps(shape, flip):
            yield flip


def _group(turns: Sequence[Floats]) -> list[Floats]:
    """All products of *turns*, identity left out."""
    elements = [np.eye(3)]
    frontier = list(elements)
    while frontier and len(elements) < MOST_MOTIONS:
        grown = []
        for element in frontier:
            for turn in turns:
                product = turn @ element
                if not _contains(elements, product) and len(elements) < MOST_MOTIONS:
                    elements.append(product)
                    grown.append(product)
        frontier = grown
    return elements[1:]


def _contains(turns: Sequence[Floats], turn: Floats) -> bool:
    return bool(turns) and bool(np.any(np.abs(np.stack(turns) - turn).max(axis=(1, 2)) < 1e-2))


def _matrices(turns: Sequence[Floats], centre: Floats) -> tuple[tuple[float, ...], ...]:
    """4x4 row-major motions that turn about *centre*."""
    result = []
    for turn in turns:
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        matrix[:3, 3] = centre - turn @ centre
        result.append(tuple((matrix.reshape(-1) + 0.0).tolist()))
    return tuple(result)


def _turn(axis: Floats, angle: float) -> Floats:
    """Rotation by *angle* about a unit *axis* (Rodrigues)."""
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * skew + (1 - math.cos(angle)) * (skew @ skew))


def _axis_of(turn: Floats) -> Floats:
    values, vectors = np.linalg.eig(turn)
    axis = np.real(vectors[:, int(np.argmin(np.abs(values - 1)))])
    return np.asarray(axis / np.linalg.norm(axis))


def _perpendicular(axis: Floats) -> Floats:
    other = np.eye(3)[int(np.argmin(np.abs(axis)))]
    across = np.cross(axis, other)
    return np.asarray(across / np.linalg.norm(across))


def _vector(values: Floats) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
