"""Parts that fluids run through: ball-valve body, poppet valve, elbow, tee, hose barb, pump housing."""

from __future__ import annotations

from typing import NamedTuple

import cadquery as cq

from drawing.shapes import (
    Point,
    cone_cutter,
    drill,
    external_thread,
    hexagon,
    hexagon_chamfer,
    internal_thread_cutter,
    ported,
    turned,
)

FLIP = ((0, 0, 0), (1, 0, 0), 180)


class PipeThread(NamedTuple):
    """ISO 228-1: outside diameter and pitch of the thread, bore of the pipe (mm)."""

    d: float
    pitch: float
    bore: float


PIPE_THREADS = {
    "G1/2": PipeThread(20.955, 1.814, 15.0),
    "G1/4": PipeThread(13.157, 1.337, 8.0),
    "G3/4": PipeThread(26.441, 1.814, 20.0),
}


def _socket(thread: PipeThread, depth: float) -> cq.Workplane:
    """A tapped pipe socket going down from z = 0 with its lead."""
    core = thread.d - 1.28 * thread.pitch
    hole = internal_thread_cutter(thread.d, thread.pitch, -depth, 0.5)
    return hole.union(cone_cutter(core, thread.d + 0.8, 90))


def ball_valve_body(size: str) -> cq.Workplane:
    """Ball valve body after EN 331 dimensions: hexagon ends with ISO 228-1 sockets, ball chamber, stem boss."""
    thread = PIPE_THREADS[size]
    f = thread.d / 20.955
    half, flats = 30.0 * f, 27.0 * f
    barrel_r = 16.5 * f
    barrel = turned(
        [
            (0, -half + 8),
            (12.0 * f, -half + 8),
            (13.0 * f, -half + 13 * f),
            (barrel_r - 0.8, -9.5 * f),
            (barrel_r, -8.5 * f),
            (barrel_r, 8.5 * f),
            (barrel_r - 0.8, 9.5 * f),
            (13.0 * f, half - 13 * f),
            (12.0 * f, half - 8),
            (0, half - 8),
        ]
    )
    end = hexagon(flats, 14.0 * f).intersect(hexagon_chamfer(flats, 14.0 * f, bottom=True, top=True))
    body = barrel.union(end.translate((0, 0, half - 14 * f))).union(end.translate((0, 0, -half)))
    boss = cq.Workplane("XY").circle(8.5 * f).extrude(26 * f).faces(">Z").edges().chamfer(0.8)
    pad = cq.Workplane("XY").rect(19 * f, 19 * f).extrude(19.5 * f).edges("|Z").fillet(3)
    pad = pad.faces(">Z").edges().chamfer(0.5)
    body = body.union(boss.union(pad).rotate((0, 0, 0), (0, 1, 0), 90))
    ball = cq.Workplane("XY").sphere(11.8 * f)
    bore = cq.Workplane("XY").circle(thread.bore / 2).extrude(half + 1, both=True)
    body = body.cut(ball).cut(bore)
    socket = _socket(thread, 8 * thread.pitch)
    body = body.cut(socket.translate((0, 0, half))).cut(socket.rotate(*FLIP).translate((0, 0, -half)))
    stem = drill(9 * f, 20 * f).union(ported(12 * f, 1.0, 7 * f, 13.5 * f, 1.0 * f)).rotate((0, 0, 0), (0, 1, 0), 90)
    return body.cut(stem.translate((26 * f, 0, 0)))


POPPET_VALVES = {"32x6": (32.0, 6.0, 104.0), "26x5.5": (26.0, 5.5, 92.0)}
"""Head, stem and length (mm)."""


def poppet_valve(size: str) -> cq.Workplane:
    """Engine poppet valve: tulip head with a ground seat of 45 degrees, stem with keeper groove and hardened tip."""
    head, stem, length = POPPET_VALVES[size]
    r, s = head / 2, stem / 2
    seat = 1.8
    tulip = (s + (r - seat - s) * 0.30, 0.135 * length)
    return (
        cq.Workplane("XZ")
        .moveTo(0, 0.8)
        .lineTo(0.62 * r, 0.8)
        .lineTo(0.66 * r, 0)
        .lineTo(r - 0.4, 0)
        .lineTo(r, 0.4)
        .lineTo(r, 1.6)
        .lineTo(r - seat, 1.6 + seat)
        .threePointArc((tulip[0], tulip[1] * 0.62), (s, 0.30 * length))
        .lineTo(s, length - 9)
        .threePointArc((s - 0.55, length - 8.0), (s, length - 7))
        .lineTo(s, length - 0.6)
        .lineTo(s - 0.6, length)
        .lineTo(0, length)
        .close()
        .revolve(360, (0, 0, 0), (0, 1, 0))
    )


