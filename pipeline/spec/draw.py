"""Draw one scene: dataset spec and index in, SceneSpec out, always the same.

Every aspect (each item, the arrangement, the rig, ..., each view, each photo) has a random stream of its own, and every
value takes exactly one uniform number from it: changing one distribution changes only what is drawn from it. Does
not cover: the streams (`seeds`), the photos (`draw_photos`), what the drawn names stand for (`parts`, `surface`,
`light`, `camera`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final, cast

from pipeline import tables
from pipeline.errors import InputError
from pipeline.spec.draw_clips import clip_photos, draw_clip, path_cameras
from pipeline.spec.draw_glass import draw_glass
from pipeline.spec.draw_painted import draw_painted
from pipeline.spec.draw_photos import LightGroups, draw_photos, light_groups
from pipeline.spec.draw_transfer import draw_transfer
from pipeline.spec.films import films_on
from pipeline.spec.model import DatasetSpec, SurroundingsSection
from pipeline.spec.numbers import between, round_drawn
from pipeline.spec.scene import (
    SCENE_SCHEMA_VERSION,
    ArrangementKind,
    ArrangementSpec,
    CameraSpec,
    DefectSpec,
    FaceRule,
    ItemSpec,
    PhotoSpec,
    RigSpec,
    SceneSpec,
    Shot,
    Split,
    SurroundingsSpec,
    ToleranceSpec,
    scene_id_of,
    shots_of,
)
from pipeline.spec.seeds import Stream, scene_seed, seed_of

DEFAULT_ILLUMINANCE_RATIO: Final = between(0.05, 0.4)
_BELOW_ONE: Final = math.nextafter(1.0, 0.0)


def draw_scene(spec: DatasetSpec, index: int) -> SceneSpec:
    """The scene number *index* of *spec*: a pure function of the two and of the tables in assets.

    Raises InputError when *index* is not in [0, spec.dataset.scenes).
    """
    if not 0 <= index < spec.dataset.scenes:
        last = scene_id_of(spec.dataset.name, spec.dataset.scenes - 1)
        raise InputError(f"expected a scene up to {last} (dataset.scenes = {spec.dataset.scenes}), found {index}")
    rigs = tuple(_draw_rigs(spec, index))
    surroundings = _draw_surroundings(spec, index, rigs[0].illuminance_lux)
    groups = [light_groups(rig.name, surroundings.name) for rig in rigs]
    items = tuple(_draw_items(spec, index))
    twins = spec.defects.twins and any(item.defects for item in items)  # without defects they would be copies
    arrangement = _draw_arrangement(spec, index)
    cameras = tuple(_draw_cameras(spec, index))
    clip = draw_clip(spec, index, arrangement.kind, groups)
    if clip is not None:
        cameras = path_cameras(cameras[0], clip.path)
    shots = shots_of(len(cameras), len(rigs), twins)
    samples = None if clip is None else spec.clips.samples
    if clip is None:
        photos = _draw_photos(spec, index, shots, groups, surroundings.illuminance_ratio)
    else:
        photos = clip_photos(spec, index, clip, shots, groups, surroundings.illuminance_ratio)
    return SceneSpec(
        schema_version=SCENE_SCHEMA_VERSION,
        dataset=spec.dataset.name,
        index=index,
        scene_id=scene_id_of(spec.dataset.name, index),
        seed=scene_seed(spec.dataset.seed, index),
        split=_draw_split(spec, index),
        items=items,
        arrangement=arrangement,
        rigs=rigs,
        surroundings=surroundings,
        cameras=cameras,
        twins=twins,
        glass=draw_glass(spec.glass, spec.dataset.seed, index),
        render=spec.render.spec(seed_of(spec.dataset.seed, index, "render"), samples),
        photos=photos,
        clip=clip,
        depth_sensor=spec.depth_sensor.spec(),
        painted=draw_painted(spec.painted, spec.dataset.seed, index, arrangement.kind),
        transfer=draw_transfer(spec.transfer, spec.dataset.seed, index, photos if clip is None else ()),
    )


def _draw_photos(
    spec: DatasetSpec, index: int, shots: Sequence[Shot], groups: Sequence[LightGroups], illuminance_ratio: float
) -> tuple[PhotoSpec, ...]:
    return tuple(
        photo
        for shot in shots
        for number in range(spec.photos.per_view)
        for photo in draw_photos(
            spec, index, shot, number, groups=groups[shot.rig_index], illuminance_ratio=illuminance_ratio
        )
    )


def scene_index(spec: DatasetSpec, scene_id: str) -> int:
    """Index of *scene_id*, for example 7 of "quickstart-000007". Raises InputError when *spec* has no such scene."""
    found = re.fullmatch(re.escape(spec.dataset.name) + r"-(\d{6,})", scene_id)
    index = int(found.group(1)) if found else -1
    if not 0 <= index < spec.dataset.scenes or scene_id_of(spec.dataset.name, index) != scene_id:
        first, last = (scene_id_of(spec.dataset.name, i) for i in (0, spec.dataset.scenes - 1))
        raise InputError(f'expected a scene id from {first} to {last}, found "{scene_id}"')
    return index


def _draw_split(spec: DatasetSpec, index: int) -> Split:
    return cast(Split, Stream(spec.dataset.seed, index, "split").name(spec.split.model_dump()))


def _draw_items(spec: DatasetSpec, index: int) -> Iterator[ItemSpec]:
    scene = Stream(spec.dataset.seed, index, "items")
    count = spec.items.count.count(scene.u())
    one_batch = scene.below(spec.items.batch_probability)
    part_weights = {part_id: part.weight for part_id, part in spec.parts.items()}
    for k in range(count):
        draw = Stream(spec.dataset.seed, index, f"item.{k}")
        batch = Stream(spec.dataset.seed, index, "item.0") if one_batch else draw
        part_id = batch.name(part_weights)
        part = spec.parts[part_id]
        metal = batch.name(part.metals or spec.metals)
        finish = batch.name(part.finishes or spec.finishes)
        film = batch.name(films_on(metal, part.films or spec.films))
        own = Stream(spec.dataset.seed, index, f"item.{k}.own")
        yield ItemSpec(
            instance_id=k + 1,
            part_id=part_id,
            part_file=part.file,
            part_units=part.units,
            category=part.category,
            metal=metal,
            finish=finish,
            ra_quantile=min(own.number(spec.items.ra_quantile), _BELOW_ONE),
            alpha_scale=own.number(spec.items.alpha_scale),
            pose_quantile=min(round_drawn(own.u()), _BELOW_ONE),
            yaw_rad=round_drawn(own.u() * math.tau),
            metal_quantile=min(own.number(spec.items.metal_spread), _BELOW_ONE),
            film=film,
            film_quantile=min(own.number(spec.items.film_level), _BELOW_ONE),
            face_rules=tuple(FaceRule(**rule.model_dump()) for rule in part.faces),
            defects=tuple(_draw_defects(spec, index, k)),
            tolerance=_draw_tolerance(spec, index, k),
        )


def _draw_defects(spec: DatasetSpec, index: int, item: int) -> Iterator[DefectSpec]:
    defects = spec.defects
    draw = Stream(spec.dataset.seed, index, f"item.{item}.defects")
    if not draw.below(defects.probability):
        return
    for number in range(defects.count.count(draw.u())):
        name = f"item.{item}.defect.{number}"
        own = Stream(spec.dataset.seed, index, name)
        yield DefectSpec(
            defect_id=number + 1,
            kind=own.name(defects.kinds),
            severity=own.number(defects.severity),
            size_quantile=min(round_drawn(own.u()), _BELOW_ONE),
            size_scale=own.number(defects.size_scale),
            face_quantile=min(round_drawn(own.u()), _BELOW_ONE),
            seed=seed_of(spec.dataset.seed, index, name + ".shape"),
        )


def _draw_tolerance(spec: DatasetSpec, index: int, item: int) -> ToleranceSpec | None:
    if spec.items.tolerance is None:
        return None
    return ToleranceSpec(spec.items.tolerance, seed_of(spec.dataset.seed, index, f"item.{item}.tolerance"))


def _draw_arrangement(spec: DatasetSpec, index: int) -> ArrangementSpec:
    draw = Stream(spec.dataset.seed, index, "arrangement")
    kind = cast(ArrangementKind, draw.name(spec.arrangement.kinds))
    return ArrangementSpec(
        kind=kind,
        surface=draw.name(spec.arrangement.surfaces[kind]),
        gap_m=round_drawn(draw.number(spec.arrangement.gap_mm) / 1000),
        seed=seed_of(spec.dataset.seed, index, "placement"),
        distractors=spec.arrangement.distractors.count(draw.u()),
        container_m=_metres(spec.arrangement.container_mm),
    )


def _metres(size_mm: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    return None if size_mm is None else (size_mm[0] / 1000, size_mm[1] / 1000, size_mm[2] / 1000)


def _draw_rigs(spec: DatasetSpec, index: int) -> Iterator[RigSpec]:
    """The rigs of a scene. Rigs that stand together share scale, yaw and illuminance: only the rig differs."""
    draw = Stream(spec.dataset.seed, index, "rig")
    lot = draw.name(spec.rigs.weights or {"": 1.0})
    scale, yaw_rad = draw.number(spec.rigs.scale), draw.radians(spec.rigs.yaw_deg)
    lux = draw.number(spec.rigs.illuminance_lux)
    for name in spec.rigs.together or (lot,):
        yield RigSpec(name=name, yaw_rad=yaw_rad, scale=scale, illuminance_lux=lux)


def _draw_surroundings(spec: DatasetSpec, index: int, rig_lux: float) -> SurroundingsSpec:
    section = spec.surroundings
    draw = Stream(spec.dataset.seed, index, "surroundings")
    name = draw.name(section.weights)
    ratio = _illuminance_ratio(section, rig_lux, draw.u())
    return SurroundingsSpec(
        name=name,
        yaw_rad=draw.radians(section.yaw_deg),
        illuminance_ratio=ratio,
        file=section.files.get(name),
        seed=seed_of(spec.dataset.seed, index, "surroundings.shape"),
    )


def _illuminance_ratio(section: SurroundingsSection, rig_lux: float, u: float) -> float:
    """Illuminance of the surroundings as a share of the rig's, drawn with the uniform number *u*."""
    if section.task is not None:
        return round_drawn(tables.table("illuminance")[section.task]["lux"] / rig_lux)
    if section.illuminance_lux is not None:
        return round_drawn(section.illuminance_lux.value(u) / rig_lux)
    return (section.illuminance_ratio or DEFAULT_ILLUMINANCE_RATIO).value(u)


