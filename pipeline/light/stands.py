"""The cameras and the table as the metal sees them: dark bodies behind each lens, legs under the table.

Covers: shapes and places. Metal always mirrors the camera that photographs it. Does not cover: the table's top
(`arrange`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.arrange.arrangement import SupportMesh
from pipeline.light.lamps import SurroundingMesh
from pipeline.light.pieces import HOUSING_GREY, piece
from pipeline.light.shapes import Mesh, Vector, barrel, beam, box, merged, tapered_box
from pipeline.light.sight import View

LENS_GAP_M: Final = 0.004
"""Distance from the pinhole back to the lens' front."""
LENS_RADIUS_M: Final = 0.028
LENS_LENGTH_M: Final = 0.07
BODY_M: Final = (0.09, 0.08, 0.07)
"""Width, height and depth of the camera body behind the lens."""
ARM_M: Final = 0.12
POST_M: Final = 0.04
POST_HEIGHT_M: Final = 1.2
LEG_M: Final = 0.06


def camera_body(view: View) -> SurroundingMesh:
    """The camera of *view*: lens, body, an arm and a post that it hangs from. No camera sees it directly."""
    forward = view.axes[2]
    front = view.position - LENS_GAP_M * forward
    flange = front - LENS_LENGTH_M * forward
    back = flange - (BODY_M[2] + ARM_M) * forward
    body = [
        barrel(flange, front, LENS_RADIUS_M),
        tapered_box(flange, forward, BODY_M[:2], BODY_M[:2], depth=BODY_M[2]),
        beam(flange - BODY_M[2] * forward, back, POST_M),
        beam(back - np.array([0.0, 0.0, 0.1]), back + np.array([0.0, 0.0, POST_HEIGHT_M]), POST_M),
    ]
    made = piece("camera", merged(body), HOUSING_GREY, roughness=0.4, mottle=0.0)
    return replace(made, camera_visible=False, body_of=view.camera_index)


def table_frame(supports: Sequence[SupportMesh], floor_z: float) -> SurroundingMesh | None:
    """Four legs and a rail between the *supports* and the floor; None when there is no support or no room for legs."""
    if not supports:
        return None
    points: Vector = np.concatenate([support.vertices for support in supports])
    low, high = points.min(axis=0), points.max(axis=0)
    top = float(low[2]) - 0.001
    if top - floor_z < 0.2:
        return None
    inset = 0.04 * (high - low)
    (x0, y0), (x1, y1) = (low + inset)[:2], (high - inset)[:2]
    return piece("table_frame", merged(_frame_bars(x0, x1, y0, y1, top=top, floor=floor_z)), (0.12, 0.13, 0.14))


def _frame_bars(x0: float, x1: float, y0: float, y1: float, *, top: float, floor: float) -> list[Mesh]:
    half = LEG_M / 2
    legs = [box((x - half, y - half, floor), (x + half, y + half, top)) for x in (x0, x1) for y in (y0, y1)]
    rails = [box((x0, y - half / 2, top - 0.08), (x1, y + half / 2, top - 0.005)) for y in (y0, y1)]
    rails += [box((x - half / 2, y0, top - 0.08), (x + half / 2, y1, top - 0.005)) for x in (x0, x1)]
    return [*legs, *rails]
