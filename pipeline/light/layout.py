"""Where furniture stands: along the walls, not before windows that it would hide, and clear of the table.

Covers: filling walls from a menu, placing single things, joining pieces of one look. Does not cover: the things
(`furniture`, `machines`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from pipeline.light.dice import Dice
from pipeline.light.furniture import Item, wall_things
from pipeline.light.lamps import SurroundingMesh
from pipeline.light.pieces import turned_piece
from pipeline.light.rooms import FLOOR_Z
from pipeline.light.shapes import Mesh, merged
from pipeline.light.windows import Opening, Wall
from pipeline.surface.material import PlainMaterial

Menu = Sequence[tuple[Callable[[Dice], Item], float]]
"""(thing, how often it is chosen, relative)."""

WALL_GAP_M = 0.06
CORNER_M = 0.5
TRIES = 5


def placed(item: Item, x: float, y: float, turn: float) -> list[SurroundingMesh]:
    """The pieces of *item* with its middle at (x, y) on the floor, its front turned from -y by *turn* radians."""
    made = []
    for thing in item.pieces:
        turned = turned_piece(thing, turn, 1.0)
        made.append(
            SurroundingMesh(thing.label, thing.material, turned.vertices + np.array([x, y, FLOOR_Z]), thing.triangles)
        )
    return made


def facing(inward: tuple[float, float]) -> float:
    """The turn of a thing whose front looks along *inward*."""
    return math.atan2(inward[0], -inward[1])


def fill_wall(
    wall: Wall,
    menu: Menu,
    dice: Dice,
    *,
    openings: Sequence[Opening] = (),
    clear: float,
    corner: float = CORNER_M,
    density: float = 0.85,
) -> list[SurroundingMesh]:
    """Things of *menu* side by side along *wall*, none nearer than *clear* to the vertical through the table.

    Before an opening stands only what is lower than its sill. Between things hangs something on the wall.
    """
    made: list[SurroundingMesh] = []
    at = corner + dice.between(0.0, 0.6)
    distance = -(wall.start[0] * wall.inward[0] + wall.start[1] * wall.inward[1])  # of the table from the wall
    while at < wall.length - corner:
        room = wall.length - corner - at
        item = _fitting(menu, dice, (room, distance - clear - WALL_GAP_M), [o for o in openings if o.right > at], at)
        if item is not None and dice.below(density):
            x, y = wall.at(at + item.width / 2, item.depth / 2 + WALL_GAP_M)
            made += placed(item, x, y, facing(wall.inward) + dice.between(-0.03, 0.03))
            at += item.width + dice.between(0.08, 0.7)
            continue
        made += _hung(wall, at, dice, openings)
        at += dice.between(0.7, 1.3)
    return made


def _hung(wall: Wall, at: float, dice: Dice, openings: Sequence[Opening]) -> list[SurroundingMesh]:
    """Something on the free wall from *at* on, if it fits."""
    item = wall_things(dice)
    free = not any(at < o.right + 0.1 and at + item.width > o.left - 0.1 for o in openings)
    if not free or at + item.width > wall.length - 0.2 or dice.below(0.3):
        return []
    x, y = wall.at(at + item.width / 2, item.depth / 2)
    return placed(item, x, y, facing(wall.inward))


def _fitting(menu: Menu, dice: Dice, room: tuple[float, float], openings: Sequence[Opening], at: float) -> Item | None:
    """The first of a few choices that fits into *room* (width, depth) from *at* on and hides no opening."""
    for _ in range(TRIES):
        item = _chosen(menu, dice)
        hides = any(at + item.width > o.left and item.height > o.sill for o in openings)
        if item.width < room[0] and item.depth <= room[1] and not hides:
            return item
    return None


def _chosen(menu: Menu, dice: Dice) -> Item:
    level = dice.u() * sum(weight for _, weight in menu)
    for make, weight in menu:
        level -= weight
        if level < 0.0:
            return make(dice)
    return menu[-1][0](dice)


def around(item: Item, azimuth_rad: float, clear: float) -> list[SurroundingMesh]:
    """*item* as near to the table as *clear* allows, in direction *azimuth_rad*, its front to the table."""
    radius = clear + math.hypot(item.width, item.depth) / 2 + 0.02
    x, y = radius * math.cos(azimuth_rad), radius * math.sin(azimuth_rad)
    return placed(item, x, y, facing((-math.cos(azimuth_rad), -math.sin(azimuth_rad))))


def joined(pieces: Iterable[SurroundingMesh]) -> tuple[SurroundingMesh, ...]:
    """*pieces* with those of one label and one material made into one mesh each: fewer objects, the same picture."""
    found: dict[tuple[str, PlainMaterial], list[Mesh]] = {}
    for thing in pieces:
        found.setdefault((thing.label, thing.material), []).append(Mesh(thing.vertices, thing.triangles))
    made = []
    for (label, material), meshes in found.items():
        mesh = merged(meshes)
        made.append(SurroundingMesh(label, material, mesh.vertices, mesh.triangles))
    return tuple(made)
