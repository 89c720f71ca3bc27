"""Rooms of a machine shop: the workshop, the high machine hall and the packing area.

Covers: sizes, colours, luminaires, windows and what stands there, all by seed. Choices within what such rooms have;
reflectances after EN 12464-1's recommendations (light ceiling, floor 0.2 to 0.4; workshops are darker). Does not cover:
brightness (`surroundings`).
"""

from __future__ import annotations

import math
from typing import Final

from pipeline.light import furniture, machines
from pipeline.light.dice import Dice
from pipeline.light.lamps import SurroundingMesh
from pipeline.light.layout import Menu, around, fill_wall, joined
from pipeline.light.luminaires import high_bays, linear_rows
from pipeline.light.pieces import piece
from pipeline.light.rooms import FLOOR_Z, SAFETY_YELLOW, Hall, Paint, Room, aisle, beams, drawn_hall, shell
from pipeline.light.shapes import beam, box, merged
from pipeline.light.windows import Opening, Wall, door, walls_of, window_row
from pipeline.surface.material import Rgb

CLEAR_M: Final = 2.4
FLOORS: Final[tuple[Rgb, ...]] = ((0.24, 0.24, 0.23), (0.16, 0.20, 0.17), (0.30, 0.29, 0.27), (0.17, 0.18, 0.21))
WALLS: Final[tuple[Rgb, ...]] = ((0.58, 0.57, 0.52), (0.52, 0.54, 0.54), (0.60, 0.52, 0.40), (0.45, 0.50, 0.46))
DADOS: Final[tuple[Rgb, ...]] = ((0.13, 0.20, 0.18), (0.10, 0.16, 0.28), (0.28, 0.28, 0.27), (0.34, 0.22, 0.10))
SHOP: Final[Menu] = (
    (machines.machining_centre, 0.2),
    (machines.manual_machine, 0.15),
    (furniture.cabinet, 0.2),
    (furniture.shelf, 0.15),
    (furniture.bench, 0.15),
    (furniture.pallet, 0.07),
    (furniture.drums, 0.05),
    (furniture.trolley, 0.06),
)
HALL: Final[Menu] = (
    (machines.machining_centre, 0.35),
    (machines.robot_cell, 0.2),
    (furniture.pallet, 0.15),
    (furniture.shelf, 0.15),
    (furniture.drums, 0.1),
    (furniture.cabinet, 0.05),
)
STORE: Final[Menu] = (
    (machines.conveyor, 0.25),
    (furniture.pallet, 0.35),
    (furniture.shelf, 0.25),
    (furniture.bench, 0.1),
    (furniture.drums, 0.05),
)


def workshop_room(groups: tuple[str, ...], dice: Dice) -> Room:
    """Rows of linear luminaires, 3 to 6 windows, machines, shelves, people; *groups*: (luminaires, windows)."""
    hall = drawn_hall(dice, (11.5, 15.0), (9.6, 12.5), dice.between(3.6, 4.6))
    paint = _paint(dice.part("paint"), dado_height=1.5)
    lights = linear_rows(groups[0], hall, dice.part("lamps"), height=hall.ceiling - FLOOR_Z - dice.between(0.75, 1.0))
    walls = walls_of(hall.x, hall.y)
    lit = dice.count(0, 3)
    row = dice.part("windows")
    panes, openings = window_row(
        "window",
        groups[1],
        walls[lit],
        row,
        count=row.count(3, 6),
        sill=row.between(1.0, 1.3),
        height=row.between(1.4, 1.9),
    )
    pieces = [*shell(hall, paint, dice.part("walls")), *aisle(hall, dice.part("aisle"))]
    pieces += [*beams(hall, dice.part("beams"), below=0.45), *lights[1], *panes[1]]
    pieces += _along(walls, SHOP, dice.part("things"), lit, openings)
    pieces += _people(dice.part("people"))
    height = hall.ceiling - 1.05
    return Room((*lights[0], *panes[0]), joined(pieces), CLEAR_M, height)


def machine_hall(groups: tuple[str, ...], dice: Dice) -> Room:
    """A hall 6 to 9 m high under high bays with an overhead crane and a gate; *groups*: (luminaires, windows)."""
    ceiling = dice.between(5.2, 8.2)
    hall = drawn_hall(dice, (16.0, 24.0), (12.0, 17.0), ceiling)
    paint = _paint(dice.part("paint"), dado_height=2.2)
    height = ceiling - FLOOR_Z - dice.between(0.9, 1.3)
    lights = high_bays(groups[0], hall, dice.part("lamps"), height=height)
    walls = walls_of(hall.x, hall.y)
    lit, row = dice.count(0, 3), dice.part("windows")
    panes, openings = window_row(
        "window",
        groups[1],
        walls[lit],
        row,
        count=row.count(2, 5),
        sill=row.between(2.4, 3.0),
        height=row.between(1.4, 2.0),
    )
    pieces = [*shell(hall, paint, dice.part("walls")), *aisle(hall, dice.part("aisle"))]
    pieces += [
        *beams(hall, dice.part("beams"), below=0.6),
        *lights[1],
        *panes[1],
        *_crane(hall, height, dice.part("crane")),
    ]
    pieces += _along(walls, HALL, dice.part("things"), lit, openings)
    pieces += around(machines.robot_cell(dice.part("cell")), dice.between(0.0, math.tau), CLEAR_M + 0.3)
    pieces += _people(dice.part("people"))
    return Room((*lights[0], *panes[0]), joined(pieces), CLEAR_M, height + FLOOR_Z - 0.35)


