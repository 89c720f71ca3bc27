"""Windows of rooms: a sky that brightens upwards, what stands outside, mullions and a sill.

Covers: one window, rows of them along a wall. The sky follows the CIE standard overcast sky roughly: three times as
bright overhead as at the horizon, drawn as steps. Does not cover: calibration (`surroundings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.light.dice import Dice
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.luminaires import Made
from pipeline.light.pieces import lamp, piece
from pipeline.light.rooms import FLOOR_Z
from pipeline.light.shapes import Mesh, Vector, beam, box, merged, rectangle, unit
from pipeline.surface.material import Rgb

SKY_RADIANCE: Final = 4.0
"""Of an overcast sky at the top of a window, about 4 kcd/m2; luminaires are relative to it."""
SKIES: Final[tuple[Rgb, ...]] = ((0.90, 1.01, 1.24), (0.84, 1.02, 1.40), (0.95, 1.00, 1.12))
"""Linear Rec.709 of daylight of about 8000 K, 10000 K and 7000 K at luminance 1, rounded."""
STEPS: Final = (("zenith", 1.0, 0.34), ("sky", 0.82, 0.22), ("horizon", 0.68, 0.16), ("ground", 0.2, 0.28))
"""Name, brightness and share of the height, from the top."""


@dataclass(frozen=True)
class Wall:
    """One wall of a hall, seen from inside."""

    start: tuple[float, float]
    """Its corner at the left, from inside."""
    along: tuple[float, float]
    """Unit vector to the right."""
    inward: tuple[float, float]
    length: float

    def at(self, distance: float, depth: float) -> tuple[float, float]:
        """The place *distance* to the right of the corner and *depth* before the wall."""
        x = self.start[0] + distance * self.along[0] + depth * self.inward[0]
        y = self.start[1] + distance * self.along[1] + depth * self.inward[1]
        return x, y


@dataclass(frozen=True)
class Opening:
    """What a window takes of a wall, metres from its corner, and its sill's height above the floor."""

    left: float
    right: float
    sill: float


def window_row(
    name: str, group: str, wall: Wall, dice: Dice, *, count: int, sill: float, height: float
) -> tuple[Made, list[Opening]]:
    """*count* equal windows along *wall*; light ids "<name>_<i>_<step>"."""
    pitch = wall.length / count
    width = min(dice.between(0.55, 0.85) * pitch, dice.between(1.2, 2.6))
    panes = (dice.count(1, 3), dice.count(1, 4))
    sky, bright = dice.one_of(SKIES), dice.between(0.8, 1.3)
    lamps: list[LampMesh] = []
    pieces: list[SurroundingMesh] = []
    openings = []
    for i in range(count):
        middle = (i + 0.5) * pitch
        centre = np.array([*wall.at(middle, 0.01), FLOOR_Z + sill + height / 2])
        lamps += _sky(f"{name}_{i}", group, centre, wall, (width, height), sky, bright)
        pieces += _frame(centre, wall, (width, height), panes)
        pieces.append(_skyline(centre, wall, (width, height), dice))
        openings.append(Opening(middle - width / 2, middle + width / 2, sill))
    return (lamps, pieces), openings


def _sky(
    name: str, group: str, centre: Vector, wall: Wall, size: tuple[float, float], sky: Rgb, bright: float
) -> list[LampMesh]:
    lamps, top = [], centre[2] + size[1] / 2
    for step, share, part in STEPS:
        height = part * size[1]
        tint = sky if step != "ground" else (0.95, 1.02, 0.95)
        radiance = SKY_RADIANCE * bright * share
        color = (radiance * tint[0], radiance * tint[1], radiance * tint[2])
        place = (centre[0], centre[1], top - height / 2)
        face = rectangle(place, (*wall.inward, 0.0), size[0], height)
        lamps.append(lamp(f"{name}_{step}", "window", group, face, color))
        top -= height
    return lamps


