"""Ra to alpha against numerically made surfaces; Blender's parameters against Cycles' closure code."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.surface.processes import process, ra_at
from pipeline.surface.roughness import ALPHA_RANGE, alpha_cusp, alpha_pair, alpha_random, alpha_to_blender
from pipeline.tables import names, table

PROCESSES = names("processes")


def test_cusp_alpha_matches_a_drawn_tool_mark():
    feed, radius = 0.2e-3, 0.8e-3
    x = np.linspace(-feed / 2, feed / 2, 200_001)
    height = radius - np.sqrt(radius**2 - x**2)
    ra = np.abs(height - height.mean()).mean()
    slope = np.sqrt((np.gradient(height, x) ** 2).mean())
    assert alpha_cusp(ra * 1e6, radius * 1e3) == pytest.approx(math.sqrt(2) * slope, rel=0.01)


def test_random_alpha_matches_a_surface_with_gaussian_correlation():
    tau, step, count = 10.0, 0.5, 2**19
    rng = np.random.default_rng(4)
    frequency = 2 * math.pi * np.fft.rfftfreq(count, step)
    spectrum = np.exp(-((frequency * tau) ** 2) / 8.0)  # square root of the Gaussian correlation's transform
    height = np.fft.irfft(spectrum * np.fft.rfft(rng.normal(size=count)), count)
    ra = np.abs(height).mean()
    slope = np.sqrt((np.gradient(height, step) ** 2).mean())
    assert alpha_random(ra, tau) == pytest.approx(math.sqrt(2) * slope, rel=0.02)


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_gives_alphas_that_blender_can_express(name):
    made_by = process(name)
    low, high = ALPHA_RANGE
    alphas = [alpha_pair(made_by, ra_at(made_by, q), scale) for q in (0.0, 0.5, 1.0) for scale in (0.7, 1.0, 1.4)]
    for across, along in alphas:
        assert low <= along <= across <= high
        roughness, anisotropy = alpha_to_blender(across, along)
        aspect = math.sqrt(1.0 - 0.9 * anisotropy)  # svm/closure.h
        assert roughness**2 / aspect == pytest.approx(across)
        assert roughness**2 * aspect == pytest.approx(along)


@pytest.mark.parametrize("name", PROCESSES)
def test_ra_runs_from_low_through_typical_to_high(name):
    made_by = process(name)
    assert [ra_at(made_by, q) for q in (0.0, 0.5, 1.0)] == pytest.approx(list(made_by.ra_um))
    assert list(made_by.ra_um) == sorted(made_by.ra_um)
    middle = ra_at(made_by, 0.25)
    assert middle**2 == pytest.approx(made_by.ra_um[0] * made_by.ra_um[1])
    directed = made_by.lay_kind not in ("none", "parting")
    assert directed == (made_by.lay not in ("P", "M"))


def test_isotropic_alpha_has_no_anisotropy():
    assert alpha_to_blender(0.25, 0.25) == pytest.approx((0.5, 0.0))


@pytest.mark.parametrize("pair", [(0.2, 0.01), (0.1, 0.2), (0.1, 0.0)])
def test_inexpressible_pairs_are_refused(pair):
    with pytest.raises(ValueError, match="cannot express"):
        alpha_to_blender(*pair)


def test_micro_roughness_is_added_in_quadrature():
    lapped = process("lapped")
    across, along = alpha_pair(lapped, 0.1, 1.0)
    assert across == along == pytest.approx(math.hypot(2.5 * 0.1 / 6.0, table("processes")["lapped"]["base_alpha"]))
