"""Metering, processing, brackets and bursts as they are drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.model import DatasetSpec
from pipeline.spec.processing import ProcessingSpec, series_id_of
from pipeline.spec.scene import PhotoSpec, SceneSpec

Load = Callable[..., DatasetSpec]
PROCESSING = {
    "demosaic": {"malvar": 0.5, "bilinear": 0.5},
    "white_balance": {"auto": 0.4, "as_shot": 0.3, "fixed": 0.3},
    "denoise": [0.2, 0.9],
    "sharpen_amount": [0.1, 0.8],
    "jpeg_quality": [80, 96],
}
BURST = {"length": 4, "start_ev": [-2.0, 2.0], "lag_frames": [1.0, 3.0], "delay_frames": [1, 3]}


def photos(spec: DatasetSpec, scenes: int = 60) -> list[PhotoSpec]:
    return [photo for index in range(scenes) for photo in draw_scene(spec, index).photos]


def single(photo: PhotoSpec) -> PhotoSpec:
    """*photo* without what tells the photos of a series apart."""
    return replace(photo, photo_index=0, seed=0, series=None)


def test_new_keys_leave_the_other_draws_as_they_are(load: Load) -> None:
    plain, processed = photos(load()), photos(load("photos.processing", PROCESSING))
    for before, after in zip(plain, processed, strict=True):
        same = replace(after, processing=before.processing)
        if after.processing.white_balance != "fixed":
            same = replace(same, white_balance_k=before.white_balance_k)
        assert same == before
    metered = photos(load("photos.metering", {"spot": 0.5, "matrix": 0.5}))
    assert [replace(photo, metering="centre_weighted") for photo in metered] == plain


def test_the_neutral_photo_is_metered_and_balanced_exactly(load: Load) -> None:
    spec = load("photos.processing", PROCESSING)
    drawn = photos(spec) + photos(load("photos.metering", {"spot": 1.0}))
    for photo in drawn:
        if photo.photo_index == 0:
            assert (photo.metering, photo.processing.white_balance, photo.white_balance_k) == (
                "centre_weighted",
                "as_shot",
                6504.0,
            )


def test_processing_follows_its_distributions(load: Load) -> None:
    drawn = [photo.processing for photo in photos(load("photos.processing", PROCESSING), 200) if photo.photo_index]
    share = Counter(processing.white_balance for processing in drawn)
    assert share["auto"] / len(drawn) == pytest.approx(0.4, abs=0.06)
    assert {processing.demosaic for processing in drawn} == {"malvar", "bilinear"}
    assert all(0.2 <= processing.denoise <= 0.9 for processing in drawn)
    assert {80, 96} <= {processing.jpeg_quality for processing in drawn} <= set(range(80, 97))


def test_only_a_fixed_white_balance_is_wrong(load: Load) -> None:
    weights = {"fixed": 0.5, "as_shot": 0.5}
    wrong = load("photos.processing", {"white_balance": weights})
    exact = load("photos.processing", {"white_balance": {"as_shot": 1.0}})
    for before, after in zip(photos(exact), photos(wrong), strict=True):
        off = after.white_balance_k != before.white_balance_k
        assert off == (after.processing.white_balance == "fixed" and after.photo_index > 0)


def test_a_bracket_is_one_photo_at_several_exposures(load: Load) -> None:
    steps = [-2.0, 0.0, 2.0]
    plain, bracketed = photos(load()), photos(load("photos.bracket_ev", steps))
    assert len(bracketed) == 3 * len(plain)
    for number, before in enumerate(plain):
        three = bracketed[3 * number : 3 * number + 3]
        assert [single(photo) for photo in three] == [single(before)] * 3
        assert [photo.photo_index for photo in three] == [3 * before.photo_index + i for i in range(3)]
        assert [photo.series.bracket_ev for photo in three] == steps
        assert len({photo.seed for photo in three}) == 3
        assert {series_id_of("v", photo.series) for photo in three} == {f"v-bracket{before.photo_index}"}


def test_a_burst_shares_its_start_and_differs_from_the_next(load: Load) -> None:
    drawn = photos(load("photos.burst", BURST))
    first = drawn[::4]
    assert [photo.series.index for photo in drawn[:8]] == [0, 1, 2, 3] * 2
    for number, photo in enumerate(drawn):
        assert replace(photo.series, index=0) == first[number // 4].series
    assert len({photo.series.start_ev for photo in first}) > len(first) // 2
    assert {photo.series.delay_frames for photo in first} == {1, 2, 3}


def test_bracket_and_burst_exclude_each_other(load: Load) -> None:
    raw = {"per_view": 1, "sensors": {"small": 1.0}, "lenses": {"macro": 1.0}}
    with pytest.raises(InputError, match=r"photos: expected at most one of bracket_ev and burst; found both"):
        load("photos", {**raw, "bracket_ev": [-1.0, 1.0], "burst": {"length": 2}})


def test_scenes_of_before_are_still_read(load: Load) -> None:
    """A scene that was written before photos had metering, processing and series."""
    scene = to_dict(draw_scene(load(), 3))
    for photo in scene["photos"]:
        for name in ("metering", "processing", "series"):
            del photo[name]
    for photo in from_dict(SceneSpec, scene).photos:
        assert (photo.metering, photo.processing, photo.series) == ("centre_weighted", ProcessingSpec(), None)


def test_series_survive_json(load: Load) -> None:
    for path, value in (("photos.burst", BURST), ("photos.bracket_ev", [-1.0, 1.0])):
        scene = draw_scene(load(path, value), 5)
        assert from_dict(SceneSpec, to_dict(scene)) == scene
