"""Polarisers as factors: Malus' law by Mueller matrices, the table's keys, the figures of docs/rigs.md by Fresnel."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.light.illuminate import illuminate
from pipeline.light.photometry import irradiance
from pipeline.light.polarisers import EXTINCTION, UNPOLARISED_SHARE, Polarisers, mirrored_factor, polarisers_of
from pipeline.light.rigs import build_rig
from pipeline.spec.scene import RigSpec
from pipeline.tables import names, table

ROOT = Path(__file__).parents[2]
POLARISED = tuple(name for name in names("rigs") if "polariser_deg" in table("rigs")[name])
DEPOLARISER = np.diag([1.0, 0.0, 0.0, 0.0])


def foil(angle_deg, along=1.0, across=EXTINCTION):
    """Mueller matrix of a linear polariser (Collett, Polarized Light, 1993, ch. 5)."""
    total, rest = along + across, along - across
    straight = 0.5 * np.array([[total, rest, 0, 0], [rest, total, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    straight[2, 2] = straight[3, 3] = math.sqrt(along * across)
    c, s = math.cos(2 * math.radians(angle_deg)), math.sin(2 * math.radians(angle_deg))
    turn = np.array([[1, 0, 0, 0], [0, c, s, 0], [0, -s, c, 0], [0, 0, 0, 1]])
    return turn.T @ straight @ turn


@pytest.mark.parametrize("polariser", [0.0, 20.0, 135.0])
@pytest.mark.parametrize("analyser", [0.0, 65.0, 90.0, 110.0])
def test_mirrored_factor_is_that_of_two_foils_over_two_with_a_depolariser_between(polariser, analyser):
    lamp = np.array([1.0, 0.0, 0.0, 0.0])
    kept = (foil(analyser) @ foil(polariser) @ lamp)[0]
    lost = (foil(analyser) @ DEPOLARISER @ foil(polariser) @ lamp)[0]
    assert mirrored_factor(polariser - analyser) == pytest.approx(kept / lost, rel=1e-9)


def test_perfect_foils_follow_malus_and_real_ones_leak():
    for angle in (0.0, 30.0, 45.0, 90.0):
        assert mirrored_factor(angle, 0.0) == pytest.approx(2 * math.cos(math.radians(angle)) ** 2, abs=1e-12)
    assert 1e-3 < mirrored_factor(90.0) < 0.01  # 4 times the extinction: both foils leak
    angles = np.arange(0.0, 180.0, 5.0)
    assert np.mean([mirrored_factor(angle) for angle in angles]) == pytest.approx(1.0)


def test_keys_of_the_table():
    assert polarisers_of({}) == Polarisers(1.0, 1.0)
    assert polarisers_of({"analyser_deg": 30.0}) == Polarisers(UNPOLARISED_SHARE, 1.0)
    turned = polarisers_of({"polariser_deg": 80.0, "analyser_deg": 20.0})
    assert turned == Polarisers(UNPOLARISED_SHARE, mirrored_factor(60.0))
    with pytest.raises(ValueError, match="no effect without analyser_deg"):
        polarisers_of({"polariser_deg": 0.0})


def test_the_table_has_a_crossed_and_a_parallel_rig_that_differ_in_nothing_else():
    rows = [dict(table("rigs")[name]) for name in POLARISED]
    between = sorted(abs(row.pop("polariser_deg") - row.pop("analyser_deg")) for row in rows)
    assert between == [0.0, 90.0]
    for row in rows:
        for key in ("desc", "groups", "ids"):
            row.pop(key)
    assert rows[0] == rows[1]


@pytest.mark.parametrize("name", POLARISED)
def test_filters_leave_the_illuminance_and_mark_the_lamps_of_their_rig_alone(name, make_scene, make_arrangement):
    arrangement = make_arrangement(0.05, ((0.0, 70.0, 0.7),))
    light = illuminate(make_scene(rig=name), arrangement)
    lamps = [lamp for lamp in light.lamps if lamp.rig == 0]
    filters = polarisers_of(table("rigs")[name])
    assert light.analysers == (UNPOLARISED_SHARE,)
    assert {lamp.material.mirrored for lamp in lamps} == {filters.mirrored}
    assert {lamp.material.mirrored for lamp in light.lamps if lamp.rig is None} == {1.0}
    receiver = build_rig(RigSpec(name, 0.0, 1.0), arrangement).receivers[0]
    assert irradiance(lamps, receiver.point, receiver.normal) == pytest.approx(math.pi)


def test_rigs_without_the_keys_have_no_filters(make_scene, make_arrangement):
    light = illuminate(make_scene(rig="ring_flash"), make_arrangement(0.05, ((0.0, 70.0, 0.7),)))
    assert light.analysers == (1.0,)
    assert {lamp.material.mirrored for lamp in light.lamps} == {1.0}


def crossed_share(index, incidence_deg, plane_deg=45.0):
    """Share of reflected light that perfect crossed foils let pass when the plane of polarisation lies *plane_deg*
    from the plane of incidence: Fresnel's amplitudes, p so signed that both are equal at normal incidence."""
    cosine = math.cos(math.radians(incidence_deg))
    inside = np.sqrt(1 - (1 - cosine**2) / index**2 + 0j)
    s = (cosine - index * inside) / (cosine + index * inside)
    p = (inside - index * cosine) / (inside + index * cosine)
    c, sine = math.cos(math.radians(plane_deg)), math.sin(math.radians(plane_deg))
    through = abs((s - p) * sine * c) ** 2
    return through / (abs(s * sine) ** 2 + abs(p * c) ** 2)


def test_the_figures_of_the_page_are_fresnel_s():
    metal = json.loads((ROOT / "assets/tables/metals.json").read_text(encoding="utf-8"))["stainless_austenitic"]
    index = complex(*metal["nk_650_550_450"][1])
    page = (ROOT / "docs/rigs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) degrees \| ([\d.]+) % \|$", page, flags=re.MULTILINE)
    assert [int(angle) for angle, _ in rows] == [10, 20, 30, 45, 60, 75]
    for angle, percent in rows:
        assert float(percent) == pytest.approx(100 * crossed_share(index, float(angle)), rel=0.06), angle
    assert crossed_share(index, 0.0) == pytest.approx(0.0, abs=1e-12)
