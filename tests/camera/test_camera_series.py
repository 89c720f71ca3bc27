"""Brackets and bursts: exposures by place, noise of their own, impossible steps refused."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from support.synthetic_bundle import MadeView, photo, scene_of

from pipeline.camera.develop import develop_photos
from pipeline.camera.expose import expose, exposure_range_stops
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.errors import InputError
from pipeline.spec.processing import SeriesSpec

SENSOR, LENS = sensor_named("mv_global_shutter_color"), lens_named("c_mount_25mm")
CARD = np.full((40, 60, 3), 0.4, np.float32)


def burst(index: int, **changes) -> SeriesSpec:
    return replace(SeriesSpec("burst", 1, index, 8, start_ev=2.0, lag_frames=1.0 / math.log(2.0)), **changes)


def test_a_bracket_s_steps_are_stops_from_the_metered_exposure() -> None:
    metered = expose(CARD, SENSOR, LENS, 4.0, 0.5)
    for step in (-3.0, 0.0, 2.0):
        found = expose(CARD, SENSOR, LENS, 4.0, 0.5, series=SeriesSpec("bracket", 0, 0, 3, bracket_ev=step))
        assert found.exposure_scale == pytest.approx(metered.exposure_scale * 2.0**step)
        assert found.ev == pytest.approx(0.5 + step)
        assert found.f_number == metered.f_number


def test_a_step_beyond_shutter_and_gain_is_refused_and_one_just_within_is_not() -> None:
    """1/4000 s is the shortest exposure; from there the room follows from the metered shutter."""
    metered = expose(CARD, SENSOR, LENS, 4.0, 0.0)
    assert metered.gain == 1.0
    down = math.log2(metered.shutter_s * 4000.0)
    up = math.log2(0.5 * SENSOR.max_gain / metered.shutter_s)
    for step in (-down + 0.05, up - 0.05):
        assert expose(CARD, SENSOR, LENS, 4.0, 0.0, series=SeriesSpec("bracket", 0, 1, 3, bracket_ev=step))
    for step in (-down - 0.3, up + 0.3):
        says = re.escape(f"{-down:+.1f} to {up:+.1f} stops from the metered exposure; found {step:+g}")
        with pytest.raises(InputError, match=says):
            expose(CARD, SENSOR, LENS, 4.0, 0.0, series=SeriesSpec("bracket", 0, 1, 3, bracket_ev=step))
    assert down + up == pytest.approx(exposure_range_stops(SENSOR))


def test_a_burst_settles_from_its_wrong_start() -> None:
    metered = expose(CARD, SENSOR, LENS, 4.0, 0.0).exposure_scale[1]
    scales = [expose(CARD, SENSOR, LENS, 4.0, 0.0, series=burst(i)).exposure_scale[1] for i in range(6)]
    assert np.log2(np.array(scales) / metered) == pytest.approx(2.0 * 0.5 ** np.arange(6), abs=1e-9)
    assert [expose(CARD, SENSOR, LENS, 4.0, 0.0, series=burst(i)).ev for i in (0, 2)] == pytest.approx([2.0, 0.5])


def test_a_burst_stays_within_the_camera_s_range() -> None:
    """In the dark the control rests at the longest exposure; a burst is never refused."""
    dark = CARD * np.float32(1e-5)
    last = expose(dark, SENSOR, LENS, 8.0, 0.0, series=burst(7))
    assert (last.shutter_s, last.gain) == (0.5, pytest.approx(SENSOR.max_gain))


def test_rows_and_noise_of_a_burst(tmp_path) -> None:
    bundle = MadeView({"key": CARD}).write(tmp_path / "bundle")
    photos = [photo(photo_index=i, seed=100 + i, series=burst(i, start_ev=0.0)) for i in range(3)]
    results = develop_photos(scene_of(photos), bundle, tmp_path / "out")
    assert {r.row["burst_id"] for r in results} == {"made-000000-v0-burst1"}
    assert [r.row["burst_index"] for r in results] == [0, 1, 2]
    assert [r.row["bracket_id"] for r in results] == [None] * 3
    assert len({r.row["sha256"] for r in results}) == 3
