"""Blades: the axial turbine wheel, and the aerofoil that blades share."""

from __future__ import annotations

import math

import cadquery as cq

from drawing.shapes import Point, turned


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
        back, belly = ([turn_chord(p, stagger) for p in side] for side in aerofoil(chord, camber, thick))
        nose = [turn_chord((-chord / 2 - 0.1 * thick, side * thick / 20 - camber / 2), stagger) for side in (1, -1)]
        outline = cq.Workplane(plane).moveTo(*back[0]).bezier(back[1:], includeCurrent=True)
        outline = (
            outline.lineTo(*nose[0]).lineTo(*nose[1]).lineTo(*belly[0]).bezier(belly[1:], includeCurrent=True).close()
        )
        wires.append(outline.wire().val())
    return cq.Workplane(cq.Solid.makeLoft(wires, True))


def turn_chord(p: Point, angle: float) -> Point:
    """Chord along +v (the machine's axis) turned by *angle* towards +u."""
    along, across = p
    return (
        along * math.sin(angle) + across * math.cos(angle),
        along * math.cos(angle) - across * math.sin(angle),
    )


def aerofoil(chord: float, camber: float, thick: float) -> tuple[list[Point], list[Point]]:
    """Bezier poles of the back (trailing to leading edge) and the belly (leading to trailing) about the mid-chord.

    Both are parabolas: a parabolic camber line with a thickness that falls from *thick* to 0.25 *thick* at both ends;
    three narrow flats break the nose, the trailing edge is cut off flat.
    """
    end, edge = chord / 2, thick / 8
    base = -camber / 2
    back = [(end, base + edge), (0.0, 3 * camber / 2 + thick - edge), (-end, base + edge)]
    belly = [(-end, base - edge), (0.0, 3 * camber / 2 - thick + edge), (end, base - edge)]
    return back, belly
