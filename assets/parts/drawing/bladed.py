"""Parts whose flanks are curves of their own: a spur gear with true involutes and a turbine wheel."""

from __future__ import annotations

import math

import cadquery as cq

from drawing.shapes import Point, hub_keyway, turned


def spur_gear() -> cq.Workplane:
    """Spur gear, module 2, 24 teeth, 20 degrees, 18 mm wide (ISO 53 profile A), hub, 15 mm bore and keyway."""
    module, teeth, width = 2.0, 24, 18.0
    outline = _gear_outline(module, teeth)
    tip = module * (teeth + 2) / 2
    envelope = turned(
        [(0, 0), (tip - 0.9, 0), (tip + 0.1, 1.0), (tip + 0.1, width - 1.0), (tip - 0.9, width), (0, width)]
    )
    body = outline.extrude(width).intersect(envelope)
    body = body.cut(turned([(13, -1), (19, -1), (19, 2.2), (18.2, 3), (13.8, 3), (13, 2.2)]))
    body = body.cut(
        turned(
            [
                (13, width + 1),
                (19, width + 1),
                (19, width - 2.2),
                (18.2, width - 3),
                (13.8, width - 3),
                (13, width - 2.2),
            ]
        )
    )
    body = body.union(turned([(0, width - 5), (13, width - 5), (13, width + 9), (12.2, width + 9.8), (0, width + 9.8)]))
    bore = turned([(0, -1), (9.3, -1), (7.5, 0.8), (7.5, width + 9), (9.3, width + 10.8), (0, width + 10.8)])
    return body.cut(bore).cut(hub_keyway(15, 5, 2.3, -1, width + 11))


def _gear_outline(module: float, teeth: int) -> cq.Workplane:
    """The closed outline of a gear in the xy plane: involute flanks, root fillets as arcs, tip and root circles.

    Flank: r = rb sqrt(1 + t^2), theta = t - atan t (involute of the base circle). Tooth thickness at the pitch
    circle is pi m / 2 less 0.1 mm of backlash.
    """
    pressure = math.radians(20)
    pitch_r = module * teeth / 2
    base_r = pitch_r * math.cos(pressure)
    tip_r, root_r, fillet = pitch_r + module, pitch_r - 1.25 * module, 0.38 * module
    half_pitch_angle = (math.pi * module / 2 - 0.1) / (2 * pitch_r) + math.tan(pressure) - pressure
    start = root_r + fillet
    flank = [_involute(base_r, max(start, base_r) + (tip_r - max(start, base_r)) * i / 5) for i in range(6)]
    right = [(r, theta - half_pitch_angle) for r, theta in flank]

    def at(radius: float, angle: float) -> Point:
        return radius * math.cos(angle), radius * math.sin(angle)

    step = 2 * math.pi / teeth
    fillet_angle = fillet / root_r
    wire = cq.Workplane("XY").moveTo(*at(root_r, right[0][1] - fillet_angle))
    for tooth in range(teeth):
        a = tooth * step
        foot = right[0][1]
        blend = 0.29 * fillet
        wire = wire.threePointArc(at(root_r + blend, a + foot - 0.29 * fillet_angle), at(right[0][0], a + foot))
        wire = wire.spline([at(r, a + theta) for r, theta in right[1:]], includeCurrent=True)
        wire = wire.threePointArc(at(tip_r, a), at(tip_r, a - right[-1][1]))
        wire = wire.spline([at(r, a - theta) for r, theta in reversed(right[:-1])], includeCurrent=True)
        wire = wire.threePointArc(
            at(root_r + blend, a - foot + 0.29 * fillet_angle), at(root_r, a - foot + fillet_angle)
        )
        if tooth < teeth - 1:
            wire = wire.threePointArc(at(root_r, a + step / 2), at(root_r, a + step + foot - fillet_angle))
    return wire.threePointArc(at(root_r, -step / 2), at(root_r, foot - fillet_angle)).close()


def _involute(base_r: float, r: float) -> Point:
    """(r, polar angle) of the involute of a circle *base_r* at radius *r*."""
    t = math.sqrt(max((r / base_r) ** 2 - 1, 0.0))
    return r, t - math.atan(t)


def turbine_wheel() -> cq.Workplane:
    """Axial turbine wheel, 84 mm across, 15 twisted and tapered blades on a turned hub with a bore."""
    hub_r, tip_r = 24.0, 42.0
    hub = turned(
        [
            (6.5, -4.5),
            (7, -5),
            (11, -5),
            (11.5, -4.5),
            (13, 1),
            (20, 2),
            (23.4, 0),
            (hub_r, 0.6),
            (hub_r, 17.4),
            (23.4, 18),
            (20, 16),
            (13, 17),
            (11, 24),
            (10, 25),
            (7, 25),
            (6.5, 24.5),
        ]
    )
    blade = _blade(hub_r - 1.5, tip_r + 3).intersect(cq.Workplane("XY").workplane(offset=-10).circle(tip_r).extrude(40))
    body = hub
    for index in range(15):
        body = body.union(blade.rotate((0, 0, 0), (0, 0, 1), 24 * index))
    return body


def _blade(r0: float, r1: float) -> cq.Workplane:
    """A blade along +x from *r0* to *r1*: ruled between two aerofoil sections, 28 and 58 degrees off the axis."""
    wires = []
    for f in (0.0, 1.0):
        chord, stagger, camber, thick = 16 - 3.5 * f, math.radians(28 + 30 * f), 3.4 - 2.2 * f, 2.6 - 1.2 * f
        plane = cq.Plane(origin=(r0 + (r1 - r0) * f, 0, 9), xDir=(0, 1, 0), normal=(1, 0, 0))
        back, belly = ([_turn(p, stagger) for p in side] for side in _aerofoil(chord, camber, thick))
        nose = [_turn((-chord / 2 - 0.1 * thick, side * thick / 20 - camber / 2), stagger) for side in (1, -1)]
        outline = cq.Workplane(plane).moveTo(*back[0]).bezier(back[1:], includeCurrent=True)
        outline = (
            outline.lineTo(*nose[0]).lineTo(*nose[1]).lineTo(*belly[0]).bezier(belly[1:], includeCurrent=True).close()
        )
        wires.append(outline.wire().val())
    return cq.Workplane(cq.Solid.makeLoft(wires, True))


def _turn(p: Point, angle: float) -> Point:
    """Chord along +v (the machine's axis) turned by *angle* towards +u."""
    along, across = p
    return (
        along * math.sin(angle) + across * math.cos(angle),
        along * math.cos(angle) - across * math.sin(angle),
    )


def _aerofoil(chord: float, camber: float, thick: float) -> tuple[list[Point], list[Point]]:
    """Bezier poles of the back (trailing to leading edge) and the belly (leading to trailing) about the mid-chord.

    Both are parabolas: a parabolic camber line with a thickness that falls from *thick* to 0.25 *thick* at both ends;
    three narrow flats break the nose, the trailing edge is cut off flat.
    """
    end, edge = chord / 2, thick / 8
    base = -camber / 2
    back = [(end, base + edge), (0.0, 3 * camber / 2 + thick - edge), (-end, base + edge)]
    belly = [(-end, base - edge), (0.0, 3 * camber / 2 - thick + edge), (end, base - edge)]
    return back, belly
