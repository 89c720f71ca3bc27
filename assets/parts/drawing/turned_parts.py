"""Parts whose main surface comes off a lathe: flange, shaft, pulley, washer, bushing and a pipe fitting."""

from __future__ import annotations

import math

import cadquery as cq

from drawing.shapes import (
    Point,
    drill,
    external_thread,
    hexagon,
    hexagon_chamfer,
    hub_keyway,
    turned,
)

INCH = 25.4
FLIP = ((0, 0, 0), (1, 0, 0), 180)
"""Arguments of `rotate` that turn a cutter upside down."""


def flange() -> cq.Workplane:
    """Weld-neck flange DN 25 after EN 1092-1 type 11: raised face, four bolt holes on an 85 mm circle."""
    body = turned(
        [
            (14.25, 0.5),
            (14.75, 0),
            (33.5, 0),
            (34, 0.5),
            (34, 2),
            (56.5, 2),
            (57.5, 3),
            (57.5, 17),
            (56.5, 18),
            (23, 18),
            (22, 19),
            (16.85, 34),
            (16.85, 38),
            (15.6, 40),
            (14.25, 40),
        ]
    )
    body = body.edges(cq.selectors.BoxSelector((-24, -24, 17.5), (24, 24, 18.5))).fillet(2.5)
    lower_mouth = drill(14, 5, chamfer=0.8).rotate(*FLIP).translate((0, 0, 2))
    hole = drill(14, 30, chamfer=0.8).translate((0, 0, 18)).union(lower_mouth)
    for quarter in range(4):
        angle = math.radians(45 + 90 * quarter)
        body = body.cut(hole.translate((42.5 * math.cos(angle), 42.5 * math.sin(angle), 0)))
    return body


def stepped_shaft() -> cq.Workplane:
    """Gearbox shaft with five journals, relief grooves, centre holes and two keyways (DIN 6885 A)."""
    steps = [(17, 0, 22), (20, 22, 45), (26, 45, 85), (32, 85, 92), (25, 92, 118), (20, 118, 150)]
    body = turned(_shaft_profile(steps, chamfer=1.0, relief=0.3))
    centre = drill(2.5, 4).union(turned([(0, -2.3), (1.2, -2.3), (2.7, 0), (2.7, 0.5), (0, 0.5)]))
    body = body.cut(centre.translate((0, 0, 150))).cut(centre.rotate(*FLIP))
    for diameter, z, length, width, depth in ((26, 65, 32, 8, 4), (20, 134, 25, 6, 3.5)):
        slot = cq.Workplane("YZ").slot2D(length, width, 90).extrude(depth + 1).translate((diameter / 2 - depth, 0, z))
        body = body.cut(slot.faces("<X").edges().fillet(0.25))
    return body


def _shaft_profile(steps: list[tuple[float, float, float]], chamfer: float, relief: float) -> list[Point]:
    """(diameter, z0, z1) *steps* to a closed profile: chamfers on outer corners, relief grooves in inner ones."""
    points: list[Point] = [(0, steps[0][1])]
    for index, (diameter, z0, z1) in enumerate(steps):
        r = diameter / 2
        before = steps[index - 1][0] if index else 0
        after = steps[index + 1][0] if index + 1 < len(steps) else 0
        points += _shaft_end(r, z0, +1, before > diameter, chamfer, relief)
        points += reversed(_shaft_end(r, z1, -1, after > diameter, chamfer, relief))
    return [*points, (0, steps[-1][2])]


def _shaft_end(r: float, z: float, inward: int, under: bool, chamfer: float, relief: float) -> list[Point]:
    """One end of a journal: a relief groove when the neighbour is larger (*under*), else a chamfer."""
    if under:
        return [(r - relief, z), (r - relief, z + inward * 2), (r, z + inward * 2.6)]
    return [(r - chamfer, z), (r, z + inward * chamfer)]


def pulley() -> cq.Workplane:
    """Two-groove V-belt pulley for SPA belts (ISO 4183: 38 degrees, 15 mm pitch), pitch diameter 90, keyed hub."""
    rim, depth, half = 47.75, 13.8, 6.45
    bottom = half - depth * math.tan(math.radians(19))
    outside: list[Point] = [(rim - 0.8, 0), (rim, 0.8)]
    for middle in (10, 25):
        outside += [
            (rim, middle - half - 0.3),
            (rim - 0.5, middle - half),
            (rim - depth, middle - bottom),
            (rim - depth, middle + bottom),
            (rim - 0.5, middle + half),
            (rim, middle + half + 0.3),
        ]
    outside += [(rim, 34.2), (rim - 0.8, 35)]
    web: list[Point] = [(29, 35), (28, 34), (27, 24), (19, 24), (18, 25), (17, 41), (16, 42)]
    front: list[Point] = [
        (10.8, 42),
        (10, 41.2),
        (10, 0.8),
        (10.8, 0),
        (17, 0),
        (18, 1),
        (19, 11),
        (27, 11),
        (28, 1),
        (29, 0),
    ]
    body = turned([*outside, *web, *front])
    lightening = cq.Workplane("XY").polarArray(23, 30, 360, 6).circle(3).extrude(30)
    return body.cut(lightening).cut(hub_keyway(20, 6, 2.8, -1, 43))


