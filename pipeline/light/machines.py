"""Machines of rooms: machining centres, manual mills, robots behind a fence, a coordinate measuring machine.

Covers: each machine in its own frame, as `furniture`: middle at the origin, floor at z = 0, front towards -y; metres.
Does not cover: where it stands (`layout`).
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.light.dice import Dice
from pipeline.light.furniture import CARDBOARD, DARK, LACQUERS, STEEL, Item
from pipeline.light.lamps import SurroundingMesh
from pipeline.light.pieces import piece
from pipeline.light.rooms import SAFETY_ORANGE, SAFETY_RED, SAFETY_YELLOW
from pipeline.light.shapes import Vector, barrel, beam, box, merged
from pipeline.surface.material import Rgb


def machining_centre(dice: Dice) -> Item:
    """A closed machining centre: light body, coloured band, dark window, control panel and signal tower."""
    width, depth, height = dice.between(2.0, 3.0), dice.between(1.5, 2.1), dice.between(1.9, 2.4)
    x, y = width / 2, depth / 2
    split = x * dice.between(0.35, 0.6)
    light: tuple[Rgb, ...] = ((0.62, 0.62, 0.60), (0.50, 0.51, 0.50), (0.42, 0.45, 0.44), (0.16, 0.17, 0.18))
    body = [box((-x, -y + 0.12, 0.1), (x, y, height)), box((-x, -y, 0.55), (split, -y + 0.12, height - 0.15))]
    window = box((-0.75 * x, -y - 0.006, 0.95), (split - 0.12, -y, height - 0.4))
    handle = beam((split - 0.06, -y - 0.05, 0.9), (split - 0.06, -y - 0.05, 1.5), 0.03)
    panel = [
        box((split + 0.1, -y - 0.1, 0.95), (x - 0.05, -y + 0.12, 1.75)),
        box((split + 0.16, -y - 0.106, 1.3), (x - 0.12, -y - 0.1, 1.65)),
    ]
    band = box((-x - 0.004, -y + 0.1, height - 0.15), (x + 0.004, y + 0.004, height + 0.01))
    tower = x - 0.2
    lamps = [
        barrel((tower, 0, height + 0.25 + 0.07 * k), (tower, 0, height + 0.31 + 0.07 * k), 0.03, 10) for k in range(3)
    ]
    signal: tuple[Rgb, ...] = ((0.04, 0.35, 0.08), SAFETY_YELLOW, SAFETY_RED)
    base = [
        box((-x + 0.05, -y + 0.15, 0.0), (x - 0.05, y - 0.05, 0.1)),
        barrel((tower, 0, height), (tower, 0, height + 0.25), 0.012, 8),
    ]
    return Item(
        width,
        depth + 0.1,
        height,
        (
            piece("machine", merged(body), dice.tinted(dice.one_of(light), 0.1), roughness=0.35),
            piece("machine", band, dice.one_of(LACQUERS), roughness=0.3),
            piece("machine", merged([window, *base, panel[1]]), DARK, roughness=0.08, mottle=0.0),
            piece("machine", merged([panel[0], handle]), (0.12, 0.12, 0.13), roughness=0.3),
            *(piece("signal_tower", lamp, color, roughness=0.2) for lamp, color in zip(lamps, signal, strict=True)),
        ),
    )


def manual_machine(dice: Dice) -> Item:
    """A knee mill: base, column, head, table with handwheels."""
    color = dice.one_of(((0.10, 0.22, 0.16), (0.20, 0.30, 0.36), (0.30, 0.31, 0.30), (0.05, 0.13, 0.32)))
    body = [
        box((-0.35, -0.5, 0.0), (0.35, 0.5, 0.18)),
        box((-0.22, 0.0, 0.18), (0.22, 0.45, 1.55)),
        box((-0.16, -0.45, 1.45), (0.16, 0.45, 1.7)),
        box((-0.13, -0.5, 1.15), (0.13, -0.25, 1.95)),
        box((-0.2, -0.4, 0.4), (0.2, 0.0, 0.85)),
    ]
    table = [box((-0.7, -0.42, 0.87), (0.7, -0.12, 0.97)), barrel((0, -0.38, 1.0), (0, -0.38, 1.15), 0.04, 12)]
    wheels = [barrel((s * 0.72, -0.27, 0.91), (s * 0.78, -0.27, 0.91), 0.1, 16) for s in (-1, 1)]
    return Item(
        1.6,
        1.0,
        1.95,
        (
            piece("machine", merged(body), dice.tinted(color, 0.2), roughness=0.35),
            piece("machine", merged([*table, *wheels]), STEEL, roughness=0.3),
        ),
    )


def robot_cell(dice: Dice) -> Item:
    """A robot arm behind a yellow fence of posts and rails, with its controller."""
    color = dice.one_of((SAFETY_ORANGE, SAFETY_YELLOW, (0.60, 0.60, 0.58)))
    pieces = [
        *_robot(color, dice),
        piece("robot", box((0.7, 0.2, 0.0), (1.2, 0.7, 1.3)), (0.45, 0.46, 0.46), roughness=0.4),
    ]
    posts = [beam((a, -0.9, 0.0), (a, -0.9, 1.8), 0.05) for a in (-1.3, -0.45, 0.45, 1.3)]
    rails = [beam((-1.3, -0.9, z), (1.3, -0.9, z), 0.03) for z in (0.15, 0.95, 1.78)]
    wires = [beam((a, -0.9, 0.15), (a, -0.9, 1.78), 0.008) for a in np.arange(-1.2, 1.25, 0.15)]
    pieces.append(piece("fence", merged([*posts, *rails]), SAFETY_YELLOW, roughness=0.4))
    pieces.append(piece("fence", merged(wires), DARK, roughness=0.5))
    return Item(2.7, 1.9, 1.9, tuple(pieces))


def _robot(color: Rgb, dice: Dice) -> list[SurroundingMesh]:
    turn, lean, reach = dice.between(-1.2, 1.2), dice.between(-0.3, 0.5), dice.between(-0.7, 0.2)
    side: Vector = np.array([math.sin(turn), -math.cos(turn), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    shoulder = 0.55 * up
    elbow = shoulder + 0.75 * (math.cos(lean) * up + math.sin(lean) * side)
    wrist = elbow + 0.7 * (math.cos(reach) * side + math.sin(reach) * up)
    arm = [barrel((0, 0, 0.2), shoulder, 0.17, 16), barrel(shoulder, elbow, 0.1, 14), barrel(elbow, wrist, 0.075, 14)]
    across = np.cross(side, up)
    joints = [
        barrel(p - r * across, p + r * across, r, 14) for p, r in ((shoulder, 0.16), (elbow, 0.12), (wrist, 0.07))
    ]
    tool = barrel(wrist, wrist - 0.22 * up, 0.04, 10)
    return [
        piece("robot", merged([*arm, *joints]), color, roughness=0.3),
        piece("robot", merged([tool, box((-0.3, -0.3, 0.0), (0.3, 0.3, 0.2))]), DARK, roughness=0.4),
    ]


def measuring_machine(dice: Dice) -> Item:
    """A coordinate measuring machine: granite table, portal, quill."""
    at = dice.between(-0.4, 0.4)
    granite = box((-0.7, -0.55, 0.45), (0.7, 0.55, 0.75))
    stand = [box((-0.6, -0.45, 0.0), (-0.4, 0.45, 0.45)), box((0.4, -0.45, 0.0), (0.6, 0.45, 0.45))]
    portal = [
        box((-0.72, at - 0.12, 0.75), (-0.6, at + 0.12, 1.55)),
        box((0.6, at - 0.12, 0.75), (0.72, at + 0.12, 1.55)),
        box((-0.75, at - 0.14, 1.55), (0.75, at + 0.14, 1.78)),
    ]
    quill = [box((0.1, at - 0.2, 1.2), (0.3, at + 0.2, 2.35)), barrel((0.2, at, 0.95), (0.2, at, 1.2), 0.015, 8)]
    return Item(
        1.6,
        1.2,
        2.35,
        (
            piece("machine", granite, (0.03, 0.032, 0.035), roughness=0.2),
            piece("machine", merged([*stand, *portal]), (0.60, 0.61, 0.62), roughness=0.35),
            piece("machine", merged(quill), dice.one_of(LACQUERS), roughness=0.35),
        ),
    )


def desk(dice: Dice) -> Item:
    """A desk with two dark screens, a keyboard and a chair before it."""
    top, legs = (
        box((-0.8, -0.4, 0.71), (0.8, 0.4, 0.74)),
        [box((s * 0.72 - 0.03, -0.35, 0.0), (s * 0.72 + 0.03, 0.35, 0.71)) for s in (-1, 1)],
    )
    screens = [box((a, 0.1, 0.86), (a + 0.55, 0.13, 1.2)) for a in (-0.6, 0.02)]
    feet = [box((a + 0.2, 0.08, 0.74), (a + 0.34, 0.2, 0.9)) for a in (-0.6, 0.02)]
    chair = [
        box((-0.22, -0.75, 0.45), (0.22, -0.33, 0.52)),
        box((-0.2, -0.8, 0.6), (0.2, -0.74, 1.05)),
        barrel((0, -0.54, 0.05), (0, -0.54, 0.45), 0.03, 8),
        box((-0.25, -0.57, 0.02), (0.25, -0.51, 0.06)),
    ]
    return Item(
        1.6,
        1.6,
        1.2,
        (
            piece("desk", merged([top, *legs]), dice.one_of(((0.55, 0.54, 0.52), (0.38, 0.27, 0.17))), roughness=0.4),
            piece("screen", merged([*screens, *feet]), (0.012, 0.013, 0.016), roughness=0.1, mottle=0.0),
            piece("chair", merged(chair), dice.one_of(((0.03, 0.03, 0.03), (0.05, 0.08, 0.2))), roughness=0.8),
        ),
    )


def conveyor(dice: Dice) -> Item:
    """A roller conveyor with cardboard boxes on it."""
    length = dice.between(2.4, 3.6)
    x = length / 2
    rails = [box((-x, s * 0.32 - 0.03, 0.62), (x, s * 0.32 + 0.03, 0.75)) for s in (-1, 1)]
    legs = [beam((a, s * 0.3, 0.0), (a, s * 0.3, 0.62), 0.05) for a in (-0.8 * x, 0.8 * x) for s in (-1, 1)]
    rollers = [barrel((a, -0.29, 0.72), (a, 0.29, 0.72), 0.025, 8) for a in np.arange(-x + 0.06, x, 0.12)]
    boxes = [
        box((a, -0.22, 0.75), (a + dice.between(0.25, 0.5), 0.22, 0.75 + dice.between(0.15, 0.4)))
        for a in np.arange(-x + 0.1, x - 0.6, 0.75)
    ]
    return Item(
        length,
        0.7,
        1.1,
        (
            piece(
                "conveyor",
                merged([*rails, *legs]),
                dice.one_of(((0.03, 0.10, 0.38), SAFETY_YELLOW, (0.35, 0.36, 0.37))),
                roughness=0.4,
            ),
            piece("conveyor", merged(rollers), STEEL, roughness=0.3),
            piece("box", merged(boxes), dice.tinted(CARDBOARD, 0.2), roughness=0.85),
        ),
    )
