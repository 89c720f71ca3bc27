"""Sheet metal, couplings and wheels: perforated plate, enclosure cover, jaw coupling, hand wheel."""

from __future__ import annotations

import math
from typing import NamedTuple

import cadquery as cq

from drawing.shapes import drill, hub_keyway, tube, turned

PERFORATED = {"Rv5-8": (100.0, 80.0, 1.5, 5.0, 8.0), "Rv3-5": (60.0, 50.0, 1.0, 3.0, 5.0)}
"""DIN 24041: length, width, thickness, hole, pitch of the staggered rows (mm)."""


def perforated_plate(size: str) -> cq.Workplane:
    """Perforated plate with round holes in staggered rows after DIN 24041, corner holes, cut edges."""
    length, width, thick, hole, pitch = PERFORATED[size]
    plate = cq.Workplane("XY").box(length, width, thick, centered=(True, True, False)).edges("|Z").fillet(3)
    margin = 0.8 * pitch
    row_step = pitch * math.sqrt(0.75)
    rows = int((width - 2 * margin - hole) / row_step) + 1
    places = []
    for row in range(rows):
        count = int((length - 2 * margin - hole) / pitch) + 1 - row % 2
        y = (row - (rows - 1) / 2) * row_step
        places += [((k - (count - 1) / 2) * pitch, y) for k in range(count)]
    return plate.cut(cq.Workplane("XY").pushPoints(places).circle(hole / 2).extrude(thick))


COVERS = {"100x70": (100.0, 70.0, 18.0, 1.2), "70x50": (70.0, 50.0, 14.0, 1.0)}
"""Length, width, height, sheet thickness (mm)."""


def enclosure_cover(size: str) -> cq.Workplane:
    """Deep-drawn enclosure cover with bend radii, ventilation slots, dimpled screw holes and a cable cut-out."""
    length, width, height, thick = COVERS[size]
    box = cq.Workplane("XY").box(length, width, height, centered=(True, True, False))
    box = box.edges("|Z").fillet(6).faces(">Z").edges().fillet(2.5)
    body = box.faces("<Z").shell(-thick)
    slots = (
        cq.Workplane("XY").pushPoints([(0.06 * length + 6.0 * k, 0) for k in range(6)]).slot2D(0.45 * width, 2.5, 90)
    )
    body = body.cut(slots.extrude(height + 5))
    for x in (-0.5 * length + 11, 0.5 * length - 11):
        for y in (-0.5 * width + 11, 0.5 * width - 11):
            place = (x, y, height)
            cup = turned([(0, -2.2 - thick), (4.2 + thick, -2.2 - thick), (6.2 + 1.2 * thick, -0.6), (0, -0.6)])
            sunk = turned([(0, -2.2), (4.2, -2.2), (6.2, 0), (6.2, 1), (0, 1)])
            body = body.union(cup.translate(place)).cut(sunk.translate(place))
            body = body.cut(cq.Workplane("XY").circle(2.2).extrude(height + 1).translate((x, y, 0)))
    cable = cq.Workplane("YZ").center(0, 0).slot2D(16, 9, 90).extrude(20).translate((-length / 2 - 10, 0, 0))
    body = body.cut(cable)
    return body.cut(cq.Workplane("XY").center(-0.22 * length, 0).circle(8).extrude(height + 5))


class Coupling(NamedTuple):
    """Diameter, bore, hub's length, height and number of the jaws (mm)."""

    d: float
    bore: float
    hub: float
    jaw: float
    jaws: int


COUPLINGS = {"24": Coupling(55.0, 20.0, 30.0, 14.0, 4), "19": Coupling(40.0, 15.0, 25.0, 12.0, 3)}


