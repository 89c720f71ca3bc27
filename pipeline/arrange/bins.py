"""Stacking bins: drafted walls with a collar, a rim, ribs, grips at the ends and a foot that fits into the rim below.

Shaped as injection-moulded stacking containers are (draft 1 to 2 degrees, walls 2 to 4 mm). Does not cover: the table
below, and the physics' walls, which stand WALL_CLEARANCE_M inside these (`drop`).
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import shapely

from pipeline.arrange.extrude import prism, rounded
from pipeline.arrange.plates import joined
from pipeline.arrange.sweep import Corner, Mesh, Rectangle, sweep

DRAFT: Final = float(np.tan(np.deg2rad(1.5)))
"""How far a wall leans outward per metre of height; the inner size is that at the floor."""
WALL_CLEARANCE_M: Final = 0.0009
"""Parts keep this far from the walls. At the floor the corners are arcs of _CORNER_M - _FILLET_M, _FILLET_M inside the
walls: a cube is clear of them from _FILLET_M + (1 - 1 / sqrt 2) (_CORNER_M - _FILLET_M) on."""
LIP_M: Final = 0.012
"""The rim stands this far out over the wall's inner face."""
FOOT_M: Final = 0.008
"""From the inner floor down to what the bin stands on."""
_CORNER_M: Final = 0.0016
_FILLET_M: Final = 0.0006
_THICK_M: Final = 0.004
_RIB_M: Final = (0.0025, 0.0055, 0.05)
"""Thickness, depth and pitch of the ribs."""
_GRIP_M: Final = (0.09, 0.022)


def bin_mesh(length: float, width: float, wall: float) -> Mesh:
    """A bin of inner *length* (x) and *width* (y) at its floor z = 0, and walls up to z = *wall*; metres."""
    collar = max(0.75 * wall, wall - 0.03)
    lean = DRAFT * wall
    profile = [
        Corner(-0.0015, 0.0),
        Corner(0.0, 0.0, _FILLET_M),
        Corner(lean, wall, 0.0015),
        Corner(lean + LIP_M, wall, 0.0018),
        Corner(DRAFT * collar + LIP_M, collar, 0.0012),
        Corner(DRAFT * collar + LIP_M - 0.0022, collar, 0.0008),
        Corner(DRAFT * collar + LIP_M - 0.0022, collar + 0.004, 0.0005),
        Corner(_THICK_M + DRAFT * collar, collar + 0.003, 0.001),
        Corner(_THICK_M, -0.001, 0.0025),
        Corner(-0.0006, -0.0045, 0.0012),
        Corner(-0.001, -FOOT_M, 0.0004),
        Corner(-0.0015, -FOOT_M),
    ]
    shell = sweep(Rectangle(length / 2.0, width / 2.0, _CORNER_M), profile)
    return joined([shell, *_ribs(length, width, collar), *_grips(length, width, wall, collar)])


def _ribs(length: float, width: float, collar: float) -> list[Mesh]:
    """Upright ribs under the collar on all four sides: wedges of constant depth that root inside the wall."""
    thick, depth, pitch = _RIB_M
    low, high = 0.004, collar + 0.0035
    meshes = []
    sides: tuple[tuple[float, float, Literal["x", "y"]], ...] = (
        (length / 2.0, width, "y"),
        (width / 2.0, length, "x"),
    )
    for half, span, axis in sides:
        root, out = half + 0.5 * _THICK_M, half + _THICK_M + depth
        for side in (-1.0, 1.0):
            section = shapely.Polygon(
                [
                    (side * (root + DRAFT * low), low),
                    (side * (out + DRAFT * low - 0.6 * depth), low),
                    (side * (out + DRAFT * (low + depth)), low + depth),
                    (side * (out + DRAFT * high), high),
                    (side * (root + DRAFT * high), high),
                ]
            )
            for at in _spread(span - 0.02, pitch):
                meshes.append(prism(section, at - thick / 2.0, at + thick / 2.0, axis))
    return meshes


def _spread(span: float, pitch: float) -> list[float]:
    """Places about 0, at most *pitch* apart, over *span*."""
    count = max(2, int(np.ceil(span / pitch)) + 1)
    return [float(x) for x in np.linspace(-span / 2.0, span / 2.0, count)]


def _grips(length: float, width: float, wall: float, collar: float) -> list[Mesh]:
    """At both ends a grip: an apron below the collar that fingers reach behind."""
    wide, deep = min(_GRIP_M[0], 0.5 * width), min(_GRIP_M[1], 0.3 * collar)
    meshes = []
    for side in (-1.0, 1.0):
        x = length / 2.0 + LIP_M + DRAFT * collar
        outline = rounded(shapely.box(-wide / 2.0, collar - deep, wide / 2.0, wall - 0.004), 0.006)
        ends = sorted((side * (x - 0.0018), side * (x + 0.0008 + DRAFT * (wall - collar))))
        meshes.append(prism(outline, ends[0], ends[1], "x"))
    return meshes
