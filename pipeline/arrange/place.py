"""Placement: resting pose, yaw and a place on the support for every part, without interpenetration.

A part's footprint is the convex hull of its vertices seen from above. Footprints that keep their distance cannot
interpenetrate, whatever the parts' heights, so parts never nest inside one another. Does not cover: parts that lean
on each other or lie in heaps, the support's mesh (`supports`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedItem, matrix
from pipeline.arrange.distractors import Thing
from pipeline.errors import InputError
from pipeline.parts.part import Part, RestingPose
from pipeline.spec.scene import ArrangementKind, ArrangementSpec, ItemSpec, SceneSpec

CONTACT_LIFT_M: Final = 1e-6
"""The lowest vertex lies this far above the support: no two surfaces coincide, and no pixel can tell."""

_STRETCH: Final[Mapping[ArrangementKind, float]] = {"tray": 1.15, "pocket_tray": 1.15, "conveyor": 1.6}
"""How far the search spreads along x, and 1/this along y: a conveyor's parts string out along the belt."""
POCKET_GAP_M: Final = 0.012
"""Parts in pockets are at least this far apart, so that a wall stands between them."""
_DARTS: Final = 30
"""Tries at each search radius before it grows."""
_GROWTH: Final = 0.08
"""Each step widens the search by this share of the mean footprint's width."""
_MAX_STEPS: Final = 4000


@dataclass(frozen=True, eq=False)
class Standing:
    """A part instance where it stands."""

    item: PlacedItem
    points: NDArray[np.float64]
    """(n, 3) the part's vertices in the world, metres."""
    footprint: shapely.Geometry
    """Convex hull of the points seen from above."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Parts and things side by side."""

    standing: tuple[Standing, ...]
    """In item order."""
    offsets: tuple[NDArray[np.float64], ...]
    """(2,) place of each thing's own origin."""


def place_parts(
    scene: SceneSpec, parts: Mapping[str, Part], things: Sequence[Thing] = (), holder: shapely.Geometry | None = None
) -> Placement:
    """Stand every item of *scene* on z = 0 with `gap_m` between footprints, centred on the origin.

    Larger parts are placed first; each is thrown like a dart around the middle with a slowly growing radius, from a
    generator seeded by the arrangement alone. *parts* maps part_id to Part. With a *holder* the first item stays at the
    origin and everything else keeps clear of what the holder covers. Raises InputError for a missing part.
    """
    upright = [stand(item, part_of(item, parts)) for item in scene.items]
    free = upright if holder is None else upright[1:]
    shapes = [standing.footprint for standing in free]
    shapes += [shapely.convex_hull(shapely.multipoints(thing.vertices[:, :2])) for thing in things]
    offsets = _search(shapes, scene.arrangement, holder)
    moved = [_moved(standing, offset) for standing, offset in zip(free, offsets, strict=False)]
    return Placement((*upright[: len(upright) - len(free)], *moved), tuple(offsets[len(free) :]))


def choose_resting_pose(poses: tuple[RestingPose, ...], quantile: float) -> NDArray[np.float64]:
    """(4, 4) pose at *quantile* in [0, 1) of the cumulative probability; the file's own pose when there is none."""
    if not poses:
        return np.eye(4)
    cumulative = np.cumsum([pose.probability for pose in poses])
    index = int(np.searchsorted(cumulative / cumulative[-1], quantile, side="right"))
    return matrix(poses[min(index, len(poses) - 1)].world_from_part)


def part_of(item: ItemSpec, parts: Mapping[str, Part]) -> Part:
    """The part of *item*. Raises InputError when it is missing."""
    if item.part_id not in parts:
        raise InputError(f"expected a part named {item.part_id!r}, found only {sorted(parts)}; read it first")
    return parts[item.part_id]


def stand(item: ItemSpec, part: Part) -> Standing:
    """Rest and turn one part above the origin, its lowest vertex on the support."""
    cos, sin = np.cos(item.yaw_rad), np.sin(item.yaw_rad)
    pose = np.eye(4)
    pose[:2, :2] = [[cos, -sin], [sin, cos]]
    pose = pose @ choose_resting_pose(part.info.resting_poses, item.pose_quantile)
    points = part.vertices @ pose[:3, :3].T
    low, high = points.min(axis=0), points.max(axis=0)
    pose[:3, 3] = [-(low[0] + high[0]) / 2.0, -(low[1] + high[1]) / 2.0, CONTACT_LIFT_M - low[2]]
    points = points + pose[:3, 3]
    placed = PlacedItem(item.instance_id, item.part_id, tuple(float(v) for v in pose.ravel()))
    return Standing(placed, points, shapely.convex_hull(shapely.multipoints(points[:, :2])))