def pipe_elbow(size: str) -> cq.Workplane:
    """Malleable 90 degree elbow after EN 10242 A1: banded sockets with ISO 228-1 threads, swept bend."""
    thread = PIPE_THREADS[size]
    outer = thread.d / 2 + 2.6
    reach, depth = 28.0 * thread.d / 20.955, 7 * thread.pitch
    bend = max(reach - depth - 1.0, outer + 0.4)
    body = _quarter(outer - 0.6, bend)
    socket = _collar(outer, depth + 1.0)
    body = body.union(socket.rotate(*FLIP)).union(_at_far_end(socket, bend))
    pipe = cq.Workplane("XY").circle(thread.bore / 2).extrude(depth + 1.1)
    cutter = _socket(thread, depth).translate((0, 0, depth + 1.0)).union(pipe)
    return body.cut(_quarter(thread.bore / 2, bend)).cut(cutter.rotate(*FLIP)).cut(_at_far_end(cutter, bend))


def _quarter(radius: float, bend: float) -> cq.Workplane:
    """A bent bar from the origin, where it rises along z, to (bend, 0, bend), where it runs along x."""
    return cq.Workplane("XY").circle(radius).revolve(90, (bend, 0, 0), (bend, 1, 0))


def _at_far_end(shape: cq.Workplane, bend: float) -> cq.Workplane:
    """*shape*, which rises along z from the origin, moved to the far end of a `_quarter` and turned towards +x."""
    return shape.rotate((0, 0, 0), (0, 1, 0), 90).translate((bend, 0, bend))


def _collar(outer: float, length: float) -> cq.Workplane:
    """A banded socket from z = 0 up to *length*."""
    return turned(
        [
            (0, -0.01),
            (outer - 0.6, -0.01),
            (outer, 1.0),
            (outer, length - 5.2),
            (outer + 1.6, length - 4.2),
            (outer + 2.0, length - 3.4),
            (outer + 2.0, length - 0.8),
            (outer + 1.2, length),
            (0, length),
        ]
    )


def pipe_tee(size: str) -> cq.Workplane:
    """Malleable tee after EN 10242 B1: three banded sockets with ISO 228-1 threads, fillets at the crotch."""
    thread = PIPE_THREADS[size]
    outer = thread.d / 2 + 2.6
    reach, depth = 28.0 * thread.d / 20.955, 7 * thread.pitch
    start = reach - depth - 1.0
    pipe = cq.Workplane("XY").circle(outer - 0.6).extrude(start, both=True)
    arm = (
        cq.Workplane("XY")
        .circle(outer - 1.4)
        .extrude(start + 1.0)
        .union(_collar(outer, depth + 1.0).translate((0, 0, start)))
    )
    body = pipe.union(arm.rotate((0, 0, 0), (0, 1, 0), 90))
    body = (
        body.edges("not (%LINE or %CIRCLE)")
        .edges(cq.selectors.BoxSelector((1, -99, -99), (start - 1, 99, 99)))
        .fillet(1.5)
    )
    socket = _collar(outer, depth + 1.0).translate((0, 0, start))
    body = body.union(socket).union(socket.mirror("XY"))
    cutter = _socket(thread, depth).translate((0, 0, start + depth + 1.0))
    bore = cq.Workplane("XY").circle(thread.bore / 2).extrude(reach)
    for axis, angle in (((0, 1, 0), 0), ((1, 0, 0), 180), ((0, 1, 0), 90)):
        body = body.cut(cutter.rotate((0, 0, 0), axis, angle)).cut(bore.rotate((0, 0, 0), axis, angle))
    return body


