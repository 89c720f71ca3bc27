"""Hand and cutting tools: drill bit, end mill, combination spanner, wrench socket, hexagon key."""

from __future__ import annotations

import math
from typing import NamedTuple

import cadquery as cq

from drawing.shapes import Point, drill, turned


class Cutter(NamedTuple):
    """Diameter, length in all, length of the flutes (mm)."""

    d: float
    length: float
    flutes: float


DRILL_BITS = {"10": Cutter(10.0, 133.0, 87.0), "6": Cutter(6.0, 93.0, 57.0)}


def drill_bit(size: str) -> cq.Workplane:
    """Twist drill after DIN 338: two helical flutes of 30 degrees, web, point of 118 degrees (ground as a cone)."""
    s = DRILL_BITS[size]
    r = s.d / 2
    web = 0.08 * s.d
    flute = 0.33 * s.d
    profile = cq.Workplane("XY").circle(r).extrude(1.0)
    for side in (1, -1):
        trough = cq.Workplane("XY").center(0, side * (web + flute)).circle(flute).extrude(1.0)
        side_relief = (
            cq.Workplane("XY").center(side * flute, side * (web + flute)).rect(2 * flute, 2 * flute).extrude(1.0)
        )
        opening = side_relief.intersect(cq.Workplane("XY").circle(r + 1).circle(web + 0.9 * flute).extrude(1.0))
        profile = profile.cut(trough).cut(opening)
    return _cutter(profile, s, 2 * math.pi * r / math.tan(math.radians(30)), r / math.tan(math.radians(59)), 0.35 * r)


def _cutter(profile: cq.Workplane, s: Cutter, lead: float, tip: float, run_out: float) -> cq.Workplane:
    """Twist *profile*'s section with *lead* over the flutes, point it and join it to the shank; its point at z = 0."""
    wire = profile.faces("<Z").wires().val()
    turn = 360 * s.flutes / lead
    twisted = cq.Workplane(cq.Solid.extrudeLinearWithRotation(wire, [], cq.Vector(), cq.Vector(0, 0, s.flutes), turn))
    r = s.d / 2
    cone = turned([(0, 0), (r + 0.5, tip * (1 + 0.5 / r)), (r + 0.5, s.flutes), (0, s.flutes)])
    shank = turned(
        [
            (0, s.flutes - 0.1),
            (r - run_out, s.flutes - 0.1),
            (r, s.flutes + 1.2 * run_out),
            (r, s.length - 1),
            (r - 1, s.length),
            (0, s.length),
        ]
    )
    return twisted.intersect(cone).union(shank)


END_MILLS = {"10": Cutter(10.0, 72.0, 22.0), "8": Cutter(8.0, 63.0, 19.0)}


def end_mill(size: str) -> cq.Workplane:
    """Four-flute end mill after DIN 844: helix of 30 degrees, hollow end face, cylindrical shank."""
    s = END_MILLS[size]
    r = s.d / 2
    profile = cq.Workplane("XY").circle(r).extrude(1.0)
    for k in range(4):
        trough = cq.Workplane("XY").center(0.80 * r, 0.46 * r).ellipse(0.36 * r, 0.42 * r).extrude(1.0)
        gash = cq.Workplane("XY").center(0.98 * r, 0.52 * r).rect(0.55 * r, 0.72 * r).extrude(1.0)
        profile = profile.cut(trough.union(gash).rotate((0, 0, 0), (0, 0, 1), 90 * k))
    body = _cutter(profile, s, 2 * math.pi * r / math.tan(math.radians(30)), 0.05, 0.4 * r)
    return body.cut(turned([(0, -1), (r + 0.5, -1), (r + 0.5, -0.04 * r), (0.2 * r, 0.08 * r), (0, 0.08 * r)]))


class Spanner(NamedTuple):
    """DIN 3113: width across flats, length, open head's width and thickness, ring's diameter and thickness, shank."""

    flats: float
    length: float
    head: float
    head_thick: float
    ring: float
    ring_thick: float
    shank: float


SPANNERS = {
    "13": Spanner(13.0, 165.0, 28.5, 6.2, 20.5, 9.0, 12.0),
    "10": Spanner(10.0, 140.0, 22.5, 5.2, 16.0, 7.5, 9.5),
}


