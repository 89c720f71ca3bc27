"""Rooms where parts are measured: the metrology laboratory and the inspection cell.

Covers: sizes, colours, luminaires and what stands there, all by seed. Does not cover: brightness (`surroundings`).
"""

from __future__ import annotations

import math
from typing import Final

from pipeline.light import furniture, machines
from pipeline.light.dice import Dice
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.layout import Menu, around, fill_wall, joined, placed
from pipeline.light.luminaires import ceiling_panels
from pipeline.light.pieces import lamp, piece
from pipeline.light.rooms import FLOOR_Z, Hall, Paint, Room, shell
from pipeline.light.rooms import drawn_hall as drawn
from pipeline.light.shapes import beam, box, merged, rectangle
from pipeline.light.windows import Opening, door, walls_of, window_row
from pipeline.surface.material import Rgb

CLEAR_M: Final = 2.2
CELL_CLEAR_M: Final = 1.25
FURNITURE: Final[Menu] = (
    (machines.desk, 0.3),
    (machines.measuring_machine, 0.25),
    (furniture.cabinet, 0.25),
    (furniture.bench, 0.1),
    (furniture.shelf, 0.1),
)


def metrology_laboratory(groups: tuple[str, ...], dice: Dice) -> Room:
    """A light room under ceiling panels with measuring machines and desks; *groups*: (luminaires, windows)."""
    hall = drawn(dice, (8.6, 11.5), (8.2, 10.0), dice.between(1.9, 2.3))
    light: tuple[Rgb, ...] = ((0.72, 0.72, 0.70), (0.66, 0.68, 0.70), (0.72, 0.68, 0.60))
    paint = Paint(
        floor=dice.tinted(dice.one_of(((0.30, 0.31, 0.33), (0.22, 0.28, 0.33), (0.36, 0.34, 0.30))), 0.15),
        ceiling=(0.74, 0.74, 0.73),
        wall=dice.one_of(light),
        dado=dice.tinted(dice.one_of(light), 0.15),
        dado_height=0.12,
        floor_roughness=dice.between(0.15, 0.3),
    )
    lights = ceiling_panels(groups[0], hall, dice.part("lamps"))
    walls, lit, row = walls_of(hall.x, hall.y), dice.count(0, 3), dice.part("windows")
    panes, openings = window_row(
        "window",
        groups[1],
        walls[lit],
        row,
        count=row.count(2, 5),
        sill=row.between(0.85, 1.0),
        height=row.between(1.3, 1.6),
    )
    pieces = [*shell(hall, paint, dice.part("walls")), *lights[1], *panes[1]]
    opposite = (lit + 2) % 4
    at = walls[opposite].length * dice.between(0.3, 0.7)
    pieces += door(walls[opposite], at, dice)
    for number, wall in enumerate(walls):
        taken = {lit: openings, opposite: [Opening(at - 0.7, at + 0.7, 0.0)]}.get(number, [])
        corner = 0.4 if number % 2 == 0 else 1.9
        pieces += fill_wall(
            wall, FURNITURE, dice.part(f"wall{number}"), openings=taken, clear=CLEAR_M - 0.35, corner=corner
        )
    pieces += around(furniture.person(dice.part("person")), dice.between(0.0, math.tau), CLEAR_M - 0.4)
    return Room((*lights[0], *panes[0]), joined(pieces), CLEAR_M - 0.4, hall.ceiling - 0.05)


def inspection_cell(groups: tuple[str, ...], dice: Dice) -> Room:
    """An enclosure with dark walls, two to four panels of light and an open doorway; *groups*: (panels, doorway)."""
    half_x, half_y = dice.between(1.7, 2.1), dice.between(1.7, 2.1)
    hall = Hall((-half_x, half_x), (-half_y, half_y), dice.between(1.35, 1.7))
    dark = dice.tinted(dice.one_of(((0.035, 0.035, 0.037), (0.05, 0.055, 0.06), (0.022, 0.024, 0.028))), 0.3)
    paint = Paint(dice.tinted((0.10, 0.10, 0.105), 0.3), dark, dark, dark, dado_height=0.4, floor_roughness=0.3)
    pieces = [*shell(hall, paint, dice.part("walls")), *_profiles(hall)]
    lamps, frames = _cell_panels(groups[0], hall, dice.part("panels"))
    walls, open_side = walls_of(hall.x, hall.y), dice.count(0, 3)
    at = walls[open_side].length * dice.between(0.4, 0.6)
    doorway, doorway_pieces = _doorway(groups[1], walls[open_side].at(at, 0.0), walls[open_side].inward, dice)
    pieces += [*frames, *doorway_pieces]
    rack = furniture.cabinet(dice.part("rack"))
    for number, wall in enumerate(walls):
        if number != open_side and dice.below(0.8):
            thing = furniture.wall_things(dice.part(f"thing{number}"))
            x, y = wall.at(wall.length * dice.between(0.3, 0.7), thing.depth / 2)
            pieces += placed(thing, x, y, math.atan2(wall.inward[0], -wall.inward[1]))
    corner = walls[(open_side + 2) % 4]
    if half_x - rack.depth > CELL_CLEAR_M and half_y - rack.depth > CELL_CLEAR_M:
        x, y = corner.at(rack.width / 2 + 0.1, rack.depth / 2 + 0.02)
        pieces += placed(rack, x, y, math.atan2(corner.inward[0], -corner.inward[1]))
    return Room((*lamps, *doorway), joined(pieces), CELL_CLEAR_M, hall.ceiling - 0.12)


