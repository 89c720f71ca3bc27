"""Nuts: hexagon nut, cap nut, wing nut, T-slot nut. Threads are annular grooves at the pitch."""

from __future__ import annotations

import math
from typing import NamedTuple

import cadquery as cq

from drawing.shapes import cone_cutter, drill, hexagon, hexagon_chamfer, internal_thread_cutter, ordered, turned

FLIP = ((0, 0, 0), (1, 0, 0), 180)


class HexNut(NamedTuple):
    """ISO 4032: thread, width across flats, height."""

    d: float
    pitch: float
    flats: float
    height: float


HEX_NUTS = {
    "M12": HexNut(12.0, 1.75, 18.0, 10.8),
    "M6": HexNut(6.0, 1.0, 10.0, 5.2),
    "M8": HexNut(8.0, 1.25, 13.0, 6.8),
    "M16": HexNut(16.0, 2.0, 24.0, 14.8),
}


def hex_nut(size: str) -> cq.Workplane:
    """Hexagon nut after ISO 4032, chamfered on both sides, tapped with countersinks of 120 degrees."""
    s = HEX_NUTS[size]
    body = hexagon(s.flats, s.height).intersect(hexagon_chamfer(s.flats, s.height, bottom=True, top=True))
    body = body.cut(internal_thread_cutter(s.d, s.pitch, -0.2 * s.pitch, s.height + 1.5))
    sink = cone_cutter(s.d - 1.15 * s.pitch, s.d + 0.075 * s.d, 120)
    return body.cut(sink.translate((0, 0, s.height))).cut(sink.rotate(*FLIP))


class CapNut(NamedTuple):
    """DIN 1587: thread, width across flats, height in all, of the hexagon, and of the thread; dome's diameter."""

    d: float
    pitch: float
    flats: float
    height: float
    hexagon: float
    depth: float
    dome_d: float


CAP_NUTS = {
    "M8": CapNut(8.0, 1.25, 13.0, 15.0, 6.5, 11.0, 12.5),
    "M6": CapNut(6.0, 1.0, 10.0, 12.0, 5.0, 8.0, 9.5),
    "M12": CapNut(12.0, 1.75, 18.0, 22.0, 10.0, 16.0, 17.0),
}


def cap_nut(size: str) -> cq.Workplane:
    """Domed cap nut after DIN 1587: hexagon, spherical dome, blind thread."""
    s = CAP_NUTS[size]
    base = hexagon(s.flats, s.hexagon).intersect(hexagon_chamfer(s.flats, s.hexagon, bottom=True, top=True))
    r, low = s.dome_d / 2, s.hexagon - 0.4
    spring = s.height - r
    dome = (
        cq.Workplane("XZ")
        .moveTo(0, low)
        .lineTo(r, low)
        .lineTo(r, spring)
        .threePointArc((r * math.sqrt(0.5), spring + r * math.sqrt(0.5)), (0, s.height))
        .close()
        .revolve(360, (0, 0, 0), (0, 1, 0))
    )
    core = s.d - 1.0825 * s.pitch
    hole = drill(core, s.depth).union(internal_thread_cutter(s.d, s.pitch, -0.85 * s.depth, 0.5))
    hole = hole.union(cone_cutter(core, s.d + 0.6, 120)).rotate(*FLIP)
    return base.union(dome).cut(hole)


class WingNut(NamedTuple):
    """DIN 315: thread, foot's and neck's diameter, span and height of the wings, height of the hub, wings' width."""

    d: float
    pitch: float
    foot_d: float
    neck_d: float
    span: float
    height: float
    hub: float
    wing: float


WING_NUTS = {
    "M8": WingNut(8.0, 1.25, 16.0, 12.5, 39.0, 20.0, 10.0, 3.0),
    "M6": WingNut(6.0, 1.0, 13.0, 11.0, 33.0, 17.0, 8.0, 2.5),
}


def wing_nut(size: str) -> cq.Workplane:
    """Wing nut after DIN 315, rounded wings (German form), cast."""
    s = WING_NUTS[size]
    foot, neck = s.foot_d / 2, s.neck_d / 2
    hub = turned([(0, 0), (foot - 0.4, 0), (foot, 0.4), (neck + 0.4, s.hub - 0.5), (neck - 0.2, s.hub), (0, s.hub)])
    end, lobe = s.span / 2, 0.26 * s.span / 2
    tip = (end - lobe, s.height - lobe)
    outline = (
        cq.Workplane("XZ")
        .moveTo(neck - 2.5, 0.25 * s.hub)
        .lineTo(foot - 0.6, 0.25 * s.hub)
        .threePointArc((0.78 * end, 0.42 * s.height), (end, tip[1]))
        .threePointArc((tip[0] + 0.3 * lobe, tip[1] + 0.954 * lobe), (tip[0] - 0.8 * lobe, tip[1] + 0.6 * lobe))
        .lineTo(neck - 0.5, s.hub - 0.8)
        .lineTo(neck - 2.5, s.hub - 0.8)
        .close()
    )
    wing = outline.extrude(s.wing / 2, both=True)
    wing = wing.edges(cq.selectors.BoxSelector((foot - 0.5, -9, 0), (99, 9, 99))).edges("#Y").fillet(0.35 * s.wing)
    body = hub.union(wing).union(wing.rotate((0, 0, 0), (0, 0, 1), 180))
    body = body.cut(internal_thread_cutter(s.d, s.pitch, -0.3, s.hub + 2.0))
    sink = cone_cutter(s.d - 1.15 * s.pitch, s.d + 0.5, 120)
    return body.cut(sink.translate((0, 0, s.hub))).cut(sink.rotate(*FLIP))


class SlotNut(NamedTuple):
    """DIN 508: thread, width in the slot, width of the foot, height in all and of the foot."""

    d: float
    pitch: float
    slot: float
    foot: float
    height: float
    foot_height: float


SLOT_NUTS = {
    "M12x14": SlotNut(12.0, 1.75, 14.0, 22.0, 16.0, 8.0),
    "M8x10": SlotNut(8.0, 1.25, 10.0, 15.0, 12.0, 6.0),
}


def t_slot_nut(size: str) -> cq.Workplane:
    """T-slot nut after DIN 508, milled, with chamfers all round."""
    s = SLOT_NUTS[size]
    foot = cq.Workplane("XY").box(s.foot, s.foot, s.foot_height, centered=(True, True, False))
    neck = cq.Workplane("XY").box(s.slot, s.foot, s.height, centered=(True, True, False))
    body = foot.union(neck)
    body = ordered(body.faces("<Z or >Z").edges()).chamfer(0.5)
    body = body.faces("<X or >X").edges("|Z").chamfer(0.8)
    body = body.cut(internal_thread_cutter(s.d, s.pitch, -0.3, s.height + 2.0))
    sink = cone_cutter(s.d - 1.15 * s.pitch, s.d + 0.8, 120)
    return body.cut(sink.translate((0, 0, s.height))).cut(sink.rotate(*FLIP))
