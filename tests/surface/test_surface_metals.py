"""The metals' table against exact Fresnel, and Fresnel against what is known of it."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.surface.metals import F82_COSINE, conductor_reflectance, metal, varied, with_reflectance
from pipeline.tables import names, table

METALS = names("metals")
TOLERANCE = {"silver": 3e-3}
"""Silver's indices are point samples, not fits."""


def test_there_are_31_measured_metals_and_15_proxies_that_say_what_they_are_made_of():
    proxies = [name for name in METALS if metal(name).proxy_of]
    assert (len(METALS) - len(proxies), len(proxies)) == (31, 15)
    for name in proxies:
        assert set(metal(name).proxy_of) <= set(METALS) - set(proxies)
        assert metal(name).derivation
        assert metal(name).source.startswith("proxy")


@pytest.mark.parametrize("name", [name for name in METALS if metal(name).proxy_of])
def test_a_proxy_reflects_its_share_of_what_it_is_mixed_of(name):
    row = table("metals")[name]
    mixed = sum(
        share * conductor_reflectance(metal(other).ior, metal(other).extinction, 1.0)
        for other, share in row["proxy_of"].items()
    )
    np.testing.assert_allclose(metal(name).base_color, mixed * row["f0_scale"], atol=2e-3)


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


@pytest.mark.parametrize("name", METALS)
def test_parts_of_a_metal_span_the_spread_of_its_data_and_stay_conductors_of_the_same_n(name):
    plain = metal(name)
    for quantile in (0.0, 0.37, 1.0):
        part = varied(plain, quantile)
        dark, bright = np.array(plain.f0_spread[0]), np.array(plain.f0_spread[1])
        wanted = dark + quantile * (bright - dark)
        np.testing.assert_allclose(conductor_reflectance(part.ior, part.extinction, 1.0), wanted, atol=1e-6)
        np.testing.assert_allclose(part.base_color, wanted, atol=1e-9)
        assert min(part.extinction) >= 0.0


def test_titanium_parts_lie_between_the_darkest_and_the_brightest_published_data():
    low, high = metal("titanium_lo"), metal("titanium_hi")
    np.testing.assert_allclose(varied(metal("titanium"), 0.0).base_color, low.base_color, atol=2e-3)
    np.testing.assert_allclose(varied(metal("titanium"), 1.0).base_color, high.base_color, atol=2e-3)


def test_a_reflectance_that_no_conductor_of_that_n_has_becomes_a_dielectrics():
    dull = with_reflectance(metal("black_oxide_magnetite"), (0.10, 0.10, 0.10))
    assert dull.extinction == (0.0, 0.0, 0.0)
    np.testing.assert_allclose(conductor_reflectance(dull.ior, dull.extinction, 1.0), 0.10, atol=1e-9)