def _profiles(hall: Hall) -> list[SurroundingMesh]:
    """The aluminium profiles that the cell is built of: posts and rails along its edges."""
    top, bars = hall.ceiling - 0.03, []
    inset = 0.03
    xs, ys = (hall.x[0] + inset, hall.x[1] - inset), (hall.y[0] + inset, hall.y[1] - inset)
    bars += [beam((x, y, FLOOR_Z), (x, y, top), 0.045) for x in (*xs, 0.0) for y in ys]
    bars += [beam((x, 0.0, FLOOR_Z), (x, 0.0, top), 0.045) for x in xs]
    bars += [beam((xs[0], y, z), (xs[1], y, z), 0.045) for y in ys for z in (0.05, top)]
    bars += [beam((x, ys[0], z), (x, ys[1], z), 0.045) for x in xs for z in (0.05, top)]
    return [piece("profile", merged(bars), (0.42, 0.43, 0.44), roughness=0.3)]


def _cell_panels(group: str, hall: Hall, dice: Dice) -> tuple[list[LampMesh], list[SurroundingMesh]]:
    """Panels of light under the cell's ceiling, each in a frame."""
    size, z = (dice.between(0.9, 1.3), dice.between(0.2, 0.35)), hall.ceiling - 0.06
    places = dice.one_of(
        (
            ((0.0, -0.9), (0.0, 0.9)),
            ((-0.8, 0.8), (0.8, 0.8), (0.0, -0.9)),
            ((-0.8, -0.9), (0.8, -0.9), (-0.8, 0.9), (0.8, 0.9)),
        )
    )
    lamps, frames = [], []
    for number, (x, y) in enumerate(places):
        lamps.append(
            lamp(f"panel_{number}", "luminaire", group, rectangle((x, y, z), (0, 0, -1), *size), (1.0, 1.0, 1.0))
        )
        half, side = size[0] / 2 + 0.02, size[1] / 2 + 0.02
        frames.append(box((x - half, y - side, z + 0.003), (x + half, y + side, z + 0.045)))
        frames += [
            box((x - half, y + s * side - 0.01, z - 0.012), (x + half, y + s * side + 0.01, z + 0.003)) for s in (-1, 1)
        ]
        frames += [
            box((x + s * half - 0.01, y - side, z - 0.012), (x + s * half + 0.01, y + side, z + 0.003)) for s in (-1, 1)
        ]
    return lamps, [piece("lamp_housing", merged(frames), (0.3, 0.3, 0.31), roughness=0.4, mottle=0.0)]


def _doorway(
    group: str, at: tuple[float, float], inward: tuple[float, float], dice: Dice
) -> tuple[list[LampMesh], list[SurroundingMesh]]:
    """The open doorway: the dimly lit hall beyond it as three bands, and somebody who stands in it."""
    width, lamps, low = 0.9, [], FLOOR_Z + 0.02
    for name, share, height in (("floor", 0.10, 0.55), ("hall", 0.16, 0.95), ("far_wall", 0.26, 0.5)):
        middle = (at[0] + 0.012 * inward[0], at[1] + 0.012 * inward[1], low + height / 2)
        tint = dice.tinted((share, share, share), 0.2)
        lamps.append(lamp(f"doorway_{name}", "doorway", group, rectangle(middle, (*inward, 0.0), width, height), tint))
        low += height
    thing = furniture.person(dice.part("person"))
    x, y = at[0] + 0.26 * inward[0], at[1] + 0.26 * inward[1]
    return lamps, placed(thing, x, y, math.atan2(inward[0], -inward[1]))