def packing_area(groups: tuple[str, ...], dice: Dice) -> Room:
    """Cardboard, shelves, conveyors under linear luminaires, an open gate; *groups*: (luminaires, gate)."""
    hall = drawn_hall(dice, (10.5, 14.0), (9.0, 12.0), dice.between(3.6, 4.8))
    paint = _paint(dice.part("paint"), dado_height=0.9)
    lights = linear_rows(groups[0], hall, dice.part("lamps"), height=hall.ceiling - FLOOR_Z - dice.between(0.75, 1.0))
    walls = walls_of(hall.x, hall.y)
    lit, row = dice.count(0, 3), dice.part("windows")
    panes, openings = window_row("gate", groups[1], walls[lit], row, count=row.count(1, 2), sill=0.05, height=3.0)
    pieces = [*shell(hall, paint, dice.part("walls")), *aisle(hall, dice.part("aisle"))]
    pieces += [*beams(hall, dice.part("beams"), below=0.45), *lights[1], *panes[1]]
    pieces += _along(walls, STORE, dice.part("things"), lit, openings)
    pieces += _people(dice.part("people"))
    return Room((*lights[0], *panes[0]), joined(pieces), CLEAR_M, hall.ceiling - 1.05)


def _paint(dice: Dice, dado_height: float) -> Paint:
    return Paint(
        floor=dice.tinted(dice.one_of(FLOORS), 0.2),
        ceiling=dice.tinted((0.52, 0.52, 0.50), 0.25),
        wall=dice.one_of(WALLS),
        dado=dice.tinted(dice.one_of(DADOS), 0.2),
        dado_height=dado_height * dice.between(0.8, 1.2),
        floor_roughness=dice.between(0.2, 0.45),
    )


def _along(walls: tuple[Wall, ...], menu: Menu, dice: Dice, lit: int, openings: list[Opening]) -> list[SurroundingMesh]:
    """Things of *menu* along all walls, and a door in the wall opposite the windows."""
    made: list[SurroundingMesh] = []
    opposite = walls[(lit + 2) % 4]
    at = opposite.length * dice.between(0.3, 0.7)
    made += door(opposite, at, dice)
    for number, wall in enumerate(walls):
        taken = openings if number == lit else []
        if wall is opposite:
            taken = [Opening(at - 0.7, at + 0.7, 0.0)]
        corner = 0.5 if number % 2 == 0 else 2.4  # things along the other walls reach so far into the corners
        made += fill_wall(wall, menu, dice.part(f"wall{number}"), openings=taken, clear=CLEAR_M, corner=corner)
    return made


def _people(dice: Dice) -> list[SurroundingMesh]:
    """The operator near the table, and sometimes somebody else."""
    first = dice.between(0.0, math.tau)
    made = around(furniture.person(dice), first, CLEAR_M)
    if dice.below(0.5):
        made += around(furniture.person(dice), first + dice.between(1.2, 5.0), CLEAR_M + dice.between(0.2, 0.8))
    return made


def _crane(hall: Hall, height: float, dice: Dice) -> list[SurroundingMesh]:
    """A yellow bridge crane across the hall below its luminaires' height, at one end, with hoist and hook."""
    z = FLOOR_Z + height - 0.5
    x = hall.x[0] + hall.size[0] * dice.one_of((dice.between(0.1, 0.22), dice.between(0.78, 0.9)))
    y = dice.between(hall.y[0] + 2.0, hall.y[1] - 2.0)
    bridge = box((x - 0.18, hall.y[0] + 0.2, z - 0.45), (x + 0.18, hall.y[1] - 0.2, z))
    hoist = [
        box((x - 0.35, y - 0.3, z - 0.8), (x + 0.35, y + 0.3, z - 0.45)),
        beam((x, y, z - 0.8), (x, y, z - 2.0), 0.02),
        box((x - 0.08, y - 0.08, z - 2.25), (x + 0.08, y + 0.08, z - 2.0)),
    ]
    rails = [
        box((hall.x[0], e - 0.1, z - 0.3), (hall.x[1], e + 0.1, z - 0.02)) for e in (hall.y[0] + 0.25, hall.y[1] - 0.25)
    ]
    return [
        piece("crane", bridge, SAFETY_YELLOW, roughness=0.4),
        piece("crane", merged([*hoist, *rails]), (0.12, 0.13, 0.14), roughness=0.4),
    ]
