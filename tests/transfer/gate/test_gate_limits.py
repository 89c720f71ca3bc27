"""Limits: calibration, bounds, the file; and the ladder."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.gate_scenes import drawn_scene
from support.planted import PLANTED

from pipeline.errors import InputError
from pipeline.transfer.gate.ladder import STRENGTHS, ladder
from pipeline.transfer.gate.limits import BOUNDS, DEFAULT, MARGIN, benign_samples, calibrate, read_limits
from pipeline.transfer.gate.measure import SCORES, prepare


def test_every_score_has_bounds_in_order():
    assert set(BOUNDS) == set(SCORES) == set(DEFAULT.limits)
    assert all(0 < b.lowest <= b.default <= b.highest for b in BOUNDS.values())


def test_calibration_on_unchanged_photos_gives_the_lowest_limits():
    samples = [(photo, photo, truth) for photo, truth in map(drawn_scene, range(20))]
    limits = calibrate(samples, "unchanged")
    assert dict(limits.limits) == {name: bounds.lowest for name, bounds in BOUNDS.items()}
    assert (limits.source, limits.samples) == ("unchanged", 20)


def test_calibration_follows_the_changes_and_stops_at_the_highest():
    def moved(by):
        return calibrate([(photo, np.roll(photo, by, axis=1), truth) for photo, truth in scenes], "moved")

    scenes = [drawn_scene(seed) for seed in range(20)]
    assert moved(3).limits["part_shift_px"] == BOUNDS["part_shift_px"].highest
    half = [(photo, ((photo.astype(int) + np.roll(photo, 1, axis=1)) // 2).astype(np.uint8), t) for photo, t in scenes]
    assert calibrate(half, "half a pixel").limits["part_shift_px"] == pytest.approx(0.5 * MARGIN, rel=0.1)


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="at least 20"):
        calibrate([], "nothing")


def test_benign_samples_are_the_same_every_time():
    first, second = (list(benign_samples([drawn_scene(0)], 3)) for _ in range(2))
    assert len(first) == 4
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))


def test_limits_survive_their_file(tmp_path):
    DEFAULT.write(tmp_path / "limits.json")
    assert read_limits(tmp_path / "limits.json") == DEFAULT


@pytest.mark.parametrize(
    "damage",
    [
        lambda v: v["limits"].update(chroma=500.0),
        lambda v: v["limits"].pop("blob"),
        lambda v: v["limits"].update(colour=1.0),
        lambda v: v.pop("source"),
        lambda v: v["limits"].update(chroma=float("nan")),
    ],
)
def test_a_tampered_file_is_refused(tmp_path, damage):
    path = tmp_path / "limits.json"
    DEFAULT.write(path)
    values = json.loads(path.read_text())
    damage(values)
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match="calibrate again"):
        read_limits(path)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected limits"):
        read_limits(tmp_path / "none.json")


def attempts(good_from: float):
    """Ruins the photo above a strength, and leaves it alone from there on."""
    photo, truth = drawn_scene(1)
    camera, asked = prepare(photo, truth), []
    ruined = PLANTED["part erased"](photo, truth, np.random.default_rng(0))

    def attempt(strength):
        asked.append(strength)
        return photo if strength <= good_from else ruined

    return camera, attempt, asked


def test_the_first_strength_that_passes_is_kept():
    camera, attempt, asked = attempts(0.20)
    outcome = ladder(camera, attempt)
    assert asked == [0.30, 0.20]
    assert (outcome.passed, outcome.strength) == (True, 0.20)
    assert [one.passed for one in outcome.tries] == [False, True]
    assert outcome.reason.startswith("strength 0.3: part ")
    assert outcome.scores == outcome.tries[1].scores


def test_the_camera_photo_is_the_last_resort():
    camera, attempt, asked = attempts(0.0)
    outcome = ladder(camera, attempt)
    assert asked == list(STRENGTHS)
    assert not outcome.passed
    assert outcome.photo is camera.photo
    assert outcome.reason.count("strength") == 3


def test_a_good_first_try_needs_no_reason():
    camera, attempt, asked = attempts(1.0)
    outcome = ladder(camera, attempt)
    assert (asked, outcome.reason, outcome.strength) == ([0.30], "", 0.30)


@pytest.mark.parametrize("strengths", [(), (0.2, 0.3), (0.2, 0.2), (1.2,), (0.0,), (0.3, -0.1)])
def test_odd_strengths_are_refused(strengths):
    camera, attempt, _ = attempts(1.0)
    with pytest.raises(InputError, match="falling strengths"):
        ladder(camera, attempt, strengths=strengths)


def test_an_error_of_the_generator_is_not_a_failed_gate():
    camera, _, _ = attempts(1.0)

    def broken(strength):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        ladder(camera, broken)
