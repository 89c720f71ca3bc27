"""Gears and what meshes like them: spur, helical, bevel, worm, ring gear, rack, sprocket. Flanks are true involutes."""

from __future__ import annotations

import math
from typing import NamedTuple

import cadquery as cq

from drawing.shapes import Point, drill, hub_keyway, tube, turned

PRESSURE = math.radians(20)


class Gear(NamedTuple):
    """ISO 53 profile A: module (mm), number of teeth, face width, bore."""

    module: float
    teeth: int
    width: float
    bore: float


SPUR_GEARS = {"m2z24": Gear(2.0, 24, 18.0, 15.0), "m1.5z20": Gear(1.5, 20, 12.0, 10.0)}
KEYWAYS = {10: (3.0, 1.4), 12: (4.0, 1.8), 14: (5.0, 2.3), 15: (5.0, 2.3), 18: (6.0, 2.8), 20: (6.0, 2.8)}
"""DIN 6885: bore to width and depth of the keyway in a hub."""


def spur_gear(size: str) -> cq.Workplane:
    """Spur gear after ISO 53 profile A, 20 degrees: recessed web, hub, bore and keyway."""
    s = SPUR_GEARS[size]
    body = gear_outline(s.module, s.teeth).extrude(s.width).intersect(_blank(s, 0.45 * s.module))
    root = s.module * (s.teeth / 2 - 1.25)
    hub, rim, depth = s.bore / 2 + 5.5, root - 2.5, s.width / 6
    inner, outer = hub, rim
    groove = [(inner, -1), (outer, -1), (outer, depth - 0.8), (outer - 0.8, depth), (inner + 0.8, depth)]
    groove.append((inner, depth - 0.8))
    body = body.cut(turned(groove)).cut(turned([(r, s.width - z) for r, z in groove]))
    top = s.width + s.width / 2 + 0.8
    body = body.union(turned([(0, s.width - 5), (hub, s.width - 5), (hub, top - 0.8), (hub - 0.8, top), (0, top)]))
    return _bored(body, s.bore, 0.0, top)


def _blank(s: Gear, chamfer: float) -> cq.Workplane:
    """The turned blank of a gear: tip circle with chamfered rims."""
    tip = s.module * (s.teeth + 2) / 2
    c = chamfer + 0.1
    return turned(
        [(0, 0), (tip + 0.1 - c, 0), (tip + 0.1, c), (tip + 0.1, s.width - c), (tip + 0.1 - c, s.width), (0, s.width)]
    )


def _bored(body: cq.Workplane, bore: float, low: float, high: float) -> cq.Workplane:
    """*body* with a bore along z, chamfered at *low* and *high*, and its keyway."""
    r = bore / 2
    hole = turned(
        [(0, low - 1), (r + 1.8, low - 1), (r, low + 0.8), (r, high - 0.8), (r + 1.8, high + 1), (0, high + 1)]
    )
    return body.cut(hole).cut(hub_keyway(bore, *KEYWAYS[int(bore)], low - 1, high + 1))


