"""The relief of every process against its alphas, and tool marks against numerically made profiles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.surface.processes import process, ra_at
from pipeline.surface.relief import WITHOUT_DIRECTION, relief_of
from pipeline.surface.roughness import LARGEST_RATIO, alpha_cusp, alpha_pair, feed_m
from pipeline.tables import names

PROCESSES = names("processes")
QUANTILES, SCALES = (0.0, 0.3, 0.5, 1.0), (0.7, 1.0, 1.4)


def reliefs(name):
    """(alphas, micro_alpha, relief) over the range of Ra and of the alpha scale."""
    made_by = process(name)
    for quantile in QUANTILES:
        for scale in SCALES:
            ra_um = ra_at(made_by, quantile)
            alphas = alpha_pair(made_by, ra_um, scale)
            yield alphas, *relief_of(made_by, ra_um, alphas, 7)


@pytest.mark.parametrize("name", PROCESSES)
def test_micro_roughness_and_relief_sum_up_to_the_alphas(name):
    for alphas, micro, relief in reliefs(name):
        spread = [one for one in relief if one.kind != "ridge"]
        for alpha, rest, slopes in zip(
            alphas, micro, zip(*((r.slope_across, r.slope_along) for r in spread), strict=True) if spread else ((), ()),
            strict=True,
        ):  # fmt: skip
            assert math.sqrt(rest**2 + 2.0 * sum(slope**2 for slope in slopes)) == pytest.approx(alpha, rel=1e-9)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_lobe_can_be_expressed_whatever_part_of_the_relief_a_pixel_resolves(name):
    for alphas, micro, relief in reliefs(name):
        for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
            squares = np.square(micro)
            for one in relief:
                if one.kind != "ridge":
                    squares = squares + 2.0 * (1.0 - weight) * np.square((one.slope_across, one.slope_along))
            across, along = np.sqrt(squares)
            assert 0.0 < along <= across * (1.0 + 1e-9)
            assert across <= LARGEST_RATIO * along * (1.0 + 1e-9)
            assert across <= alphas[0] * (1.0 + 1e-9)


@pytest.mark.parametrize("name", PROCESSES)
def test_scales_are_those_that_a_microscope_or_an_eye_finds(name):
    for _, _, relief in reliefs(name):
        for one in relief:
            assert 10e-6 <= one.wavelength_m <= 10e-3
            assert 0.0 < one.slope_across < 0.6
            if one.kind in WITHOUT_DIRECTION:
                assert one.slope_across == one.slope_along
            if one.kind == "streak" and one.turn_rad == 0.0:
                assert one.slope_along == pytest.approx(one.slope_across / one.stretch)
            assert (one.kind == "arc") == (one.path_radius_m != 0.0)


def test_seeds_differ_between_scales_processes_and_items():
    def seeds(name, seed):
        made_by = process(name)
        return {one.seed for one in relief_of(made_by, 0.5, alpha_pair(made_by, 0.5, 1.0), seed)[1]}

    assert len(seeds("brushed", 1)) == 3
    assert not seeds("brushed", 1) & seeds("brushed", 2)
    assert not seeds("brushed", 1) & seeds("tumbled", 1)
    assert seeds("brushed", 1) == seeds("brushed", 1)


@pytest.mark.parametrize(("feed_mm", "radius_mm", "ra_um"), [(0.2, 0.8, 1.6), (0.1, 0.4, 0.8)])
def test_feed_is_that_of_the_usual_table(feed_mm, radius_mm, ra_um):
    assert feed_m(ra_um, radius_mm) * 1e3 == pytest.approx(feed_mm, rel=0.01)


@pytest.mark.parametrize("name", ["turned_fine", "turned", "faced", "face_milled", "ball_milled", "bored"])
def test_a_profile_of_tool_marks_at_the_feed_has_the_ra_that_was_asked_for(name):
    made_by = process(name)
    assert made_by.nose_radius_mm is not None
    radius = made_by.nose_radius_mm * 1e-3
    for ra_um in made_by.ra_um:
        feed = feed_m(ra_um, made_by.nose_radius_mm)
        x = np.linspace(0.0, 7 * feed, 700_001)
        nearest = (np.mod(x / feed, 1.0) - 0.5) * feed
        height = radius - np.sqrt(radius**2 - nearest**2)
        assert np.abs(height - height.mean()).mean() * 1e6 == pytest.approx(ra_um, rel=0.02)
        rms_slope = np.sqrt((np.gradient(height, x) ** 2).mean())
        assert alpha_cusp(ra_um, made_by.nose_radius_mm) == pytest.approx(math.sqrt(2.0) * rms_slope, rel=0.02)


@pytest.mark.parametrize("name", ["turned", "faced", "face_milled", "ball_milled", "bored"])
def test_tool_marks_have_the_period_of_the_feed_and_most_of_the_slope(name):
    made_by = process(name)
    ra_um = made_by.ra_um[1]
    alphas = alpha_pair(made_by, ra_um, 1.0)
    marks = relief_of(made_by, ra_um, alphas, 1)[1][0]
    assert marks.kind in ("cusp", "arc")
    assert marks.wavelength_m == pytest.approx(math.sqrt(31.2 * made_by.nose_radius_mm * 1e-3 * ra_um * 1e-6))
    tool = 0.289 * marks.wavelength_m / (made_by.nose_radius_mm * 1e-3)
    assert 0.75 < marks.slope_across / tool < 1.0  # the rest tears, and the back of a face mill marks again
    assert marks.slope_along == 0.0


def test_honing_crosses_at_its_angle_and_its_slopes_follow_from_it():
    made_by = process("honed")
    relief = relief_of(made_by, 0.4, alpha_pair(made_by, 0.4, 1.0), 3)[1]
    assert [math.degrees(one.turn_rad) for one in relief] == pytest.approx([22.5, -22.5])
    low, high = made_by.tau_um or (1.0, 1.0)
    assert low / high == pytest.approx(math.tan(math.radians(22.5)), rel=0.01)
    for one in relief:
        assert one.slope_along / one.slope_across == pytest.approx(math.tan(math.radians(22.5)))


def test_polish_and_diamond_leave_nothing_that_an_eye_could_see():
    for name in ("mirror_polished", "diamond_turned", "lapped"):
        made_by = process(name)
        _, relief = relief_of(made_by, made_by.ra_um[1], alpha_pair(made_by, made_by.ra_um[1], 1.0), 1)
        assert all(one.slope_across < 0.006 for one in relief)
