"""Domes and rings: lamps that are surfaces of revolution around the arrangement.

Covers: a dome in bands with a fall-off and a hole for each camera, a ring in four sectors. Does not cover: lamps with
flat faces (`rigs`), calibration (`illuminate`).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import housing, lamp
from pipeline.light.shapes import Mesh, facing_away, moved, revolved, turned
from pipeline.light.sight import View

Point = tuple[float, float, float]
Built = tuple[tuple[LampMesh, ...], tuple[tuple[str, SurroundingMesh], ...]]

DOME_BANDS: Final = 8
DOME_RIM_RAD: Final = math.radians(3.0)
"""Elevation of the dome's lower rim: it hangs a little above the table."""
DOME_SEGMENTS: Final = 96
ZENITH_FROM_RAD: Final = math.radians(45.0)
"""Bands whose middle is above this elevation belong to the upper light group."""
HOLE_M: Final = 0.012
"""Clear margin around a camera's frame in the dome: the hole of a real dome is 15 to 40 mm wide."""
SHELL: Final = 1.04
"""Radius of the dome's outer shell over that of its glowing inside."""
HOLE_REFINEMENTS: Final = 3
"""How often triangles at the edge of a hole are split in four."""
SECTOR_GAP_RAD: Final = math.radians(3.0)


def dome(groups: tuple[str, ...], radius: float, falloff: float, aim: Point, views: tuple[View, ...]) -> Built:
    """A dome about *aim*: bands that face inwards, darker by *falloff* at the rim than at the zenith.

    When all cameras stand outside, the dome grows (up to twice) until the nearest is just outside, so that the holes
    stay small. groups: (upper, lower).
    """
    nearest = min((float(np.linalg.norm(view.position - np.array(aim))) for view in views), default=radius)
    radius = max(radius, min(0.95 * nearest, 2.0 * radius))
    lamps = []
    edges = np.linspace(DOME_RIM_RAD, math.pi / 2, DOME_BANDS + 1)
    for i in range(DOME_BANDS):
        low, high = float(edges[i]), float(edges[i + 1])
        middle = 0.5 * (low + high)
        group = groups[0] if middle > ZENITH_FROM_RAD else groups[1]
        radiance = 1.0 - falloff * (1.0 - math.sin(middle))
        mesh = with_holes(moved(_zone(radius, low, high), (aim[0], aim[1], 0.0)), views)
        lamps.append(lamp(f"dome_band_{i}", "dome", group, mesh, (radiance,) * 3))
    shell = facing_away(_zone(SHELL * radius, DOME_RIM_RAD, math.pi / 2, rows=4 * DOME_BANDS))
    outside = housing(with_holes(moved(shell, (aim[0], aim[1], 0.0)), views))
    return tuple(lamps), ((lamps[0].light_id, outside),)


def _zone(radius: float, low: float, high: float, rows: int = 4) -> Mesh:
    """The zone of a sphere about the origin between two elevations, facing inwards."""
    elevations = np.linspace(low, high, rows + 1)
    profile = np.stack([radius * np.cos(elevations), radius * np.sin(elevations)], axis=1)
    return revolved(profile, DOME_SEGMENTS)


def with_holes(mesh: Mesh, views: tuple[View, ...]) -> Mesh:
    """*mesh* without what any camera looks through, and without a hole of HOLE_M about each lens axis.

    Triangles at an edge are split in four, HOLE_REFINEMENTS times, and what still straddles it is left out.
    """
    corners = mesh.vertices[mesh.triangles]
    kept = []
    for _ in range(HOLE_REFINEMENTS):
        seen = _seen(corners, views)
        kept.append(corners[~seen.any(axis=1)])
        corners = _quartered(corners[seen.any(axis=1) & ~seen.all(axis=1)])
    kept.append(corners[~_seen(corners, views).any(axis=1)])
    triangles = np.concatenate(kept)
    return Mesh(triangles.reshape(-1, 3), np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3))


def _seen(corners: NDArray[np.float64], views: tuple[View, ...]) -> NDArray[np.bool_]:
    """(t, 4): whether each corner and the middle of each triangle lies in a view or at a lens."""
    points = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
    flat = points.reshape(-1, 3)
    seen = np.zeros(len(flat), dtype=np.bool_)
    for view in views:
        seen |= view.contains(flat, HOLE_M) | _at_lens(flat, view)
    return seen.reshape(-1, 4)


def _at_lens(points: NDArray[np.float64], view: View) -> NDArray[np.bool_]:
    """Points close to the line of the lens, from behind the camera's body to the parts' side of it."""
    x, y, z = view.axes @ (points - view.position).T
    near: NDArray[np.bool_] = (np.hypot(x, y) < HOLE_M) & (z > -0.2) & (z < 0.5 * view.reach)
    return near


def _quartered(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([np.stack(part, axis=1) for part in parts])


def ring(
    groups: tuple[str, ...], distance: float, elevation_rad: float, width: float, *, aim: Point, yaw_rad: float
) -> Built:
    """A conical ring about *aim*, at *distance* and *elevation_rad* from it, that faces it; one sector per group.

    The sectors are centred on +y, +x, -y and -x (north, east, south, west) before the turn by *yaw_rad*.
    """
    lamps, housings = [], []
    for i, group in enumerate(groups):
        middle = math.pi / 2 - i * 2.0 * math.pi / len(groups)
        sweep = 2.0 * math.pi / len(groups) - SECTOR_GAP_RAD
        start = middle - sweep / 2
        face = _cone_strip(distance, elevation_rad, width, start, sweep)
        back = _cone_strip(distance + 0.004, elevation_rad, width * 1.25, start - 0.02, sweep + 0.04)
        lamps.append(lamp(group, "ring", group, moved(turned(face, yaw_rad), aim), (1.0, 1.0, 1.0)))
        housings.append((group, housing(moved(turned(back, yaw_rad), aim))))
    return tuple(lamps), tuple(housings)


def _cone_strip(distance: float, elevation: float, width: float, start: float, sweep: float) -> Mesh:
    """Part of a cone whose middle line is at *distance* and *elevation*, square to the way there, facing the middle."""
    radius, height = distance * math.cos(elevation), distance * math.sin(elevation)
    half_r, half_z = 0.5 * width * math.sin(elevation), 0.5 * width * math.cos(elevation)
    profile = [(radius + half_r, height - half_z), (radius - half_r, height + half_z)]
    return revolved(profile, 32, start, sweep)
