"""Shafts that do more than turn: splined, crankshaft section, camshaft section."""

from __future__ import annotations

import math
from typing import NamedTuple

import cadquery as cq

from drawing.shapes import drill, tube, turned

FLIP = ((0, 0, 0), (1, 0, 0), 180)


class Spline(NamedTuple):
    """ISO 14: number of keys, inner and outer diameter, width of a key; lengths of the spline and of the shaft (mm)."""

    keys: int
    inner: float
    outer: float
    width: float
    splined: float
    length: float


SPLINED_SHAFTS = {
    "6x23x28": Spline(6, 23.0, 28.0, 6.0, 55.0, 130.0),
    "6x18x22": Spline(6, 18.0, 22.0, 5.0, 45.0, 105.0),
}


def splined_shaft(size: str) -> cq.Workplane:
    """Splined shaft with straight keys after ISO 14, the gaps running out on the hob's arc; ground journal."""
    s = SPLINED_SHAFTS[size]
    ri, ro = s.inner / 2, s.outer / 2
    journal = ri - 1.0
    seat = s.splined + 28.0
    body = turned(
        [
            (0, 0),
            (ro - 1.2, 0),
            (ro, 1.2),
            (ro, seat - 0.6),
            (ro - 0.6, seat),
            (journal - 0.3, seat),
            (journal - 0.3, seat + 2.0),
            (journal, seat + 2.6),
            (journal, s.length - 1.0),
            (journal - 1.0, s.length),
            (0, s.length),
        ]
    )
    hob = 30.0
    rise = ro + 0.5 - ri
    run = math.sqrt(hob**2 - (hob - rise) ** 2)
    via_run = 0.6 * run
    via = (ri + hob - math.sqrt(hob**2 - via_run**2), s.splined + via_run)
    gaps = (
        cq.Workplane("XZ")
        .moveTo(ri, -1)
        .lineTo(ri, s.splined)
        .threePointArc(via, (ro + 0.5, s.splined + run))
        .lineTo(ro + 0.5, -1)
        .close()
        .revolve(360, (0, 0, 0), (0, 1, 0))
    )
    for key in range(s.keys):
        rib = cq.Workplane("XY").box(2 * ro, s.width, s.length, centered=(False, True, False)).translate((0, 0, -2))
        gaps = gaps.cut(rib.rotate((0, 0, 0), (0, 0, 1), 360 / s.keys * key))
    body = body.cut(gaps)
    centre = drill(4, 8).union(turned([(0, -4.5), (2.0, -4.5), (4.25, 0), (4.25, 0.5), (0, 0.5)]))
    return body.cut(centre.translate((0, 0, s.length))).cut(centre.rotate(*FLIP))


def crankshaft(size: str) -> cq.Workplane:
    """Crankshaft section, one throw: forged webs with counterweights, ground journals with fillets, oil hole."""
    main, pin, throw, web, width = {"32x28x25": (32.0, 28.0, 25.0, 14.0, 24.0)}[size]
    outline = (
        cq.Workplane("XY")
        .moveTo(-17, 6)
        .lineTo(-15, throw)
        .threePointArc((0, throw + 19), (15, throw))
        .lineTo(17, 6)
        .lineTo(33, -8)
        .threePointArc((0, -42), (-33, -8))
        .close()
    )
    cheek = outline.extrude(web).edges("|Z").fillet(5).faces("<Z or >Z").edges().fillet(1.2)
    left, right = width / 2, width / 2 + web
    body = cheek.translate((0, 0, left)).union(cheek.translate((0, 0, -right)))
    j, end = main / 2, right + 32
    seat = [(0, right - 1), (j + 3, right - 1), (j + 3, right + 1.2), (j + 1.6, right + 1.6), (j + 0.5, right + 2.2)]
    journal = turned([*seat, (j, right + 3.2), (j, end - 1), (j - 1, end), (0, end)])
    body = body.union(journal).union(journal.rotate(*FLIP))
    p = pin / 2
    crank = tube(pin, 6, -left - 1, left + 1, 0.2)
    for side in (0, 1):
        lip = [(3, left + 0.5), (p + 3, left + 0.5), (p + 3, left - 1.0), (p + 1.5, left - 1.4), (p + 0.5, left - 2.0)]
        collar = turned([*lip, (p, left - 3.0), (3, left - 3.0)])
        crank = crank.union(collar if side else collar.rotate(*FLIP))
    body = body.union(crank.translate((0, throw, 0)))
    body = body.cut(cq.Workplane("XY").circle(3).extrude(3 * right, both=True).translate((0, throw, 0)))
    oil = drill(4, 20, chamfer=1.0).rotate((0, 0, 0), (1, 0, 0), -90).translate((0, throw + pin / 2, 0))
    body = body.cut(oil)
    centre = drill(4, 8).union(turned([(0, -4.5), (2.0, -4.5), (4.25, 0), (4.25, 0.5), (0, 0.5)]))
    return body.cut(centre.translate((0, 0, right + 32))).cut(centre.translate((0, 0, right + 32)).rotate(*FLIP))


def camshaft(size: str) -> cq.Workplane:
    """Camshaft section with four cams (base circle, flanks, nose), bearing journals, tapped end."""
    base, nose, lift, shaft = {"16x6x8": (16.0, 6.0, 8.0, 24.0)}[size]
    away = base + lift - nose
    lean = math.asin((base - nose) / away)
    c, s = math.cos(lean), math.sin(lean)
    outline = (
        cq.Workplane("XY")
        .moveTo(base * s, -base * c)
        .lineTo(away + nose * s, -nose * c)
        .threePointArc((away + nose, 0), (away + nose * s, nose * c))
        .lineTo(base * s, base * c)
        .threePointArc((-base, 0), (base * s, -base * c))
        .close()
    )
    cam = outline.extrude(14.0).faces("<Z or >Z").edges().chamfer(0.6)
    body = turned([(0, 0), (shaft / 2 - 1, 0), (shaft / 2, 1), (shaft / 2, 159), (shaft / 2 - 1, 160), (0, 160)])
    for z in (4.0, 72.0, 140.0):
        body = body.union(tube(30.0, 10.0, z, z + 16, 0.8))
    for z, angle in ((28.0, 0), (50.0, 180), (96.0, 90), (118.0, 270)):
        body = body.union(cam.rotate((0, 0, 0), (0, 0, 1), angle).translate((0, 0, z)))
    end = drill(8.5, 20).union(turned([(0, -0.9), (4.25, -0.9), (5.2, 0), (5.2, 0.5), (0, 0.5)]))
    centre = drill(4, 8).union(turned([(0, -4.5), (2.0, -4.5), (4.25, 0), (4.25, 0.5), (0, 0.5)]))
    return body.cut(end.translate((0, 0, 160))).cut(centre.rotate(*FLIP))
