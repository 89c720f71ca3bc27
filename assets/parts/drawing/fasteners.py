"""Bolt, nut and socket screw. Threads are annular grooves at the pitch, the standard simplification of a helix."""

from __future__ import annotations

import cadquery as cq

from drawing.shapes import (
    Point,
    cone_cutter,
    external_thread,
    hexagon,
    hexagon_chamfer,
    internal_thread_cutter,
    turned,
)


def hex_bolt() -> cq.Workplane:
    """Hexagon bolt M12 x 50 after ISO 4014: washer face, fillet under the head, 30 mm of thread, chamfered tip."""
    flats, head = 18.0, 7.5
    hexagonal = hexagon(flats, head).intersect(hexagon_chamfer(flats, head, bottom=False, top=True))
    return hexagonal.translate((0, 0, 50.6)).union(turned(_shank(12.0, 1.75, 50.0, 30.0))).union(_washer_face())


def _washer_face() -> cq.Workplane:
    return turned([(0, 50), (8.1, 50), (8.3, 50.2), (8.3, 50.8), (0, 50.8)])


def _shank(d: float, pitch: float, length: float, threaded: float) -> list[Point]:
    """Closed profile of a bolt's shank from its tip at z = 0 to the head's seat at *length*."""
    root = d / 2 - 0.61343 * pitch
    thread = external_thread(d, pitch, 0.8 * pitch, threaded - pitch)
    return [
        (0, 0),
        (root - 0.3, 0),
        *thread,
        (d / 2, thread[-1][1] + pitch),
        (d / 2, length - 1.2),
        (d / 2 + 0.2, length - 0.5),
        (d / 2 + 0.7, length),
        (d / 2 + 0.7, length + 1),
        (0, length + 1),
    ]


def hex_nut() -> cq.Workplane:
    """Hexagon nut M12 after ISO 4032, chamfered on both sides, tapped with countersinks of 120 degrees."""
    flats, height, d, pitch = 18.0, 10.8, 12.0, 1.75
    body = hexagon(flats, height).intersect(hexagon_chamfer(flats, height, bottom=True, top=True))
    body = body.cut(internal_thread_cutter(d, pitch, -0.35, height + 1.5))
    sink = cone_cutter(d - 2.0, d + 0.9, 120)
    return body.cut(sink.translate((0, 0, height))).cut(sink.rotate((0, 0, 0), (1, 0, 0), 180))


def socket_screw() -> cq.Workplane:
    """Hexagon socket head cap screw M8 x 30 after ISO 4762, fully threaded, with a 6 mm socket."""
    thread = external_thread(8.0, 1.25, 1.0, 29.0)
    top = 38.0
    body = turned(
        [
            (0, 0),
            (2.9, 0),
            *thread,
            (3.25, thread[-1][1] + 0.5),
            (3.25, 29.2),
            (3.6, 29.8),
            (4.2, 30),
            (6.2, 30),
            (6.5, 30.3),
            (6.5, top - 0.8),
            (6.3, top - 0.3),
            (5.9, top),
            (0, top),
        ]
    )
    socket = hexagon(6.0, 5.0).translate((0, 0, top - 4.0))
    tip = turned([(0, top - 5.6), (2.95, top - 4.0), (2.95, top - 3.0), (0, top - 3.0)])
    return body.cut(socket).cut(tip).cut(cone_cutter(5.6, 7.2, 90).translate((0, 0, top)))