HOSE_BARBS = {
    "G1/4x9": (PipeThread(13.157, 1.337, 6.0), 9.0, 17.0),
    "G1/2x13": (PipeThread(20.955, 1.814, 9.0), 13.0, 24.0),
}
"""ISO 228-1 thread (its `bore` is the passage), hose's bore, width across flats (mm)."""


def hose_barb(size: str) -> cq.Workplane:
    """Hose barb with hexagon and parallel pipe thread (ISO 228-1): five barbs, undercut, sealing face."""
    thread, hose, flats = HOSE_BARBS[size]
    hex_height = 0.42 * flats
    body = hexagon(flats, hex_height).intersect(hexagon_chamfer(flats, hex_height, bottom=True, top=True))
    low = hose / 2 + 0.1
    points: list[Point] = [(0, hex_height - 1), (low, hex_height - 1), (low, hex_height + 3.0)]
    for k in range(5):
        z = hex_height + 3.0 + 4.2 * k
        points += [(low + 0.9, z), (low + 0.9, z + 0.4), (low, z + 4.2)]
    top = points[-1][1] + 0.5
    points += [(low - 0.5, top), (0, top)]
    male = 0.58 * thread.d
    groove = thread.d / 2 - 0.9 * thread.pitch
    external = external_thread(thread.d, thread.pitch, 0.8 * thread.pitch, male - 1.6 * thread.pitch)
    screw = [
        (0, 0),
        (thread.d / 2 - 0.75 * thread.pitch, 0),
        *external,
        (groove, external[-1][1] + 0.3),
        (groove, male),
    ]
    screw += [(groove, male + 1), (0, male + 1)]
    body = body.union(turned(points)).union(turned(screw).translate((0, 0, -male)))
    bore = thread.bore / 2
    return body.cut(
        turned(
            [
                (0, -male - 1),
                (bore + 1.6, -male - 1),
                (bore, -male + 0.6),
                (bore, top - 0.5),
                (bore + 1.1, top + 0.6),
                (0, top + 0.6),
            ]
        )
    )


def pump_housing(size: str) -> cq.Workplane:
    """Cast volute of a centrifugal pump: spiral chamber, tangential outlet with flange, suction bore, fixing holes."""
    if size != "DN20":
        raise KeyError(size)
    outline = (
        cq.Workplane("XY")
        .moveTo(36, 0)
        .threePointArc((0, -37), (-39, 0))
        .threePointArc((0, 43), (48, 0))
        .lineTo(36, 0)
        .close()
    )
    shell = outline.extrude(30.0).union(cq.Workplane("XY").circle(36).extrude(30.0))
    shell = shell.faces(">Z").edges().fillet(5.0)
    plate = turned([(0, 0), (43.0, 0), (44.0, 1.0), (44.0, 7.0), (43.0, 8.0), (0, 8.0)])
    outlet = cq.Workplane("XZ").center(38.0, 15.0).circle(12.0).extrude(-58.0)
    flange = (
        cq.Workplane("XZ").center(38.0, 15.0).rect(40, 40).extrude(-8.0).edges("|Y").fillet(7).translate((0, 52, 0))
    )
    body = shell.union(plate).union(outlet).union(flange)
    neck = turned([(0, 28), (24, 28), (20, 32), (19, 44), (18.2, 45), (0, 45)])
    body = body.union(neck)
    wet = turned([(0, -1), (32, -1), (32, 6.0), (32, 22.0), (29, 25.0), (10.5, 25.0), (10.5, 44), (12.5, 46), (0, 46)])
    body = body.cut(wet)
    body = body.cut(cq.Workplane("XZ").center(38.0, 15.0).circle(8.0).extrude(-70.0))
    hole = drill(5.5, 20, chamfer=0.4).rotate(*FLIP)
    for k in range(6):
        body = body.cut(hole.translate((39.5, 0, 0)).rotate((0, 0, 0), (0, 0, 1), 60 * k + 150))
    bolt = drill(6.6, 20, chamfer=0.4).rotate((0, 0, 0), (1, 0, 0), -90).translate((0, 60, 0))
    for x in (-14.0, 14.0):
        for z in (-14.0, 14.0):
            body = body.cut(bolt.translate((38.0 + x, 0, 15.0 + z)))
    return body
