"""Drawing clips: the path, the takes, and that nothing else is drawn otherwise because of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.clip import ClipPath, ClipSpec, LightChange, frame_place
from pipeline.spec.draw import draw_scene
from pipeline.spec.fields import photo_fields, render_fields, scene_of_render_fields
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import SceneSpec, scene_shots

Load = Callable[..., DatasetSpec]


def clip_of(scene: SceneSpec) -> ClipSpec:
    assert scene.clip is not None
    return scene.clip


def test_scenes_are_not_clips_unless_asked_and_their_keys_do_not_know_of_clips(load: Load) -> None:
    scene = draw_scene(load(), 3)
    assert scene.clip is None
    assert "clip" not in render_fields(scene)
    assert "clip" not in photo_fields(scene)


def test_old_scenes_still_load(load: Load) -> None:
    scene = draw_scene(load(), 3)
    old = to_dict(scene)
    del old["clip"]
    for photo in old["photos"]:
        del photo["longest_shutter_s"]
    assert from_dict(SceneSpec, old) == scene


def test_a_clip_changes_only_cameras_photos_and_samples(load: Load) -> None:
    stills, clips = load(), load("clips", {"probability": 1.0, "frames": 5, "samples": 3})
    for index in range(5):
        still, clip = draw_scene(stills, index), draw_scene(clips, index)
        first = replace(clip.cameras[0], camera_index=0)
        assert first == still.cameras[0]
        assert len(clip.cameras) == 5
        assert clip.render == replace(still.render, samples=3)
        same = {"cameras": still.cameras, "photos": still.photos, "render": still.render, "clip": None}
        assert replace(clip, **same) == still


def test_the_share_of_clips(load: Load) -> None:
    spec = load("clips", {"probability": 0.3})
    share = sum(draw_scene(spec, index).clip is not None for index in range(400)) / 400
    assert abs(share - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 400)


def test_an_orbit_turns_evenly_and_keeps_everything_else(load: Load) -> None:
    motion = {"probability": 1.0, "frames": 7, "motion": {"camera_orbit": 1.0}, "orbit_deg": 60.0}
    scene = draw_scene(load("clips", motion), 0)
    first = scene.cameras[0]
    for k, camera in enumerate(scene.cameras):
        assert camera.azimuth_rad - first.azimuth_rad == pytest.approx(math.radians(10.0 * k), abs=1e-8)
        assert replace(camera, azimuth_rad=first.azimuth_rad, camera_index=0) == first


def test_a_dolly_changes_the_distance_or_the_fill(load: Load) -> None:
    motion = {"probability": 1.0, "frames": 3, "motion": {"camera_dolly": 1.0}, "dolly": 0.5}
    fills = [camera.fill for camera in draw_scene(load("clips", motion), 0).cameras]
    assert fills[0] is not None
    assert fills == pytest.approx([fills[0], fills[0] / 1.25, fills[0] / 1.5])


def test_the_belt_moves_about_the_middle_of_the_clip() -> None:
    path = ClipPath(frames=5, frame_rate_hz=20.0, motion="part_conveyor", travel=0.08)
    assert [path.belt_shift_m(k) for k in range(5)] == pytest.approx([-0.04, -0.02, 0.0, 0.02, 0.04])
    assert path.time_s(4) == 0.2


def test_belt_clips_need_a_conveyor(load: Load, folder) -> None:
    clips = {"probability": 1.0, "motion": {"part_conveyor": 1.0}}
    with pytest.raises(InputError, match=r"conveyor among arrangement\.kinds"):
        load("clips", clips)


def test_light_changes_by_the_drawn_stops_at_the_drawn_time(load: Load) -> None:
    settings = {
        "probability": 1.0,
        "frames": 10,
        "frame_rate_hz": 10.0,
        "light_change": {"ramp": 1.0},
        "light_change_stops": 3.0,
        "all_lights_probability": 1.0,
        "change_at": 0.5,
        "ramp_s": 0.3,
    }
    scene = draw_scene(load("clips", settings), 1)
    wanted = [min(max((0.1 * k - 0.45) / 0.3, 0.0), 1.0) * 3.0 for k in range(10)]
    for take in clip_of(scene).takes:
        photos = [photo for photo in scene.photos if photo.photo_index == take.photo_index]
        assert [photo.view_index for photo in photos] == list(range(10))
        for group, before in photos[0].light_weights.items():
            if before > 0:
                stops = [math.log2(photo.light_weights[group] / before) for photo in photos]
                assert stops == pytest.approx(wanted, abs=1e-6)
        fixed = {replace(photo, view_index=0, seed=0, light_weights={}).__repr__() for photo in photos}
        assert len(fixed) == 1
        assert len({photo.seed for photo in photos}) == 10
        assert photos[0].longest_shutter_s == pytest.approx(0.1)


def test_a_switch_happens_within_one_frame_and_may_take_one_group() -> None:
    switch = LightChange("key", -2.0, start_s=0.2, duration_s=0.0)
    assert [switch.factor(t) for t in (0.0, 0.199, 0.2, 1.0)] == [1.0, 1.0, 0.25, 0.25]


def test_one_group_changes_and_the_others_stay(load: Load) -> None:
    settings = {"probability": 1.0, "frames": 4, "light_change": {"switch": 1.0}, "all_lights_probability": 0.0}
    seen = set()
    for index in range(12):
        scene = draw_scene(load("clips", settings | {"change_at": 0.5, "light_change_stops": 2.0}), index)
        for take in clip_of(scene).takes:
            assert take.change is not None
            first, last = (
                next(p for p in scene.photos if p.view_index == view and p.photo_index == take.photo_index)
                for view in (0, 3)
            )
            for group, weight in first.light_weights.items():
                factor = 4.0 if group == take.change.group else 1.0
                assert last.light_weights[group] == pytest.approx(weight * factor, rel=1e-6)
            seen.add(take.change.group)
    assert len(seen) > 2


def test_frames_and_clips_of_views_under_several_rigs_and_twins(load: Load) -> None:
    spec = load("clips", {"probability": 1.0, "frames": 3})
    scene = draw_scene(spec, 0)
    both = replace(scene, rigs=scene.rigs * 2, twins=True)
    shots = scene_shots(both)
    places = [frame_place(clip_of(both), both.scene_id, shot.view_index, 1, len(shots)) for shot in shots]
    by_clip: dict[str, list[int]] = {}
    for shot, place in zip(shots, places, strict=True):
        assert place.frame_index == shot.camera_index
        by_clip.setdefault(place.clip_id, []).append(2 * shot.rig_index + shot.defects)
    assert sorted(by_clip) == [f"{both.scene_id}-c{lane}-p1" for lane in range(4)]
    assert all(len(set(lanes)) == 1 and len(lanes) == 3 for lanes in by_clip.values())


def test_the_render_knows_the_path_only(load: Load) -> None:
    scene = draw_scene(load("clips", {"probability": 1.0}), 0)
    rendered = scene_of_render_fields(render_fields(scene))
    assert clip_of(rendered) == replace(clip_of(scene), takes=())
    slow = draw_scene(load("clips", {"probability": 1.0, "exposure_lag_s": 2.0}), 0)
    assert render_fields(slow) == render_fields(scene)
    assert photo_fields(slow) != photo_fields(scene)
