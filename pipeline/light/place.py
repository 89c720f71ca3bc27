"""Where a rig stands and how large it is built: its declared millimetres, grown as a whole where the parts need it.

Covers: `Place`, the growth of a rig and its limit, what is cut off below the table. Does not cover: the lamps
themselves (`standing_lamps`, `domes`, `camera_lamps`, `back_light`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pipeline.arrange.arrangement import Arrangement
from pipeline.errors import InputError
from pipeline.light.bands import band_rgb
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.shapes import Mesh, Vector, upright_frame
from pipeline.light.sight import View, views_of
from pipeline.spec.scene import RigSpec
from pipeline.surface.material import Rgb

Built = tuple[tuple[LampMesh, ...], tuple[tuple[str, SurroundingMesh], ...]]
"""Lamps, and (light_id of the lamp it belongs to, housing) pairs."""

GROWTH_LIMIT: Final = 6.0
"""A rig grows as a whole, its angles kept, up to this many times the size that the table and the spec ask for."""
WALL_MARGIN: Final = 1.1
"""Lamps stand at least this many times as far out as the walls of a bin or the jaws of a vice."""
RAISED_M: Final = 0.01
"""What stands higher than this above the support's surface is a wall."""
LOWEST_M: Final = 0.005
"""Lamps end this far above the support's surface."""


@dataclass(frozen=True, eq=False)
class Place:
    """What a rig is aimed at, and its size."""

    name: str
    row: dict[str, Any]
    """Its entry of assets/tables/rigs."""
    aim: tuple[float, float, float]
    """Middle of the parts, metres."""
    scale: float
    """Size as built over the declared millimetres."""
    distance: float
    """Metres from *aim* to the lamps' faces; 0 for lamps at the lens."""
    yaw_rad: float
    color: Rgb
    """Colour of its lamps at luminance 1: white is D65."""
    views: tuple[View, ...]

    def metres(self, key: str) -> float:
        """The row's millimetres *key* as built."""
        return self.scale * 1e-3 * float(self.row[key])

    def radiance(self, relative: float = 1.0) -> Rgb:
        """Radiance of a lamp that is *relative* as bright as the rig's others."""
        red, green, blue = self.color
        return red * relative, green * relative, blue * relative


def place_of(spec: RigSpec, row: dict[str, Any], arrangement: Arrangement) -> Place:
    """The place of the rig *spec* around *arrangement*. Raises InputError when the parts are too large for it."""
    scale = spec.scale
    if "distance_mm" in row:
        needed = row["clearance"] * arrangement.radius_m
        if row.get("beside", False):
            needed = max(needed, WALL_MARGIN * _walls(arrangement))
        scale = max(scale, needed / (row["distance_mm"] * 1e-3))
        if scale > GROWTH_LIMIT * spec.scale:
            raise InputError(_too_near(spec, row, arrangement, needed))
    return Place(
        name=spec.name,
        row=row,
        aim=arrangement.centre,
        scale=scale,
        distance=scale * 1e-3 * row.get("distance_mm", 0.0),
        yaw_rad=spec.yaw_rad,
        color=band_rgb(float(row["band_nm"])) if "band_nm" in row else (1.0, 1.0, 1.0),
        views=views_of(arrangement),
    )


def _walls(arrangement: Arrangement) -> float:
    """Horizontal metres from the middle of the parts to the farthest wall that stands on the support."""
    points = [support.vertices[support.vertices[:, 2] > RAISED_M, :2] for support in arrangement.supports]
    walls = np.concatenate([np.zeros((0, 2)), *points])
    return float(np.hypot(*(walls - np.array(arrangement.centre[:2])).T).max(initial=0.0))


def _too_near(spec: RigSpec, row: dict[str, Any], arrangement: Arrangement, needed: float) -> str:
    asked = row["distance_mm"] * spec.scale
    least = 1e3 * needed / (GROWTH_LIMIT * row["distance_mm"])
    return (
        f"rig {spec.name} is too near for the parts: expected its lamps at least {1e3 * needed:.0f} mm from their "
        f"middle ({row['clearance']:g} times their radius of {1e3 * arrangement.radius_m:.0f} mm, or beyond the walls "
        f"around them), found {asked:.0f} mm ({row['distance_mm']:g} mm x scale {spec.scale:g}), and at most "
        f"{GROWTH_LIMIT * asked:.0f} mm when it grows {GROWTH_LIMIT:g} times; set rigs.scale to {least:.2f} or more, "
        "or use fewer or smaller parts"
    )


def above_table(centre: Vector, normal: Vector, width: float, height: float) -> Mesh:
    """A rectangle as `shapes.rectangle` makes it, cut off where it would reach below LOWEST_M above the support."""
    right, up = upright_frame(normal)
    low, high = -0.5 * height, 0.5 * height
    if up[2] > 1e-6:
        low = min(max(low, (LOWEST_M - float(centre[2])) / float(up[2])), high - 0.1 * height)
    half = 0.5 * width
    corners = [centre + x * right + y * up for x, y in ((-half, low), (half, low), (half, high), (-half, high))]
    return Mesh(np.array(corners), np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))
