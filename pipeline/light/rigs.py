"""Rigs: the lamps of a studio or an inspection station, around the arrangement.

Covers: the table assets/tables/rigs; lamps with their housings, sized and placed. Does not cover: domes and rings
(`domes`), how bright the whole rig is and what the cameras see past (`illuminate`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from pipeline.arrange.arrangement import Arrangement
from pipeline.light.domes import dome, ring
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import housing, lamp
from pipeline.light.shapes import Vector, direction_of, rectangle, tapered_box
from pipeline.light.sight import views_of
from pipeline.spec.scene import RigSpec
from pipeline.tables import entry

SMALLEST_CLEARANCE: Final = 3.0
"""Lamps stand at least this many radii of the arrangement from its centre, whatever the rig's own scale."""
FRAME_M: Final = 0.012
"""Width of the dark frame around a glowing face."""
SETBACK_M: Final = 0.002
"""How far the frame lies behind the glowing face."""
_BACK_SHARE: Final = {"softbox": 0.35, "bar": 0.7, "panel": 0.97}
"""Size of a housing's back over its front, by kind of lamp."""
_DEPTH_SHARE: Final = {"softbox": 0.45, "bar": 0.9, "panel": 0.06}
"""Depth of a housing over the shorter side of its lamp, by kind."""


@dataclass(frozen=True, eq=False)
class Rig:
    """The lamps of a rig, not yet calibrated, and their housings."""

    groups: tuple[str, ...]
    lamps: tuple[LampMesh, ...]
    housings: tuple[tuple[str, SurroundingMesh], ...]
    """(light_id of the lamp it belongs to, housing) pairs."""


def rig_groups(name: str) -> tuple[str, ...]:
    """Light groups of the rig *name*, in order. Raises InputError for an unknown name."""
    return tuple(_row(name)["groups"])


def _row(name: str) -> dict[str, Any]:
    return entry("rigs", name, "rig")


def build_rig(spec: RigSpec, arrangement: Arrangement) -> Rig:
    """The rig *spec* around *arrangement*. Raises InputError for an unknown name."""
    row = _row(spec.name)
    groups = rig_groups(spec.name)
    nominal = row["distance_mm"] * 1e-3
    distance = max(nominal * spec.scale, max(row["clearance"], SMALLEST_CLEARANCE) * arrangement.radius_m)
    if row["kind"] == "dome":
        lamps, housings = dome(groups, distance, row["falloff"], arrangement.centre, views_of(arrangement))
    elif row["kind"] == "ring":
        width = row["width_mm"] * 1e-3 * distance / nominal
        elevation = math.radians(row["elevation_deg"])
        lamps, housings = ring(groups, distance, elevation, width, aim=arrangement.centre, yaw_rad=spec.yaw_rad)
    else:
        lamps, housings = _lamps(row["lamps"], distance, distance / nominal, arrangement.centre, spec.yaw_rad)
    return Rig(groups, lamps, housings)


def _lamps(
    rows: list[dict[str, Any]], distance: float, scale: float, aim: tuple[float, float, float], yaw_rad: float
) -> tuple[tuple[LampMesh, ...], tuple[tuple[str, SurroundingMesh], ...]]:
    lamps, housings = [], []
    for row in rows:
        outward = direction_of(math.radians(row["azimuth_deg"]) + yaw_rad, math.radians(row["elevation_deg"]))
        width, height = (scale * 1e-3 * size for size in row["size_mm"])
        front = aim + distance * outward
        radiance = (row["radiance"],) * 3
        lamps.append(lamp(row["id"], row["kind"], row["group"], rectangle(front, -outward, width, height), radiance))
        housings.append((row["id"], _box_behind(front, -outward, width, height, kind=row["kind"])))
    return tuple(lamps), tuple(housings)


def _box_behind(front: Vector, facing: Vector, width: float, height: float, *, kind: str) -> SurroundingMesh:
    rim = (width + 2.0 * FRAME_M, height + 2.0 * FRAME_M)
    back = (rim[0] * _BACK_SHARE[kind], rim[1] * _BACK_SHARE[kind])
    if kind == "bar":
        back = (rim[0], rim[1] * _BACK_SHARE[kind])
    depth = max(_DEPTH_SHARE[kind] * min(width, height), 0.02)
    return housing(tapered_box(front - SETBACK_M * facing, facing, rim, back, depth=depth))
