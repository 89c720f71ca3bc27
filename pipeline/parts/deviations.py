"""How far each dimension of one copy of a part lies from its nominal size: a draw within a tolerance standard.

Covers: which faces share a dimension, its nominal size, the standard's limits, the draw. Does not cover: moving the
mesh (`variation`).

A face's *offset* is how far it moves along its outward normal. A diameter that deviates by D offsets its face by D / 2
(inwards for a hole that is too large). A length between two planes deviates by the sum of their offsets, so each plane
may take half of the limit.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pipeline.errors import InputError
from pipeline.parts.part import Face, Part
from pipeline.parts.topology import area_vectors, count_ids, rows_by_id, weld
from pipeline.tables import table

Floats = NDArray[np.float64]

SIGMAS: Final = 3.0
"""The limits lie this many standard deviations from the middle, where the normal distribution is cut off."""
SMALLEST_SIZE_M: Final = 0.5e-3
"""ISO 2768-1 starts here; for smaller sizes the limit shrinks in proportion."""
SHARE_OF_WIDTH: Final = 0.25
"""No offset exceeds this share of the width of a face beside it: a small chamfer survives a coarse tolerance."""
SAME_PLACE_M: Final = 1e-6


class ToleranceLike(Protocol):
    """What is needed of a spec's tolerance."""

    @property
    def standard(self) -> str:
        """ "iso2768-f", "-m", "-c", "-v", or "iso286-IT6" to "-IT11"."""

    @property
    def seed(self) -> int:
        """Seed of this copy."""


def limits_m(standard: str, size_m: float) -> tuple[float, float]:
    """(lower, upper) deviation in metres of an outside dimension of nominal *size_m*.

    ISO 2768-1 is symmetric. An ISO 286-1 grade means the basic shaft h: from minus its width to zero (of a hole, H: the
    same with signs exchanged). Sizes beyond the table take its last row. Raises InputError for an unknown standard.
    """
    family, _, grade = standard.partition("-")
    rows = table("tolerances").get(family, {})
    if grade not in rows or grade in ("desc", "source", "up_to_mm"):
        known = [f"{f}-{g}" for f, row in table("tolerances").items() for g in row if isinstance(row[g], list)]
        known = [name for name in known if not name.endswith("up_to_mm")]
        raise InputError(f"unknown tolerance {standard!r}; expected one of {', '.join(known)}")
    index = min(int(np.searchsorted(rows["up_to_mm"], size_m * 1e3)), len(rows["up_to_mm"]) - 1)
    limit = rows[grade][index] * 1e-3 * min(1.0, size_m / SMALLEST_SIZE_M)
    return (-limit, 0.0) if family == "iso286" else (-limit, limit)


def draw_offsets(part: Part, tolerance: ToleranceLike) -> Floats:
    """(faces,) offset of every face along its outward normal, metres; faces of one surface share theirs."""
    dimension = dimensions(part)
    count = count_ids(dimension)
    drawn = truncated_normal(np.random.default_rng(tolerance.seed).random(count))
    widest = SHARE_OF_WIDTH * _room(part, dimension)
    offsets = np.zeros(len(part.info.faces))
    for face in part.info.faces:
        low, high = _offset_limits(part, face, tolerance.standard)
        at = drawn[dimension[face.face_id]]
        offset = (low + high) / 2 + at * (high - low) / 2
        offsets[face.face_id] = np.clip(offset, -widest[face.face_id], widest[face.face_id])
    return offsets


def truncated_normal(uniform: Floats) -> Floats:
    """(n,) numbers in -1..1 from uniform ones in 0..1: a normal distribution of standard deviation 1/3, cut at 1."""
    low = ndtr(-SIGMAS)
    return np.asarray(ndtri(low + uniform * (1 - 2 * low)) / SIGMAS)


