"""Looks of supports are possible materials, and the lay of metal ones runs along the sheet."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.arrange.sweep import Rectangle, slab
from pipeline.errors import InputError
from pipeline.surface.material import MetalMaterial, PlainMaterial
from pipeline.surface.processes import process
from pipeline.surface.supports import straight_lay, support_material
from pipeline.tables import names, table

METAL_LOOKS = [look for look in names("supports") if "metal" in table("supports")[look]]
PLAIN_LOOKS = [look for look in names("supports") if look not in METAL_LOOKS]


@pytest.mark.parametrize("look", PLAIN_LOOKS)
def test_plain_looks_are_dielectrics_between_soot_and_snow(look):
    material = support_material(look)
    assert isinstance(material, PlainMaterial)
    for color in (material.base_color, material.accent, material.bare):
        assert color is None or all(0.02 <= value <= 0.85 for value in color)
    assert 1.3 <= material.ior <= 1.7
    assert material.roughness - material.roughness_spread + 0.05 >= 0.2
    assert material.roughness + material.roughness_spread <= 1.0
    assert 0.0 <= material.mottle < 0.5
    assert 0.01 <= material.mottle_scale_m <= 0.2


@pytest.mark.parametrize("look", PLAIN_LOOKS)
def test_relief_of_plain_looks_is_flatter_than_it_is_wide(look):
    material = support_material(look)
    assert 0.0 <= material.bump_m <= 0.3 * material.pattern_m
    assert material.bump_m == 0.0 or material.pattern not in ("mottle", "crystals"), "this pattern has no height"


@pytest.mark.parametrize("look", METAL_LOOKS)
def test_metal_looks_have_an_ra_that_their_process_reaches(look):
    material = support_material(look)
    assert isinstance(material, MetalMaterial)
    low, _, high = process(material.process).ra_um
    assert low <= material.ra_um <= high
    assert material.alpha_across >= material.alpha_along > 0


def test_a_seed_moves_the_pattern_and_changes_nothing_else():
    first, again, other = (support_material("wood", seed) for seed in (1, 1, 2))
    assert first == again
    assert first.origin_m != other.origin_m
    assert PlainMaterial(**{**first.__dict__, "origin_m": other.origin_m}) == other


def test_unknown_look_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'lava'.*wood"):
        support_material("lava")


def test_the_lay_of_a_sheet_runs_along_x_and_stays_in_the_surface():
    vertices, normals, _ = slab(Rectangle(0.3, 0.2, 0.02), top=0.0, thickness=0.03, edge=0.003)
    arrays = straight_lay(vertices, normals)
    lay = arrays["lay"].astype(float)
    assert np.allclose(np.linalg.norm(lay, axis=1), 1.0, atol=1e-5)
    assert np.abs(np.sum(lay * normals, axis=1)).max() < 1e-5
    assert np.allclose(lay[normals[:, 2] > 0.9999], [1.0, 0.0, 0.0])


def test_groove_coordinates_of_a_sheet_are_metres_across_and_along_the_lay():
    vertices, normals, _ = slab(Rectangle(0.3, 0.2, 0.02), top=0.0, thickness=0.03, edge=0.003)
    top = normals[:, 2] > 0.9999
    groove = straight_lay(vertices, normals)["groove"][top]
    assert np.allclose(groove[:, 0], vertices[top, 1], atol=1e-6), "cross(z, x) = y"
    assert np.allclose(groove[:, 1], vertices[top, 0], atol=1e-6)
