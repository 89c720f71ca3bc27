"""Far environments in the open: a yard under an overcast or hazy sky, with buildings and trees along the horizon.

Covers: sky, ground and skyline with labels. The overcast sky is the CIE's (ISO 15469, sky type 16, after Moon and
Spencer): L = L_zenith (1 + 2 sin h) / 3; the hazy one has a soft glow around the sun. No disc of the sun: it would be
smaller than a texel and make fireflies. Does not cover: brightness (`surroundings`).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import FAR_PREFIX, WorldLabel
from pipeline.light.dice import Dice
from pipeline.light.far import FAR_SIZE, FarPicture, texel_directions
from pipeline.light.far_rooms import grime
from pipeline.surface.material import Rgb

SKY, GROUND, BUILDING, GLASS, TREE, ROAD, SUN = 1, 2, 3, 4, 5, 6, 7
NAMES: Final = (
    WorldLabel(SKY, "light", f"{FAR_PREFIX}sky", "sky"),
    WorldLabel(GROUND, "surroundings", f"{FAR_PREFIX}ground", "ground"),
    WorldLabel(BUILDING, "surroundings", f"{FAR_PREFIX}building", "building"),
    WorldLabel(GLASS, "surroundings", f"{FAR_PREFIX}building_window", "building_window"),
    WorldLabel(TREE, "surroundings", f"{FAR_PREFIX}tree", "tree"),
    WorldLabel(ROAD, "surroundings", f"{FAR_PREFIX}floor_marking", "floor_marking"),
    WorldLabel(SUN, "light", f"{FAR_PREFIX}sun", "sun"),
)
SUN_DEG: Final = 7.0
"""Radius of the glow, where it has fallen to 0.6; its label reaches so far."""
SUN_FACTOR: Final = 18.0
FACADES: Final[tuple[Rgb, ...]] = ((0.45, 0.43, 0.40), (0.30, 0.12, 0.08), (0.35, 0.38, 0.40), (0.55, 0.50, 0.42))

Floats = NDArray[np.float64]


def paint_yard(dice: Dice, *, hazy: bool) -> FarPicture:
    """A yard from the height of a table."""
    directions = texel_directions(FAR_SIZE[0])
    azimuth = np.arctan2(directions[..., 1], directions[..., 0])
    height = np.arcsin(np.clip(directions[..., 2], -1.0, 1.0))
    labels = np.where(height > 0.0, SKY, GROUND).astype(np.uint16)
    radiance = _sky(height, dice.part("clouds"))
    if hazy:
        _add_sun(radiance, labels, directions, dice.part("sun"))
    _add_ground(radiance, labels, height, azimuth, dice.part("ground"))
    _add_skyline(radiance, labels, azimuth, height, dice.part("skyline"))
    return FarPicture(radiance.astype(np.float32), labels, NAMES)


def _sky(height: Floats, dice: Dice) -> Floats:
    """CIE overcast luminance with soft clouds, bluer overhead."""
    level = (1.0 + 2.0 * np.sin(np.clip(height, 0.0, None))) / 3.0
    clouds = grime(dice) ** 2
    up = np.clip(height / (math.pi / 2), 0.0, 1.0)[..., None]
    tint = (1.0 - up) * np.array((1.0, 1.0, 1.02)) + up * np.array((0.90, 1.01, 1.18))
    result: Floats = (level * clouds)[..., None] * tint
    return result


def _add_sun(radiance: Floats, labels: NDArray[np.uint16], directions: Floats, dice: Dice) -> None:
    turn, rise = dice.between(0.0, math.tau), math.radians(dice.between(25.0, 60.0))
    sun = np.array([math.cos(rise) * math.cos(turn), math.cos(rise) * math.sin(turn), math.sin(rise)])
    away = np.degrees(np.arccos(np.clip(directions @ sun, -1.0, 1.0)))
    glow = SUN_FACTOR * np.exp(-0.5 * (away / SUN_DEG) ** 2) + 1.5 * np.exp(-away / 25.0)
    radiance += glow[..., None] * np.array((1.1, 1.0, 0.82)) * (labels == SKY)[..., None]
    labels[(away < SUN_DEG) & (labels == SKY)] = SUN


def _add_ground(radiance: Floats, labels: NDArray[np.uint16], height: Floats, azimuth: Floats, dice: Dice) -> None:
    """Asphalt or concrete with the painted bays of a yard, 0.9 m below the eye."""
    below = height < 0.0
    away = 0.9 / np.tan(np.clip(-height, 1e-3, None))
    x, y = away * np.cos(azimuth), away * np.sin(azimuth)
    turn = dice.between(0.0, math.pi)
    across = x * math.cos(turn) + y * math.sin(turn)
    line = below & (np.abs((across / 2.6) % 1.0 - 0.5) < 0.03) & (away < 25.0)
    color = dice.tinted(dice.one_of(((0.09, 0.09, 0.095), (0.26, 0.25, 0.24), (0.16, 0.15, 0.14))), 0.2)
    worn = grime(dice.part("worn"))[..., None]
    radiance[below] = (0.75 * np.array(color) * worn)[below]
    radiance[line] = 0.75 * np.array((0.55, 0.52, 0.40))
    labels[line] = ROAD


def _add_skyline(radiance: Floats, labels: NDArray[np.uint16], azimuth: Floats, height: Floats, dice: Dice) -> None:
    """Buildings with rows of windows, and trees, side by side around the horizon."""
    start = -math.pi
    while start < math.pi:
        width = math.radians(dice.between(8.0, 34.0))
        within = (azimuth >= start) & (azimuth < min(start + width, math.pi))
        if dice.below(0.35):
            _add_trees(radiance, labels, within, azimuth, height, dice)
        else:
            _add_building(radiance, labels, within, (azimuth - start) / width, height, dice)
        start += width


def _add_building(
    radiance: Floats, labels: NDArray[np.uint16], within: NDArray[np.bool_], along: Floats, height: Floats, dice: Dice
) -> None:
    top, base = math.radians(dice.between(5.0, 22.0)), math.radians(-dice.between(1.0, 4.0))
    wall = within & (height < top) & (height > base)
    facade = np.array(dice.tinted(dice.one_of(FACADES), 0.25))
    radiance[wall] = 0.55 * facade * dice.between(0.6, 1.1)
    labels[wall] = BUILDING
    columns, rows = dice.count(3, 9), dice.count(1, 4)
    up = (height - base) / (top - base)
    pane = wall & ((along * columns) % 1.0 > 0.3) & ((up * rows) % 1.0 > 0.45) & (up < 0.95)
    radiance[pane] = np.array((0.16, 0.19, 0.23)) * dice.between(0.5, 1.6)
    labels[pane] = GLASS


def _add_trees(
    radiance: Floats, labels: NDArray[np.uint16], within: NDArray[np.bool_], azimuth: Floats, height: Floats, dice: Dice
) -> None:
    top = math.radians(dice.between(6.0, 15.0))
    waves = sum(dice.between(0.1, 0.3) * np.sin(k * azimuth + dice.between(0.0, math.tau)) for k in (17, 41, 97))
    crown = within & (height < top * (0.8 + 0.4 * waves)) & (height > math.radians(-1.5))
    shade = grime(dice.part("leaves"))[..., None] ** 3
    radiance[crown] = (0.5 * np.array((0.05, 0.08, 0.03)) * shade)[crown]
    labels[crown] = TREE