def _offset_limits(part: Part, face: Face, standard: str) -> tuple[float, float]:
    """(lower, upper) offset of a face, metres."""
    low, high = limits_m(standard, nominal_size(part, face))
    if face.kind in ("plane", "freeform"):
        half = (high - low) / 4
        return -half, half
    # A hole's H has the opposite sign of a shaft's h, and so has the offset that a deviation of a hole makes:
    # in both cases material is missing, never too much.
    return low / 2, high / 2


def nominal_size(part: Part, face: Face) -> float:
    """The dimension that a face belongs to, metres: its diameter, or the part's size square to it."""
    if face.kind == "torus" and face.minor_radius_m:
        return 2 * face.minor_radius_m
    if face.radius_m and face.kind != "torus":
        return 2 * face.radius_m
    low, high = (np.array(corner) for corner in part.info.bounds_m)
    if face.axis is None:
        return float(np.sqrt(face.area_m2))
    return float(np.abs(np.array(face.axis)) @ (high - low))


def dimensions(part: Part) -> NDArray[np.int64]:
    """(faces,) number of the dimension of each face: faces of one solid that lie on one surface have the same."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(_key(face), len(known)) for face in part.info.faces], dtype=np.int64)


def _key(face: Face) -> Hashable:
    """Equal for faces on one surface; freeform faces are alone."""
    if face.origin is None:
        return face.face_id
    origin = np.array(face.origin)
    sizes = [face.radius_m or 0.0, face.minor_radius_m or 0.0]
    axis = np.zeros(3)
    if face.axis is not None:
        axis = np.array(face.axis)
        if face.kind == "plane":
            origin = axis * (axis @ origin)
        else:
            axis = axis * (np.sign(axis[np.argmax(np.abs(np.round(axis, 6)))]) or 1.0)
        if face.kind == "cylinder":
            origin = origin - axis * (axis @ origin)
        if face.kind == "cone":
            sizes = []
    place = np.round(np.concatenate([origin, sizes]) / SAME_PLACE_M) + 0.0
    return (face.solid_id, face.kind, face.inner, *place.tolist(), *(np.round(axis, 5) + 0.0).tolist())


def _room(part: Part, dimension: NDArray[np.int64]) -> Floats:
    """(faces,) width in metres of the narrowest face beside each face's dimension, itself included."""
    width = _widths(part)
    group = weld(part.vertices)
    owner = np.zeros(len(part.vertices), dtype=np.int64)
    owner[part.triangles] = part.face_of_triangle[:, None]
    narrowest = np.full(count_ids(group), np.inf)
    np.minimum.at(narrowest, group, width[owner])
    room = np.full(count_ids(dimension), np.inf)
    np.minimum.at(room, dimension[owner], narrowest[group])
    return np.asarray(room[dimension])


def _widths(part: Part) -> Floats:
    """(faces,) width of each face: twice its area over the length of its border (a strip's is its width)."""
    corners = part.triangles.astype(np.int64)
    edges = np.stack([corners, np.roll(corners, -1, axis=1)], axis=-1).reshape(-1, 2)
    length = np.linalg.norm(part.vertices[edges[:, 0]] - part.vertices[edges[:, 1]], axis=1)
    count = count_ids(corners)
    _, first, uses = np.unique(edges.min(axis=1) * count + edges.max(axis=1), return_index=True, return_counts=True)
    border = first[uses == 1]
    faces = len(part.info.faces)
    face = np.repeat(part.face_of_triangle, 3)[border]
    around = np.bincount(face, length[border], minlength=faces)
    area = np.bincount(
        part.face_of_triangle, np.linalg.norm(area_vectors(part.vertices, part.triangles), axis=1), minlength=faces
    )
    return np.asarray(2 * area / np.maximum(around, 1e-12))


def mean_by_face(part: Part, values: NDArray[Any]) -> Floats:
    """(faces,) mean over each face's vertices of (n,) *values*."""
    owner = np.zeros(len(part.vertices), dtype=np.int64)
    owner[part.triangles] = part.face_of_triangle[:, None]
    rows = rows_by_id(owner, len(part.info.faces))
    return np.array([float(values[r].mean()) if len(r) else 0.0 for r in rows])
