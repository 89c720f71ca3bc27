"""Screws: hexagon bolt, socket heads, countersunk, set screw, eye bolt, knurled thumb screw.

Threads are annular grooves at the pitch, the standard simplification of a helix. Each family has a table of standard
sizes; the first is the one drawn when none is named.
"""

from __future__ import annotations

from typing import NamedTuple

import cadquery as cq

from drawing.knurl import knurled_band
from drawing.shapes import Point, cone_cutter, external_thread, hexagon, hexagon_chamfer, turned


class HexBolt(NamedTuple):
    """ISO 4014: thread, lengths (mm), width across flats, height of the head, radius of the washer face."""

    d: float
    pitch: float
    length: float
    threaded: float
    flats: float
    head: float
    washer_r: float


HEX_BOLTS = {
    "M12x50": HexBolt(12.0, 1.75, 50.0, 30.0, 18.0, 7.5, 8.3),
    "M6x30": HexBolt(6.0, 1.0, 30.0, 18.0, 10.0, 4.0, 4.45),
    "M8x40": HexBolt(8.0, 1.25, 40.0, 22.0, 13.0, 5.3, 5.8),
    "M16x60": HexBolt(16.0, 2.0, 60.0, 38.0, 24.0, 10.0, 11.25),
}


def hex_bolt(size: str) -> cq.Workplane:
    """Hexagon bolt after ISO 4014: washer face, fillet under the head, chamfered tip."""
    s = HEX_BOLTS[size]
    hexagonal = hexagon(s.flats, s.head).intersect(hexagon_chamfer(s.flats, s.head, bottom=False, top=True))
    face = [(s.washer_r - 0.2, 0.0), (s.washer_r, 0.2), (s.washer_r, 0.8), (0.0, 0.8)]
    washer_face = turned([(0, s.length), *((r, s.length + z) for r, z in face)])
    return hexagonal.translate((0, 0, s.length + 0.6)).union(turned(_shank(s))).union(washer_face)


def _shank(s: HexBolt) -> list[Point]:
    """Closed profile of a bolt's shank from its tip at z = 0 to the head's seat at its length."""
    root = s.d / 2 - 0.61343 * s.pitch
    thread = external_thread(s.d, s.pitch, 0.8 * s.pitch, s.threaded - s.pitch)
    f = s.d / 12
    return [
        (0, 0),
        (root - 0.3 * f, 0),
        *thread,
        (s.d / 2, thread[-1][1] + s.pitch),
        (s.d / 2, s.length - 1.2 * f),
        (s.d / 2 + 0.2 * f, s.length - 0.5 * f),
        (s.d / 2 + 0.7 * f, s.length),
        (s.d / 2 + 0.7 * f, s.length + 1),
        (0, s.length + 1),
    ]


class SocketHead(NamedTuple):
    """ISO 4762 and ISO 10642: thread, length (mm), diameter and height of the head, socket's width and depth."""

    d: float
    pitch: float
    length: float
    head_d: float
    head: float
    socket: float
    depth: float


SOCKET_SCREWS = {
    "M8x30": SocketHead(8.0, 1.25, 30.0, 13.0, 8.0, 6.0, 4.0),
    "M5x20": SocketHead(5.0, 0.8, 20.0, 8.5, 5.0, 4.0, 2.5),
    "M12x40": SocketHead(12.0, 1.75, 40.0, 18.0, 12.0, 10.0, 6.0),
}


