"""Parts of engines and turbo machines that are not bodies of one turning: piston, turbine blade, impeller."""

from __future__ import annotations

import math
from typing import NamedTuple

import cadquery as cq

from drawing.bladed import aerofoil, turn_chord
from drawing.shapes import drill, turned


class Piston(NamedTuple):
    """Bore, height, pin's diameter, height of the pin's axis above the skirt's end (mm)."""

    bore: float
    height: float
    pin: float
    pin_z: float


PISTONS = {"70": Piston(70.0, 56.0, 18.0, 26.0), "52": Piston(52.0, 44.0, 14.0, 21.0)}


def piston(size: str) -> cq.Workplane:
    """Cast engine piston: three ring grooves, bowl in the crown, pin bosses with circlip grooves, hollow skirt."""
    s = PISTONS[size]
    r, f = s.bore / 2, s.bore / 70
    profile = [(0.0, 0.0), (r - 0.6, 0.0), (r, 0.6)]
    z = s.height - 20.0 * f
    for width in (2.5 * f, 1.5 * f, 1.2 * f):
        profile += [(r, z), (r - 3.0 * f, z), (r - 3.0 * f, z + width), (r - 0.1, z + width)]
        z += width + 3.0 * f
    profile += [
        (r - 0.2, s.height - 0.6),
        (r - 0.8, s.height),
        (15 * f, s.height),
        (13 * f, s.height - 3.5 * f),
        (0, s.height - 3.5 * f),
    ]
    body = turned(profile)
    inside = r - 5.0 * f
    cavity = turned(
        [
            (0, -1),
            (inside + 1, -1),
            (inside, 1.0),
            (inside, s.height - 26 * f),
            (inside - 6 * f, s.height - 12 * f),
            (0, s.height - 12 * f),
        ]
    )
    bosses = cq.Workplane("XZ").center(0, s.pin_z).circle(0.85 * s.pin).extrude(r, both=True)
    pads = cq.Workplane("XZ").center(0, s.pin_z + s.height / 2).rect(1.7 * s.pin, s.height).extrude(r, both=True)
    bosses = bosses.union(pads).cut(cq.Workplane("XY").rect(2 * r, 0.42 * s.bore).extrude(2 * s.height))
    body = body.cut(cavity.cut(bosses))
    for side in (1, -1):
        relief = cq.Workplane("XZ").center(0, s.pin_z - 8 * f).rect(1.5 * s.pin, s.pin_z * 1.3).extrude(3 * f)
        relief = relief.edges("|Y").fillet(5 * f)
        body = body.cut(relief.translate((0, side * (r - 1.0 * f) + 1.5 * f, 0)))
    bore = cq.Workplane("XZ").center(0, s.pin_z).circle(s.pin / 2).extrude(r + 1, both=True)
    groove = cq.Workplane("XZ").center(0, s.pin_z).circle(s.pin / 2 + 0.8).extrude(0.6, both=True)
    for side in (1, -1):
        bore = bore.union(groove.translate((0, side * (r - 6.0 * f), 0)))
    return body.cut(bore)


class Blade(NamedTuple):
    """Chord at the root, height of the aerofoil, size of the platform along and across, fir tree's height (mm)."""

    chord: float
    span: float
    along: float
    across: float
    root: float


BLADES = {"60": Blade(28.0, 60.0, 30.0, 20.0, 20.0), "45": Blade(22.0, 45.0, 24.0, 16.0, 16.0)}


def turbine_blade(size: str) -> cq.Workplane:
    """Gas turbine blade: twisted, tapered aerofoil on a platform with a fir-tree root of two lobes."""
    s = BLADES[size]
    wires = []
    for f in (0.0, 0.5, 1.0):
        chord, stagger = s.chord * (1 - 0.22 * f), math.radians(18 + 32 * f)
        plane = cq.Plane(origin=(0, 0, f * (s.span + 1) - 1), xDir=(0, 1, 0), normal=(0, 0, 1))
        back, belly = (
            [turn_chord(p, stagger) for p in side]
            for side in aerofoil(chord, 0.24 * chord * (1 - 0.4 * f), 0.17 * chord * (1 - 0.45 * f))
        )
        outline = cq.Workplane(plane).moveTo(*back[0]).bezier(back[1:], includeCurrent=True)
        outline = outline.threePointArc(
            turn_chord((-0.5 * chord - 0.02 * chord, -0.12 * chord * (1 - 0.4 * f)), stagger), belly[0]
        )
        wires.append(outline.bezier(belly[1:], includeCurrent=True).close().wire().val())
    foil = cq.Workplane(cq.Solid.makeLoft(wires, False))
    platform = cq.Workplane("XY").box(s.along, s.across, 4.0, centered=(True, True, False)).translate((0, 0, -4.0))
    platform = platform.edges("|Z").chamfer(0.8).faces(">Z").edges().chamfer(0.4)
    w, h = 0.36 * s.across, s.root
    steps = [
        (1, 0),
        (1, 0.1),
        (1.22, 0.24),
        (1.22, 0.34),
        (0.66, 0.5),
        (0.66, 0.56),
        (0.9, 0.68),
        (0.9, 0.78),
        (0.5, 1),
    ]
    half = [(x * w, -z * h) for x, z in steps]
    points = [(x, z - 3.99) for x, z in half] + [(-x, z - 3.99) for x, z in reversed(half)]
    root = cq.Workplane("YZ").polyline(points).close().extrude(0.46 * s.along, both=True)
    return platform.union(root.edges("|X").fillet(0.4)).union(foil)


