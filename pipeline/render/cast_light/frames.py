"""Points on triangles: where they are, their shading normal, and the frame in which metal mirrors.

Covers: interpolation over triangles, the groove direction as `blender.groove_frame` makes it. Does not cover: which
points are looked at (`photons`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.render.cast_light.stage import Floats, Ints, Triangles, dot, length_of
from pipeline.surface.material import ARC_PASS


@dataclass(frozen=True, eq=False)
class Surface:
    """n points of triangles."""

    triangle: Ints
    """(n,)."""
    weights: Floats
    """(n, 3) of the triangles' corners."""
    point: Floats
    """(n, 3) metres, world."""
    normal: Floats
    """(n, 3) unit shading normal."""

    def chosen(self, which: Ints) -> Surface:
        """Some of the points."""
        return Surface(self.triangle[which], self.weights[which], self.point[which], self.normal[which])


def points_on(triangles: Triangles, triangle: Ints, weights: Floats) -> Floats:
    """World points (n, 3) of *triangle* (n,) by the *weights* (n, 2) of its first two corners."""
    return _interpolated(triangles.vertices, triangles.corners[triangle], _three(weights))


def surface_at(triangles: Triangles, triangle: Ints, weights: Floats) -> Surface:
    """The points of *triangle* (n,) by the *weights* (n, 2) of its first two corners, with their shading normals."""
    three, corners = _three(weights), triangles.corners[triangle]
    normal = _interpolated(triangles.normals, corners, three)
    length = length_of(normal)
    flat = np.flatnonzero(length < 1e-6)
    normal[flat], length[flat] = triangles.facing[triangle[flat]], 1.0
    normal /= length[:, None]
    return Surface(triangle, three, _interpolated(triangles.vertices, corners, three), normal)


def frames_at(triangles: Triangles, surface: Surface, arc_radius: Floats) -> Floats:
    """Frames (n, 3, 3) whose rows are across the lay, along it and the normal, unit vectors of the world.

    *arc_radius* (n,): metres of the cutter's path where tool marks are arcs, which turn the frame; 0 elsewhere. Any
    frame about the normal where there is no lay.
    """
    corners = triangles.corners[surface.triangle]
    lay, axis, origin, groove = (
        _interpolated(triangles.attributes[name], corners, surface.weights)
        for name in ("lay", "lay_axis", "lay_origin", "groove")
    )
    along = lay + _unit(np.cross(axis, surface.point - origin))
    along -= dot(along, surface.normal)[:, None] * surface.normal
    lost = length_of(along) < 1e-6
    if bool(lost.any()):
        along[lost] = _aside(surface.normal[lost])
    along = _unit(along)
    across = np.cross(surface.normal, along)
    bent = arc_radius > 0.0
    if bool(bent.any()):
        lane = groove[:, 1] / (ARC_PASS * np.where(bent, arc_radius, 1.0)) + 0.5
        sine = np.where(bent, (lane - np.floor(lane) - 0.5) * ARC_PASS, 0.0)[:, None]
        cosine = np.sqrt(1.0 - sine**2)
        along, across = along * cosine - across * sine, across * cosine + along * sine
    return np.stack([across, along, surface.normal], axis=1)


def _three(weights: Floats) -> Floats:
    return np.stack([weights[:, 0], weights[:, 1], 1.0 - weights[:, 0] - weights[:, 1]], axis=1)


def _interpolated(values: Floats, corners: Ints, weights: Floats) -> Floats:
    result: Floats = np.einsum("nci,nc->ni", values[corners], weights)
    return result


def _unit(vectors: Floats) -> Floats:
    length: Floats = np.maximum(length_of(vectors), np.float32(1e-30))
    return vectors / length[:, None]


def _aside(normal: Floats) -> Floats:
    """Some direction (n, 3) square to *normal*."""
    steep = np.abs(normal[:, :1]) > 0.9
    return np.cross(normal, np.where(steep, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]))
