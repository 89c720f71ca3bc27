"""Dropping: parts fall into a bin, onto a heap or are stacked, and come to rest.

Covers: where the bodies start, how large a bin must be, and what is refused. Does not cover: the simulation (`settle`),
parts that are placed side by side (`place`), the bin's mesh (`supports`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.bins import DRAFT, WALL_CLEARANCE_M
from pipeline.arrange.bounds import extreme_points
from pipeline.arrange.distractors import Thing
from pipeline.arrange.pieces_cache import remembered_pieces
from pipeline.arrange.place import choose_resting_pose, part_of
from pipeline.arrange.settle import Body, Box, Rest, floor, settle, walls
from pipeline.errors import InputError
from pipeline.parts.part import Part
from pipeline.spec.scene import SceneSpec

Floats = NDArray[np.float64]

PACKING: Final = 0.55
"""Share of a bin that dropped parts can fill, measured by their bounding volumes; random packings of blocks reach
0.5 to 0.65 ("Random close packing of cuboids", Liu and Torquato, 2017)."""
LOOSE: Final = 0.3
"""Share that a bin is filled to when its size is not given."""
_WALL_TOP_M: Final = 5.0
_ASPECT: Final = (1.5, 1.0, 0.62)


@dataclass(frozen=True, eq=False)
class Loose:
    """Something that can be dropped."""

    pieces: tuple[Floats, ...]
    middle: Floats
    """(3,) middle of the bounding box, own frame."""
    size: Floats
    """(3,) bounding box along the own axes, metres."""
    volume: float
    """Of the convex pieces' bounding boxes, m3, never more than the whole one's."""

    @property
    def radius(self) -> float:
        """Of the sphere about the bounding box, metres."""
        return float(np.linalg.norm(self.size)) / 2.0


@dataclass(frozen=True, eq=False)
class Dropped:
    """Where everything lies."""

    parts: Floats
    """(items, 4, 4) world_from_part in item order."""
    things: Floats
    """(things, 4, 4)."""
    inner: tuple[float, float, float] | None
    """Inner length, width and height of the bin, metres."""


def drop(scene: SceneSpec, parts: Mapping[str, Part], things: Sequence[Thing]) -> Dropped:
    """Drop the items of *scene* and *things*. Raises InputError when a bin cannot hold the parts."""
    shapes = {
        name: _loose(part.vertices, part.triangles)
        for name, part in (
            (item.part_id, part_of(item, parts)) for item in {i.part_id: i for i in scene.items}.values()
        )
    }
    loose = [shapes[item.part_id] for item in scene.items] + [_loose(t.vertices, t.triangles) for t in things]
    generator = np.random.default_rng(scene.arrangement.seed)
    if scene.arrangement.kind == "bin":
        inner = bin_size(scene, loose)
        fixed: tuple[Box, ...] = (floor(), *_bin_walls(inner))
        rest = _settled(loose, _layers(loose, inner[0], inner[1], generator), fixed)
        poses = rest.poses
        if scene.arrangement.container_m is not None:
            _check_inside(scene, loose, poses, inner)
        _check_rest(scene, rest)
        return Dropped(poses[: len(scene.items)], poses[len(scene.items) :], inner)
    side = 2.2 * max(shape.radius for shape in loose) * max(1.0, round((len(loose) / 3.0) ** (1.0 / 3.0)))
    rest = _settled(loose, _layers(loose, side, side, generator), (floor(),))
    _check_rest(scene, rest)
    poses = rest.poses
    return Dropped(poses[: len(scene.items)], poses[len(scene.items) :], None)


def _bin_walls(inner: tuple[float, float, float]) -> tuple[Box, ...]:
    """What parts lean on in a bin: its drafted walls, endlessly high, so that nothing jumps out."""
    half_x, half_y = inner[0] / 2.0 - WALL_CLEARANCE_M, inner[1] / 2.0 - WALL_CLEARANCE_M
    return walls(half_x, half_y, _WALL_TOP_M, DRAFT)


def bin_size(scene: SceneSpec, loose: Sequence[Loose]) -> tuple[float, float, float]:
    """Inner size of the bin of *scene*, metres: as asked, else loosely filled. Raises InputError when too small."""
    volume = sum(shape.volume for shape in loose)
    longest = max(float(np.max(shape.size)) for shape in loose)
    asked = scene.arrangement.container_m
    if asked is None:
        unit = max((volume / LOOSE / float(np.prod(_ASPECT))) ** (1.0 / 3.0), 1.15 * longest)
        return (_ASPECT[0] * unit, _ASPECT[1] * unit, _ASPECT[2] * unit)
    space = float(np.prod(asked))
    if volume > PACKING * space or any(np.any(np.sort(shape.size) > np.sort(asked)) for shape in loose):
        raise InputError(_too_small(scene, volume, longest, "do not fit into it"))
    return asked


def _too_small(scene: SceneSpec, volume: float, longest: float, verdict: str) -> str:
    size = " x ".join(f"{1000 * side:.0f}" for side in scene.arrangement.container_m or ())
    return (
        f"scene {scene.scene_id}: expected a bin that holds its {len(scene.items)} parts, found that the parts "
        f"(bounding volume {1e6 * volume:.0f} cm3, the longest {1000 * longest:.0f} mm) {verdict}: "
        f"arrangement.container_mm = {size} ({1e6 * float(np.prod(scene.arrangement.container_m or 0)):.0f} cm3); "
        "use fewer parts (items.count), a larger container_mm, or leave it out"
    )


def _check_inside(scene: SceneSpec, loose: Sequence[Loose], poses: Floats, inner: tuple[float, float, float]) -> None:
    heights = [float((pose @ np.append(shape.middle, 1.0))[2]) for shape, pose in zip(loose, poses, strict=True)]
    above = sum(height > inner[2] for height in heights)
    if above:
        longest = max(float(np.max(shape.size)) for shape in loose)
        verdict = f"come to rest with {above} of them above its rim"
        raise InputError(_too_small(scene, sum(shape.volume for shape in loose), longest, verdict))


def _loose(vertices: Floats, triangles: NDArray[np.int32]) -> Loose:
    pieces = remembered_pieces(vertices, triangles)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    boxes = sum(float(np.prod(np.ptp(points, axis=0))) for points in pieces)
    return Loose(pieces, (low + high) / 2.0, high - low, min(boxes, float(np.prod(high - low))))


def _settled(loose: Sequence[Loose], poses: Sequence[Floats], fixed: Sequence[Box]) -> Rest:
    bodies = [Body(shape.pieces, pose, shape.radius) for shape, pose in zip(loose, poses, strict=True)]
    return settle(bodies, fixed)


def _check_rest(scene: SceneSpec, rest: Rest) -> None:
    if not rest.at_rest:
        raise InputError(
            f"scene {scene.scene_id}: expected {len(scene.items)} dropped parts to come to rest, found one that still "
            f"moves at {rest.speed:.3f} m/s after {rest.seconds:.0f} s; use fewer parts (items.count) or a larger "
            "arrangement.container_mm"
        )


def _layers(loose: Sequence[Loose], length: float, width: float, generator: np.random.Generator) -> list[Floats]:
    """Starting poses (4, 4): turned at random, in layers of a grid above the floor, none touching another or a wall."""
    pitch = 2.05 * max(shape.radius for shape in loose)
    columns, rows = max(1, int(length / pitch)), max(1, int(width / pitch))
    tight = pitch > min(length, width)
    poses: list[Floats] = [np.eye(4) for _ in loose]
    for place, index in enumerate(generator.permutation(len(loose))):
        layer, rest = divmod(place, columns * rows)
        column, row = divmod(rest, rows)
        turn = _lengthwise(loose[index].size) if tight else _any_turn(generator)
        spare = np.maximum(np.array([length / columns, width / rows]) - pitch, 0.0) / 2.0
        x = (column + 0.5) * length / columns - length / 2.0 + generator.uniform(-1, 1) * spare[0]
        y = (row + 0.5) * width / rows - width / 2.0 + generator.uniform(-1, 1) * spare[1]
        poses[index][:3, :3] = turn
        poses[index][:3, 3] = np.array([x, y, (layer + 0.5) * pitch + 0.002]) - turn @ loose[index].middle
    return poses


def _any_turn(generator: np.random.Generator) -> Floats:
    """A rotation drawn evenly (Shoemake, "Uniform random rotations", 1992)."""
    a, b, c = generator.uniform(size=3)
    w, x = np.sqrt(1 - a) * np.sin(2 * np.pi * b), np.sqrt(1 - a) * np.cos(2 * np.pi * b)
    y, z = np.sqrt(a) * np.sin(2 * np.pi * c), np.sqrt(a) * np.cos(2 * np.pi * c)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _lengthwise(size: Floats) -> Floats:
    """The turn that lays the longest side along x, the shortest upright."""
    order = np.argsort(-size, kind="stable")
    turn = np.eye(3)[order]
    turn[2] *= np.linalg.det(turn)
    return np.asarray(turn)


def stack(scene: SceneSpec, parts: Mapping[str, Part]) -> Floats:
    """(items, 4, 4) poses of stacks of like parts that stand by themselves, around the origin.

    Each stack is set down part upon part and left to gravity. Stacks that topple are built lower, down to single parts.
    """
    shapes = {i.part_id: _loose(part_of(i, parts).vertices, part_of(i, parts).triangles) for i in scene.items}
    height = 5
    while True:
        stacks = _stacks(scene, height)
        starts, expected = _stand_up(scene, parts, shapes, stacks)
        rest = _settled([shapes[item.part_id] for item in scene.items], starts, (floor(),))
        poses = rest.poses
        fallen = np.linalg.norm(poses[:, :3, 3] - expected, axis=1) > 0.3 * np.array(
            [shapes[item.part_id].radius for item in scene.items]
        )
        if height == 1 or not fallen.any():
            _check_rest(scene, rest)
            return poses
        height -= 1


def _stacks(scene: SceneSpec, height: int) -> list[list[int]]:
    """Item indices of each stack, from the bottom upwards."""
    stacks: list[list[int]] = []
    for part_id in dict.fromkeys(item.part_id for item in scene.items):
        like = [i for i, item in enumerate(scene.items) if item.part_id == part_id]
        stacks += [like[k : k + height] for k in range(0, len(like), height)]
    return stacks


def _stand_up(
    scene: SceneSpec, parts: Mapping[str, Part], shapes: Mapping[str, Loose], stacks: Sequence[Sequence[int]]
) -> tuple[list[Floats], Floats]:
    """Starting poses, and (items, 3) where each should end up if its stack stands."""
    generator = np.random.default_rng(scene.arrangement.seed)
    poses: list[Floats] = [np.eye(4) for _ in scene.items]
    pitch = 2.0 * max(shape.radius for shape in shapes.values()) + scene.arrangement.gap_m
    columns = int(np.ceil(np.sqrt(len(stacks))))
    for number, members in enumerate(stacks):
        item = scene.items[members[0]]
        rest = choose_resting_pose(parts[item.part_id].info.resting_poses, 0.0)
        cloud = extreme_points(parts[item.part_id].vertices) @ rest[:3, :3].T
        low, tall = float(np.min(cloud[:, 2])), float(np.ptp(cloud[:, 2]))
        row, column = divmod(number, columns)
        middle = pitch * (np.array([column, row]) - (columns - 1) / 2.0) + generator.normal(0.0, 0.03, 2) * pitch
        for level, index in enumerate(members):
            yaw = item.yaw_rad + float(generator.normal(0.0, 0.06))
            turn = np.array([[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
            poses[index][:3, :3] = turn @ rest[:3, :3]
            shift = np.append(middle + generator.normal(0.0, 0.015, 2) * tall, level * (tall + 1e-4) - low + 1e-4)
            centre = poses[index][:3, :3] @ shapes[item.part_id].middle
            poses[index][:3, 3] = shift - np.array([centre[0], centre[1], 0.0])
    return poses, np.array([pose[:3, 3] for pose in poses])
