"""The workshop hall: rows of linear luminaires, a band of windows, machines, shelves and a person.

Covers: what stands where. Sizes and colours are choices within what machine shops look like; reflectances
after EN 12464-1's recommendations (light ceiling, floor 0.2 to 0.4). Does not cover: brightness (`illuminate`).
"""

from __future__ import annotations

import math

from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import piece
from pipeline.light.rooms import FLOOR_Z, Hall, Room, cabinet, linear_luminaire, person, shelf, shell, window
from pipeline.light.shapes import box, merged
from pipeline.surface.material import Rgb

HALL = Hall(x=(-5.6, 7.4), y=(-4.4, 5.2), ceiling=4.3)
LUMINAIRE_RADIANCE: Rgb = (10.0, 9.7, 8.9)
"""About 10 kcd/m2, 5000 K beside a 6500 K white."""
SKY_RADIANCE: Rgb = (3.6, 4.3, 5.6)
"""Overcast sky, about 4 kcd/m2, 8000 K."""
GROUND_RADIANCE: Rgb = (1.3, 1.5, 1.5)


def workshop_room(groups: tuple[str, ...]) -> Room:
    """Build the hall; *groups*: (luminaires, windows)."""
    lamps: list[LampMesh] = []
    pieces = shell(HALL, (0.24, 0.24, 0.23), (0.55, 0.55, 0.53), (0.58, 0.57, 0.52), (0.13, 0.2, 0.18), dado_height=1.5)
    pieces += [piece("floor_marking", box((-5.0, -2.15, FLOOR_Z), (7.0, -2.05, FLOOR_Z + 0.002)), (0.6, 0.42, 0.03))]
    for row, y in enumerate((-2.9, 0.35, 3.6)):
        for column in range(4):
            x = -3.7 + 3.1 * column
            light, body = linear_luminaire(
                f"luminaire_{row}{column}", groups[0], x, y, 3.3, size=(1.5, 0.16), radiance=LUMINAIRE_RADIANCE
            )
            lamps.append(light)
            pieces.append(body)
    for i in range(5):
        panes, frame = window(
            f"window_{i}",
            groups[1],
            (-4.2 + 2.35 * i, HALL.y[1] - 0.02, 1.35),
            (0.0, -1.0, 0.0),
            size=(1.7, 1.9),
            sky=SKY_RADIANCE,
            ground=GROUND_RADIANCE,
            panes=(3, 3),
        )
        lamps += panes
        pieces.append(frame)
    return Room(tuple(lamps), (*pieces, *_furniture()), clear_radius=2.4, clear_height=3.25)


def _furniture() -> list[SurroundingMesh]:
    beams = [box((x - 0.09, HALL.y[0], 3.75), (x + 0.09, HALL.y[1], 4.1)) for x in (-4.1, -1.0, 2.1, 5.2)]
    columns = [box((x - 0.12, y - 0.12, FLOOR_Z), (x + 0.12, y + 0.12, 3.75)) for x in (-4.1, 5.2) for y in (-4.2, 5.0)]
    doors = box((HALL.x[0], -1.2, FLOOR_Z), (HALL.x[0] + 0.05, 1.4, 2.0))
    boxes = [
        box((5.3, -3.9, FLOOR_Z + 0.14), (6.1, -3.1, FLOOR_Z + 0.75)),
        box((5.4, -3.7, FLOOR_Z + 0.75), (6.0, -3.2, FLOOR_Z + 1.2)),
        box((6.2, -3.8, FLOOR_Z + 0.14), (6.9, -3.1, FLOOR_Z + 0.6)),
    ]
    pallet = box((5.2, -4.0, FLOOR_Z), (7.0, -3.0, FLOOR_Z + 0.14))
    return [
        piece("beam", merged([*beams, *columns]), (0.07, 0.10, 0.14), roughness=0.45),
        piece("door", doors, (0.30, 0.07, 0.04), roughness=0.4),
        piece("box", merged(boxes), (0.34, 0.23, 0.13), roughness=0.85),
        piece("pallet", pallet, (0.36, 0.25, 0.14), roughness=0.8),
        *cabinet("machine", 3.9, 1.6, (2.2, 1.9, 2.3), -math.pi / 2, (0.42, 0.45, 0.44)),
        *cabinet("machine", -3.4, -2.7, (2.4, 1.3, 1.6), math.pi * 0.9, (0.10, 0.22, 0.16)),
        *cabinet("machine", 1.3, 3.6, (1.8, 1.4, 2.0), 0.1, (0.05, 0.13, 0.32)),
        *cabinet("cabinet", 0.2, -4.0, (2.0, 0.6, 2.0), math.pi, (0.11, 0.12, 0.13)),
        *cabinet("cabinet", 2.6, -3.9, (1.2, 0.6, 1.1), math.pi, (0.33, 0.05, 0.04)),
        *cabinet("desk", -3.0, 3.3, (1.6, 0.8, 1.05), 0.3, (0.28, 0.29, 0.30)),
        *shelf(-5.0, 2.9, math.pi / 2),
        *shelf(6.9, 0.2, math.pi / 2),
        *person(-2.6, 1.1, 1.2, (0.05, 0.09, 0.2)),
    ]
