"""Far environments painted from rooms: what somebody at the table sees of a room, as a picture with labels.

Covers: which piece each texel shows (exact), its radiance: emitters as they are, other surfaces as matt paint under the
emitters' light without shadows, plus an even share of bounced light, octaves of grime, and a slight blur. Does not
cover: the rooms, brightness. Parts that stand near show rooms with parallax; a picture costs no geometry.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import FAR_PREFIX, WorldLabel
from pipeline.light.dice import Dice
from pipeline.light.far import FAR_SIZE, FarPicture, texel_directions
from pipeline.light.rays import Caster
from pipeline.light.rooms import Room

BOUNCED: Final = 0.5
"""Illuminance of an average surface by light that bounced, as a share of that by the emitters."""
NEAREST_M: Final = 0.6
"""Surfaces nearer to a lamp than this are lit as if they were so far away: no hot spots on housings."""
BLUR_DEG: Final = (0.0, 0.7)
GRIME: Final = ((8, 0.10), (32, 0.06), (128, 0.04))
"""Rows of the coarse grid of each octave, and its relative amplitude."""

Floats = NDArray[np.float64]


def paint_room(room: Room, dice: Dice) -> FarPicture:
    """The picture of *room* from the middle of its table. The room has no gaps."""
    caster = Caster([*room.lamps, *room.pieces])
    directions = texel_directions(FAR_SIZE[0]).reshape(-1, 3)
    triangle, distance = caster.first(np.zeros(3), directions)
    owner = caster.owner[triangle]
    front = (caster.normals[triangle] * directions).sum(axis=1) < 0.0
    glowing = (owner < len(room.lamps)) & front
    radiance = _painted(room, caster, directions * distance[:, None], triangle, owner)
    emitted = np.array([lamp.material.radiance for lamp in room.lamps])
    radiance *= grime(dice.part("grime")).reshape(-1, 1)
    radiance[glowing] = emitted[owner[glowing]]
    names, value_of_owner = _labels(room)
    picture = radiance.reshape(*FAR_SIZE, 3).astype(np.float32)
    return FarPicture(
        radiance=blurred(picture, dice.between(*BLUR_DEG)),
        labels=value_of_owner[owner].reshape(FAR_SIZE).astype(np.uint16),
        names=names,
    )


def _labels(room: Room) -> tuple[tuple[WorldLabel, ...], NDArray[np.int64]]:
    """The labels, and for each thing of the room (lamps first) its value: lamps have their own, pieces share."""
    values: dict[tuple[str, str], int] = {}
    kinds: list[WorldLabel] = []
    of_owner = []
    things = [("light", lamp.light_id, lamp.kind) for lamp in room.lamps]
    things += [("surroundings", piece.label, piece.label) for piece in room.pieces]
    for kind, name, label in things:
        if (kind, name) not in values:
            values[kind, name] = len(values) + 1
            entry = WorldLabel(len(values), "light" if kind == "light" else "surroundings", FAR_PREFIX + name, label)
            kinds.append(entry)
        of_owner.append(values[kind, name])
    return tuple(kinds), np.array(of_owner)


def _painted(
    room: Room, caster: Caster, points: Floats, triangle: NDArray[np.int64], owner: NDArray[np.int64]
) -> Floats:
    """(n, 3) radiance of matt surfaces at *points* under all emitters, unshadowed."""
    facing = caster.normals[triangle]
    facing = np.where((facing * points).sum(axis=1, keepdims=True) > 0.0, -facing, facing)
    points, facing = points.astype(np.float32), facing.astype(np.float32)
    light = np.zeros_like(points)
    for lamp in room.lamps:
        corners = lamp.vertices[lamp.triangles]
        areas = 0.5 * np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).sum(axis=0)
        arms = corners.mean(axis=(0, 1)).astype(np.float32) - points
        squared = np.maximum(np.einsum("ni,ni->n", arms, arms), np.float32(NEAREST_M**2))
        leaving = np.clip(arms @ -areas.astype(np.float32), 0.0, None)
        arriving = np.clip(np.einsum("ni,ni->n", arms, facing), 0.0, None)
        light += (leaving * arriving / squared**2)[:, None] * np.array(lamp.material.radiance, dtype=np.float32)
    even = BOUNCED * light.mean(axis=0)
    albedo = np.array([(0.02, 0.02, 0.02)] * len(room.lamps) + [piece.material.base_color for piece in room.pieces])
    return albedo[owner] / math.pi * (light + even)


def grime(dice: Dice) -> Floats:
    """(h, w) factor around 1 that varies in three octaves; the left edge goes on at the right."""
    rows, columns = FAR_SIZE
    factor = np.ones(FAR_SIZE)
    for coarse, amplitude in GRIME:
        grid = dice.grid(coarse, 2 * coarse)
        wrapped = np.concatenate([grid, grid[:, :2]], axis=1).astype(np.float32)
        wide = cv2.resize(wrapped, (columns + columns // coarse, rows), interpolation=cv2.INTER_CUBIC)
        factor += amplitude * (2.0 * wide[:, :columns] - 1.0)
    return np.clip(factor, 0.2, None)


def blurred(radiance: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """*radiance* with a Gaussian blur of *degrees* (at the horizon) that goes on from the right edge to the left."""
    sigma = degrees / 180.0 * len(radiance)
    if sigma < 0.2:
        return radiance
    margin = math.ceil(4 * sigma)
    wide = np.concatenate([radiance[:, -margin:], radiance, radiance[:, :margin]], axis=1)
    result: NDArray[np.float32] = cv2.GaussianBlur(wide, (0, 0), sigma)[:, margin:-margin]
    return np.ascontiguousarray(result)
