"""Luminaires of rooms: rows of linear ones, high-bay discs, panels in the ceiling; with bodies, cords and frames.

Covers: single luminaires and grids of them. Dimensions and mounting after common industrial luminaires: linear 1.2 to
1.5 m x 60 to 100 mm, high-bay discs of 0.3 to 0.45 m at 5 to 12 m, pitch 3 to 8 m, 4000 to 6500 K. Does not cover:
calibration (`surroundings`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.light.dice import Dice
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import lamp, piece
from pipeline.light.rooms import FLOOR_Z, Hall
from pipeline.light.shapes import barrel, beam, box, merged, rectangle, revolved
from pipeline.surface.material import Rgb

Made = tuple[list[LampMesh], list[SurroundingMesh]]

WHITES: Final[tuple[Rgb, ...]] = (
    (1.14, 0.98, 0.80),
    (1.07, 0.99, 0.90),
    (1.00, 1.00, 1.00),
)
"""Linear Rec.709 of black bodies of 4000 K, 5000 K and D65 at luminance 1, rounded."""
LINEAR_RADIANCE: Final = 10.0
HIGH_BAY_RADIANCE: Final = 60.0
PANEL_RADIANCE: Final = 4.0
"""Relative to an overcast sky of about 4: some 10, 60 and 4 kcd/m2."""


def _spots(low: float, high: float, pitch: float, dice: Dice) -> list[float]:
    """Places along one side of a hall, *pitch* apart, with a drawn phase; at least one."""
    count = max(1, int((high - low - 0.8) / pitch))
    slack = (high - low) - pitch * (count - 1)
    first = low + slack * dice.between(0.4, 0.6)
    return [first + pitch * k for k in range(count)]


def linear_rows(group: str, hall: Hall, dice: Dice, *, height: float) -> Made:
    """Rows of linear luminaires along x that hang *height* above the floor on wires."""
    length, width = dice.between(1.2, 1.5), dice.between(0.06, 0.1)
    across, along = dice.between(3.0, 4.2), dice.between(length + 0.3, 3.2)
    white, z = dice.one_of(WHITES), FLOOR_Z + height
    made: Made = ([], [])
    radiance = (LINEAR_RADIANCE * white[0], LINEAR_RADIANCE * white[1], LINEAR_RADIANCE * white[2])
    for row, y in enumerate(_spots(*hall.y, across, dice)):
        for column, x in enumerate(_spots(*hall.x, along, dice.part("x"))):
            face = rectangle((x, y, z), (0, 0, -1), length, width)
            made[0].append(lamp(f"luminaire_{row}_{column}", "luminaire", group, face, radiance))
            made[1].append(_linear_body(x, y, z, (length, width), hall.ceiling))
    return made


def _linear_body(x: float, y: float, z: float, size: tuple[float, float], ceiling: float) -> SurroundingMesh:
    half, side = size[0] / 2, size[1] / 2
    body = [
        box((x - half - 0.04, y - side - 0.015, z + 0.002), (x + half + 0.04, y + side + 0.015, z + 0.07)),
        box((x - half - 0.04, y - side - 0.015, z - 0.012), (x - half, y + side + 0.015, z + 0.002)),
        box((x + half, y - side - 0.015, z - 0.012), (x + half + 0.04, y + side + 0.015, z + 0.002)),
    ]
    body += [beam((x + s * 0.7 * half, y, z + 0.07), (x + s * 0.7 * half, y, ceiling), 0.008) for s in (-1.0, 1.0)]
    return piece("lamp_housing", merged(body), (0.32, 0.32, 0.33), roughness=0.4, mottle=0.0)


def high_bays(group: str, hall: Hall, dice: Dice, *, height: float) -> Made:
    """High-bay discs in finned bodies that hang *height* above the floor on rods; pitch 3 to 8 m with the height."""
    radius, pitch = dice.between(0.15, 0.225), min(8.0, max(3.0, height * dice.between(0.45, 0.7)))
    white, z = dice.one_of(WHITES), FLOOR_Z + height
    radiance = (HIGH_BAY_RADIANCE * white[0], HIGH_BAY_RADIANCE * white[1], HIGH_BAY_RADIANCE * white[2])
    made: Made = ([], [])
    for row, y in enumerate(_spots(*hall.y, pitch, dice)):
        for column, x in enumerate(_spots(*hall.x, pitch, dice.part("x"))):
            face = revolved([(radius, 0.0), (0.0, 0.0)], 24)
            face = type(face)(face.vertices + np.array([x, y, z]), face.triangles)
            made[0].append(lamp(f"high_bay_{row}_{column}", "luminaire", group, face, radiance))
            made[1].append(_high_bay_body(x, y, z, radius, hall.ceiling))
    return made


def _high_bay_body(x: float, y: float, z: float, radius: float, ceiling: float) -> SurroundingMesh:
    rim = revolved([(radius, 0.09), (radius + 0.02, 0.09), (radius + 0.02, -0.03), (radius, -0.03), (radius, 0.09)], 24)
    parts = [
        type(rim)(rim.vertices + np.array([x, y, z]), rim.triangles),
        barrel((x, y, z + 0.004), (x, y, z + 0.06), radius + 0.01, 24),
        barrel((x, y, z + 0.06), (x, y, z + 0.16), 0.55 * radius, 16),
        beam((x, y, z + 0.16), (x, y, ceiling), 0.015),
    ]
    return piece("lamp_housing", merged(parts), (0.06, 0.06, 0.065), roughness=0.4, mottle=0.0)


def ceiling_panels(group: str, hall: Hall, dice: Dice) -> Made:
    """Panels of 0.6 x 0.6 or 1.2 x 0.3 m in a frame at the ceiling, with the grid of a suspended ceiling."""
    size = dice.one_of(((0.595, 0.595), (1.195, 0.295)))
    pitch, white = dice.between(1.8, 2.6), dice.one_of(WHITES)
    z = hall.ceiling - 0.012
    radiance = (PANEL_RADIANCE * white[0], PANEL_RADIANCE * white[1], PANEL_RADIANCE * white[2])
    made: Made = ([], [])
    frames = []
    for row, y in enumerate(_spots(*hall.y, pitch, dice)):
        for column, x in enumerate(_spots(*hall.x, max(pitch, size[0] + 0.6), dice.part("x"))):
            face = rectangle((x, y, z), (0, 0, -1), *size)
            made[0].append(lamp(f"panel_{row}_{column}", "luminaire", group, face, radiance))
            half, side = size[0] / 2, size[1] / 2
            for s in (-1.0, 1.0):
                frames.append(
                    box(
                        (x - half - 0.03, y + s * side - 0.015, z - 0.01),
                        (x + half + 0.03, y + s * side + 0.015, z + 0.01),
                    )
                )
                frames.append(
                    box((x + s * half - 0.015, y - side, z - 0.01), (x + s * half + 0.015, y + side, z + 0.01))
                )
    made[1].append(piece("lamp_housing", merged(frames), (0.6, 0.6, 0.6), roughness=0.4, mottle=0.0))
    lines = [
        box((hall.x[0], y - 0.012, z + 0.004), (hall.x[1], y + 0.012, hall.ceiling)) for y in np.arange(*hall.y, 0.6)
    ]
    lines += [
        box((x - 0.012, hall.y[0], z + 0.004), (x + 0.012, hall.y[1], hall.ceiling)) for x in np.arange(*hall.x, 0.6)
    ]
    made[1].append(piece("ceiling", merged(lines), (0.45, 0.45, 0.44), roughness=0.6, mottle=0.0))
    return made
