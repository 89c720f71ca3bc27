"""Small shapes that several parts share: turned profiles, hexagons, keyway cutters, threads, countersinks.

All lengths are millimetres, angles degrees. Turned shapes have their axis on z.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cadquery as cq

Point = tuple[float, float]


def turned(profile: Sequence[Point]) -> cq.Workplane:
    """Revolve a closed (radius, z) *profile* about z; a point may touch the axis but not cross it."""
    return cq.Workplane("XZ").polyline(list(profile)).close().revolve(360, (0, 0, 0), (0, 1, 0))


def ordered(selected: cq.Workplane) -> cq.Workplane:
    """The same selected edges, sorted by place: "or" in a selector gives them in an order that varies by run."""
    return selected.newObject(sorted(selected.vals(), key=_place))


def _place(shape: cq.Shape) -> tuple[float, ...]:
    return *(round(value, 6) for value in shape.Center().toTuple()), round(shape.BoundingBox().DiagonalLength, 6)


def tube(outer_d: float, inner_d: float, z0: float, z1: float, chamfer: float) -> cq.Workplane:
    """A ring from *z0* to *z1* with the same *chamfer* on its four edges."""
    ro, ri, c = outer_d / 2, inner_d / 2, chamfer
    return turned(
        [
            (ri, z0 + c),
            (ri + c, z0),
            (ro - c, z0),
            (ro, z0 + c),
            (ro, z1 - c),
            (ro - c, z1),
            (ri + c, z1),
            (ri, z1 - c),
        ]
    )


def hexagon(across_flats: float, height: float) -> cq.Workplane:
    """A hexagonal prism standing on z = 0."""
    return cq.Workplane("XY").polygon(6, across_flats / math.cos(math.pi / 6)).extrude(height)


def hexagon_chamfer(across_flats: float, height: float, *, bottom: bool, top: bool) -> cq.Workplane:
    """The 30 degree turned envelope that rounds the corners of a hexagon of this size (ISO 4014, ISO 4032)."""
    flat = 0.95 * across_flats / 2
    corner = across_flats / 2 / math.cos(math.pi / 6) + 0.2
    drop = (corner - flat) * math.tan(math.pi / 6)
    lower = [(0, 0), (flat, 0), (corner, drop)] if bottom else [(0, 0), (corner, 0)]
    upper = [(corner, height - drop), (flat, height), (0, height)] if top else [(corner, height), (0, height)]
    return turned([*lower, *upper])


def external_thread(major_d: float, pitch: float, z0: float, z1: float, taper: float = 0.0) -> list[Point]:
    """(radius, z) points of an outside thread as annular grooves at the pitch, from *z0* up to *z1*.

    The depth is ISO 68-1's 0.61343 P with a P/8 crest and a P/4 root: the standard simplification of a helix.
    *taper* is the change of diameter per length (1/16 for NPT); positive narrows towards *z1*.
    """
    depth, crest, root = 0.61343 * pitch, pitch / 8, pitch / 4
    flank = (pitch - crest - root) / 2
    points: list[Point] = []
    for turn in range(int((z1 - z0) / pitch)):
        z = z0 + turn * pitch
        for dz, down in (
            (0, 0.0),
            (crest, 0.0),
            (crest + flank, depth),
            (crest + flank + root, depth),
        ):
            points.append((major_d / 2 - taper * (z + dz - z0) / 2 - down, z + dz))
    return points


def internal_thread_cutter(major_d: float, pitch: float, z0: float, z1: float) -> cq.Workplane:
    """What a tap removes from *z0* to *z1*: the core hole and annular grooves at the pitch (depth 0.54127 P)."""
    core = major_d / 2 - 0.54127 * pitch
    crest, root = pitch / 4, pitch / 8
    flank = (pitch - crest - root) / 2
    points: list[Point] = [(0, z0), (core, z0)]
    for turn in range(int((z1 - z0) / pitch)):
        z = z0 + turn * pitch
        points += [
            (core, z + crest),
            (major_d / 2, z + crest + flank),
            (major_d / 2, z + crest + flank + root),
            (core, z + pitch),
        ]
    end = [(core, z1)] if z1 - points[-1][1] > 1e-6 else []
    return turned([*points, *end, (0, z1)])


def cone_cutter(small_d: float, large_d: float, angle: float) -> cq.Workplane:
    """A countersink of included *angle*: *large_d* at z = 0, *small_d* below it, and a little headroom above."""
    depth = (large_d - small_d) / 2 / math.tan(math.radians(angle / 2))
    lip = 0.5
    return turned([(0, -depth), (small_d / 2, -depth), (large_d / 2, 0), (large_d / 2, lip), (0, lip)])


def drill(diameter: float, depth: float, *, chamfer: float = 0.0) -> cq.Workplane:
    """What a 118 degree twist drill leaves going down from z = 0, with an edge *chamfer* at the mouth."""
    r, lip = diameter / 2, 0.5
    tip = r / math.tan(math.radians(59))
    mouth = [(r, -chamfer), (r + chamfer, 0), (r + chamfer, lip)] if chamfer else [(r, lip)]
    return turned([(0, -depth - tip), (r, -depth), *mouth, (0, lip)])


def ported(thread_d: float, pitch: float, depth: float, seat_d: float, seat_depth: float) -> cq.Workplane:
    """A threaded port going down from z = 0: spot face, 45 degree chamfer, tapped hole and drill tip."""
    core = thread_d - 1.0825 * pitch
    hole = drill(core, depth)
    thread = internal_thread_cutter(thread_d, pitch, -depth * 0.55, -seat_depth)
    lead = cone_cutter(core, thread_d + 0.6, 90).translate((0, 0, -seat_depth))
    seat = cq.Workplane("XY").workplane(offset=-seat_depth).circle(seat_d / 2).extrude(seat_depth + 0.5)
    return hole.union(thread).union(lead).union(seat)


def hub_keyway(bore_d: float, width: float, depth: float, z0: float, z1: float) -> cq.Workplane:
    """The cutter of a keyway in a bore: *depth* is measured from the bore's wall, towards +y (DIN 6885)."""
    height = bore_d / 2 + depth
    slot = cq.Workplane("XY").workplane(offset=z0).center(0, height / 2).rect(width, height).extrude(z1 - z0)
    return slot.edges("|Z and >Y").fillet(0.2)


def sunk_key(width: float, length: float, height: float) -> cq.Workplane:
    """A key with round ends (DIN 6885 A) along x, its bottom on z = 0 and a small chamfer all round."""
    key = cq.Workplane("XY").slot2D(length, width).extrude(height)
    return ordered(key.faces("<Z or >Z").edges()).chamfer(0.3)
