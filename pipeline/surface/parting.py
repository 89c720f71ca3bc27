"""The plane in which the mould of a cast or forged part parts, and the faces that its line crosses.

Covers: one plane square to the part's z through its widest section. Does not cover: cores, slides, split lines that
follow a shape, the ridge itself (`material.Relief`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Part
from pipeline.surface.axes import Vector

DIRECTIONS = 16
"""Directions square to z in which the widest place is looked for."""
WIDEST = 0.005
"""Points within this share of the part's diameter of the outermost one are as far out."""
OUTSIDE = 0.05
"""A face within this share of the part's diameter of its outline, on average, lies at the outside."""
STEEP = 0.5
"""Sine of the angle between normal and z below which a face is no side of the mould."""
FAR_M = 1.0
"""u and v of faces that the line does not cross: far beyond any ridge."""


@dataclass(frozen=True, eq=False)
class Parting:
    """The parting plane of a part, and its outline as seen along z."""

    height_m: float
    ways: Vector
    """(DIRECTIONS, 2) unit vectors."""
    outline_m: Vector
    """(DIRECTIONS,) how far the part reaches each way."""

    def coordinates(self, part: Part, vertices: NDArray[np.int32]) -> Vector:
        """(n, 2) groove coordinates of the *vertices* of a face: u = metres above the plane, v = 0; else far off."""
        points, normals = part.vertices[vertices], part.normals[vertices].astype(np.float64)
        if not self._on_outline(points, normals, OUTSIDE * part.info.diameter_m):
            return np.full((len(points), 2), FAR_M)
        return np.stack([points[:, 2] - self.height_m, np.zeros(len(points))], axis=1)

    def _on_outline(self, points: Vector, normals: Vector, distance_m: float) -> bool:
        steep = np.hypot(normals[:, 0], normals[:, 1]) > STEEP
        if not steep.any():
            return False
        nearest = np.argmax(normals[steep, :2] @ self.ways.T, axis=1)
        short = self.outline_m[nearest] - (points[steep, :2] * self.ways[nearest]).sum(axis=1)
        return bool(short.mean() < distance_m)


def parting_of(part: Part) -> Parting:
    """The parting plane of *part*: midway up its outermost walls, in the median of all directions."""
    angles = 2.0 * math.pi * np.arange(DIRECTIONS) / DIRECTIONS
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    reach = part.vertices[:, :2] @ ways.T
    outline = reach.max(axis=0)
    heights = part.vertices[:, 2]
    outermost = [heights[far] for far in (reach > outline - WIDEST * part.info.diameter_m).T]
    middles = [0.5 * (some.min() + some.max()) for some in outermost]
    return Parting(float(np.median(middles)), ways, outline)