def jaw_coupling(size: str) -> cq.Workplane:
    """Hub of a curved-jaw coupling: jaws with hollow flanks, bore with keyway (DIN 6885), tapped set-screw hole."""
    s = COUPLINGS[size]
    r, inner = s.d / 2, 0.27 * s.d
    body = turned([(0, 0), (r - 1, 0), (r, 1), (r, s.hub - 0.5), (r - 0.5, s.hub), (0, s.hub)])
    ring = tube(s.d, 2 * inner, s.hub - 1, s.hub + s.jaw, 0.4)
    spider = (r + inner) / 2
    for k in range(s.jaws):
        angle = 360 / s.jaws * k
        pocket = cq.Workplane("XY").circle(math.pi * spider / s.jaws / 2 * 1.08).extrude(s.jaw + 5)
        slot = (
            cq.Workplane("XY")
            .rect(s.d, 0.9 * math.pi * spider / s.jaws)
            .extrude(s.jaw + 5)
            .translate((s.d / 2 + 2, 0, 0))
        )
        inward = cq.Workplane("XY").rect(s.d / 2, 0.7 * math.pi * spider / s.jaws).extrude(s.jaw + 5)
        gap = pocket.union(slot).union(inward.translate((-s.d / 6, 0, 0))).translate((spider, 0, s.hub))
        ring = ring.cut(gap.rotate((0, 0, 0), (0, 0, 1), angle))
    body = body.union(ring)
    b = s.bore / 2
    bore = turned([(0, -1), (b + 1.8, -1), (b, 0.8), (b, s.hub - 0.8), (b + 1.8, s.hub + 1), (0, s.hub + 1)])
    body = body.cut(bore).cut(hub_keyway(s.bore, *{20.0: (6.0, 2.8), 15.0: (5.0, 2.3)}[s.bore], -1, s.hub + 1))
    screw = drill(4.2, r - 2, chamfer=0.5).rotate((0, 0, 0), (1, 0, 0), -90).translate((0, r, s.hub / 2))
    return body.cut(screw)


HAND_WHEELS = {"125": (125.0, 16.0, 14.0, 30.0, 36.0), "100": (100.0, 14.0, 12.0, 26.0, 33.0)}
"""DIN 950: diameter, rim's section, bore, hub's diameter, height (mm)."""


def hand_wheel(size: str) -> cq.Workplane:
    """Cast hand wheel after DIN 950: polished rim, three raked spokes, bored hub with keyway, hole for a handle."""
    d, rim, bore, hub, height = HAND_WHEELS[size]
    ring_r = (d - rim) / 2
    z_rim = height - rim / 2
    ring = cq.Workplane("XZ").center(ring_r, z_rim).circle(rim / 2).revolve(360, (-ring_r, 0, 0), (-ring_r, 1, 0))
    ring = ring.rotate((0, 0, 0), (0, 0, 1), 50)  # its seam must not meet a spoke
    h, top = hub / 2, 0.58 * height
    body = turned([(0, 0), (h - 1, 0), (h, 1), (h - 0.8, top - 1), (h - 1.8, top), (0, top)]).union(ring)
    low, high = cq.Vector(0.3 * hub, 0, 0.3 * height), cq.Vector(ring_r, 0, z_rim)
    along = (high - low).normalized()
    plane = cq.Plane(origin=low, normal=along, xDir=(0, 1, 0))
    spoke = cq.Workplane(plane).ellipse(0.24 * hub, 0.14 * hub).extrude((high - low).Length)
    for k in range(3):
        body = body.union(spoke.rotate((0, 0, 0), (0, 0, 1), 120 * k))
    b = bore / 2
    hole = turned([(0, -1), (b + 1.8, -1), (b, 0.8), (b, top - 0.8), (b + 1.8, top + 1), (0, top + 1)])
    body = body.cut(hole).cut(hub_keyway(bore, *{14.0: (5.0, 2.3), 12.0: (4.0, 1.8)}[bore], -1, top + 1))
    handle = drill(6.8, 0.75 * rim, chamfer=0.6).union(
        cq.Workplane("XY").circle(6.5).extrude(rim).translate((0, 0, -0.6))
    )
    return body.cut(handle.rotate((0, 0, 0), (0, 0, 1), 60).translate((ring_r * 0.5, ring_r * math.sqrt(0.75), height)))
