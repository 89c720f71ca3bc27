"""Furniture of rooms: cabinets, shelves with boxes, benches, pallets, drums, trolleys, people, things on walls.

Covers: each thing in its own frame: middle at the origin, floor at z = 0, front towards -y; metres. Colours and sizes
are choices within what workshops and laboratories have. Does not cover: machines (`machines`), where it stands
(`layout`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.light.dice import Dice
from pipeline.light.lamps import SurroundingMesh
from pipeline.light.pieces import piece
from pipeline.light.rooms import HI_VIS, SAFETY_ORANGE, SAFETY_RED, SAFETY_YELLOW
from pipeline.light.shapes import barrel, beam, box, merged, revolved
from pipeline.surface.material import Rgb

CARDBOARD: Final[Rgb] = (0.36, 0.24, 0.13)
WOOD: Final[Rgb] = (0.38, 0.26, 0.15)
DARK: Final[Rgb] = (0.02, 0.02, 0.022)
STEEL: Final[Rgb] = (0.33, 0.34, 0.35)
BINS: Final[tuple[Rgb, ...]] = (
    (0.45, 0.06, 0.04),
    (0.03, 0.10, 0.38),
    (0.55, 0.40, 0.03),
    (0.05, 0.22, 0.09),
    (0.30, 0.31, 0.32),
    CARDBOARD,
)
LACQUERS: Final[tuple[Rgb, ...]] = (
    (0.42, 0.45, 0.44),
    (0.10, 0.22, 0.16),
    (0.05, 0.13, 0.32),
    (0.11, 0.12, 0.13),
    (0.33, 0.05, 0.04),
    (0.55, 0.55, 0.53),
    (0.20, 0.30, 0.36),
)


@dataclass(frozen=True, eq=False)
class Item:
    """A thing that stands in a room."""

    width: float
    depth: float
    height: float
    pieces: tuple[SurroundingMesh, ...]


def cabinet(dice: Dice) -> Item:
    """A cabinet with drawers or doors on a dark plinth."""
    width, depth, height = dice.between(0.8, 1.4), dice.between(0.45, 0.65), dice.one_of((0.95, 1.1, 1.95, 2.05))
    x, y = width / 2, depth / 2
    rows = dice.count(4, 7) if height < 1.5 else dice.count(1, 2)
    edges = np.linspace(0.14, height - 0.04, rows + 1)
    fronts = [box((-x + 0.03, -y - 0.012, a + 0.01), (x - 0.03, -y, b - 0.01)) for a, b in itertools.pairwise(edges)]
    grips = [beam((-0.3 * x, -y - 0.02, b - 0.07), (0.3 * x, -y - 0.02, b - 0.07), 0.018) for b in edges[1:]]
    color = dice.tinted(dice.one_of(LACQUERS), 0.15)
    body = box((-x, -y, 0.1), (x, y, height))
    return Item(
        width,
        depth,
        height,
        (
            piece("cabinet", body, color, roughness=0.4),
            piece("cabinet", merged(fronts), dice.tinted(color, 0.3), roughness=0.35),
            piece("cabinet", merged([*grips, box((-x + 0.03, -y + 0.04, 0), (x - 0.03, y, 0.1))]), DARK, roughness=0.4),
        ),
    )


def shelf(dice: Dice) -> Item:
    """An open shelf with bins and boxes of several colours."""
    width, depth, height = dice.between(1.2, 2.6), dice.between(0.45, 0.7), dice.between(1.9, 2.6)
    x, y, levels = width / 2, depth / 2, dice.count(4, 5)
    posts = [
        box(
            (sx * (x - 0.03) - 0.03, sy * (y - 0.03) - 0.03, 0.0),
            (sx * (x - 0.03) + 0.03, sy * (y - 0.03) + 0.03, height),
        )
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    heights = [0.12 + (height - 0.45) * k / (levels - 1) for k in range(levels)]
    boards = [box((-x, -y, h), (x, y, h + 0.03)) for h in heights]
    frame: tuple[Rgb, ...] = ((0.10, 0.14, 0.22), (0.05, 0.12, 0.34), (0.34, 0.35, 0.36), (0.60, 0.20, 0.03))
    pieces = [piece("shelf", merged(posts + boards), dice.one_of(frame), roughness=0.4)]
    stored: dict[Rgb, list[object]] = {}
    gap = (height - 0.45) / (levels - 1)
    for h in heights:
        left = -x + 0.07
        while left < x - 0.3:
            wide = dice.between(0.16, 0.5)
            if left + wide > x - 0.06:
                break
            if dice.below(0.85):
                tall = min(gap - 0.08, dice.between(0.12, 0.42))
                front = -y + dice.between(0.01, 0.1)
                stored.setdefault(dice.one_of(BINS), []).append(
                    box((left, front, h + 0.03), (left + wide, y - 0.03, h + 0.03 + tall))
                )
            left += wide + dice.between(0.01, 0.05)
    pieces += [piece("bin", merged(boxes), color, roughness=0.5) for color, boxes in stored.items()]  # type: ignore[arg-type]
    return Item(width, depth, height, tuple(pieces))


def bench(dice: Dice) -> Item:
    """A work bench with a wooden top, a drawer block, a vice and a few things on it."""
    width, depth, height = dice.between(1.5, 2.4), dice.between(0.7, 0.85), dice.between(0.84, 0.95)
    x, y = width / 2, depth / 2
    legs = [
        box((s * (x - 0.08) - 0.04, -y + 0.04, 0), (s * (x - 0.08) + 0.04, y - 0.04, height - 0.05)) for s in (-1, 1)
    ]
    block = box((-x + 0.15, -y + 0.05, 0.15), (-x + 0.65, y - 0.05, height - 0.06))
    vice = [
        box((0.3 * x, -y - 0.05, height), (0.3 * x + 0.16, -y + 0.3, height + 0.16)),
        box((0.3 * x + 0.02, -y - 0.16, height + 0.05), (0.3 * x + 0.14, -y - 0.05, height + 0.15)),
    ]
    things = [
        box(
            (a, dice.between(0.0, 0.15), height),
            (a + dice.between(0.08, 0.3), y - 0.05, height + dice.between(0.05, 0.3)),
        )
        for a in np.linspace(-x + 0.1, x - 0.4, dice.count(2, 5))
    ]
    color = dice.tinted(dice.one_of(LACQUERS), 0.2)
    return Item(
        width,
        depth,
        height,
        (
            piece("bench", box((-x, -y, height - 0.05), (x, y, height)), dice.tinted(WOOD, 0.2), roughness=0.5),
            piece("bench", merged([*legs, block]), color, roughness=0.4),
            piece("vice", merged(vice), (0.05, 0.10, 0.22), roughness=0.35),
            piece("clutter", merged(things), dice.one_of(BINS), roughness=0.5),
        ),
    )


def pallet(dice: Dice) -> Item:
    """A pallet stacked with boxes, a strap around some of them."""
    slats = [box((-0.6, -0.4 + 0.17 * k, 0.1), (0.6, -0.28 + 0.17 * k, 0.144)) for k in range(5)]
    blocks = [box((a - 0.06, -0.4, 0.0), (a + 0.06, 0.4, 0.1)) for a in (-0.54, 0.0, 0.54)]
    stacked, top = [], 0.15
    for _ in range(dice.count(1, 4)):
        tall, split = dice.between(0.22, 0.45), dice.between(-0.15, 0.15)
        stacked += [
            box((-0.57, -0.37, top), (split - 0.005, 0.37, top + tall)),
            box(
                (split + 0.005, -0.37 + dice.between(0.0, 0.06), top), (0.57, 0.37, top + tall * dice.between(0.8, 1.0))
            ),
        ]
        top += tall + 0.004
    tape = [box((a, -0.374, 0.15), (a + 0.05, -0.37, top - 0.1)) for a in (-0.35, 0.3)]
    return Item(
        1.2,
        0.8,
        top,
        (
            piece("pallet", merged(slats + blocks), dice.tinted(WOOD, 0.25), roughness=0.8),
            piece(
                "box",
                merged(stacked),
                dice.tinted(dice.one_of((CARDBOARD, CARDBOARD, (0.5, 0.5, 0.48))), 0.2),
                roughness=0.85,
            ),
            piece("box", merged(tape), (0.45, 0.38, 0.22), roughness=0.3),
        ),
    )


def drums(dice: Dice) -> Item:
    """Two or three steel drums of 0.58 m."""
    count = dice.count(2, 3)
    made = []
    for k in range(count):
        x = 0.62 * (k - (count - 1) / 2)
        made.append(barrel((x, 0, 0), (x, 0, 0.88), 0.285, 20))
        made += [barrel((x, 0, h), (x, 0, h + 0.025), 0.3, 20) for h in (0.28, 0.58, 0.86)]
    color = dice.one_of((SAFETY_ORANGE, (0.03, 0.10, 0.38), SAFETY_YELLOW, (0.05, 0.22, 0.09)))
    return Item(0.62 * count, 0.6, 0.89, (piece("drum", merged(made), color, roughness=0.35),))


def person(dice: Dice) -> Item:
    """Somebody of 1.65 to 1.9 m in working clothes, some in a hi-vis vest."""
    tall = dice.between(0.93, 1.07)
    legs = [barrel((s * 0.1, 0.02, 0.06), (s * 0.1, 0.0, 0.9), 0.085, 12) for s in (-1.0, 1.0)]
    shoes = [box((s * 0.1 - 0.05, -0.18, 0.0), (s * 0.1 + 0.05, 0.09, 0.08)) for s in (-1.0, 1.0)]
    bend = dice.between(-0.25, 0.05)
    arms = [
        mesh
        for s in (-1.0, 1.0)
        for mesh in (
            barrel((s * 0.26, 0.02, 1.12), (s * 0.22, 0.0, 1.42), 0.052, 10),
            barrel((s * 0.22, bend, 0.9), (s * 0.26, 0.02, 1.12), 0.045, 10),
        )
    ]
    profile = [(0.0, 1.52), (0.07, 1.5), (0.19, 1.42), (0.2, 1.15), (0.17, 0.98), (0.18, 0.82), (0.0, 0.82)]
    torso = revolved(profile, 16)
    angles = np.linspace(math.pi / 2, -math.pi / 2, 9)
    head = revolved(np.stack([0.095 * np.cos(angles), 1.64 + 0.125 * np.sin(angles)], axis=1), 16)
    hands = [barrel((s * 0.22, bend - 0.06, 0.86), (s * 0.22, bend, 0.92), 0.04, 8) for s in (-1.0, 1.0)]
    cloth: tuple[Rgb, ...] = ((0.03, 0.06, 0.17), (0.06, 0.06, 0.065), (0.16, 0.17, 0.16), (0.05, 0.12, 0.09))
    skin: tuple[Rgb, ...] = ((0.45, 0.27, 0.19), (0.58, 0.38, 0.28), (0.22, 0.12, 0.08), (0.33, 0.19, 0.12))
    trousers, own_skin = dice.one_of(cloth), dice.one_of(skin)
    jacket = dice.one_of((HI_VIS, SAFETY_ORANGE)) if dice.below(0.4) else dice.one_of(cloth)
    made = [
        piece("person", merged(legs), trousers, roughness=0.9, mottle=0.15),
        piece("person", merged([torso, *arms]), jacket, roughness=0.9, mottle=0.15),
        piece("person", merged([head, *hands]), own_skin, roughness=0.5),
        piece("person", merged(shoes), DARK, roughness=0.6),
    ]
    scaled = tuple(type(p)(p.label, p.material, p.vertices * tall, p.triangles) for p in made)
    return Item(0.6, 0.45, 1.77 * tall, scaled)


def trolley(dice: Dice) -> Item:
    """A tool trolley with drawers and things on top."""
    color = dice.one_of((SAFETY_RED, (0.03, 0.10, 0.38), (0.06, 0.06, 0.065), SAFETY_ORANGE))
    body = box((-0.36, -0.23, 0.14), (0.36, 0.23, 0.92))
    drawers = [box((-0.33, -0.245, 0.2 + 0.14 * k), (0.33, -0.23, 0.32 + 0.14 * k)) for k in range(5)]
    wheels = [
        barrel((sx * 0.3, sy * 0.19 - 0.02, 0.06), (sx * 0.3, sy * 0.19 + 0.02, 0.06), 0.06, 10)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    top = [box((-0.3, -0.15, 0.92), (dice.between(-0.1, 0.1), 0.1, dice.between(0.96, 1.1)))]
    return Item(
        0.75,
        0.5,
        0.95,
        (
            piece("trolley", body, color, roughness=0.3),
            piece("trolley", merged(drawers), dice.tinted(color, 0.3), roughness=0.3),
            piece("trolley", merged([*wheels, *top]), DARK, roughness=0.5),
        ),
    )


def wall_things(dice: Dice) -> Item:
    """What hangs on a wall: a white board or poster, a sign, an extinguisher, a distribution box with its pipe."""
    choice = dice.count(0, 3)
    if choice == 0:
        wide, tall = dice.between(0.8, 1.8), dice.between(0.7, 1.1)
        board = box((-wide / 2, -0.02, 1.1), (wide / 2, 0.02, 1.1 + tall))
        frame = box((-wide / 2 - 0.03, -0.015, 1.07), (wide / 2 + 0.03, 0.02, 1.13 + tall))
        notes = [
            box((a, -0.024, b), (a + 0.16, -0.02, b + 0.22))
            for a in np.arange(-wide / 2 + 0.1, wide / 2 - 0.2, 0.27)
            for b in (1.2, 1.5)
        ]
        pieces = (
            piece("board", board, (0.75, 0.75, 0.74), roughness=0.25),
            piece("board", frame, STEEL, roughness=0.4),
            piece(
                "board",
                merged([n for n in notes if dice.below(0.6)] or notes[:1]),
                dice.one_of(((0.60, 0.55, 0.20), (0.2, 0.35, 0.55), (0.1, 0.1, 0.1))),
                roughness=0.8,
            ),
        )
        return Item(wide + 0.06, 0.05, 2.0, pieces)
    if choice == 1:
        body, hose = (
            barrel((0, -0.1, 0.75), (0, -0.1, 1.25), 0.08, 14),
            barrel((0.1, -0.1, 0.85), (0.06, -0.1, 1.3), 0.015, 8),
        )
        sign = box((-0.12, -0.005, 1.5), (0.12, 0.005, 1.8))
        return Item(
            0.3,
            0.2,
            1.3,
            (
                piece("extinguisher", merged([body, sign]), SAFETY_RED, roughness=0.25),
                piece("extinguisher", hose, DARK),
            ),
        )
    if choice == 2:
        case, pipe = box((-0.3, -0.12, 0.9), (0.3, 0.1, 1.7)), box((0.2, -0.03, 1.7), (0.25, 0.02, 2.2))
        warning = box((-0.08, -0.125, 1.4), (0.08, -0.12, 1.55))
        return Item(
            0.6,
            0.24,
            1.7,
            (
                piece("switch_box", merged([case, pipe]), (0.45, 0.46, 0.46), roughness=0.4),
                piece("sign", warning, SAFETY_YELLOW, roughness=0.4),
            ),
        )
    wide, tall = dice.between(0.5, 1.0), dice.between(0.5, 0.9)
    sign = box((-wide / 2, -0.01, 1.2), (wide / 2, 0.01, 1.2 + tall))
    stripe = box((-wide / 2, -0.014, 1.2 + 0.7 * tall), (wide / 2, -0.01, 1.2 + tall))
    colors: tuple[Rgb, ...] = (SAFETY_YELLOW, (0.03, 0.12, 0.40), (0.04, 0.25, 0.10))
    return Item(
        wide,
        0.03,
        2.0,
        (
            piece("sign", sign, (0.7, 0.7, 0.68), roughness=0.4),
            piece("sign", stripe, dice.one_of(colors), roughness=0.4),
        ),
    )
