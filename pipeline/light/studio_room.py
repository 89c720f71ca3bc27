"""The softly lit studio: dark-grey walls, a white cyclorama, a ceiling diffuser and one tall window.

Covers: what stands where, by seed. Sizes and colours are choices after photo studios. Does not cover: brightness
(`surroundings`).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from pipeline.light import furniture, machines
from pipeline.light.dice import Dice
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.layout import Menu, around, fill_wall, joined
from pipeline.light.pieces import flag, housing, lamp, piece
from pipeline.light.rooms import FLOOR_Z, Hall, Paint, Room, drawn_hall, shell
from pipeline.light.shapes import Mesh, barrel, beam, box, merged, rectangle
from pipeline.light.windows import walls_of, window_row
from pipeline.surface.material import Rgb

CLEAR_M: Final = 2.3
DIFFUSER_RADIANCE: Final[Rgb] = (1.0, 0.97, 0.92)
FURNITURE: Final[Menu] = (
    (machines.desk, 0.35),
    (furniture.cabinet, 0.3),
    (furniture.shelf, 0.2),
    (furniture.trolley, 0.15),
)


def softlit_studio_room(groups: tuple[str, ...], dice: Dice) -> Room:
    """Build the studio; *groups*: (ceiling diffuser, window)."""
    hall = drawn_hall(dice, (7.8, 9.4), (7.8, 9.2), dice.between(2.8, 3.4))
    grey = dice.between(0.10, 0.30)
    wall = dice.tinted((grey, grey, 1.03 * grey), 0.1)
    floor = dice.tinted(dice.one_of(((0.16, 0.16, 0.16), (0.24, 0.17, 0.11), (0.30, 0.30, 0.29))), 0.15)
    paint = Paint(floor, (0.30, 0.30, 0.30), wall, dice.tinted(wall, 0.3), dado_height=0.12)
    pieces = shell(hall, paint, dice.part("walls"))
    lamps, frames = _scrims(groups[0], hall, dice.part("scrims"))
    walls = walls_of(hall.x, hall.y)
    lit, row = dice.one_of((1, 3)), dice.part("windows")
    panes, openings = window_row(
        "studio_window",
        groups[1],
        walls[lit],
        row,
        count=row.count(1, 3),
        sill=row.between(0.4, 0.9),
        height=row.between(1.7, 2.3),
    )
    pieces += [*frames, *panes[1], *_stands(dice.part("stands")), _cyclorama(hall, dice.between(3.6, 4.8))]
    for number in (0, 1, 3):
        taken = openings if number == lit else []
        part, corner = dice.part(f"wall{number}"), 0.4 if number == 0 else 1.9
        pieces += fill_wall(
            walls[number], FURNITURE, part, openings=taken, clear=CLEAR_M - 0.35, corner=corner, density=0.6
        )
    pieces += around(furniture.person(dice.part("person")), dice.between(0.0, math.tau), CLEAR_M - 0.35)
    return Room((*lamps, *panes[0]), joined(pieces), CLEAR_M - 0.35, hall.ceiling - 0.62)


def _scrims(group: str, hall: Hall, dice: Dice) -> tuple[list[LampMesh], list[SurroundingMesh]]:
    """Two or three fields of a scrim under the ceiling, with a dark gap between them, on a frame."""
    count, z = dice.count(2, 3), hall.ceiling - 0.55
    width, depth = dice.between(2.2, 3.0) / count, dice.between(1.4, 2.2)
    lamps, bodies = [], []
    for i in range(count):
        x = (i - (count - 1) / 2) * (width + 0.12)
        lamps.append(
            lamp(
                f"ceiling_diffuser_{i}",
                "panel",
                group,
                rectangle((x, 0.1, z), (0, 0, -1), width, depth),
                DIFFUSER_RADIANCE,
            )
        )
        bodies.append(
            box((x - width / 2 - 0.03, 0.07 - depth / 2, z + 0.005), (x + width / 2 + 0.03, 0.13 + depth / 2, z + 0.08))
        )
        bodies += [
            beam((x + s * 0.4 * width, 0.1, z + 0.08), (x + s * 0.4 * width, 0.1, hall.ceiling), 0.015) for s in (-1, 1)
        ]
    return lamps, [housing(merged(bodies))]


def _stands(dice: Dice) -> list[SurroundingMesh]:
    """Two flags on stands and a spare tripod, somewhere around the table."""
    made = []
    for _ in range(2):
        angle = dice.between(0.0, math.tau)
        x, y = 2.75 * math.cos(angle), 2.75 * math.sin(angle)
        tall = dice.between(0.6, 1.2)
        made.append(
            flag(
                merged(
                    [
                        beam((x, y, FLOOR_Z), (x, y, tall), 0.025),
                        box((x - 0.3, y - 0.012, tall - 0.7), (x + 0.3, y + 0.012, tall)),
                    ]
                )
            )
        )
    angle = dice.between(0.0, math.tau)
    x, y = 2.8 * math.cos(angle), 2.8 * math.sin(angle)
    legs = [
        barrel((x + 0.35 * math.cos(a), y + 0.35 * math.sin(a), FLOOR_Z), (x, y, 0.4), 0.02, 8) for a in (0.3, 2.4, 4.5)
    ]
    head = box((x - 0.12, y - 0.1, 0.4), (x + 0.12, y + 0.1, 0.62))
    return [*made, piece("tripod", merged([*legs, head]), (0.03, 0.03, 0.03), roughness=0.4)]


def _cyclorama(hall: Hall, width: float) -> SurroundingMesh:
    """A white sweep of paper before the +y wall: floor, quarter round of 0.9 m, wall; facing the table."""
    radius, wall_y, top = 0.9, hall.y[1] - 0.15, min(2.4, hall.ceiling - 0.3)
    angles = np.linspace(0.0, math.pi / 2, 13)
    curve = [(wall_y - radius + radius * math.sin(a), FLOOR_Z + 0.01 + radius * (1.0 - math.cos(a))) for a in angles]
    profile = np.array([(wall_y - 1.3, FLOOR_Z + 0.01), *curve, (wall_y, top)])
    vertices = [(x, y, z) for y, z in profile for x in (-width / 2, width / 2)]
    triangles = [t for i in range(0, 2 * len(profile) - 2, 2) for t in ((i, i + 1, i + 3), (i, i + 3, i + 2))]
    mesh = Mesh(np.array(vertices), np.array(triangles, dtype=np.int32))
    return piece("cyclorama", mesh, (0.78, 0.78, 0.77), roughness=0.75, mottle=0.01)
