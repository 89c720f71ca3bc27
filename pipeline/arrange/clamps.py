"""Strap clamps with step blocks, as a machinist sets them: strap, stepped heel, stud with thread, washer and nut.

Proportions follow DIN 6314 straps and DIN 6318 step blocks. Does not cover: where parts and pins are (`holders`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.arrange.extrude import circle, hexagon, prism, rounded
from pipeline.arrange.sweep import Corner, Mesh, Rectangle, slab, sweep

Floats = NDArray[np.float64]
_STEPS: Final = 7
"""Steps of a block's flank."""
_TURNS: Final = 9
"""Turns of thread that show above the nut, at most."""


def strap_clamp(points: Floats, side: float, size: float) -> list[Mesh]:
    """A clamp from *side* (-1, 1) along x on top of the part's (n, 3) *points* on z = 0, *size* the part's width.

    Strap, step block below its heel, stud, washer and nut; the plate is z = 0.
    """
    half, thick = 0.07 * size, 0.07 * size
    along = points[:, 0] * side
    inner, most = 0.55 * float(np.max(along)), float(np.max(along))
    outer = most + 0.44 * size
    covered = (along > inner) & (along < outer) & (np.abs(points[:, 1]) < half)
    under = float(np.max(points[covered, 2])) if covered.any() else float(np.max(points[:, 2]))
    bolt_x, bolt = most + 0.15 * size, 0.42 * half
    top = under + thick
    nut = top + 0.25 * bolt
    return [
        _strap(side, inner, outer, (bolt_x, bolt), under + 2e-6, top, half),
        _step_block(side, most + 0.24 * size, outer + 0.02 * size, under, half),
        _stud(side * bolt_x, bolt, nut + 2.4 * bolt),
        slab(_disc(side * bolt_x, 1.9 * bolt), top=nut - 1e-5, thickness=0.24 * bolt, edge=0.04 * bolt),
        _nut(side * bolt_x, bolt, nut),
    ]


def _strap(
    side: float, inner: float, outer: float, bolt: tuple[float, float], low: float, high: float, half: float
) -> Mesh:
    """The strap: its nose narrower and rounded, a slot for the stud."""
    nose = 0.55 * half
    reach = 0.35 * (bolt[0] - inner)
    outline = shapely.Polygon(
        [(inner, -nose), (inner + reach, -half), (outer, -half), (outer, half), (inner + reach, half), (inner, nose)]
    )
    slot = shapely.LineString([(bolt[0] - 1.2 * bolt[1], 0.0), (bolt[0] + 1.2 * bolt[1], 0.0)]).buffer(1.1 * bolt[1])
    shape = rounded(outline, 0.2 * half).difference(slot)
    placed = shapely.transform(shape, lambda xy: xy * np.array([side, 1.0]))
    return prism(placed, low, high, "z")


def _step_block(side: float, near: float, far: float, top: float, half: float) -> Mesh:
    """The heel's support: a stair that falls outward, its highest step just below the strap."""
    tall, run = top - 1e-5, far - near
    flat = 0.45 * run
    corners = [(near, 1e-5), (near, tall)]
    for step in range(_STEPS):
        x = near + flat + (run - flat) * step / _STEPS
        corners += [(x, tall * (1.0 - 0.8 * step / _STEPS)), (x, tall * (1.0 - 0.8 * (step + 1) / _STEPS))]
    corners += [(far, tall * 0.2), (far, 1e-5)]
    shape = shapely.Polygon([(side * x, z) for x, z in corners])
    return prism(shape, -0.85 * half, 0.85 * half, "y")


def _stud(x: float, radius: float, top: float) -> Mesh:
    """A stud with V-shaped turns of thread on what shows at its end; below it is plain."""
    pitch = 0.28 * radius
    turns = max(1, min(_TURNS, int(0.4 * top / pitch)))
    root = 0.83 * radius
    corners = [Corner(-0.9 * radius, top), Corner(root - radius, top)]
    for turn in range(turns):
        z = top - pitch * (turn + 0.1)
        corners += [Corner(-0.02 * radius, z - 0.4 * pitch), Corner(root - radius, z - 0.9 * pitch)]
    corners += [Corner(-0.03 * radius, top - pitch * (turns + 0.6)), Corner(-0.03 * radius, 1e-5)]
    corners.append(Corner(-0.9 * radius, 1e-5))
    return sweep(_disc(x, radius), corners)


def _nut(x: float, bolt: float, low: float) -> Mesh:
    """A hexagon nut on a stud of radius *bolt*."""
    shape = hexagon((x, 0.0), 3.2 * bolt).difference(circle((x, 0.0), 1.005 * bolt))
    return prism(shape, low, low + 1.6 * bolt, "z")


def _disc(x: float, radius: float) -> Rectangle:
    return Rectangle(radius, radius, 0.999 * radius, (x, 0.0))
