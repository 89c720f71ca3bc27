"""The back light: a diffuse panel that the parts lie on, in the place of the table or belt.

Covers: the panel, its frame and the black plate under it. Does not cover: leaving the support out (`render` does, as
`Illumination.without_support` says).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.arrange.arrangement import Arrangement
from pipeline.light.glow import glow_of
from pipeline.light.lamps import SurroundingMesh
from pipeline.light.pieces import housing, lamp
from pipeline.light.place import Built, Place
from pipeline.light.shapes import box, moved, rectangle, turned

SINK_M: Final = 0.0002
"""The panel's face lies this far below the support's surface, so that no part lies in it."""
FRAME_M: Final = 0.015
THICKNESS_M: Final = 0.03
PLATE_M: Final = 0.02
PLATE_MARGIN_M: Final = 0.1


def back_light(place: Place, arrangement: Arrangement) -> Built:
    """A glowing rectangle that faces upwards under the parts, as wide as the row says, grown with the rig."""
    width, depth = (place.scale * 1e-3 * size for size in place.row["size_mm"])
    middle = np.array([*place.aim[:2], -SINK_M])
    up = np.array([0.0, 0.0, 1.0])
    face = moved(turned(rectangle((0.0, 0.0, 0.0), up, width, depth), place.yaw_rad), middle)
    glow = glow_of(middle, up, (width, depth), place.scale, place.row.get("glow", {}))
    if glow is not None:
        c, s = math.cos(place.yaw_rad), math.sin(place.yaw_rad)
        glow = replace(glow, right=(c, s, 0.0), up=(-s, c, 0.0))
    light_id, group = place.row["id"], place.row["groups"][0]
    half = (width / 2 + FRAME_M, depth / 2 + FRAME_M)
    frame = turned(box((-half[0], -half[1], -THICKNESS_M), (*half, -SINK_M)), place.yaw_rad)
    pieces = ((light_id, housing(moved(frame, middle))), ("plate", _plate(place, arrangement, max(half))))
    return (lamp(light_id, "back_light", group, face, place.radiance(), glow=glow),), pieces


def _plate(place: Place, arrangement: Arrangement, reach: float) -> SurroundingMesh:
    points = [support.vertices[:, :2] for support in arrangement.supports]
    points.append(np.array(place.aim[:2]) + (reach + PLATE_MARGIN_M) * np.array([[-1.0, -1.0], [1.0, 1.0]]))
    everything = np.concatenate(points)
    (x0, y0), (x1, y1) = everything.min(axis=0), everything.max(axis=0)
    top = -THICKNESS_M - 2.0 * SINK_M
    return housing(box((x0, y0, top - PLATE_M), (x1, y1, top)))
