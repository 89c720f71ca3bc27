"""Films: which fits which metal, what the table's ranges become, and the Airy sum against its limits."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.surface.films import check_film
from pipeline.surface.metals import conductor_reflectance, metal
from pipeline.surface.thin_film import WAVELENGTH_NM, airy, film_reflectance
from pipeline.tables import names, table


def test_a_film_that_does_not_fit_is_refused_with_the_metal_and_those_that_do():
    with pytest.raises(InputError, match=r"'anodised_blue' does not fit metal 'copper'.*lacquer"):
        check_film("anodised_blue", "copper")
    check_film("anodised_blue", "aluminium_6061")


def test_an_unknown_film_is_refused():
    with pytest.raises(InputError, match="unknown film 'jam'"):
        check_film("jam", "copper")


@pytest.mark.parametrize("film", names("films"))
def test_every_film_fits_some_metal_and_says_what_it_is(film):
    row = table("films")[film]
    assert row["desc"]
    assert row["kind"] in {"none", "interference", "clear", "opaque", "plating"}
    fitting = []
    for name in names("metals"):
        try:
            check_film(film, name)
        except InputError:
            continue
        fitting.append(name)
    assert fitting
    if row["kind"] == "plating":
        assert metal(row["metal"]).name == row["metal"]


def test_without_thickness_a_film_is_not_seen():
    steel = metal("steel_carbon")
    bare = airy(0.0, 2.4, np.array(steel.ior) + 1j * np.array(steel.extinction), 550.0, 0.4)
    np.testing.assert_allclose(bare, conductor_reflectance(steel.ior, steel.extinction, 0.4), rtol=1e-12)


def test_a_quarter_wave_of_the_right_index_extinguishes_the_reflection_of_glass():
    index = 2.25
    assert airy(550.0 / (4 * 1.5), 1.5, index, 550.0)[0] == pytest.approx(0.0, abs=1e-12)


def test_a_film_of_half_a_wave_is_not_seen_at_that_wavelength():
    steel = 2.2 + 3.2j
    assert airy(550.0 / (2 * 2.4), 2.4, steel, 550.0)[0] == pytest.approx(airy(0.0, 2.4, steel, 550.0)[0], rel=1e-12)


def test_white_is_white_and_a_film_reflects_no_more_than_all():
    mirror = airy(np.linspace(0.0, 300.0, 7)[:, None], 2.4, 0.001 + 50j, WAVELENGTH_NM, 0.7)
    assert mirror.max() <= 1.0 + 1e-9
    assert mirror.min() > 0.95
    flat = film_reflectance(0.0, 2.4, [(1.5, 40.0)] * 3)
    np.testing.assert_allclose(flat, flat[0], rtol=1e-9)


def test_temper_colours_of_steel_go_from_straw_to_purple_to_blue():
    straw, purple, blue = film_reflectance([20.0, 40.0, 55.0], 2.4, metal("steel_carbon").nk_650_550_450)
    assert straw[0] > straw[1] > straw[2]
    assert purple[2] > purple[0] > purple[1]
    assert blue[2] > blue[1] > blue[0]
