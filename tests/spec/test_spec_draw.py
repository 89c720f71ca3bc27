"""Drawing scenes: a pure function, scene by scene and aspect by aspect, with the distributions that were asked for."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.camera.mix import cct_rgb
from pipeline.errors import InputError
from pipeline.records import canonical_json, from_dict, sha256_json, to_dict
from pipeline.spec.draw import draw_scene, scene_index
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import CCT_RANGE_K, SceneSpec, scene_shots
from pipeline.spec.seeds import Stream, scene_seed, seed_of

Load = Callable[..., DatasetSpec]
ROOT = Path(__file__).parent.parent.parent


def assert_shares(drawn: Iterable[Any], expected: dict[Any, float]) -> None:
    """Each share lies within four standard deviations of its probability."""
    counts = Counter(drawn)
    total = sum(counts.values())
    assert set(counts) <= set(expected)
    for value, p in expected.items():
        assert abs(counts[value] / total - p) < 4 * math.sqrt(p * (1 - p) / total), (value, counts, expected)


def test_the_seed_is_the_hash_of_seed_index_and_name() -> None:
    digest = hashlib.sha256(b"glint-seed-1\x005\x007\x00rig").digest()
    assert seed_of(5, 7, "rig", bits=32) == int.from_bytes(digest[:4], "big")
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
    assert Stream(5, 7, "rig").u() == generator.random()


def test_seeds_differ_in_every_argument() -> None:
    seeds = {seed_of(a, b, name, 63) for a in range(20) for b in range(20) for name in ("a", "b", "1")}
    assert len(seeds) == 20 * 20 * 3
    assert all(0 <= scene_seed(0, i) < 2**63 for i in range(100))


def test_same_scene_in_any_process() -> None:
    code = (
        "from pathlib import Path; from pipeline.spec.load import load_spec; from pipeline.spec.draw import draw_scene;"
        "from pipeline.records import sha256_json; spec = load_spec(Path('scenes/nightly.toml'));"
        "print(sha256_json([draw_scene(spec, i) for i in (3, 0, 7)]))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


def test_a_scene_depends_on_its_index_alone(load: Load) -> None:
    spec, more = load(), load("dataset.scenes", 2001)
    alone = draw_scene(spec, 7)
    in_order = [draw_scene(more, index) for index in range(12)]
    assert in_order[7] == alone
    assert len({sha256_json(to_dict(scene)["items"]) for scene in in_order}) == 12


def test_the_file_s_order_does_not_matter(load: Load) -> None:
    a = load("metals", {"steel": 0.75, "brass": 0.25})
    b = load("metals", {"brass": 0.25, "steel": 0.75})
    assert [draw_scene(a, i) for i in range(20)] == [draw_scene(b, i) for i in range(20)]


@pytest.mark.parametrize(
    ("path", "value", "touched"),
    [
        ("split.train", 0.7, set()),
        ("items.ra_quantile", 0.5, {"items"}),
        ("metals", {"copper": 1.0}, {"items"}),
        ("arrangement.gap_mm", 4.0, {"arrangement"}),
        ("rigs.yaw_deg", 10.0, {"rigs"}),
        ("surroundings.yaw_deg", 10.0, {"surroundings"}),
        ("cameras.elevation_deg", 30.0, {"cameras"}),
        ("render.samples", 8, {"render"}),
        ("photos.exposure_ev", 0.5, {"photos"}),
        ("photos.lenses", {"slow": 1.0}, {"photos"}),
    ],
)
def test_one_distribution_touches_one_aspect(load: Load, path: str, value: Any, touched: set[str]) -> None:
    before, after = load(), load(path, value)
    changed: set[str] = set()
    for index in range(30):
        a, b = to_dict(draw_scene(before, index)), to_dict(draw_scene(after, index))
        changed |= {name for name in a if a[name] != b[name]}
    assert changed == touched


def test_within_an_aspect_other_values_stay(load: Load) -> None:
    a, b = draw_scene(load(), 4), draw_scene(load("photos.exposure_ev", [3.0, 4.0]), 4)
    for one, other in zip(a.photos, b.photos, strict=True):
        assert {**to_dict(one), "exposure_ev": 0} == {**to_dict(other), "exposure_ev": 0}
    one_more = draw_scene(load("photos.per_view", 4), 4)
    assert [photo for photo in one_more.photos if photo.photo_index < 3] == list(a.photos)


def test_scenes_survive_json(scenes: list[SceneSpec]) -> None:
    for scene in scenes[:50]:
        assert from_dict(SceneSpec, to_dict(scene)) == scene
        assert "NaN" not in canonical_json(scene)


def test_every_value_lies_in_its_range(scenes: list[SceneSpec]) -> None:
    for scene in scenes:
        assert 1 <= len(scene.items) <= 6
        assert [item.instance_id for item in scene.items] == list(range(1, len(scene.items) + 1))
        for item in scene.items:
            assert 0 <= item.ra_quantile < 1
            assert 0.7 <= item.alpha_scale <= 1.4
            assert 0 <= item.pose_quantile < 1
            assert 0 <= item.yaw_rad <= math.tau
        assert 0.002 <= scene.arrangement.gap_m <= 0.010
        assert 0.5 <= scene.rigs[0].scale <= 2.0
        assert [camera.camera_index for camera in scene.cameras] == list(range(len(scene.cameras)))
        for camera in scene.cameras:
            assert camera.distance_m is None
            assert camera.fill is not None
            assert 0.5 <= camera.fill <= 0.9
            assert math.radians(20) - 1e-8 <= camera.elevation_rad <= math.radians(65) + 1e-8
            assert camera.focal_mm in (25.0, 50.0)
            assert math.hypot(*camera.look_at_jitter) <= 0.1 + 1e-9
        assert 0 <= scene.render.seed < 2**31


def test_frequencies_follow_the_weights(scenes: list[SceneSpec]) -> None:
    assert_shares((scene.split for scene in scenes), {"train": 0.7, "val": 0.2, "test": 0.1})
    assert_shares((len(scene.items) for scene in scenes), dict.fromkeys(range(1, 7), 1 / 6))
    assert_shares((len(scene.cameras) for scene in scenes), dict.fromkeys(range(1, 4), 1 / 3))
    assert_shares((scene.rigs[0].name for scene in scenes), {"softboxes": 0.8, "dome": 0.2})
    first = [scene.items[0] for scene in scenes]  # items of a batch are not independent of each other
    assert_shares((item.part_id for item in first), {"nut": 0.75, "cover": 0.25})
    assert_shares((item.metal for item in first if item.part_id == "nut"), {"steel": 0.75, "brass": 0.25})
    assert {item.metal for item in first if item.part_id == "cover"} == {"copper"}
    assert {item.part_units for item in first if item.part_id == "cover"} == {"inch"}
    assert_shares((scene.cameras[0].focal_mm for scene in scenes), {25.0: 0.2, 50.0: 0.8})


def test_surfaces_belong_to_their_kind(scenes: list[SceneSpec]) -> None:
    pairs = Counter((scene.arrangement.kind, scene.arrangement.surface) for scene in scenes)
    assert set(pairs) == {("table", "wood"), ("bin", "rubber"), ("bin", "plastic")}


def test_the_look_at_offset_fills_a_ball(scenes: list[SceneSpec]) -> None:
    points = np.array([camera.look_at_jitter for scene in scenes for camera in scene.cameras]) / 0.1
    radius_cubed = np.linalg.norm(points, axis=1) ** 3  # uniform on [0, 1] for points uniform in the unit ball
    assert radius_cubed.mean() == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / len(points)))
    # a uniform ball's covariance is the identity times 1/5; a coordinate's fourth moment is 3/35
    tolerance = 4 * math.sqrt((3 / 35 - 1 / 25) / len(points))
    assert np.diag(np.cov(points.T)) == pytest.approx(np.full(3, 0.2), abs=tolerance)


def test_a_batch_shares_part_metal_and_finish(load: Load) -> None:
    spec = load("items.batch_probability", 1.0)
    looks: set[tuple[str, str, str]] = set()
    for index in range(100):
        items = draw_scene(spec, index).items
        assert len({(item.part_id, item.metal, item.finish) for item in items}) == 1
        assert len({item.yaw_rad for item in items}) == len(items)
        looks.add((items[0].part_id, items[0].metal, items[0].finish))
    assert len(looks) > 3
    mixed = load("items.batch_probability", 0.0)
    assert any(len({item.part_id for item in draw_scene(mixed, index).items}) > 1 for index in range(20))


def test_the_first_photo_of_a_view_is_neutral(scenes: list[SceneSpec]) -> None:
    for scene in scenes[:200]:
        assert [(p.view_index, p.photo_index) for p in scene.photos] == [
            (view, photo) for view in range(len(scene.cameras)) for photo in range(3)
        ]
        for photo in scene.photos[::3]:
            assert set(photo.light_weights.values()) == {1.0}
            assert (photo.exposure_ev, photo.light_cct_k, photo.white_balance_k) == (0.0, {}, 6504.0)


def test_photos_of_a_view_differ(scenes: list[SceneSpec]) -> None:
    for scene in scenes[:200]:
        of_first_view = scene.photos[:3]
        assert len({photo.seed for photo in scene.photos}) == len(scene.photos)
        assert len({canonical_json(photo.light_weights) for photo in of_first_view}) == 3
        assert len({photo.exposure_ev for photo in of_first_view}) == 3


def test_light_groups_are_those_of_rig_and_surroundings(scenes: list[SceneSpec]) -> None:
    groups = {
        "softboxes": ["key", "fill", "rim"],
        "dome": ["dome"],
        "hall": ["luminaires", "windows"],
        "sky": ["world"],
    }
    for scene in scenes:
        of_rig, of_room = groups[scene.rigs[0].name], groups[scene.surroundings.name]
        for photo in scene.photos:
            assert list(photo.light_weights) == of_rig + of_room
            assert any(photo.light_weights[group] > 0 for group in of_rig)
            assert all(photo.light_weights[group] > 0 for group in of_room)
            assert all(0.25 <= weight <= 2.0 for weight in photo.light_weights.values() if weight > 0)


def test_lamps_fail_as_often_as_asked(scenes: list[SceneSpec]) -> None:
    with_three = [photo for s in scenes if s.rigs[0].name == "softboxes" for photo in s.photos if photo.photo_index > 0]
    off = Counter(sum(photo.light_weights[group] == 0 for group in ("key", "fill", "rim")) for photo in with_three)
    p = 0.3  # all three off becomes two off
    expected = {0: (1 - p) ** 3, 1: 3 * p * (1 - p) ** 2, 2: 3 * p**2 * (1 - p) + p**3}
    assert_shares(off.elements(), expected)


def test_all_lamps_never_fail(load: Load) -> None:
    spec = load("photos.group_off_probability", 1.0)
    for index in range(50):
        scene = draw_scene(spec, index)
        of_rig = ("key", "fill", "rim") if scene.rigs[0].name == "softboxes" else ("dome",)
        for photo in scene.photos:
            on = sum(photo.light_weights[group] > 0 for group in of_rig)
            assert on == (1 if photo.photo_index else len(of_rig))


def test_white_balance_follows_the_light(load: Load) -> None:
    spec = load(
        "photos",
        {
            "per_view": 2,
            "light_cct_k": {"choices": [3000.0, 6000.0]},
            "light_weight": 1.0,
            "group_off_probability": 0.0,
            "white_balance_error_k": 0.0,
            "sensors": {"small": 1.0},
            "lenses": {"macro": 1.0},
        },
    )
    for index in range(50):
        scene = draw_scene(spec, index)
        photo = scene.photos[1]
        groups = list(photo.light_weights)
        rig = [g for g in groups if g not in ("luminaires", "windows", "world")]
        lux = {
            g: 1 / len(rig) if g in rig else scene.surroundings.illuminance_ratio / (len(groups) - len(rig))
            for g in groups
        }
        mired = np.average([1e6 / photo.light_cct_k[g] for g in groups], weights=[lux[g] for g in groups])
        assert photo.white_balance_k == pytest.approx(1e6 / mired, rel=1e-8)
        assert 3000 <= photo.white_balance_k <= 6000


def test_white_balance_errs_as_asked(load: Load) -> None:
    error, none = load("photos.white_balance_error_k", 250.0), load("photos.white_balance_error_k", 0.0)
    for index in range(20):
        pairs = zip(draw_scene(error, index).photos, draw_scene(none, index).photos, strict=True)
        for wrong, right in pairs:
            expected = 250.0 if right.photo_index else 0.0
            assert wrong.white_balance_k - right.white_balance_k == pytest.approx(expected, abs=1e-4)


def test_apertures_fit_the_lens(scenes: list[SceneSpec]) -> None:
    drawn = {(photo.lens, photo.f_number) for scene in scenes for photo in scene.photos}
    assert drawn == {("macro", 4.0), ("macro", 5.6), ("macro", 8.0), ("slow", 5.6), ("slow", 8.0)}


def test_scene_ids_and_indices_belong_together(load: Load) -> None:
    spec = load()
    assert draw_scene(spec, 17).scene_id == "demo-000017"
    assert scene_index(spec, "demo-000017") == 17
    for wrong in ("demo-002000", "demo-17", "other-000017", "demo-0000017", "demo-000017-v0", ""):
        with pytest.raises(InputError, match="expected a scene id from demo-000000 to demo-001999"):
            scene_index(spec, wrong)
    for index in (-1, 2000):
        with pytest.raises(InputError, match="expected a scene up to demo-001999"):
            draw_scene(spec, index)


def test_neighbouring_scenes_are_unrelated(scenes: list[SceneSpec]) -> None:
    yaw = np.array([scene.rigs[0].yaw_rad for scene in scenes])
    assert abs(np.corrcoef(yaw[:-1], yaw[1:])[0, 1]) < 4 / math.sqrt(len(yaw))
    assert all(a.seed != b.seed for a, b in pairwise(scenes))


def test_white_balance_stays_within_what_a_camera_can_develop(load: Load) -> None:
    photos = {
        "per_view": 3,
        "light_cct_k": {"choices": [CCT_RANGE_K[0], 20000.0]},
        "white_balance_error_k": [-5000.0, 5000.0],
        "sensors": {"small": 1.0},
        "lenses": {"macro": 1.0},
    }
    spec = load("photos", photos)
    for index in range(50):
        for photo in draw_scene(spec, index).photos:
            cct_rgb(photo.white_balance_k)  # raises beyond what the camera knows
            for kelvin in photo.light_cct_k.values():
                cct_rgb(kelvin)


def test_films_are_drawn_among_those_that_the_metal_carries(load: Load) -> None:
    spec = load("films", {"verdigris": 0.5, "bare": 0.5})
    films = {"steel": set[str](), "brass": set[str](), "copper": set[str]()}
    for index in range(200):
        for item in draw_scene(spec, index).items:
            films[item.metal].add(item.film)
    assert films == {"steel": {"bare"}, "brass": {"bare", "verdigris"}, "copper": {"bare", "verdigris"}}


def test_every_view_is_a_camera_under_a_rig(load: Load) -> None:
    spec = load("rigs", {"together": ["dome", "softboxes"]})
    scene = draw_scene(spec, 3)
    assert [rig.name for rig in scene.rigs] == ["dome", "softboxes"]
    assert len({(rig.scale, rig.yaw_rad, rig.illuminance_lux) for rig in scene.rigs}) == 1
    shots = scene_shots(scene)
    assert [(shot.camera_index, shot.rig_index) for shot in shots] == [
        (camera, rig) for camera in range(len(scene.cameras)) for rig in (0, 1)
    ]
    for photo in scene.photos:
        rig = scene.rigs[shots[photo.view_index].rig_index].name
        assert set(photo.light_weights) >= ({"dome"} if rig == "dome" else {"key", "fill", "rim"})


def test_twins_are_photographed_alike_and_only_where_there_are_defects(load: Load) -> None:
    spec = load("defects", {"probability": 0.3, "kinds": {"dent": 1.0}, "twins": True})
    seen = set()
    for index in range(60):
        scene = draw_scene(spec, index)
        flawed = any(item.defects for item in scene.items)
        assert scene.twins == flawed
        seen.add(flawed)
        photos = {(photo.view_index, photo.photo_index): photo for photo in scene.photos}
        for shot in scene_shots(scene):
            if shot.twin_of is not None:
                for number in range(spec.photos.per_view):
                    twin, view = photos[shot.view_index, number], photos[shot.twin_of, number]
                    assert replace(twin, view_index=shot.twin_of) == view
    assert seen == {True, False}