def socket_screw(size: str) -> cq.Workplane:
    """Hexagon socket head cap screw after ISO 4762, fully threaded."""
    s = SOCKET_SCREWS[size]
    f, top, neck = s.d / 8, s.length + s.head, s.d / 2 - 0.6 * s.pitch
    thread = external_thread(s.d, s.pitch, 0.8 * s.pitch, s.length - 0.8 * s.pitch)
    body = turned(
        [
            (0, 0),
            (s.d / 2 - 0.61343 * s.pitch - 0.33 * f, 0),
            *thread,
            (neck, thread[-1][1] + 0.4 * s.pitch),
            (neck, s.length - 0.8 * f),
            (neck + 0.35 * f, s.length - 0.2 * f),
            (s.d / 2 + 0.2 * f, s.length),
            (s.head_d / 2 - 0.3 * f, s.length),
            (s.head_d / 2, s.length + 0.3 * f),
            (s.head_d / 2, top - 0.8 * f),
            (s.head_d / 2 - 0.2 * f, top - 0.3 * f),
            (s.head_d / 2 - 0.6 * f, top),
            (0, top),
        ]
    )
    return body.cut(_socket(s.socket, s.depth).translate((0, 0, top)))


def _socket(width: float, depth: float) -> cq.Workplane:
    """What a broach leaves going down from z = 0: hexagon, conical bottom, chamfered mouth."""
    sunk = hexagon(width, depth + 1.0).translate((0, 0, -depth))
    r = width / 2 - 0.05
    tip = turned([(0, -depth - 0.55 * r), (r, -depth), (r, -depth + 0.5), (0, -depth + 0.5)])
    return sunk.union(tip).union(cone_cutter(0.93 * width, 1.2 * width, 90))


COUNTERSUNK = {
    "M8x30": SocketHead(8.0, 1.25, 30.0, 16.0, 4.96, 5.0, 3.0),
    "M5x20": SocketHead(5.0, 0.8, 20.0, 10.0, 3.1, 3.0, 1.9),
    "M12x40": SocketHead(12.0, 1.75, 40.0, 24.0, 7.44, 8.0, 4.5),
}


def countersunk_screw(size: str) -> cq.Workplane:
    """Hexagon socket countersunk screw after ISO 10642: head of 90 degrees, fully threaded."""
    s = COUNTERSUNK[size]
    seat = s.length - s.head
    thread = external_thread(s.d, s.pitch, 0.8 * s.pitch, seat - 0.6 * s.pitch)
    neck = s.d / 2 - 0.55 * s.pitch
    rise = s.head_d / 2 - s.d / 2
    body = turned(
        [
            (0, 0),
            (s.d / 2 - 0.61343 * s.pitch - 0.04 * s.d, 0),
            *thread,
            (neck, thread[-1][1] + 0.4 * s.pitch),
            (neck, seat),
            (s.d / 2, seat + 0.3 * s.pitch),
            (s.head_d / 2, seat + 0.3 * s.pitch + rise),
            (s.head_d / 2, s.length - 0.1),
            (s.head_d / 2 - 0.1, s.length),
            (0, s.length),
        ]
    )
    return body.cut(_socket(s.socket, s.depth).translate((0, 0, s.length)))


SET_SCREWS = {
    "M8x12": SocketHead(8.0, 1.25, 12.0, 5.0, 2.0, 4.0, 5.0),
    "M6x10": SocketHead(6.0, 1.0, 10.0, 3.0, 1.4, 3.0, 3.5),
    "M12x20": SocketHead(12.0, 1.75, 20.0, 8.0, 3.0, 6.0, 8.0),
}
"""`head_d` and `head` are the diameter and the depth of the cup."""


def set_screw(size: str) -> cq.Workplane:
    """Hexagon socket set screw with cup point after ISO 4029."""
    s = SET_SCREWS[size]
    root, cup = s.d / 2 - 0.61343 * s.pitch, s.head_d / 2
    thread = external_thread(s.d, s.pitch, 0.9 * s.pitch, s.length - 0.5 * s.pitch)
    end = (thread[-1][0], s.length - 0.05)
    body = turned([(0, 0.5 * cup), (cup, 0), (root - 0.2, 0.3), *thread, end, (end[0] - 0.05, s.length), (0, s.length)])
    return body.cut(_socket(s.socket, s.depth).translate((0, 0, s.length)))


class EyeBolt(NamedTuple):
    """DIN 580: thread and its length, collar's diameter and height, eye's inner and outer diameter, height, bar."""

    d: float
    pitch: float
    threaded: float
    collar_d: float
    collar: float
    inner: float
    outer: float
    height: float
    bar: float


