"""Arrange a scene: parts on, in or between what carries them, and cameras that see them.

Covers: the order in which `place`, `drop`, `holders`, `supports` and `cameras` do their work. A pure
function of the SceneSpec and the parts: same input, same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.arrange.arrangement import Arrangement, PlacedCamera, PlacedItem, PlacedPane, SupportMesh
from pipeline.arrange.bounds import bounding_sphere, extreme_points
from pipeline.arrange.cameras import Subject, place_camera
from pipeline.arrange.distractors import Thing, draw_things
from pipeline.arrange.drop import drop, stack
from pipeline.arrange.holders import fixture, vice
from pipeline.arrange.panes import place_pane
from pipeline.arrange.path import longer_belt, place_path
from pipeline.arrange.place import (
    CONTACT_LIFT_M,
    Standing,
    part_of,
    place_around,
    place_parts,
    raised,
    stand,
)
from pipeline.arrange.supports import FIXTURE_PLATE_M, Extent, build_support, pocket_depth
from pipeline.errors import InputError
from pipeline.parts.part import Part
from pipeline.spec.scene import ItemSpec, SceneSpec

DROPPED: Final = frozenset({"bin", "pile", "stack"})
"""Kinds that gravity arranges."""


def arrange(scene: SceneSpec, parts: Mapping[str, Part]) -> Arrangement:
    """Arrange *scene*; *parts* maps each item's part_id to its Part.

    Raises InputError when the scene has no items, a part is missing, the parts find no room, or a camera cannot see
    them.
    """
    if not scene.items:
        raise InputError(f"expected at least one part in scene {scene.scene_id}, found none; raise the item count")
    things = draw_things(scene.arrangement)
    if scene.arrangement.kind in DROPPED:
        laid = _dropped(scene, parts, things)
    elif scene.arrangement.kind in {"vice", "fixture"}:
        laid = _held(scene, parts, things)
    else:
        laid = _placed(scene, parts, things)
    centre, radius = bounding_sphere([stand.points for stand in laid.standing])
    path = None if scene.clip is None else scene.clip.path
    extent = longer_belt(_extent(laid.standing, laid.things, radius), path)
    footprints = [stand.footprint for stand in laid.standing]
    support = build_support(scene.arrangement, extent, footprints, laid.inner)
    above = pocket_depth(extent) if scene.arrangement.kind == "pocket_tray" else 0.0
    heaped = scene.arrangement.kind in DROPPED
    subject = Subject(centre, radius, [extreme_points(s.points) for s in laid.standing], support.enclosure, heaped)
    supports = (*support.meshes, *laid.holders, *(_lifted(thing, above) for thing in laid.things))
    if path is None:
        cameras = tuple(place_camera(camera, subject) for camera in scene.cameras)
    else:
        cameras = place_path(scene.cameras, subject, path)
    return Arrangement(
        items=tuple(stand.item for stand in laid.standing),
        supports=supports,
        cameras=cameras,
        centre=(float(centre[0]), float(centre[1]), float(centre[2])),
        radius_m=radius,
        panes=_panes(scene, parts, laid.standing, supports, cameras),
    )


def _panes(
    scene: SceneSpec,
    parts: Mapping[str, Part],
    standing: Sequence[Standing],
    supports: Sequence[SupportMesh],
    cameras: Sequence[PlacedCamera],
) -> tuple[PlacedPane, ...]:
    """The pane before each of *cameras*; none where the scene has no glass."""
    if scene.glass is None:
        return ()
    triangles = [part_of(item, parts).triangles for item in scene.items]
    things = [(stand.points, faces) for stand, faces in zip(standing, triangles, strict=True)]
    things += [(support.vertices, support.triangles) for support in supports]
    return tuple(place_pane(scene.glass, camera, things) for camera in cameras)


@dataclass(frozen=True, eq=False)
class _Laid:
    """Parts, distractors and holders where they are."""

    standing: tuple[Standing, ...]
    things: tuple[SupportMesh, ...]
    holders: tuple[SupportMesh, ...] = ()
    inner: tuple[float, float, float] | None = None


def _dropped(scene: SceneSpec, parts: Mapping[str, Part], things: Sequence[Thing]) -> _Laid:
    if scene.arrangement.kind == "stack":
        poses = stack(scene, parts)
        around = shapely.box(*_reach(scene, parts, poses))
        offsets = place_around(things, scene.arrangement, around)
        thing_poses = [_shift(x, y) for x, y in offsets]
        inner = None
    else:
        dropped = drop(scene, parts, things)
        poses, thing_poses, inner = dropped.parts, list(dropped.things), dropped.inner
    standing = tuple(_standing(item, part_of(item, parts), pose) for item, pose in zip(scene.items, poses, strict=True))
    return _Laid(standing, _meshes(things, thing_poses), inner=inner)


def _placed(scene: SceneSpec, parts: Mapping[str, Part], things: Sequence[Thing]) -> _Laid:
    placement = place_parts(scene, parts, things)
    return _Laid(placement.standing, _meshes(things, [_shift(x, y) for x, y in placement.offsets]))


def _held(scene: SceneSpec, parts: Mapping[str, Part], things: Sequence[Thing]) -> _Laid:
    """The first part in a vice or fixture, everything else on the table around it."""
    first = stand(scene.items[0], part_of(scene.items[0], parts))
    spec, name = scene.arrangement, scene.items[0].part_id
    held = vice(first.points, name, spec.surface) if spec.kind == "vice" else fixture(first.points, spec.surface)
    placement = place_parts(scene, parts, things, held.footprint)
    ground = 0.0 if spec.kind == "vice" else -FIXTURE_PLATE_M
    rest = tuple(raised(standing, ground) for standing in placement.standing[1:])
    shifts = [_shift(x, y, ground) for x, y in placement.offsets]
    return _Laid((raised(first, held.lift), *rest), _meshes(things, shifts), held.meshes)


def _reach(
    scene: SceneSpec, parts: Mapping[str, Part], poses: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    points = np.concatenate(
        [
            _standing(item, part_of(item, parts), pose).points[:, :2]
            for item, pose in zip(scene.items, poses, strict=True)
        ]
    )
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _standing(item: ItemSpec, part: Part, pose: NDArray[np.float64]) -> Standing:
    points = part.vertices @ pose[:3, :3].T + pose[:3, 3]
    placed = PlacedItem(item.instance_id, item.part_id, tuple(float(v) for v in pose.ravel()))
    return Standing(placed, points, shapely.convex_hull(shapely.multipoints(points[:, :2])))


def _shift(x: float, y: float, z: float = 0.0) -> NDArray[np.float64]:
    pose = np.eye(4)
    pose[:3, 3] = [x, y, z + CONTACT_LIFT_M]
    return pose


def _meshes(things: Sequence[Thing], poses: Sequence[NDArray[np.float64]]) -> tuple[SupportMesh, ...]:
    return tuple(
        SupportMesh(
            f"distractor:{thing.name}",
            thing.look,
            thing.vertices @ pose[:3, :3].T + pose[:3, 3],
            (thing.normals @ pose[:3, :3].T).astype(np.float32),
            thing.triangles,
        )
        for thing, pose in zip(things, poses, strict=True)
    )


def _lifted(mesh: SupportMesh, height: float) -> SupportMesh:
    return replace(mesh, vertices=mesh.vertices + np.array([0.0, 0.0, height]))


def _extent(standing: Sequence[Standing], things: Sequence[SupportMesh], radius: float) -> Extent:
    clouds = [*(stand.points for stand in standing), *(thing.vertices for thing in things)]
    low = np.min([cloud.min(axis=0) for cloud in clouds], axis=0)
    high = np.max([cloud.max(axis=0) for cloud in clouds], axis=0)
    half = np.maximum(np.abs(low), np.abs(high))
    tallest = max(float(np.max(stand.points[:, 2])) for stand in standing)
    return Extent(float(half[0]), float(half[1]), tallest, radius)
