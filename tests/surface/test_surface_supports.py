"""Looks of supports are possible materials."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError
from pipeline.surface.supports import support_material
from pipeline.tables import names


@pytest.mark.parametrize("look", names("supports"))
def test_looks_are_dielectrics_between_soot_and_snow(look):
    material = support_material(look)
    assert all(0.02 <= value <= 0.85 for value in material.base_color)
    assert 1.3 <= material.ior <= 1.7
    assert 0.2 <= material.roughness <= 1.0
    assert 0.0 <= material.mottle < 0.5
    assert 0.0005 <= material.mottle_scale_m <= 0.2


def test_unknown_look_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'lava'.*wood"):
        support_material("lava")