EYE_BOLTS = {
    "M12": EyeBolt(12.0, 1.75, 20.5, 30.0, 8.0, 30.0, 54.0, 53.0, 12.0),
    "M8": EyeBolt(8.0, 1.25, 13.0, 20.0, 6.0, 20.0, 36.0, 36.0, 8.0),
}


def eye_bolt(size: str) -> cq.Workplane:
    """Forged lifting eye bolt after DIN 580."""
    s = EYE_BOLTS[size]
    ring_r, wire_r = (s.inner + s.outer) / 4, (s.outer - s.inner) / 4
    middle = s.height - s.outer / 2
    ring = cq.Workplane("XY").add(cq.Solid.makeTorus(ring_r, wire_r, cq.Vector(0, 0, middle), cq.Vector(0, 1, 0)))
    thread = external_thread(s.d, s.pitch, -s.threaded + 0.8 * s.pitch, -1.6 * s.pitch)
    root, neck = s.d / 2 - 0.61343 * s.pitch, 0.34 * s.collar_d
    rise = middle - ring_r
    stem = turned(
        [
            (0, -s.threaded),
            (root - 0.3, -s.threaded),
            *thread,
            (root - 0.1, thread[-1][1] + 0.3),
            (root - 0.1, 0.4),
            (root + 0.2, 0),
            (s.collar_d / 2 - 0.8, 0),
            (s.collar_d / 2, 0.8),
            (s.collar_d / 2, 0.6 * s.collar),
            (s.collar_d / 2 - 1.2, 0.85 * s.collar),
            (neck, s.collar),
            (0.8 * neck, max(rise, s.collar + 0.3)),
            (0, max(rise, s.collar + 0.3)),
        ]
    )
    return ring.union(stem)


class ThumbScrew(NamedTuple):
    """DIN 464: thread and its length, knurled head, height with the hub, height of the head, hub, knurl's pitch."""

    d: float
    pitch: float
    threaded: float
    head_d: float
    height: float
    head: float
    hub_d: float
    knurl_pitch: float


THUMB_SCREWS = {
    "M6x20": ThumbScrew(6.0, 1.0, 20.0, 24.0, 15.0, 5.0, 12.0, 1.6),
    "M4x16": ThumbScrew(4.0, 0.7, 16.0, 16.0, 9.5, 3.5, 8.0, 1.2),
}


def knurled_screw(size: str) -> cq.Workplane:
    """Knurled thumb screw after DIN 464, high type: diamond knurl RGE 30 degrees after DIN 82 as true geometry."""
    s = THUMB_SCREWS[size]
    low, top, r = s.height - s.head, s.height, s.head_d / 2
    root, depth = s.d / 2 - 0.61343 * s.pitch, 0.5 * s.knurl_pitch
    band = knurled_band(r, s.knurl_pitch, s.head + 1.0).translate((0, 0, low - 0.5))
    chamfer = 0.9 * depth + 0.2
    head = band.intersect(
        turned(
            [
                (0, low),
                (r - chamfer, low),
                (r + 0.1, low + chamfer),
                (r + 0.1, top - chamfer),
                (r - chamfer, top),
                (0, top),
            ]
        )
    )
    thread = external_thread(s.d, s.pitch, -s.threaded + 0.8 * s.pitch, -1.2 * s.pitch)
    hub = s.hub_d / 2
    stem = turned(
        [
            (0, -s.threaded),
            (root - 0.2, -s.threaded),
            *thread,
            (root, thread[-1][1] + 0.3),
            (root, 0),
            (hub - 0.5, 0),
            (hub, 0.5),
            (hub, low - 1.0),
            (hub + 0.3, low - 0.3),
            (hub + 1.0, low),
            (hub + 1.0, low + 1),
            (0, low + 1),
        ]
    )
    dish = turned([(0, top - 0.8), (0.55 * r, top - 0.8), (0.62 * r, top), (0.62 * r, top + 1), (0, top + 1)])
    return head.union(stem).cut(dish)
