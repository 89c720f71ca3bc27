"""Cast light of whole bundles: views that share it, an analyser, scenes without light or metal; the lobes of metal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.cast_scenes import EXTINCTION, IOR, CastScene, cylinder_mesh, steel
from support.metal_samples import above

from pipeline.bundle import BundleView, read_ids, view_folder
from pipeline.layers import read_cast_light
from pipeline.reflect.cast_light import cast_light_rows
from pipeline.render.cast_light import write
from pipeline.render.cast_light.lobes import facets, lobes_of, unshadowed
from pipeline.surface.material import Film, PlainMaterial
from pipeline.surface.metals import conductor_reflectance

CAMERA = above(0.5, 0.1, 48)


def view(index: int = 0, **more) -> BundleView:
    return replace(BundleView(f"cast-v{index}", index, CAMERA, "any", 0, ()), **more)


def lit_cylinder(folder) -> CastScene:
    scene = CastScene(folder)
    scene.plane()
    scene.part(cylinder_mesh(0.01, 0.03), steel(0.05))
    scene.lamp((0.3, 0.0, 0.12), (0.0, 0.01, 0.0), (-0.003, 0.0, -0.01))
    return scene


def test_views_of_the_same_light_are_traced_once(tmp_path, monkeypatch) -> None:
    traced = []
    original = write.trace
    monkeypatch.setattr(write, "trace", lambda *given: traced.append(1) or original(*given))
    moved = view(2, belt_shift_m=(0.01, 0.0, 0.0))
    out = lit_cylinder(tmp_path / "job").without_blender(tmp_path / "out", view(0), view(1, defects=False), moved)
    assert len(traced) == 2
    files = [(view_folder(out, number) / "cast_light.exr").read_bytes() for number in range(3)]
    assert files[0] == files[1] != files[2]


def test_an_analyser_takes_its_share(tmp_path) -> None:
    out = lit_cylinder(tmp_path / "job").without_blender(tmp_path / "out", view(0), view(1, analyser=0.5))
    whole, half = (read_cast_light(view_folder(out, number) / "cast_light.exr") for number in range(2))
    assert whole[0]["lamp"].max() > 0.0
    np.testing.assert_allclose(half[0]["lamp"], 0.5 * whole[0]["lamp"], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(half[1], 0.5 * whole[1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("lacking", ["lamps", "metal", "parts", "everything", "nearness"])
def test_scenes_without_cast_light_have_empty_layers_and_no_rows(tmp_path, lacking) -> None:
    scene = CastScene(tmp_path / "job")
    if lacking != "everything":
        scene.plane()
    if lacking in {"lamps", "nearness"}:
        scene.part(cylinder_mesh(0.01, 0.03), steel(0.05))
    if lacking == "metal":
        scene.part(cylinder_mesh(0.01, 0.03), PlainMaterial("p", (0.5,) * 3, 0.1, 1.5, 0.0, 1.0))
    if lacking in {"metal", "parts"}:
        scene.lamp((0.3, 0.0, 0.12), (0.0, 0.01, 0.0), (-0.003, 0.0, -0.01))
    if lacking == "nearness":  # a thousand kilometres away
        scene.lamp((1e6, 0.0, 1e6), (0.0, 0.01, 0.0), (0.0, 0.0, -0.01))
    out = scene.without_blender(tmp_path / "out", view())
    folder = view_folder(out, 0)
    groups, error = read_cast_light(folder / "cast_light.exr")
    assert set(groups) == {*scene.lights, "world"}
    assert all(image.shape == (48, 48, 3) and image.max() < 1e-6 for image in groups.values())
    assert np.isfinite(error).all()
    if lacking != "nearness":
        assert not read_ids(folder / "thrower.png").any()
        assert not read_ids(folder / "cast_lamp.png").any()
    assert cast_light_rows(out) == []


def brdf_albedo(alpha: float, cosine: float) -> float:
    """Quadrature over the hemisphere of D G2 / (4 cos cos) cos, reflectance 1: the GGX formulas, nothing sampled."""
    mu, azimuth = (np.arange(2000) + 0.5) / 2000, (np.arange(720) + 0.5) / 720 * 2 * np.pi
    mu, azimuth = np.meshgrid(mu, azimuth, indexing="ij")
    out = np.stack([np.sqrt(1 - mu**2) * np.cos(azimuth), np.sqrt(1 - mu**2) * np.sin(azimuth), mu], axis=-1)
    coming = np.array([np.sqrt(1 - cosine**2), 0.0, cosine])
    half = out + coming
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    density = alpha**2 / (np.pi * (half[..., 2] ** 2 * (alpha**2 - 1) + 1) ** 2)

    def smith(c):
        return 0.5 * (np.sqrt(1 + alpha**2 * (1 - c**2) / c**2) - 1)

    value = density / (1 + smith(mu) + smith(cosine)) / (4 * cosine)
    return float(value.sum() * (2 * np.pi / 720) / 2000)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("cosine", [0.25, 0.95])
def test_facets_lose_what_the_formula_says_and_get_it_back(alpha, cosine) -> None:
    random = np.random.default_rng(1)
    count = 200_000
    coming = np.tile(np.float32([np.sqrt(1 - cosine**2), 0.0, cosine]), (count, 1))
    alphas = np.full((count, 2), alpha, np.float32)
    facet = facets(coming, alphas, random.random((count, 2), dtype=np.float32))
    np.testing.assert_allclose(np.linalg.norm(facet, axis=1), 1.0, rtol=1e-5)
    out = 2 * (coming * facet).sum(axis=1, keepdims=True) * facet - coming
    kept = unshadowed(coming, out, alphas).mean()
    assert kept == pytest.approx(brdf_albedo(alpha, cosine), abs=0.01)
    white = replace(steel(alpha), ior=(1e-3,) * 3, extinction=(1e3,) * 3)  # mirrors everything
    again = lobes_of([white]).scattered_again(np.zeros(1, np.int64), np.float32([cosine]))
    np.testing.assert_allclose(kept * again, 1.0, atol=0.03)


def test_lobes_of_a_coat_share_the_light(tmp_path) -> None:
    coated = replace(steel(0.2), film=Film("lacquer", "clear", 1.5, roughness=0.1))
    table = [PlainMaterial("p", (0.5,) * 3, 0.1, 1.5, 0.0, 1.0), steel(0.1), coated]
    lobes = lobes_of(table)
    assert lobes.count.tolist() == [0, 1, 2]
    assert lobes.hidden.tolist() == [True, False, False]
    material = np.full(100_000, 2)
    picked = lobes.pick(material, np.random.default_rng(2).random(100_000).astype(np.float32))
    assert set(picked.tolist()) == {1, 2}
    cosine = np.full(picked.size, 0.8, np.float32)
    mean = lobes.share(picked, cosine).mean(axis=0)
    surface = conductor_reflectance((1.5,) * 3, (0.0,) * 3, 0.8)
    immersed = conductor_reflectance(np.divide(IOR, 1.5), np.divide(EXTINCTION, 1.5), 0.8)
    np.testing.assert_allclose(mean, surface + (1 - surface) * immersed, rtol=0.04)