def spanner(size: str) -> cq.Workplane:
    """Combination spanner after DIN 3113 A: open end turned by 15 degrees, twelve-point ring, recessed shank."""
    s = SPANNERS[size]
    span = s.length - s.head / 2 - s.ring / 2
    t = 0.8 * s.head_thick
    low, wide, slim = 0.3 * s.head, 0.62 * s.shank, 0.42 * s.shank
    outline = cq.Workplane("XY").polyline([(low, -wide), (span, -slim), (span, slim), (low, wide)]).close()
    shank = outline.extrude(t / 2, both=True).faces("<Z or >Z").edges("not |Y").fillet(0.3 * t)
    recess = (
        cq.Workplane("XY")
        .center(0.52 * span, 0)
        .slot2D(0.5 * span, 0.42 * s.shank)
        .extrude(2)
        .translate((0, 0, t / 2 - 0.6))
    )
    recess = recess.faces("<Z").edges().fillet(0.3)
    shank = shank.cut(recess).cut(recess.rotate((0, 0, 0), (1, 0, 0), 180))
    head = cq.Workplane("XY").ellipse(0.52 * s.head, 0.5 * s.head).extrude(s.head_thick / 2, both=True)
    head = head.faces("<Z or >Z").edges().fillet(0.16 * s.head_thick)
    jaw = cq.Workplane("XY").rect(2 * s.head, s.flats + 0.15).extrude(s.head_thick, both=True)
    jaw = jaw.translate((-s.head, 0, 0))
    round_end = cq.Workplane("XY").circle(s.flats / 2 + 0.075).extrude(s.head_thick, both=True)
    mouth = jaw.union(round_end).translate((-0.06 * s.head, 0, 0)).rotate((0, 0, 0), (0, 0, 1), 15)
    ring = cq.Workplane("XY").circle(s.ring / 2).extrude(s.ring_thick / 2, both=True).translate((span, 0, 0))
    ring = ring.faces("<Z or >Z").edges().fillet(0.12 * s.ring_thick)
    body = shank.union(head).union(ring)
    hole = cq.Workplane("XY").polyline(twelve_points(s.flats + 0.15)).close().extrude(s.ring_thick, both=True)
    return body.cut(mouth).cut(hole.translate((span, 0, 0)))


def twelve_points(flats: float) -> list[Point]:
    """Corners of the bihexagonal hole of a wrench: two hexagons of width *flats* turned by 30 degrees."""
    outer = flats / 2 / math.cos(math.pi / 6)
    inner = flats / 2 / math.cos(math.pi / 12)
    return [
        (
            (outer if k % 2 == 0 else inner) * math.cos(k * math.pi / 12),
            (outer if k % 2 == 0 else inner) * math.sin(k * math.pi / 12),
        )
        for k in range(24)
    ]


WRENCH_SOCKETS = {"13": (13.0, 38.0, 19.0, 21.9, 12.7), "17": (17.0, 38.0, 24.0, 24.0, 12.7)}
"""DIN 3124: width across flats, length, diameter at the nut and at the drive, square drive (mm)."""


def wrench_socket(size: str) -> cq.Workplane:
    """Wrench socket after DIN 3124, 1/2 in drive: twelve-point mouth, square drive with ball recesses, groove."""
    flats, length, nut_d, drive_d, drive = WRENCH_SOCKETS[size]
    a, b = nut_d / 2, drive_d / 2
    body = turned(
        [
            (0, 0),
            (b - 1, 0),
            (b, 1),
            (b, 9),
            (b - 0.7, 9.7),
            (b - 0.7, 11.3),
            (b, 12),
            (b, 17),
            (a, 20.5),
            (a, length - 1),
            (a - 1, length),
            (0, length),
        ]
    )
    square = cq.Workplane("XY").rect(drive + 0.1, drive + 0.1).extrude(16.5).edges("|Z").fillet(0.6)
    ball = cq.Workplane("XY").sphere(2.6)
    square = square.union(turned([(0, 16), (drive / 2, 16), (2, 18.5), (0, 18.5)]))
    for k in range(4):
        square = square.union(ball.translate((drive / 2 - 1.2, 0, 8)).rotate((0, 0, 0), (0, 0, 1), 90 * k))
    mouth = cq.Workplane("XY").polyline(twelve_points(flats + 0.15)).close().extrude(14).translate((0, 0, length - 13))
    clear = flats / 2 - 0.3
    mouth = mouth.union(turned([(0, length - 16), (clear, length - 16), (clear, length - 12.9), (0, length - 12.9)]))
    lead = flats / 2 / math.cos(math.pi / 6)
    mouth = mouth.union(
        turned([(0, length - 1.0), (lead - 1.0, length - 1.0), (lead + 0.6, length + 0.6), (0, length + 0.6)])
    )
    lead_in = turned([(0, -0.5), (drive / 2 + 2.0, -0.5), (drive / 2 + 0.6, 0.9), (0, 0.9)])
    return body.cut(square).cut(mouth).cut(lead_in).cut(drill(2, 5).translate((0, 0, 21)))


HEX_KEYS = {"6": (6.0, 96.0, 38.0), "4": (4.0, 74.0, 29.0), "8": (8.0, 108.0, 44.0)}
"""ISO 2936: width across flats, long and short arm (mm)."""


def hex_key(size: str) -> cq.Workplane:
    """Hexagon key after ISO 2936, bent from drawn hexagonal bar, ends chamfered."""
    flats, long, short = HEX_KEYS[size]
    bend = 1.5 * flats
    c = bend * (1 - math.sqrt(0.5))
    path = cq.Workplane("XZ").moveTo(0, short).lineTo(0, bend).threePointArc((c, c), (bend, 0)).lineTo(long, 0)
    bar = cq.Workplane("XY").workplane(offset=short).polygon(6, flats / math.cos(math.pi / 6)).sweep(path)
    return bar.faces(">X or >Z").edges().chamfer(0.08 * flats)
