"""Parts made on a mill, cast, forged or bent: housing, brackets, manifold, connecting rod, plates, heat sink."""

from __future__ import annotations

import math

import cadquery as cq

from drawing.shapes import cone_cutter, drill, ordered, ported, turned

INCH = 25.4


def bearing_housing() -> cq.Workplane:
    """Cast pillow block for a 47 mm bearing (SNL style): slotted feet, fillets, bore with a snap-ring groove."""
    base = cq.Workplane("XY").rect(125, 42).extrude(13).edges("|Z").fillet(6)
    dome = cq.Workplane("XZ").center(0, 40).circle(34).extrude(16, both=True)
    foot = cq.Workplane("XZ").polyline([(-34, 10), (34, 10), (34, 40), (-34, 40)]).close().extrude(16, both=True)
    body = base.union(dome).union(foot)
    body = body.edges(cq.selectors.BoxSelector((-36, -17, 12.5), (36, 17, 13.5))).fillet(3.5)
    body = body.edges(cq.selectors.BoxSelector((-35, -16.5, 17), (35, 16.5, 75))).fillet(2)
    body = body.faces("<Z").edges().chamfer(0.8)
    slots = cq.Workplane("XY").pushPoints([(-48, 0), (48, 0)]).slot2D(17, 11).extrude(14)
    body = body.cut(slots)
    bore = turned(
        [
            (0, -17),
            (24.3, -17),
            (23.5, -15.2),
            (23.5, 8),
            (24.6, 8),
            (24.6, 9.85),
            (23.5, 9.85),
            (23.5, 15.2),
            (24.3, 17),
            (0, 17),
        ]
    )
    body = body.cut(bore.rotate((0, 0, 0), (1, 0, 0), 90).translate((0, 0, 40)))
    return body.cut(ported(6, 1.0, 9, 12, 1.5).translate((0, 0, 74)))


def ribbed_bracket() -> cq.Workplane:
    """Cast wall bracket 80 x 60 x 70 with two ribs, fillets, counterbored base holes and a bored boss."""
    base = cq.Workplane("XY").box(80, 60, 10, centered=(True, False, False)).edges("|Z and >Y").fillet(8)
    wall = cq.Workplane("XY").box(80, 10, 70, centered=(True, False, False)).edges("|Y and >Z").fillet(14)
    body = base.union(wall)
    for x in (-30.0, 22.0):
        rib = cq.Workplane("YZ").polyline([(9, 9), (50, 9), (9, 55)]).close().extrude(8).translate((x, 0, 0))
        body = body.union(rib)
    boss = cq.Workplane("XZ").center(0, 45).circle(15).extrude(-18)
    body = body.union(boss)
    body = body.edges(cq.selectors.BoxSelector((-41, 9.5, 9.5), (41, 58, 56))).fillet(2.0)
    body = body.faces("<Z").edges().chamfer(0.8).faces(">Z").edges().fillet(0.8)
    bore = turned([(0, -0.5), (10.5, -0.5), (9, 1), (9, 17), (10.5, 18.5), (0, 18.5)])
    body = body.cut(bore.rotate((0, 0, 0), (1, 0, 0), -90).translate((0, 0, 45)))
    hole = drill(9, 20).union(turned([(0, -5.5), (7.5, -5.5), (7.5, -0.6), (8.1, 0), (8.1, 0.5), (0, 0.5)]))
    for x in (-12.0, 12.0):
        body = body.cut(hole.translate((x, 40, 10)))
    return body


def sheet_angle() -> cq.Workplane:
    """Bent sheet angle 60 x 40 x 30, 2 mm thick, inner bend radius 2, with laser-cut slots."""
    thick, inner = 2.0, 2.0
    outer = inner + thick
    strip = (
        cq.Workplane("YZ")
        .moveTo(40, 0)
        .lineTo(outer, 0)
        .threePointArc((outer - outer * math.sqrt(0.5), outer - outer * math.sqrt(0.5)), (0, outer))
        .lineTo(0, 30)
        .lineTo(thick, 30)
        .lineTo(thick, outer)
        .threePointArc((outer - inner * math.sqrt(0.5), outer - inner * math.sqrt(0.5)), (outer, thick))
        .lineTo(40, thick)
        .close()
        .extrude(60)
        .translate((-30, 0, 0))
    )
    body = strip.edges("|Z and >Y").fillet(5).edges("|Y and >Z").fillet(5)
    body = body.cut(cq.Workplane("XY").pushPoints([(-17, 24), (17, 24)]).slot2D(14, 6.5, 90).extrude(5))
    body = body.cut(cq.Workplane("XY").center(0, 24).circle(4.25).extrude(5))
    body = body.cut(cq.Workplane("XZ").pushPoints([(-14, 19), (14, 19)]).slot2D(16, 5.5).extrude(-5))
    return ordered(body.faces("<Z or >Z or <Y or >Y or <X or >X").edges("%LINE").edges("not #Y")).chamfer(0.12)