def bushing() -> cq.Workplane:
    """Flanged bearing bushing 20 x 26 x 30 with a flange of 32 x 3 (ISO 4379 F) and an oil groove with its hole."""
    body = turned(
        [
            (10.6, 0),
            (15.6, 0),
            (16, 0.4),
            (16, 2.6),
            (15.6, 3),
            (13.3, 3),
            (12.7, 3.4),
            (12.7, 4.2),
            (13, 4.6),
            (13, 28.6),
            (12.5, 30),
            (10.6, 30),
            (10, 29.4),
            (10, 18.5),
            (10.8, 17.9),
            (10.8, 16.1),
            (10, 15.5),
            (10, 0.6),
        ]
    )
    oil = drill(3, 20, chamfer=0.4).rotate((0, 0, 0), (0, 1, 0), 90).translate((13, 0, 17))
    cut = oil.intersect(cq.Workplane("XY").box(20, 10, 60).translate((19, 0, 10)))
    return body.cut(cut)


def npt_fitting() -> cq.Workplane:
    """Hexagon reducing nipple 1/2 NPT to 3/8 NPT, 15/16 in across flats (ASME B1.20.1, thread simplified); inches."""
    flats, hex_low, hex_high = 0.9375 * INCH, 0.75 * INCH, 1.0625 * INCH
    hexagonal = hexagon(flats, hex_high - hex_low).intersect(
        hexagon_chamfer(flats, hex_high - hex_low, bottom=True, top=True)
    )
    # Both threads narrow by 1 in 16 from the hexagon outwards, so the profile is drawn once and mirrored.
    big = turned(_npt_profile(0.840 * INCH, INCH / 14, 0.53 * INCH, hex_low)).mirror("XY").translate((0, 0, hex_low))
    small_end = 0.66 * INCH
    small = turned(_npt_profile(0.675 * INCH, INCH / 18, 0.40 * INCH, small_end)).translate((0, 0, hex_high))
    body = hexagonal.translate((0, 0, hex_low)).union(big).union(small)
    length, bore = hex_high + small_end, 0.40 * INCH / 2
    lead = 0.03 * INCH
    return body.cut(
        turned(
            [
                (0, -1),
                (bore + lead + 1, -1),
                (bore, lead),
                (bore, length - lead),
                (bore + lead + 1, length + 1),
                (0, length + 1),
            ]
        )
    )


def _npt_profile(major_d: float, pitch: float, threaded: float, length: float) -> list[Point]:
    """Closed profile of a tapered male end that rises from z = 0 to *length*, its last *threaded* part threaded."""
    start = length - threaded
    thread = external_thread(major_d, pitch, start, length - pitch, taper=1 / 16)
    neck = major_d / 2 - 0.75 * pitch
    last = thread[-1]
    return [
        (0, 0),
        (neck + 1.0, 0),
        (neck, 1.0),
        (neck, start - 0.6 * pitch),
        *thread,
        (last[0], length - 0.2),
        (last[0] - 0.2, length),
        (0, length),
    ]


def ball_stud() -> cq.Workplane:
    """Ball stud: a 22 mm ball on a neck, a flange with two flats and an M10 shank (thread simplified)."""
    ball_r, neck_r, centre = 11.0, 5.5, 52.0
    z_neck = centre - math.sqrt(ball_r**2 - neck_r**2)
    thread = external_thread(10, 1.5, 1.2, 24)
    below = [
        (0, 0),
        (3.8, 0),
        *thread,
        (4.0, thread[-1][1] + 0.5),
        (4.0, 27),
        (4.6, 28),
        (8.5, 28),
        (9, 28.5),
        (9, 33.5),
    ]
    profile = (
        cq.Workplane("XZ")
        .polyline([*below, (8.5, 34), (neck_r + 1, 34), (neck_r, 35), (neck_r, z_neck)])
        .threePointArc((ball_r, centre), (0, centre + ball_r))
        .close()
    )
    body = profile.revolve(360, (0, 0, 0), (0, 1, 0))
    flats = cq.Workplane("XY").workplane(offset=28.2).rect(30, 30).rect(30, 16).extrude(5.6)
    return body.cut(flats)