IMPELLERS = {"80": (80.0, 7), "64": (64.0, 6)}
"""Diameter (mm), number of blades."""


def impeller(size: str) -> cq.Workplane:
    """Semi-open centrifugal pump impeller: backward-curved blades on a back plate, bored hub, turned contour."""
    d, blades = IMPELLERS[size]
    r = d / 2
    f = d / 80
    inlet = 0.42 * r
    back = turned(
        [
            (0, 0),
            (r - 0.4, 0),
            (r, 0.4),
            (r, 2.6),
            (r - 0.4, 3.0),
            (0.5 * r, 4.2 * f),
            (0.30 * r, 8.0 * f),
            (0.24 * r, 15.0 * f),
            (0.22 * r, 18.5 * f),
            (0.20 * r, 19.0 * f),
            (0, 19.0 * f),
        ]
    )
    start, end = (inlet, 0.0), (1.02 * r * math.cos(-1.35), 1.02 * r * math.sin(-1.35))
    via = (0.80 * r * math.cos(-0.42), 0.80 * r * math.sin(-0.42))
    blade = _thick_arc(start, via, end, 1.1 * f).extrude(24 * f)
    envelope = turned(
        [
            (0.28 * r, 1.0),
            (r - 0.05, 1.0),
            (r - 0.05, 8.5 * f),
            (0.78 * r, 10.0 * f),
            (0.60 * r, 13.5 * f),
            (0.50 * r, 19.0 * f),
            (0.28 * r, 18.0 * f),
        ]
    )
    blade = blade.intersect(envelope)
    body = back
    for k in range(blades):
        body = body.union(blade.rotate((0, 0, 0), (0, 0, 1), 360 / blades * k))
    bore = 0.11 * d
    hole = turned(
        [(0, -1), (bore / 2 + 1.5, -1), (bore / 2, 0.5), (bore / 2, 18.5 * f), (bore / 2 + 1.5, 20 * f), (0, 20 * f)]
    )
    balance = drill(4 * f, 20).translate((0.345 * r, 0, 9 * f))
    body = body.cut(hole)
    for k in range(blades):
        body = body.cut(balance.rotate((0, 0, 0), (0, 0, 1), 360 / blades * (k + 0.45)))
    return body


def _thick_arc(
    start: tuple[float, float], via: tuple[float, float], end: tuple[float, float], half: float
) -> cq.Workplane:
    """Outline of the arc through three points, *half* to each side, with round ends."""
    ax, ay, bx, by, cx, cy = *start, *via, *end
    d = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    ux = ((ax**2 + ay**2) * (by - cy) + (bx**2 + by**2) * (cy - ay) + (cx**2 + cy**2) * (ay - by)) / d
    uy = ((ax**2 + ay**2) * (cx - bx) + (bx**2 + by**2) * (ax - cx) + (cx**2 + cy**2) * (bx - ax)) / d
    radius = math.hypot(ax - ux, ay - uy)

    def out(p: tuple[float, float], by_: float) -> tuple[float, float]:
        scale = (radius + by_) / radius
        return ux + (p[0] - ux) * scale, uy + (p[1] - uy) * scale

    def beyond(p: tuple[float, float], sign: float) -> tuple[float, float]:
        return p[0] - sign * (p[1] - uy) / radius * half, p[1] + sign * (p[0] - ux) / radius * half

    turn = 1.0 if (bx - ax) * (cy - by) - (by - ay) * (cx - bx) > 0 else -1.0
    return (
        cq.Workplane("XY")
        .moveTo(*out(start, half))
        .threePointArc(out(via, half), out(end, half))
        .threePointArc(beyond(end, turn), out(end, -half))
        .threePointArc(out(via, -half), out(start, -half))
        .threePointArc(beyond(start, -turn), out(start, half))
        .close()
    )