def gear_outline(
    module: float,
    teeth: int,
    *,
    addendum: float = 1.0,
    dedendum: float = 1.25,
    backlash: float = 0.1,
    arcs: bool = False,
) -> cq.Workplane:
    """The closed outline of a gear in the xy plane: involute flanks, root fillets as arcs, tip and root circles.

    Flank: r = rb sqrt(1 + t^2), theta = t - atan t (involute of the base circle). Tooth thickness at the pitch
    circle is pi m / 2 less *backlash* (mm); *addendum* and *dedendum* are in modules.
    With *arcs* a flank is the arc through three points of the involute, which keeps twisted flanks simple.
    """
    pitch_r = module * teeth / 2
    base_r = pitch_r * math.cos(PRESSURE)
    tip_r, root_r, fillet = pitch_r + addendum * module, pitch_r - dedendum * module, 0.38 * module
    half_pitch_angle = (math.pi * module / 2 - backlash) / (2 * pitch_r) + math.tan(PRESSURE) - PRESSURE
    start = max(root_r + fillet, base_r)
    flank = [_involute(base_r, start + (tip_r - start) * i / 5) for i in range(6)]
    right = [(r, theta - half_pitch_angle) for r, theta in flank]

    def at(radius: float, angle: float) -> Point:
        return radius * math.cos(angle), radius * math.sin(angle)

    step = 2 * math.pi / teeth
    fillet_angle = fillet / root_r
    foot, blend = right[0][1], 0.29 * fillet
    wire = cq.Workplane("XY").moveTo(*at(root_r, foot - fillet_angle))
    for tooth in range(teeth):
        a = tooth * step
        wire = wire.threePointArc(at(root_r + blend, a + foot - 0.29 * fillet_angle), at(right[0][0], a + foot))
        wire = _flank(wire, [at(r, a + theta) for r, theta in right[1:]], arcs)
        wire = wire.threePointArc(at(tip_r, a), at(tip_r, a - right[-1][1]))
        wire = _flank(wire, [at(r, a - theta) for r, theta in reversed(right[:-1])], arcs)
        wire = wire.threePointArc(
            at(root_r + blend, a - foot + 0.29 * fillet_angle), at(root_r, a - foot + fillet_angle)
        )
        if tooth < teeth - 1:
            wire = wire.threePointArc(at(root_r, a + step / 2), at(root_r, a + step + foot - fillet_angle))
    return wire.threePointArc(at(root_r, -step / 2), at(root_r, foot - fillet_angle)).close()


def _flank(wire: cq.Workplane, points: list[Point], arcs: bool) -> cq.Workplane:
    """*wire* continued through five *points* of an involute."""
    return wire.threePointArc(points[2], points[4]) if arcs else wire.spline(points, includeCurrent=True)


def _involute(base_r: float, r: float) -> Point:
    """(r, polar angle) of the involute of a circle *base_r* at radius *r*."""
    t = math.sqrt(max((r / base_r) ** 2 - 1, 0.0))
    return r, t - math.atan(t)


HELICAL_GEARS = {"m2.5z14": Gear(2.5, 14, 14.0, 12.0)}


def helical_gear(size: str) -> cq.Workplane:
    """Helical gear after ISO 53 profile A, helix of 15 degrees, hub, bore and keyway."""
    s = HELICAL_GEARS[size]
    pitch_r = s.module * s.teeth / 2
    turn = math.degrees(s.width * math.tan(math.radians(15)) / pitch_r)
    body = gear_outline(s.module, s.teeth, arcs=True).twistExtrude(s.width, turn).intersect(_blank(s, 0.4 * s.module))
    hub, top = s.bore / 2 + 5.0, s.width + 8.0
    body = body.union(turned([(0, s.width - 3), (hub, s.width - 3), (hub, top - 0.8), (hub - 0.8, top), (0, top)]))
    return _bored(body, s.bore, 0.0, top)


BEVEL_GEARS = {"m4z12": Gear(4.0, 12, 9.0, 12.0)}


def bevel_gear(size: str) -> cq.Workplane:
    """Straight mitre gear (bevel gear of 45 degrees) after ISO 53 profile A, back cone, hub, bore and keyway."""
    s = BEVEL_GEARS[size]
    pitch_r = s.module * s.teeth / 2
    apex, drop, rise = pitch_r, 4.0, 9.5  # the pitch cone of 45 degrees meets the axis one pitch radius above
    wires = []
    for z in (-drop, rise):
        scale = (apex - z) / apex
        wire = gear_outline(s.module * scale, s.teeth, dedendum=1.2, arcs=True).wire().val()
        wires.append(wire.translate(cq.Vector(0, 0, z)))
    toothed = cq.Workplane(cq.Solid.makeLoft(wires, True))
    out, deep = pitch_r + 0.72 * s.module, 1.3 * s.module
    width = s.width / math.sqrt(2)
    envelope = turned(
        [
            (0, -drop + 0.2),
            (pitch_r - deep - 1.0, -drop + 0.2),
            (pitch_r - deep, -deep + 0.6),
            (out, out - pitch_r),
            (out + 2.0 - width, out - pitch_r + 2.0 + width),
            (pitch_r - width - deep, width - 0.4 * deep),
            (0, width - 0.4 * deep),
        ]
    )
    body = toothed.intersect(envelope)
    hub, low = s.bore / 2 + 5.0, -11.0
    high = width - 0.4 * deep
    body = body.union(turned([(0, low), (hub - 0.8, low), (hub, low + 0.8), (hub, 0), (0, 0)]))
    return _bored(body, s.bore, low, high)