def manifold_block() -> cq.Workplane:
    """Hydraulic manifold 90 x 60 x 50: cross-drilled channels, six tapped ports with spot faces, counterbored holes."""
    body = cq.Workplane("XY").box(90, 60, 50, centered=(True, True, False)).edges().chamfer(1.0)
    port, small = ported(16, 1.5, 18, 24, 1.2), ported(10, 1.0, 12, 16, 1.0)
    channel = drill(9, 45)
    down = ((-22.0, 0.0, 50.0), (22.0, 0.0, 50.0))
    for place in down:
        body = body.cut(port.translate(place)).cut(drill(9, 32).translate(place))
    right = ((0, 0, 0), (0, 1, 0), 90)
    front = ((0, 0, 0), (1, 0, 0), 90)
    body = body.cut(port.union(channel).rotate(*right).translate((45, 0, 22)))
    body = body.cut(small.union(drill(7, 34)).rotate(*right).rotate((0, 0, 0), (0, 0, 1), 180).translate((-45, 0, 30)))
    for x in (-22.0, 22.0):
        body = body.cut(small.union(drill(7, 30)).rotate(*front).translate((x, -30, 22)))
    bolt = drill(6.6, 60).union(turned([(0, -6.8), (5.5, -6.8), (5.5, -0.5), (6, 0), (6, 0.5), (0, 0.5)]))
    for x in (-38.0, 38.0):
        for y in (-23.0, 23.0):
            body = body.cut(bolt.translate((x, y, 50)))
    return body


def connecting_rod() -> cq.Workplane:
    """Forged connecting rod, 100 mm between centres: I-section beam, bored eyes, cap bolts and oil hole."""
    beam = cq.Workplane("XY").polyline([(15, -9.5), (92, -6.5), (92, 6.5), (15, 9.5)]).close().extrude(6, both=True)
    big = cq.Workplane("XY").circle(27).extrude(10, both=True)
    lugs = cq.Workplane("XY").pushPoints([(0, -28), (0, 28)]).rect(26, 17).extrude(9, both=True)
    lugs = ordered(lugs.edges("|Z").fillet(3).faces(">Z or <Z").edges()).chamfer(0.6)
    small = cq.Workplane("XY").center(100, 0).circle(14.5).extrude(10, both=True)
    body = beam.union(big).union(small).union(lugs)
    body = body.edges(cq.selectors.BoxSelector((18, -12, -7), (90, 12, 7))).edges("|Z").fillet(6)
    pocket = cq.Workplane("XY").polyline([(36, -5.2), (79, -3.6), (79, 3.6), (36, 5.2)]).close().extrude(4)
    pocket = pocket.edges("|Z").fillet(3).faces("<Z").edges().fillet(1.2)
    body = body.cut(pocket.translate((0, 0, 2.5))).cut(pocket.mirror("XY").translate((0, 0, -2.5)))
    for x, r in ((0.0, 21.0), (100.0, 9.0)):
        bore = turned([(0, -11), (r + 1.8, -11), (r, -9.2), (r, 9.2), (r + 1.8, 11), (0, 11)])
        body = body.cut(bore.translate((x, 0, 0)))
    bolt = drill(8, 60).union(turned([(0, -3), (5.6, -3), (5.6, 8), (0, 8)]))
    for y in (-29.0, 29.0):
        body = body.cut(bolt.rotate((0, 0, 0), (0, 1, 0), 90).translate((13, y, 0)))
    body = body.cut(cone_cutter(3, 6, 90).union(drill(3, 12)).rotate((0, 0, 0), (0, 1, 0), 90).translate((114.3, 0, 0)))
    rims = body.faces(">Z or <Z").edges("%CIRCLE").edges(cq.selectors.RadiusNthSelector(-1))
    return ordered(rims).chamfer(0.6)


def imperial_plate() -> cq.Workplane:
    """Tooling plate 3 x 2 x 3/8 in with a 1 in bore, four counterbored 1/4 in holes and a slot."""
    body = cq.Workplane("XY").box(3 * INCH, 2 * INCH, 0.375 * INCH, centered=(True, True, False))
    body = ordered(body.edges("|Z").fillet(0.25 * INCH).faces(">Z or <Z").edges()).chamfer(0.03 * INCH)
    top = 0.375 * INCH
    bolt = drill(0.266 * INCH, INCH).union(
        turned([(0, -0.25 * INCH), (0.2 * INCH, -0.25 * INCH), (0.2 * INCH, -0.5), (0.2 * INCH + 0.5, 0), (0, 0)])
    )
    for x in (-1.2, 1.2):
        for y in (-0.7, 0.7):
            body = body.cut(bolt.translate((x * INCH, y * INCH, top)))
    bore = turned([(0, -1), (14.5, -1), (12.7, 0.8), (12.7, top - 0.8), (14.5, top + 1), (0, top + 1)])
    slot = cq.Workplane("XY").center(1.0 * INCH, 0).slot2D(0.75 * INCH, 0.25 * INCH, 90).extrude(INCH)
    return body.cut(bore.translate((-0.25 * INCH, 0, 0))).cut(slot)


def heat_sink() -> cq.Workplane:
    """Extruded aluminium heat sink 60 x 40 x 25 with eleven fins and two tapped holes."""
    body = cq.Workplane("XY").box(60, 40, 5, centered=(True, True, False))
    for index in range(11):
        x = -28 + 5.6 * index
        fin = cq.Workplane("XZ").polyline([(x - 1.1, 4), (x + 1.1, 4), (x + 0.7, 25), (x - 0.7, 25)]).close()
        body = body.union(fin.extrude(20, both=True).edges(">Z and |Y").fillet(0.5))
    body = body.edges(cq.selectors.BoxSelector((-29, -21, 4.9), (29, 21, 5.1))).edges("|Y").fillet(0.5)
    tapped = drill(3.3, 3.5, chamfer=0.5).rotate((0, 0, 0), (1, 0, 0), 180)
    for x in (-23.0, 23.0):
        body = body.cut(tapped.translate((x, 0, 0)))
    return body
