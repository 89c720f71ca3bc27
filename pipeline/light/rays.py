"""Casting rays at a room: what a direction shows, and how much of a lamp the table sees.

Covers: first hits on lamps and pieces together, irradiance with what stands in the way. Does not cover: bounces
(Cycles does). The ray caster is Embree, as for the full silhouettes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.light.glow import patches
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.photometry import form_factor, luminance
from pipeline.light.shapes import Mesh, Vector

PATCHES_ACROSS: Final = 20
"""A lamp is looked at in patches no longer than its longest edge over this."""

_ORIGIN: Final = (0.0, 0.0, 0.0)
_UP: Final = (0.0, 0.0, 1.0)


class Caster:
    """Rays against a set of meshes."""

    def __init__(self, things: Sequence[LampMesh | SurroundingMesh]) -> None:
        import trimesh  # imported here: planning a build loads no mesh library

        starts = np.cumsum([0, *(len(thing.vertices) for thing in things)])
        vertices = np.concatenate([thing.vertices for thing in things])
        triangles = np.concatenate([thing.triangles + start for thing, start in zip(things, starts, strict=False)])
        self.owner: NDArray[np.int64] = np.repeat(np.arange(len(things)), [len(thing.triangles) for thing in things])
        """(t,) which thing each triangle belongs to."""
        self.corners: Vector = vertices[triangles]
        normals = np.cross(self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0])
        self.normals: Vector = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        """(t, 3) unit, to the front."""
        self._mesh: Any = trimesh.Trimesh(vertices, triangles, process=False)

    def first(self, start: Vector, directions: Vector) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(triangle, distance) that rays from *start* (3,) along unit *directions* (n, 3) meet first.

        Triangle -1 and distance 0 where they meet nothing.
        """
        origins = np.broadcast_to(start, directions.shape)
        hit = np.asarray(self._mesh.ray.intersects_first(origins, directions), dtype=np.int64)
        height = ((self.corners[hit, 0] - start) * self.normals[hit]).sum(axis=1)
        slope = (directions * self.normals[hit]).sum(axis=1)
        away = height / np.where(np.abs(slope) > 1e-12, slope, 1.0)
        return hit, np.where(hit >= 0, away, 0.0)


def visible_irradiance(lamps: Sequence[LampMesh], pieces: Sequence[SurroundingMesh]) -> float:
    """Luminance-weighted irradiance that evenly glowing *lamps* give the table, with *pieces* in the way.

    The receiver lies at the origin and looks up. Exact form factors, each times the share of the lamp that a ray to
    the middle of each of its patches reaches.
    """
    caster = Caster([*lamps, *pieces])
    total = 0.0
    for number, lamp in enumerate(lamps):
        factor = form_factor(lamp.vertices, lamp.triangles, _ORIGIN, _UP)
        if factor > 0.0:
            total += luminance(lamp.material.radiance) * factor * _seen_share(lamp, number, caster)
    return total


def _seen_share(lamp: LampMesh, number: int, caster: Caster) -> float:
    corners = lamp.vertices[lamp.triangles]
    longest = float(np.max(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)))
    mesh = patches(Mesh(lamp.vertices, lamp.triangles), longest / PATCHES_ACROSS)
    corners = mesh.vertices[mesh.triangles]
    middles = corners.mean(axis=1)
    areas = 0.5 * np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    squared = (middles**2).sum(axis=1)
    weights = np.clip(-(areas * middles).sum(axis=1), 0.0, None) * np.clip(middles[:, 2], 0.0, None) / squared**2
    hit, _ = caster.first(np.zeros(3), middles / np.sqrt(squared)[:, None])
    seen = (hit >= 0) & (caster.owner[hit] == number)
    return float((weights * seen).sum() / max(float(weights.sum()), 1e-30))
