"""The gate as a whole: what it catches, what it lets pass. The same on 200 rendered photos: benchmarks/gate.py."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from support.added import ADDED
from support.gate_scenes import HEIGHT, WIDTH, drawn_scene, truth_of
from support.planted import PLANTED
from support.washed import WASHED, all_recoloured

from pipeline.transfer.gate.benign import BENIGN, to_codes
from pipeline.transfer.gate.limits import BOUNDS, DEFAULT, Limits, benign_samples, calibrate
from pipeline.transfer.gate.measure import prepare
from pipeline.transfer.gate.verdict import judge

SCENES = 10
CAUGHT_BY = {
    "part shifted 3 px": "part_shift_px",
    "part scaled 2 %": "part_scale",
    "part erased": "edge_lost",
    "part invented": "blob",
    "edge bent": "edge_drift_px",
    "metal recoloured": "chroma",
    "scratch erased": "defect_loss",
    "highlight moved": "highlight_loss",
}
"""The score that each corruption must exceed at least once, so that no score goes blind behind another."""

HIGHEST = Limits({score: bounds.highest for score, bounds in BOUNDS.items()}, "highest", 0)
"""Whatever a build calibrates, its limits are no higher."""


@cache
def cameras():
    return [prepare(*drawn_scene(seed)) for seed in range(SCENES)]


@cache
def calibrated():
    return calibrate(benign_samples([drawn_scene(seed) for seed in range(100, 106)], 5), "six drawn scenes")


@pytest.mark.parametrize("limits", [lambda: DEFAULT, calibrated], ids=["default", "calibrated"])
@pytest.mark.parametrize("name", list(PLANTED))
def test_a_planted_corruption_is_caught(name, limits):
    caught, by_its_score = 0, 0
    for seed, camera in enumerate(cameras()):
        picture = PLANTED[name](camera.photo, camera.truth, np.random.default_rng([seed, 1]))
        assert picture is not None, f"scene {seed} offers nothing for {name}"
        verdict = judge(camera, picture, limits())
        caught += not verdict.passed
        by_its_score += CAUGHT_BY[name] in {failure.score for failure in verdict.failures}
    assert caught == SCENES
    assert by_its_score >= 0.8 * SCENES


@pytest.mark.parametrize("limits", [lambda: DEFAULT, calibrated], ids=["default", "calibrated"])
@pytest.mark.parametrize("name", list(BENIGN))
def test_a_benign_change_passes(name, limits):
    for seed, camera in enumerate(cameras()):
        verdict = judge(camera, BENIGN[name](camera.photo, np.random.default_rng([seed, 2])), limits())
        assert verdict.passed, verdict.reason


def test_the_camera_photo_itself_has_no_fault():
    camera = cameras()[0]
    verdict = judge(camera, camera.photo)
    assert verdict.passed
    assert {name: value for name, value in verdict.scores.items() if value > 0.05} == {}


def nonsense(kind: int, photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a generator with random weights paints: noise, clouds, colours, another place of the same photo."""
    clouds = rng.standard_normal(photo.shape).astype(np.float32)
    sigma = float(rng.uniform(1, 20))
    clouds = cv2.GaussianBlur(clouds, (0, 0), sigma)
    clouds = 128 + 50 * clouds / clouds.std()
    pictures = (
        lambda: rng.integers(0, 256, photo.shape).astype(np.uint8),
        lambda: np.clip(clouds, 0, 255).astype(np.uint8),
        lambda: np.roll(photo, int(rng.integers(20, 100)), axis=1),
        lambda: np.ascontiguousarray(photo[::-1, ::-1]),
        lambda: np.clip(0.3 * photo + 0.7 * clouds, 0, 255).astype(np.uint8),
    )
    return pictures[kind]()


def test_nonsense_never_passes():
    for seed in range(100):
        camera = cameras()[seed % SCENES]
        picture = nonsense(seed % 5, camera.photo, np.random.default_rng([seed, 3]))
        verdict = judge(camera, picture)
        assert not verdict.passed, f"kind {seed % 5}, scene {seed % SCENES}"
        assert verdict.reason


@pytest.mark.parametrize("name", list(WASHED))
def test_a_picture_that_lost_what_the_photo_showed_never_passes(name):
    for seed, camera in enumerate(cameras()):
        picture = WASHED[name](camera.photo, camera.truth, np.random.default_rng([seed, 4]))
        assert not judge(camera, picture, HIGHEST).passed, f"scene {seed}"


@pytest.mark.parametrize("name", list(ADDED))
def test_a_mark_that_no_label_knows_never_passes(name):
    offered = 0
    for seed, camera in enumerate(cameras()):
        picture = ADDED[name](camera.photo, camera.truth, np.random.default_rng([seed, 6]))
        if picture is None:
            continue
        offered += 1
        assert not judge(camera, picture, HIGHEST).passed, f"scene {seed}"
    assert offered >= 0.6 * SCENES


def test_an_invented_part_does_not_hide_in_a_busy_background():
    for seed, camera in enumerate(cameras()):
        rng = np.random.default_rng([seed, 7])
        texture = cv2.GaussianBlur(rng.normal(0, 1, camera.photo.shape[:2]).astype(np.float32), (0, 0), 6)
        busy = camera.photo + (10 / texture.std() * texture * camera.truth.background)[..., None]
        picture = PLANTED["part invented"](to_codes(busy), camera.truth, rng)
        failures = judge(camera, picture, HIGHEST).failures
        assert "blob" in {failure.score for failure in failures}, f"scene {seed}"


def test_a_part_that_fills_the_frame_has_no_background_to_hide_a_fault():
    photo, _ = drawn_scene(0)
    truth = truth_of(np.ones((HEIGHT, WIDTH), np.uint16), photo)
    camera = prepare(photo, truth)
    for seed, name in enumerate(WASHED):
        picture = WASHED[name](photo, truth, np.random.default_rng(seed))
        assert picture is None or not judge(camera, picture).passed, name
    assert {failure.score for failure in judge(camera, all_recoloured(photo, truth, None)).failures} == {"chroma"}
    for name, change in BENIGN.items():
        assert judge(camera, change(photo, np.random.default_rng(1))).passed, name


def test_black_and_odd_pictures_fail_with_a_reason():
    camera = cameras()[0]
    assert "black" in judge(camera, np.zeros_like(camera.photo)).reason
    assert "expected" in judge(camera, camera.photo[:-8]).reason
    assert "float32" in judge(camera, camera.photo.astype(np.float32)).reason


def test_a_failure_names_the_part_the_score_and_the_limit():
    camera = cameras()[0]
    picture = PLANTED["scratch erased"](camera.photo, camera.truth, np.random.default_rng(0))
    failure = next(failure for failure in judge(camera, picture).failures if failure.score == "defect_loss")
    assert failure.of == "defect 2/1 (scratch)"
    assert f"exceeds {DEFAULT.limits['defect_loss']:.3g}" in str(failure)


def test_changes_are_repeatable():
    photo, truth = drawn_scene(3)
    for change in BENIGN.values():
        first, second = (change(photo, np.random.default_rng(7)) for _ in range(2))
        assert np.array_equal(first, second)
    for plant in PLANTED.values():
        first, second = (plant(photo, truth, np.random.default_rng(7)) for _ in range(2))
        assert np.array_equal(first, second)
        assert not np.array_equal(first, photo)
