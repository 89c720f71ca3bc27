"""Washers, rings, pins, rivets and springs: what holds without a thread."""

from __future__ import annotations

import math
from typing import NamedTuple

import cadquery as cq

from drawing.shapes import turned

WASHERS = {
    "M12": (24.0, 13.0, 2.5),
    "M6": (12.0, 6.4, 1.6),
    "M8": (16.0, 8.4, 1.6),
}
"""ISO 7090: outer diameter, hole, thickness."""


def washer(size: str) -> cq.Workplane:
    """Plain washer after ISO 7090, chamfered above, punched below."""
    outer, inner, thick = (0.5 * WASHERS[size][0], 0.5 * WASHERS[size][1], WASHERS[size][2])
    f = thick / 2.5
    return turned(
        [
            (inner, 0.15 * f),
            (inner + 0.15 * f, 0),
            (outer - 0.4 * f, 0),
            (outer - 0.1 * f, 0.1 * f),
            (outer, 0.4 * f),
            (outer, thick - 0.6 * f),
            (outer - 0.6 * f, thick),
            (inner + 0.15 * f, thick),
            (inner, thick - 0.15 * f),
        ]
    )


SPRING_WASHERS = {
    "M12": (12.2, 4.0, 2.5),
    "M8": (8.1, 3.0, 2.0),
    "M6": (6.1, 2.5, 1.6),
}
"""DIN 127 B: inner diameter, width and thickness of the section."""


def spring_washer(size: str) -> cq.Workplane:
    """Spring lock washer after DIN 127 B: one turn of rectangular wire as a true helix, ends cut square."""
    inner, width, thick = SPRING_WASHERS[size]
    middle = (inner + width) / 2
    path = cq.Workplane(cq.Wire.makeHelix(thick, 0.965 * thick, middle))
    section = cq.Workplane("XZ").center(middle, 0).rect(width, thick)
    return section.sweep(path, isFrenet=True)


class RetainingRing(NamedTuple):
    """DIN 471: shaft, inner diameter when free, thickness, lug, widest section, holes."""

    shaft: float
    free: float
    thick: float
    lug: float
    back: float
    hole: float


RETAINING_RINGS = {
    "20": RetainingRing(20.0, 18.5, 1.2, 4.0, 2.6, 2.0),
    "12": RetainingRing(12.0, 11.0, 1.0, 3.3, 1.8, 1.7),
    "30": RetainingRing(30.0, 27.9, 1.5, 5.0, 3.5, 2.0),
}


def retaining_ring(size: str) -> cq.Workplane:
    """Retaining ring for shafts after DIN 471: eccentric ring with two lugs, punched."""
    s = RETAINING_RINGS[size]
    inner, slim = s.free / 2, 0.62 * s.back
    outer = inner + (s.back + slim) / 2
    ring = cq.Workplane("XY").center(0, -(s.back - slim) / 2).circle(outer).extrude(s.thick)
    gap = 0.16 * s.free
    lug_y = math.sqrt((inner + 0.45 * s.lug) ** 2 - (gap + 0.5 * s.lug) ** 2)
    for side in (-1, 1):
        ring = ring.union(
            cq.Workplane("XY").center(side * (gap + 0.5 * s.lug), lug_y).circle(s.lug / 2).extrude(s.thick)
        )
    ring = ring.cut(cq.Workplane("XY").circle(inner).extrude(s.thick))
    ring = ring.cut(cq.Workplane("XY").center(0, inner).rect(2 * gap, 2 * inner).extrude(s.thick))
    for side in (-1, 1):
        place = (side * (gap + 0.52 * s.lug), lug_y)
        ring = ring.cut(cq.Workplane("XY").center(*place).circle(s.hole / 2).extrude(s.thick))
    return ring


DOWEL_PINS = {"8x40": (8.0, 40.0, 1.6), "6x30": (6.0, 30.0, 1.2), "10x50": (10.0, 50.0, 2.0)}
"""ISO 8734: diameter, length, length of the chamfer (mm)."""


def dowel_pin(size: str) -> cq.Workplane:
    """Hardened dowel pin after ISO 8734 A: chamfer of 15 degrees at one end, crowned at the other, m6 ground."""
    d, length, lead = DOWEL_PINS[size]
    r, crown = d / 2, 0.16 * d
    slope = lead * math.tan(math.radians(15))
    small = r - 0.5 * crown
    return (
        cq.Workplane("XZ")
        .moveTo(0, 0)
        .lineTo(r - slope - 0.1, 0)
        .lineTo(r - slope, 0.1)
        .lineTo(r, lead)
        .lineTo(r, length - crown)
        .lineTo(small, length - 0.35 * crown)
        .threePointArc((0.7 * small, length - 0.12 * crown), (0.4 * small, length))
        .lineTo(0, length)
        .close()
        .revolve(360, (0, 0, 0), (0, 1, 0))
    )


RIVETS = {"6x25": (6.0, 25.0, 10.5, 3.6), "4x16": (4.0, 16.0, 7.0, 2.4), "8x30": (8.0, 30.0, 14.0, 4.8)}
"""DIN 660: diameter, length, head's diameter and height."""


def rivet(size: str) -> cq.Workplane:
    """Round head rivet after DIN 660: spherical head, fillet below it, shank with a chamfered end."""
    d, length, head_d, head = RIVETS[size]
    r, rim = d / 2, head_d / 2
    ball = (rim**2 + head**2) / (2 * head)
    half = math.asin(rim / ball) / 2
    via = (ball * math.sin(half), length + head - ball + ball * math.cos(half))
    return (
        cq.Workplane("XZ")
        .moveTo(0, 0)
        .lineTo(r - 0.1 * d, 0)
        .lineTo(r, 0.1 * d)
        .lineTo(r, length - 0.07 * d)
        .threePointArc((r + 0.02 * d, length - 0.02 * d), (r + 0.07 * d, length))
        .lineTo(rim, length)
        .threePointArc(via, (0, length + head))
        .close()
        .revolve(360, (0, 0, 0), (0, 1, 0))
    )


class Spring(NamedTuple):
    """DIN 2098: wire, mean diameter, pitch of the coil (mm), turns."""

    wire: float
    mean: float
    pitch: float
    turns: float


SPRINGS = {"2x16": Spring(2.0, 16.0, 5.2, 4.25), "1.25x10": Spring(1.25, 10.0, 3.4, 6.5)}


def compression_spring(size: str) -> cq.Workplane:
    """Cold coiled compression spring after DIN 2098, ends open and ground flat; a true helix."""
    s = SPRINGS[size]
    height = s.pitch * s.turns
    path = cq.Workplane(cq.Wire.makeHelix(s.pitch, height, s.mean / 2))
    coil = cq.Workplane("XZ").center(s.mean / 2, 0).circle(s.wire / 2).sweep(path, isFrenet=True)
    low, high = 0.25 * s.wire, height - 0.25 * s.wire
    keep = cq.Workplane("XY").workplane(offset=low).rect(2 * s.mean, 2 * s.mean).extrude(high - low)
    return coil.intersect(keep).translate((0, 0, -low))
