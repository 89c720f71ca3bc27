"""The metals' table against exact Fresnel, and Fresnel against what is known of it."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.surface.metals import F82_COSINE, conductor_reflectance, metal
from pipeline.tables import names

METALS = names("metals")
TOLERANCE = {"silver": 3e-3}
"""Silver's indices are point samples, not fits."""


def test_there_are_31_metals():
    assert len(METALS) == 31


@pytest.mark.parametrize("name", METALS)
def test_indices_reproduce_colour_and_edge(name):
    row = metal(name)
    normal, edge = conductor_reflectance(row.ior, row.extinction, [1.0, F82_COSINE])
    channels = [1, 2] if name == "gold" else [0, 1, 2]  # gold's red lies outside Rec.709: set by hand to 0.976
    tolerance = TOLERANCE.get(name, 2e-3)
    np.testing.assert_allclose(normal[channels], np.array(row.base_color)[channels], atol=tolerance)
    np.testing.assert_allclose(edge[channels], np.array(row.f82)[channels], atol=tolerance)
    if name == "gold":
        assert normal[0] == pytest.approx(0.976, abs=1e-3)


@pytest.mark.parametrize("name", METALS)
def test_everything_mirrors_at_grazing_incidence_and_nothing_exceeds_one(name):
    row = metal(name)
    cosines = np.linspace(0.0, 1.0, 181)
    reflectance = conductor_reflectance(row.ior, row.extinction, cosines)
    assert reflectance.shape == (181, 3)
    np.testing.assert_allclose(reflectance[0], 1.0, atol=1e-12)
    assert reflectance.min() > 0.0
    assert reflectance.max() <= 1.0 + 1e-12


def test_without_extinction_it_is_glass():
    brewster = np.cos(np.arctan(1.5))  # only the s wave returns, (n^2-1)/(n^2+1) of its amplitude
    reflectance = conductor_reflectance([1.5] * 3, [0.0] * 3, [1.0, brewster])
    np.testing.assert_allclose(reflectance[:, 0], [0.04, 0.5 * (1.25 / 3.25) ** 2], rtol=1e-12)


def test_entries_that_are_no_bulk_metal_say_so():
    assert metal("stainless_austenitic").role == "metal"
    assert metal("hematite_rust").role.startswith("oxide")
    assert metal("tin_nitride_PVD").role.startswith("coating")


def test_unknown_metal_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'unobtainium'.*steel_carbon"):
        metal("unobtainium")
