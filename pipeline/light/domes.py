"""Domes and rings: lamps that are surfaces of revolution around the arrangement.

Covers: a dome in bands with a fall-off and a hole for each camera, a ring in sectors, even or of single LEDs. Does not
cover: lamps with flat faces (`standing_lamps`), calibration (`illuminate`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.light.pieces import housing, lamp
from pipeline.light.place import Built, Place
from pipeline.light.shapes import Mesh, facing_away, merged, moved, revolved, turned
from pipeline.light.sight import View

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
LED_SHARE: Final = 0.72
"""Side of a LED's bright lens over the pitch of the LEDs in a ring without diffuser."""


def dome(place: Place) -> Built:
    """A dome about the parts: bands that face inwards, darker by `falloff` at the rim than at the zenith.

    Its groups: (upper, lower).
    """
    aim, views, groups = place.aim, place.views, place.row["groups"]
    radius, falloff = place.distance, float(place.row["falloff"])
    lamps = []
    edges = np.linspace(DOME_RIM_RAD, math.pi / 2, DOME_BANDS + 1)
    for i in range(DOME_BANDS):
        low, high = float(edges[i]), float(edges[i + 1])
        middle = 0.5 * (low + high)
        group = groups[0] if middle > ZENITH_FROM_RAD else groups[1]
        radiance = place.radiance(1.0 - falloff * (1.0 - math.sin(middle)))
        mesh = with_holes(moved(_zone(radius, low, high), (aim[0], aim[1], 0.0)), views)
        lamps.append(lamp(f"dome_band_{i}", "dome", group, mesh, radiance))
    shell = facing_away(_zone(SHELL * radius, DOME_RIM_RAD, math.pi / 2, rows=4 * DOME_BANDS))
    outside = housing(with_holes(moved(shell, (aim[0], aim[1], 0.0)), views))
    return tuple(lamps), ((lamps[0].light_id, outside),)


def roomy(place: Place) -> Place:
    """*place* grown, up to twice, until the dome's nearest camera is just outside, so that the holes stay small."""
    aim = np.array(place.aim)
    nearest = min((float(np.linalg.norm(view.position - aim)) for view in place.views), default=0.0)
    factor = min(max(1.0, 0.95 * nearest / place.distance), 2.0)
    return replace(place, scale=factor * place.scale, distance=factor * place.distance)


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


def ring(place: Place) -> Built:
    """A conical ring at the row's elevation that faces the parts; one sector, and one light, per group.

    Two or four sectors are centred on +y, +x, -y and -x (north, east, south, west) before the rig's own turn, more of
    them clockwise from +y. With `leds` (around, across) it is made of single LEDs, else evenly diffuse.
    """
    row, groups = place.row, place.row["groups"]
    elevation, width = math.radians(row["elevation_deg"]), place.metres("width_mm")
    lamps, housings = [], []
    for i, group in enumerate(groups):
        middle = math.pi / 2 - i * 2.0 * math.pi / len(groups)
        sweep = 2.0 * math.pi / len(groups) - math.radians(row["gap_deg"])
        start = middle - sweep / 2
        strip = _Strip(place.distance, elevation, width, start, sweep)
        face = strip.leds(row["leds"][0] // len(groups), row["leds"][1]) if "leds" in row else strip.mesh()
        back = _Strip(place.distance + 0.004, elevation, width * 1.25, start - 0.02, sweep + 0.04).mesh()
        lamps.append(lamp(group, row["lamp"], group, _stood(face, place), place.radiance()))
        housings.append((group, housing(_stood(back, place))))
    return tuple(lamps), tuple(housings)


def _stood(mesh: Mesh, place: Place) -> Mesh:
    return moved(turned(mesh, place.yaw_rad), place.aim)


@dataclass(frozen=True)
class _Strip:
    """Part of a cone whose middle line is *distance* metres away at *elevation*, square to the way there."""

    distance: float
    elevation: float
    width: float
    start: float
    sweep: float

    def mesh(self, segments: int = 32) -> Mesh:
        """The strip, facing the middle."""
        radius, height = self.distance * math.cos(self.elevation), self.distance * math.sin(self.elevation)
        half_r, half_z = 0.5 * self.width * math.sin(self.elevation), 0.5 * self.width * math.cos(self.elevation)
        profile = [(radius + half_r, height - half_z), (radius - half_r, height + half_z)]
        return revolved(profile, segments, self.start, self.sweep)

    def leds(self, around: int, across: int) -> Mesh:
        """*around* x *across* patches, LED_SHARE of their pitch wide and high, facing the middle."""
        cells = []
        pitch, step = self.sweep / around, self.width / across
        for row in range(across):
            offset = (row + 0.5) * step - 0.5 * self.width
            lifted = replace(
                self,
                distance=math.hypot(self.distance, offset),
                elevation=self.elevation + math.atan2(offset, self.distance),
                width=LED_SHARE * step,
                sweep=LED_SHARE * pitch,
            )
            starts = [self.start + (i + 0.5 * (1.0 - LED_SHARE)) * pitch for i in range(around)]
            cells += [replace(lifted, start=start).mesh(2) for start in starts]
        return merged(cells)
