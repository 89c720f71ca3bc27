"""Radiance layers: rounding against its own bound, sums, and what comes back from the files."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bundle import PATH_TERMS
from pipeline.layers import (
    COLORS,
    KEPT_BITS,
    LIGHT_FILE,
    NOISY_BITS,
    TERMS_FILE,
    light_sums,
    read_layer,
    read_layers,
    read_light,
    read_parts,
    rounded,
    rounding_error,
    write_layers,
)

GROUPS = ("key", "world")


def made(denoised: bool) -> dict[str, np.ndarray]:
    """Layers that add up, over twelve stops."""
    rng = np.random.default_rng(5)
    groups = {f"group.{g}": np.exp2(rng.uniform(-6, 6, (40, 50, 3))).astype(np.float32) for g in GROUPS}
    total = sum(groups.values())
    terms = dict.fromkeys(PATH_TERMS, total * 0)
    terms["diffuse_direct"], terms["glossy_direct"] = total * np.float32(0.25), total * np.float32(0.75)
    clean = {f"denoised.{g}": groups[f"group.{g}"] * np.float32(1.01) for g in GROUPS} if denoised else {}
    return {"noisy": total, **groups, **terms, **clean, **dict.fromkeys(COLORS, total * 0 + np.float32(0.6))}


@pytest.mark.parametrize("bits", [5, 6, 8, 10])
def test_rounding_stays_within_its_bound_and_reaches_it(bits: int) -> None:
    values = np.exp2(np.random.default_rng(1).uniform(-13, 15, 200_000)).astype(np.float32)
    error = np.abs(rounded(values, bits).astype(np.float64) - values) / values
    assert error.max() <= rounding_error(bits)
    assert error.max() > 0.9 * rounding_error(bits)
    assert np.abs((rounded(values, bits).astype(np.float64) / values - 1).mean()) < 0.02 * rounding_error(bits)


def test_rounding_clears_the_low_bits_and_keeps_sign_zero_and_the_finite() -> None:
    values = np.array([0.0, -0.3, 65504.0, 1e9, -1e9, 2.0**-24, np.nan], np.float32)
    result = rounded(values, NOISY_BITS)
    assert (result.view(np.uint16)[:-2] & 0xF == 0).all()
    assert result[0] == 0.0
    assert result[1] == pytest.approx(-0.3, rel=rounding_error(NOISY_BITS))
    assert np.isfinite(result[:-1]).all()
    assert result[2] == result[3] == -result[4] > 64000
    assert np.isnan(result[-1])  # a damaged value must not become a plausible one


@pytest.mark.parametrize("stops", [-4, 0, 4, 8])
def test_what_is_seen_differs_by_at_most_one_code_at_any_exposure(stops: int) -> None:
    exact = np.exp2(np.random.default_rng(2).uniform(-10, 0, 100_000)).astype(np.float32) * np.float32(2.0**-stops)

    def codes(values: np.ndarray) -> np.ndarray:
        linear = values.astype(np.float64) * 2.0**stops
        encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
        return np.rint(255 * encoded)

    difference = np.abs(codes(rounded(exact, KEPT_BITS)) - codes(exact))
    assert difference.max() <= 1
    assert 0 < difference.mean() < 0.1


@pytest.mark.parametrize("denoised", [True, False])
def test_layers_come_back_as_written_to_their_rounding(tmp_path, denoised: bool) -> None:
    layers = made(denoised)
    write_layers(tmp_path, layers, GROUPS)
    back = read_layers(tmp_path)
    assert set(back) == set(layers) | {"combined"}
    for name, values in layers.items():
        seen = name.startswith("denoised.") or name in COLORS or (not denoised and name.startswith("group."))
        bits = KEPT_BITS if seen or (name == "noisy" and not denoised) else NOISY_BITS
        np.testing.assert_allclose(back[name], values, rtol=rounding_error(bits) * 1.01, atol=1e-7, err_msg=name)
    clean = sum(back[f"{'denoised' if denoised else 'group'}.{g}"] for g in GROUPS)
    np.testing.assert_array_equal(back["combined"], clean)
    np.testing.assert_array_equal(read_layer(tmp_path, "group.key"), back["group.key"])
    with pytest.raises(KeyError, match=r"expected the layer 'group\.x', found"):
        read_layer(tmp_path, "group.x")


def test_one_file_holds_all_that_photos_need(tmp_path) -> None:
    layers = made(True)
    write_layers(tmp_path, layers, GROUPS)
    colors, luminances = read_light(tmp_path)
    assert sorted(colors) == ["denoised.key", "denoised.world"]
    assert colors["denoised.key"].flags.c_contiguous
    assert colors["denoised.key"].dtype == np.float32
    weights = np.array([0.2126, 0.7152, 0.0722])
    for name in ("noisy", "glossy_direct"):
        np.testing.assert_allclose(luminances[name], layers[name] @ weights, rtol=rounding_error(NOISY_BITS) * 1.01)
    assert set(read_parts(tmp_path / LIGHT_FILE)) == {*colors, *luminances}


def test_sums_are_measured_before_rounding(tmp_path) -> None:
    layers = made(True)
    by_group, by_term = light_sums(layers, GROUPS)
    assert by_group < 1e-6
    assert by_term < 1e-6
    layers["glossy_direct"] = layers["glossy_direct"] * np.float32(1.001)
    assert light_sums(layers, GROUPS)[1] == pytest.approx(0.00075, rel=0.05)
    layers["group.key"][3, 4, 1] = np.nan
    assert light_sums(layers, GROUPS)[0] == np.inf


def test_a_missing_term_is_named(tmp_path) -> None:
    layers = made(True)
    del layers["emission"]
    with pytest.raises(KeyError, match="emission"):
        write_layers(tmp_path, layers, GROUPS)


def test_only_wanted_layers_are_read(tmp_path) -> None:
    write_layers(tmp_path, made(True), GROUPS)
    everything = read_parts(tmp_path / TERMS_FILE)
    some = read_parts(tmp_path / TERMS_FILE, lambda name: name in {"emission", "group.key"})
    assert sorted(some) == ["emission", "group.key"]
    for name, values in some.items():
        np.testing.assert_array_equal(values, everything[name])