WORMS = {"m2": (2.0, 22.4, 36.0, 14.0)}
"""DIN 3976: module, reference diameter, length of the thread, journals' diameter (mm)."""


def worm(size: str) -> cq.Workplane:
    """Cylindrical single-start worm after DIN 3976 on its shaft; the thread is a true helix."""
    module, reference, length, journal = WORMS[size]
    pitch = math.pi * module
    root_r, tip_r = reference / 2 - 1.2 * module, reference / 2 + module
    half_root = pitch / 4 + 1.2 * module * math.tan(PRESSURE)
    half_tip = pitch / 4 - module * math.tan(PRESSURE)
    below = 0.4
    overhang = below * math.tan(PRESSURE)
    path = cq.Workplane(cq.Wire.makeHelix(pitch, length + 2 * pitch, root_r))
    tooth = (
        cq.Workplane("XZ")
        .polyline(
            [
                (root_r - below, -half_root - overhang),
                (tip_r, -half_tip),
                (tip_r, half_tip),
                (root_r - below, half_root + overhang),
            ]
        )
        .close()
        .sweep(path, isFrenet=True)
        .translate((0, 0, -pitch))
    )
    lead = tip_r - root_r
    tooth = tooth.intersect(
        turned(
            [
                (root_r - 1, 0),
                (root_r, 0),
                (tip_r + 0.1, 1.2 * lead),
                (tip_r + 0.1, length - 1.2 * lead),
                (root_r, length),
                (root_r - 1, length),
            ]
        )
    )
    j = journal / 2
    core = turned(
        [
            (0, -30),
            (j - 0.8, -30),
            (j, -29.2),
            (j, -8.0),
            (j - 0.3, -7.4),
            (j - 0.3, -6),
            (root_r - 0.5, -6),
            (root_r, -5.5),
            (root_r, length + 5.5),
            (root_r - 0.5, length + 6),
            (j - 0.3, length + 6),
            (j - 0.3, length + 7.4),
            (j, length + 8),
            (j, length + 23.2),
            (j - 0.8, length + 24),
            (0, length + 24),
        ]
    )
    return core.union(tooth)


RING_GEARS = {"m1.5z48": Gear(1.5, 48, 14.0, 92.0)}
"""`bore` is the outer diameter of the ring."""


def ring_gear(size: str) -> cq.Workplane:
    """Internal ring gear after ISO 53 profile A with six fixing holes."""
    s = RING_GEARS[size]
    ring = tube(s.bore, s.module * (s.teeth - 2) - 1.0, 0, s.width, 0.8)
    # The gap of an internal gear is the tooth of an external one with addendum and dedendum exchanged.
    ring = ring.cut(
        gear_outline(s.module, s.teeth, addendum=1.25, dedendum=1.0, backlash=-0.1, arcs=True).extrude(s.width)
    )
    lead = s.module * (s.teeth / 2 - 1) + 0.6
    for flat in (0, 1):
        cone = turned([(0, -0.5), (lead + 0.5, -0.5), (lead - 1.0, 1.0), (0, 1.0)])
        ring = ring.cut(cone if not flat else cone.mirror("XY").translate((0, 0, s.width)))
    hole_r = (s.bore / 2 + s.module * (s.teeth / 2 + 1.25)) / 2
    hole = drill(4.3, 40, chamfer=0.4).translate((0, 0, s.width))
    for k in range(6):
        ring = ring.cut(hole.translate((hole_r, 0, 0)).rotate((0, 0, 0), (0, 0, 1), 60 * k))
    return ring


RACKS = {"m2x100": (2.0, 16, 20.0, 20.0)}
"""ISO 53: module, number of teeth, width, height (mm)."""


