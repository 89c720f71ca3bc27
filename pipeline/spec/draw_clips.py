"""Draw a clip: its path, its takes, the cameras along the path and the photos of every take.

Covers: ClipSpec, CameraSpecs of the frames, PhotoSpecs of the frames. Every value comes from streams named "clip...",
so that scenes without clips are drawn as if there were none. Does not cover: single photos (`draw_photos`), exposing
the frames (`camera.clip_exposure`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from pipeline.spec.clip import ClipMotion, ClipPath, ClipSpec, LightChange, TakeSpec
from pipeline.spec.draw_photos import LightGroups, draw_photos
from pipeline.spec.model import DatasetSpec
from pipeline.spec.numbers import round_drawn
from pipeline.spec.scene import CameraSpec, PhotoSpec, Shot
from pipeline.spec.seeds import Stream, seed_of


def draw_clip(spec: DatasetSpec, index: int, arrangement: str, groups: Sequence[LightGroups]) -> ClipSpec | None:
    """The clip of scene *index*; None when it is photographed, or when nothing that may move is there."""
    clips = spec.clips
    draw = Stream(spec.dataset.seed, index, "clip")
    is_clip = draw.below(clips.probability)
    possible = {
        name: weight
        for name, weight in clips.motion.items()
        if weight > 0 and (name != "part_conveyor" or arrangement == "conveyor")
    }
    if not is_clip or not possible:
        return None
    frames, rate = clips.frames.count(draw.u()), draw.number(clips.frame_rate_hz)
    motion = cast(ClipMotion, draw.name(possible))
    orbit, dolly, speed = draw.radians(clips.orbit_deg), draw.number(clips.dolly), draw.number(clips.belt_mm_s)
    seconds = (frames - 1) / rate
    travel = {"camera_orbit": orbit, "camera_dolly": dolly, "part_conveyor": round_drawn(speed / 1000 * seconds)}
    path = ClipPath(frames, rate, motion, travel[motion])
    names = tuple(dict.fromkeys(group for each in groups for group in each.all))
    return ClipSpec(path, tuple(_draw_take(spec, index, path, names, n) for n in range(spec.photos.per_view)))


def _draw_take(spec: DatasetSpec, index: int, path: ClipPath, groups: tuple[str, ...], number: int) -> TakeSpec:
    clips = spec.clips
    draw = Stream(spec.dataset.seed, index, f"clip.take.{number}")
    kind, stops = draw.name(clips.light_change), draw.number(clips.light_change_stops)
    all_of_them, lot = draw.below(clips.all_lights_probability), draw.u()
    group = None if all_of_them else groups[int(lot * len(groups))]
    own = Stream(spec.dataset.seed, index, f"clip.take.{number}.times")
    start_s = round_drawn(own.number(clips.change_at) * path.time_s(path.frames - 1))
    ramp_s, lag_s, delay = own.number(clips.ramp_s), own.number(clips.exposure_lag_s), own.u()
    duration_s = ramp_s if kind == "ramp" else 0.0
    change = None if kind == "none" else LightChange(group, stops, start_s, duration_s)
    return TakeSpec(number, change, lag_s, clips.exposure_delay_frames.count(delay))


def path_cameras(first: CameraSpec, path: ClipPath) -> tuple[CameraSpec, ...]:
    """The camera of every frame, by its number; *first* is that of frame 0."""
    return tuple(replace(_moved(first, path, frame), camera_index=frame) for frame in range(path.frames))


def _moved(camera: CameraSpec, path: ClipPath, frame: int) -> CameraSpec:
    way = path.travel * path.progress(frame)
    if path.motion == "camera_orbit":
        return replace(camera, azimuth_rad=round_drawn(camera.azimuth_rad + way))
    if path.motion == "camera_dolly" and camera.distance_m is not None:
        return replace(camera, distance_m=round_drawn(camera.distance_m * (1.0 + way)))
    if path.motion == "camera_dolly" and camera.fill is not None:
        return replace(camera, fill=round_drawn(camera.fill / (1.0 + way)))
    return camera


def clip_photos(
    spec: DatasetSpec,
    index: int,
    clip: ClipSpec,
    shots: Sequence[Shot],
    groups: Sequence[LightGroups],
    illuminance_ratio: float,
) -> tuple[PhotoSpec, ...]:
    """The photos of all frames: sensor, lens, tone, white balance and aperture of a take are those of its frame 0.
    A clip has its own exposure control: brackets and bursts are not drawn for it.

    *groups* are the light groups of each rig. Only the light that changes and the sensor's noise differ by frame.
    """
    per_frame = len(shots) // clip.path.frames
    photos = []
    for shot in shots:
        frame, lane = divmod(shot.view_index, per_frame)
        for take in clip.takes:
            first = draw_photos(
                spec,
                index,
                shots[lane],
                take.photo_index,
                groups=groups[shot.rig_index],
                illuminance_ratio=illuminance_ratio,
            )[0]
            photos.append(_frame_photo(spec, index, clip, take, first, shot, frame))
    return tuple(photos)


def _frame_photo(
    spec: DatasetSpec, index: int, clip: ClipSpec, take: TakeSpec, first: PhotoSpec, shot: Shot, frame: int
) -> PhotoSpec:
    view = shot.view_index if shot.twin_of is None else shot.twin_of
    weights = dict(first.light_weights)
    if take.change is not None:
        factor = take.change.factor(clip.path.time_s(frame))
        for group in weights if take.change.group is None else {take.change.group} & weights.keys():
            weights[group] = round_drawn(weights[group] * factor)
    return replace(
        first,
        view_index=shot.view_index,
        photo_index=take.photo_index,
        series=None,
        seed=seed_of(spec.dataset.seed, index, f"photo.{view}.{take.photo_index}.noise"),
        light_weights=weights,
        longest_shutter_s=round_drawn(1.0 / clip.path.frame_rate_hz),
    )
