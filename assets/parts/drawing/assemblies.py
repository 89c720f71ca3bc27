"""The assembly: a shaft end with its ball bearing, clamping collar and key, each body named and coloured."""

from __future__ import annotations

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