def rack(size: str) -> cq.Workplane:
    """Straight toothed rack after ISO 53 profile A with root fillets and two counterbored fixing holes."""
    module, teeth, width, height = RACKS[size]
    pitch, lean = math.pi * module, math.tan(PRESSURE)
    line, half = height - module, pitch / 4
    points: list[Point] = [(0.0, 0.0)]
    for k in range(teeth):
        x = (k + 0.5) * pitch
        points += [
            (x - half - 1.25 * module * lean, line - 1.25 * module),
            (x - half + module * lean, height),
            (x + half - module * lean, height),
            (x + half + 1.25 * module * lean, line - 1.25 * module),
        ]
    length = teeth * pitch
    points = [(0.0, 0.0), (0.0, line - 1.25 * module), *points[1:], (length, line - 1.25 * module), (length, 0.0)]
    body = cq.Workplane("XZ").polyline(points).close().extrude(width / 2, both=True)
    gaps = cq.selectors.BoxSelector(
        (0.1, -99, line - 1.25 * module - 0.01), (length - 0.1, 99, line - 1.25 * module + 0.01)
    )
    body = body.edges(gaps).edges("|Y").fillet(0.3 * module)
    body = body.faces("<Z").edges().chamfer(0.8)
    bolt = drill(6.6, 60).union(turned([(0, -6.8), (5.5, -6.8), (5.5, -0.4), (5.9, 0), (5.9, 0.5), (0, 0.5)]))
    for x in (0.2 * length, 0.8 * length):
        body = body.cut(bolt.rotate((0, 0, 0), (1, 0, 0), 90).translate((x, -width / 2, 0.42 * height)))
    return body


SPROCKETS = {"08Bz17": (12.7, 8.51, 17, 7.2, 20.0)}
"""ISO 606: pitch, roller diameter, teeth, width of the teeth, bore (mm)."""


def sprocket(size: str) -> cq.Workplane:
    """Chain sprocket after ISO 606 with hub, rounded tooth sides, bore and keyway."""
    pitch, roller, teeth, width, bore = SPROCKETS[size]
    centre_r = pitch / 2 / math.sin(math.pi / teeth)
    tip_r = centre_r + 0.625 * pitch - roller / 2 + 1.2
    seat_r, seat = 0.505 * roller + 0.05, math.radians(70 - 45 / teeth)

    def turned_by(p: Point, angle: float) -> Point:
        c, s = math.cos(angle), math.sin(angle)
        return p[0] * c - p[1] * s, p[0] * s + p[1] * c

    end = (centre_r - seat_r * math.cos(seat), seat_r * math.sin(seat))
    half = math.pi / teeth
    tip = (tip_r * math.cos(half - 0.022), tip_r * math.sin(half - 0.022))
    along = (tip[0] - end[0], tip[1] - end[1])
    bulge = 0.07
    via = (end[0] + along[0] / 2 + bulge * along[1], end[1] + along[1] / 2 - bulge * along[0])
    step = 2 * half
    mirrored = [(p[0], -p[1]) for p in (tip, via, end)]
    wire = cq.Workplane("XY").moveTo(*mirrored[0])
    for k in range(teeth):
        a = k * step
        wire = wire.threePointArc(turned_by(mirrored[1], a), turned_by(mirrored[2], a))
        wire = wire.threePointArc(turned_by((centre_r - seat_r, 0), a), turned_by(end, a))
        wire = wire.threePointArc(turned_by(via, a), turned_by(tip, a))
        if k < teeth - 1:
            wire = wire.threePointArc(turned_by((tip_r, 0), a + half), turned_by(mirrored[0], a + step))
    plate = wire.threePointArc(turned_by((tip_r, 0), -half), mirrored[0]).close().extrude(width)
    thin = 0.13 * pitch
    rim = [(tip_r + 0.1, thin), (tip_r - 0.5 * pitch, 0)]
    plate = plate.intersect(turned([(0, 0), rim[1], rim[0], (rim[0][0], width - thin), (rim[1][0], width), (0, width)]))
    hub, top = bore / 2 + 11.0, 28.0
    body = plate.union(turned([(0, width - 1), (hub, width - 1), (hub, top - 1), (hub - 1, top), (0, top)]))
    return _bored(body, bore, 0.0, top)