def _frame(centre: Vector, wall: Wall, size: tuple[float, float], panes: tuple[int, int]) -> list[SurroundingMesh]:
    inward, right = np.array([*wall.inward, 0.0]), np.array([*wall.along, 0.0])
    middle = centre + 0.03 * inward
    bars = mullions(middle, right, size, panes)
    sill_middle = centre - np.array([0.0, 0.0, size[1] / 2 + 0.02]) + 0.1 * inward
    sill = beam(sill_middle - right * (size[0] / 2 + 0.08), sill_middle + right * (size[0] / 2 + 0.08), 0.04)
    return [
        piece("window_frame", bars, (0.30, 0.30, 0.31), roughness=0.4),
        piece("window_frame", sill, (0.55, 0.54, 0.52), roughness=0.4),
    ]


def mullions(middle: Vector, right: Vector, size: tuple[float, float], panes: tuple[int, int]) -> Mesh:
    """Bars around and between *panes* (across, up) of an upright window of *size*."""
    half_width, half_height = size[0] / 2 * unit(right), np.array([0.0, 0.0, size[1] / 2])
    bars = [
        beam(middle + t * half_width - half_height, middle + t * half_width + half_height, 0.05)
        for t in np.linspace(-1.0, 1.0, panes[0] + 1)
    ]
    bars += [
        beam(middle + t * half_height - half_width, middle + t * half_height + half_width, 0.05)
        for t in np.linspace(-1.0, 1.0, panes[1] + 1)
    ]
    return merged(bars)


def _skyline(centre: Vector, wall: Wall, size: tuple[float, float], dice: Dice) -> SurroundingMesh:
    """Buildings and trees before the horizon, as dark plates just before the pane."""
    inward, right = np.array([*wall.inward, 0.0]), np.array([*wall.along, 0.0])
    bottom = centre - np.array([0.0, 0.0, size[1] / 2]) + 0.004 * inward
    plates, left = [], -size[0] / 2
    while left < size[0] / 2 - 0.05:
        width = min(dice.between(0.12, 0.5), size[0] / 2 - left)
        height = size[1] * dice.between(0.16, 0.46)
        middle = bottom + right * (left + width / 2) + np.array([0.0, 0.0, height / 2])
        plates.append(rectangle(middle, inward, width, height))
        left += width + (dice.between(0.0, 0.3) if dice.below(0.4) else 0.0)
    return piece("skyline", merged(plates), dice.tinted((0.10, 0.12, 0.10), 0.5), roughness=0.9)


def walls_of(x: tuple[float, float], y: tuple[float, float]) -> tuple[Wall, Wall, Wall, Wall]:
    """The walls of a hall: -y, +x, +y, -x, each with its corner at the left seen from inside."""
    length, width = x[1] - x[0], y[1] - y[0]
    return (
        Wall((x[1], y[0]), (-1.0, 0.0), (0.0, 1.0), length),
        Wall((x[1], y[1]), (0.0, -1.0), (-1.0, 0.0), width),
        Wall((x[0], y[1]), (1.0, 0.0), (0.0, -1.0), length),
        Wall((x[0], y[0]), (0.0, 1.0), (1.0, 0.0), width),
    )


def door(wall: Wall, at: float, dice: Dice, *, width: float = 1.0, height: float = 2.1) -> list[SurroundingMesh]:
    """A door in *wall*, with its frame."""
    leaf, frame = (
        _upright_plate(wall, at, width, height, 0.05),
        _upright_plate(wall, at, width + 0.16, height + 0.08, 0.03),
    )
    colors: tuple[Rgb, ...] = ((0.30, 0.07, 0.04), (0.35, 0.36, 0.37), (0.06, 0.16, 0.30), (0.40, 0.30, 0.18))
    return [
        piece("door", leaf, dice.one_of(colors), roughness=0.4),
        piece("door", frame, (0.2, 0.2, 0.2), roughness=0.5),
    ]


def _upright_plate(wall: Wall, at: float, width: float, height: float, depth: float) -> Mesh:
    first, last = np.array(wall.at(at - width / 2, 0.0)), np.array(wall.at(at + width / 2, depth))
    low, high = np.minimum(first, last), np.maximum(first, last)
    return box((*low, FLOOR_Z), (*high, FLOOR_Z + height))
