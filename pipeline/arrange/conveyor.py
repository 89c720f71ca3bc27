"""Belt conveyors: a belt around two end drums over a slider bed, between slotted aluminium profiles.

Sizes are those of light belt conveyors on 40 mm profiles with 8 mm slots. Does not cover: legs (`light.stands`), the
belt's look (`surface`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from pipeline.arrange.arrangement import SupportMesh
from pipeline.arrange.extrude import circle, hexagon, prism, rounded
from pipeline.arrange.plates import joined
from pipeline.arrange.sweep import Mesh

PROFILE_LOOK: Final = "anodised_profile"
ROLLER_LOOK: Final = "ground_steel"
CAP_LOOK: Final = "black_plastic"
BELT_M: Final = 0.003
DRUM_M: Final = 0.027
"""Radius of an end drum."""
PROFILE_M: Final = (0.04, 0.08)
"""Width and height of the side profiles."""
PROFILE_TOP_M: Final = 0.004
"""They stand this much above the belt."""
SLIT_M: Final = 0.003
"""Between belt and profile."""
TENSIONER_M: Final = 0.009
_ROLLER_M: Final = 0.0125
_ROLLER_PITCH_M: Final = 0.3
_SLOT_M: Final = (0.0082, 0.0045, 0.0165, 0.007)
"""Neck width and depth, then width and depth of the T of a slot."""


def half_width(belt_half: float) -> float:
    """Half the conveyor's width over its tensioners, metres, for half a belt of *belt_half*."""
    return belt_half + SLIT_M + PROFILE_M[0] + TENSIONER_M


def conveyor(look: str, half_x: float, half_y: float) -> tuple[SupportMesh, ...]:
    """The pieces of a conveyor along x, belt first; the belt's carrying run is z = 0 and 2 *half_y* wide."""
    outer = DRUM_M + BELT_M
    line = shapely.LineString([(outer - half_x, -outer), (half_x - outer, -outer)])
    belt = line.buffer(outer, quad_segs=16).difference(line.buffer(DRUM_M, quad_segs=16))
    inside = half_x - 2.0 * outer
    bed = shapely.box(-inside, -BELT_M - 0.0025, inside, -BELT_M - 0.0003)
    frame = [prism(bed, -half_y, half_y, "y")]
    frame += [_profile(side, half_y + SLIT_M, half_x - outer) for side in (-1.0, 1.0)]
    corners = [(x, y) for x in (-1.0, 1.0) for y in (-1.0, 1.0)]
    tensioners = [_tensioner(x, y, half_x - outer, half_y) for x, y in corners]
    caps = [_cap(x, y, half_x - outer, half_y + SLIT_M) for x, y in corners]
    return tuple(
        SupportMesh(label, own_look, *mesh)
        for label, own_look, mesh in (
            ("conveyor_belt", look, prism(belt, -half_y, half_y, "y")),
            ("conveyor_frame", PROFILE_LOOK, joined(frame)),
            ("conveyor_roller", ROLLER_LOOK, joined([*_rollers(half_x, half_y), *(m for t in tensioners for m in t)])),
            ("conveyor_cap", CAP_LOOK, joined(caps)),
        )
    )


def _rollers(half_x: float, half_y: float) -> list[Mesh]:
    """The two end drums with their shafts, and rollers under the returning run."""
    outer, reach = DRUM_M + BELT_M, half_y + SLIT_M + PROFILE_M[0] + 0.6 * TENSIONER_M
    meshes = []
    for x in (outer - half_x, half_x - outer):
        meshes.append(prism(circle((x, -outer), DRUM_M - 1e-4), 0.002 - half_y, half_y - 0.002, "y"))
        meshes.append(prism(circle((x, -outer), 0.008), -reach, reach, "y"))
    count = max(2, round(2.0 * (half_x - 0.15) / _ROLLER_PITCH_M) + 1)
    for x in np.linspace(0.15 - half_x, half_x - 0.15, count):
        below = circle((float(x), -2.0 * outer - _ROLLER_M - 1e-4), _ROLLER_M)
        meshes.append(prism(below, -half_y - 0.5 * SLIT_M, half_y + 0.5 * SLIT_M, "y"))
    return meshes


def _profile(side: float, inner: float, reach: float) -> Mesh:
    """A side profile from |y| = *inner* outward, with two slots outside and one on top."""
    wide, tall = PROFILE_M
    neck, neck_deep, head, head_deep = _SLOT_M
    shape = rounded(shapely.box(0.0, PROFILE_TOP_M - tall, wide, PROFILE_TOP_M), 0.002)
    for height in (PROFILE_TOP_M - 0.25 * tall, PROFILE_TOP_M - 0.75 * tall):
        shape = shape.difference(
            shapely.box(wide - neck_deep, height - neck / 2, wide + 0.01, height + neck / 2).union(
                shapely.box(wide - neck_deep - head_deep, height - head / 2, wide - neck_deep, height + head / 2)
            )
        )
    top = shapely.box(wide / 2 - neck / 2, PROFILE_TOP_M - neck_deep, wide / 2 + neck / 2, PROFILE_TOP_M + 0.01)
    shape = shape.difference(top)
    placed = shapely.transform(shape, lambda yz: np.column_stack([side * (inner + yz[:, 0]), yz[:, 1]]))
    return prism(placed, -reach, reach, "x")


def _tensioner(end: float, side: float, reach: float, half_y: float) -> list[Mesh]:
    """A plate over the shaft's end outside the profile, with two hexagon screws in the slots."""
    face = half_y + SLIT_M + PROFILE_M[0] + 2e-5
    middle = PROFILE_TOP_M - 0.5 * PROFILE_M[1]

    def plate(shape: shapely.Geometry, low: float, high: float) -> Mesh:
        ends = sorted((side * (face + low), side * (face + high)))
        return prism(shape, ends[0], ends[1], "y")

    long_, x = 0.09, end * (reach - 0.04)
    outline = rounded(shapely.box(x - long_ / 2, middle - 0.034, x + long_ / 2, middle + 0.034), 0.006)
    meshes = [plate(outline, 0.0, 0.006)]
    for height in (middle - 0.02, middle + 0.02):
        at = (x - end * 0.03, height)
        meshes += [plate(circle(at, 0.0085), 0.0061, 0.0075), plate(hexagon(at, 0.013), 0.0076, TENSIONER_M)]
    return meshes


def _cap(end: float, side: float, reach: float, inner: float) -> Mesh:
    """A plastic cap on a profile's end."""
    ys = sorted((side * inner, side * (inner + PROFILE_M[0])))
    shape = rounded(shapely.box(ys[0], PROFILE_TOP_M - PROFILE_M[1], ys[1], PROFILE_TOP_M), 0.002)
    xs = sorted((end * (reach + 2e-5), end * (reach + 0.003)))
    return prism(shape, xs[0], xs[1], "x")