def place_around(things: Sequence[Thing], spec: ArrangementSpec, taken: shapely.Geometry) -> list[NDArray[np.float64]]:
    """(2,) place of each of *things* on the support, clear of *taken* and of one another."""
    shapes = [shapely.convex_hull(shapely.multipoints(thing.vertices[:, :2])) for thing in things]
    return _search(shapes, spec, taken)


def raised(standing: Standing, height: float) -> Standing:
    """*standing*, *height* metres higher."""
    pose = matrix(standing.item.world_from_part)
    pose[2, 3] += height
    item = replace(standing.item, world_from_part=tuple(float(v) for v in pose.ravel()))
    return Standing(item, standing.points + np.array([0.0, 0.0, height]), standing.footprint)


def _moved(standing: Standing, offset: NDArray[np.float64]) -> Standing:
    pose = matrix(standing.item.world_from_part)
    pose[:2, 3] += offset
    item = PlacedItem(standing.item.instance_id, standing.item.part_id, tuple(float(v) for v in pose.ravel()))
    points = standing.points + np.array([offset[0], offset[1], 0.0])
    return Standing(item, points, _shifted(standing.footprint, offset))


def _shifted(shape: shapely.Geometry, offset: NDArray[np.float64]) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: xy + offset)


def _width(shape: shapely.Geometry) -> float:
    """Diagonal of the shape's bounding box, metres."""
    x0, y0, x1, y1 = shapely.bounds(shape)
    return float(np.hypot(x1 - x0, y1 - y0))


def _search(
    shapes: list[shapely.Geometry], spec: ArrangementSpec, holder: shapely.Geometry | None
) -> list[NDArray[np.float64]]:
    """(2,) offset of each shape so that all keep `gap_m`, the whole centred on the origin unless there is a holder."""
    if not shapes:
        return []
    generator = np.random.default_rng(spec.seed)
    widths = np.array([_width(shape) for shape in shapes])
    order = np.argsort(-widths * generator.uniform(0.8, 1.25, len(shapes)), kind="stable")
    offsets = [np.zeros(2) for _ in shapes]
    placed: list[shapely.Geometry] = [] if holder is None else [holder]
    radius = 0.0
    for index in order:
        # Starting a little inside the last radius fills holes without throwing every dart from the middle again.
        offsets[index], radius = _throw(
            shapes[index], placed, spec, generator, start=0.6 * radius, step=_GROWTH * float(widths.mean())
        )
        placed.append(_shifted(shapes[index], offsets[index]))
    if holder is not None:
        return offsets
    x0, y0, x1, y1 = shapely.total_bounds(placed)
    middle = np.array([x0 + x1, y0 + y1]) / 2.0
    return [offset - middle for offset in offsets]


def _throw(
    shape: shapely.Geometry,
    placed: list[shapely.Geometry],
    spec: ArrangementSpec,
    generator: np.random.Generator,
    *,
    start: float,
    step: float,
) -> tuple[NDArray[np.float64], float]:
    """First dart whose shape clears all *placed* shapes, and the radius that it took."""
    longer = _STRETCH.get(spec.kind, 1.0)
    stretch = np.array([longer, 1.0 / longer])
    gap = max(spec.gap_m, POCKET_GAP_M) if spec.kind == "pocket_tray" else spec.gap_m
    radius = start
    for _ in range(_MAX_STEPS):
        for _ in range(_DARTS):
            angle, share = generator.uniform(0.0, 2.0 * np.pi), np.sqrt(generator.uniform())
            offset = radius * share * stretch * np.array([np.cos(angle), np.sin(angle)])
            if not placed or float(np.min(shapely.distance(_shifted(shape, offset), placed))) >= gap:
                return offset, radius
        radius += step + gap / 4.0
    raise InputError(
        f"expected room for {len(placed) + 1} parts with a gap of {spec.gap_m} m, found none; "
        "use fewer parts or a smaller arrangement.gap_m"
    )