def _draw_cameras(spec: DatasetSpec, index: int) -> Iterator[CameraSpec]:
    cameras = spec.cameras
    for view in range(cameras.views.count(Stream(spec.dataset.seed, index, "views").u())):
        draw = Stream(spec.dataset.seed, index, f"view.{view}")
        yield CameraSpec(
            camera_index=view,
            azimuth_rad=draw.radians(cameras.azimuth_deg),
            elevation_rad=draw.radians(cameras.elevation_deg),
            roll_rad=draw.radians(cameras.roll_deg),
            focal_mm=draw.number(cameras.focal_mm),
            look_at_jitter=_in_ball(cameras.look_at_jitter, draw),
            distance_m=draw.number(cameras.distance_m) if cameras.distance_m else None,
            fill=draw.number(cameras.fill) if cameras.fill else None,
            sensor_width_mm=cameras.sensor_width_mm,
            width=cameras.resolution[0],
            height=cameras.resolution[1],
        )


def _in_ball(radius: float, draw: Stream) -> tuple[float, float, float]:
    """A point uniform in a ball: cos(polar angle) and azimuth uniform, distance with density r^2."""
    z, azimuth, r = 2 * draw.u() - 1, math.tau * draw.u(), radius * math.cbrt(draw.u())
    across = math.sqrt(1 - z * z)
    x, y = across * math.cos(azimuth), across * math.sin(azimuth)
    return (round_drawn(r * x), round_drawn(r * y), round_drawn(r * z))
