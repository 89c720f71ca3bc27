"""Softboxes, bars and panels on stands around the parts, with their housings, and the flags between them.

Covers: lamps with a flat face at an azimuth and elevation of their own. Does not cover: rings and domes (`domes`),
lamps that go with a camera (`camera_lamps`).
"""

from __future__ import annotations

import math
from typing import Any, Final

from pipeline.light.glow import glow_of
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import flag, housing, lamp
from pipeline.light.place import Built, Place
from pipeline.light.shapes import Vector, direction_of, rectangle, tapered_box

FRAME_M: Final = 0.012
"""Width of the dark frame around a glowing face."""
SETBACK_M: Final = 0.002
"""How far the frame lies behind the glowing face."""
FLAG_THICKNESS_M: Final = 0.004
_BACK_SHARE: Final = {"softbox": 0.35, "bar": 0.7, "panel": 0.97, "screen": 0.98}
"""Size of a housing's back over its front, by kind of lamp."""
_DEPTH_SHARE: Final = {"softbox": 0.45, "bar": 0.9, "panel": 0.06, "screen": 0.06}
"""Depth of a housing over the shorter side of its lamp, by kind."""


def standing_lamps(place: Place) -> Built:
    """The lamps and flags of the row of *place*."""
    lamps: list[LampMesh] = []
    pieces: list[tuple[str, SurroundingMesh]] = []
    for row in place.row["lamps"]:
        front, outward = _stand(row, place, place.distance)
        width, height = _size(row, place)
        glow = glow_of(front, -outward, (width, height), place.scale, row.get("glow", {}))
        mesh = rectangle(front, -outward, width, height)
        lamps.append(lamp(row["id"], row["kind"], row["group"], mesh, place.radiance(row["radiance"]), glow=glow))
        pieces.append((row["id"], box_behind(front, -outward, width, height, kind=row["kind"])))
    for number, row in enumerate(place.row.get("flags", [])):
        front, outward = _stand(row, place, place.scale * 1e-3 * row["distance_mm"])
        size = _size(row, place)
        pieces.append((f"flag_{number}", flag(tapered_box(front, -outward, size, size, depth=FLAG_THICKNESS_M))))
    return tuple(lamps), tuple(pieces)


def _stand(row: dict[str, Any], place: Place, distance: float) -> tuple[Vector, Vector]:
    """(middle of the face, unit vector from the parts to it)."""
    outward = direction_of(math.radians(row["azimuth_deg"]) + place.yaw_rad, math.radians(row["elevation_deg"]))
    return place.aim + distance * outward, outward


def _size(row: dict[str, Any], place: Place) -> tuple[float, float]:
    width, height = (place.scale * 1e-3 * size for size in row["size_mm"])
    return width, height


def box_behind(front: Vector, facing: Vector, width: float, height: float, *, kind: str) -> SurroundingMesh:
    """The housing of a lamp whose face of *width* x *height* metres is centred on *front*."""
    rim = (width + 2.0 * FRAME_M, height + 2.0 * FRAME_M)
    back = (rim[0] * _BACK_SHARE[kind], rim[1] * _BACK_SHARE[kind])
    if kind == "bar":
        back = (rim[0], rim[1] * _BACK_SHARE[kind])
    depth = max(_DEPTH_SHARE[kind] * min(width, height), 0.02)
    return housing(tapered_box(front - SETBACK_M * facing, facing, rim, back, depth=depth))
