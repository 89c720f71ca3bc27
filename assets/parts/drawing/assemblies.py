"""Assemblies, each body named and coloured: a shaft end with bearing, collar and key; open ball bearings."""

from __future__ import annotations

from typing import NamedTuple

import cadquery as cq

from drawing.shapes import drill, sunk_key, tube, turned

STEEL, BEARING_STEEL, BLACK_OXIDE, BRASS = (
    (0.56, 0.57, 0.58),
    (0.70, 0.71, 0.72),
    (0.05, 0.05, 0.055),
    (0.75, 0.58, 0.30),
)
RUBBER = (0.02, 0.02, 0.02)

Body = tuple[str, cq.Workplane, tuple[float, float, float]]


def shaft_assembly() -> list[Body]:
    """Shaft end with sealed ball bearing 6204-2RS, clamping collar and key: seven named, coloured bodies.

    Gives (name, solid, linear RGB) of each, in place, the shaft along z.
    """
    shaft = turned(
        [
            (0, 0),
            (9.2, 0),
            (10, 0.8),
            (10, 40),
            (12.2, 40),
            (13, 40.8),
            (13, 57.2),
            (12.2, 58),
            (9, 58),
            (9, 89),
            (8.2, 90),
            (0, 90),
        ]
    )
    slot = cq.Workplane("YZ").slot2D(22, 6, 90).extrude(10).translate((5.5, 0, 75))
    shaft = shaft.cut(slot)
    key = sunk_key(6, 22, 6).rotate((0, 0, 0), (0, 1, 0), 90).translate((5.5, 0, 75))
    bodies: list[Body] = [("shaft", shaft, STEEL), ("key", key, BRASS), ("collar", _collar(), BLACK_OXIDE)]
    return bodies + _bearing(26.0)


def _collar() -> cq.Workplane:
    """One-piece clamping collar 20 x 40 x 12 at z 4..16, with its slit and the screw's counterbore."""
    collar = tube(40, 20, 4, 16, 0.8)
    collar = collar.cut(cq.Workplane("XY").box(30, 1.6, 40).translate((20, 0, 10)))
    screw = drill(5, 40).union(turned([(0, -1), (4.6, -1), (4.6, 20), (0, 20)]))
    return collar.cut(screw.rotate((0, 0, 0), (1, 0, 0), -90).translate((15.2, 5.5, 10)))


def _bearing(z0: float) -> list[Body]:
    """Sealed deep-groove ball bearing 6204-2RS (20 x 47 x 14) from *z0*: two rings and two rubber seals."""
    bodies: list[Body] = [
        ("bearing inner ring", tube(28.8, 20, z0, z0 + 14, 0.9), BEARING_STEEL),
        ("bearing outer ring", tube(47, 38.2, z0, z0 + 14, 0.9), BEARING_STEEL),
    ]
    for side, low in (("lower", z0 + 0.6), ("upper", z0 + 12.0)):
        bodies.append((f"bearing seal {side}", tube(38.1, 28.9, low, low + 1.4, 0.4), RUBBER))
    return bodies


class Bearing(NamedTuple):
    """ISO 15: bore, outside diameter, width; ball's diameter and number, chamfer (mm)."""

    bore: float
    outer: float
    width: float
    ball: float
    balls: int
    chamfer: float


BEARINGS = {"6204": Bearing(20.0, 47.0, 14.0, 7.938, 8, 1.0), "6202": Bearing(15.0, 35.0, 11.0, 5.953, 8, 0.6)}


def ball_bearing(size: str) -> list[Body]:
    """Open deep-groove ball bearing after ISO 15: rings with raceways, balls and a machined brass cage, coloured.

    Gives (name, solid, linear RGB) of each body, in place, the bearing's axis along z.
    """
    s = BEARINGS[size]
    pitch_r, r = (s.bore + s.outer) / 4, s.ball / 2
    middle, land = s.width / 2, 0.62 * r
    groove = cq.Workplane("XY").add(cq.Solid.makeTorus(pitch_r, 1.03 * r, cq.Vector(0, 0, middle), cq.Vector(0, 0, 1)))
    inner = tube(2 * (pitch_r - land), s.bore, 0, s.width, s.chamfer).cut(groove)
    outer = tube(s.outer, 2 * (pitch_r + land), 0, s.width, s.chamfer).cut(groove)
    cage = tube(2 * (pitch_r + 0.42 * r), 2 * (pitch_r - 0.42 * r), middle - 1.3 * r, middle + 1.3 * r, 0.2)
    ball = cq.Workplane("XY").sphere(r).translate((pitch_r, 0, middle))
    pocket = cq.Workplane("YZ").center(0, middle).circle(1.04 * r).extrude(s.outer)
    bodies: list[Body] = []
    for k in range(s.balls):
        angle = 360 / s.balls * k
        cage = cage.cut(pocket.rotate((0, 0, 0), (0, 0, 1), angle))
        bodies.append((f"ball {k + 1}", ball.rotate((0, 0, 0), (0, 0, 1), angle), BEARING_STEEL))
    return [("inner ring", inner, BEARING_STEEL), ("outer ring", outer, BEARING_STEEL), ("cage", cage, BRASS), *bodies]
