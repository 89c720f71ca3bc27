"""Defects as numbers: sizes, shapes and meshes against closed forms, and where they lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh
from support.defect_scenes import block, defect, flawed, plate

from pipeline import tables
from pipeline.defect_patches import PatchPose, chart, load_raster, sample_mask, save_raster
from pipeline.errors import InputError
from pipeline.surface.defects import greases, hollows, strokes, waves
from pipeline.surface.defects.kinds import kind, shape_of
from pipeline.surface.defects.shape import Shape

KINDS = tables.names("defects")


def volume_mm3(part) -> float:
    return float(trimesh.Trimesh(part.vertices, part.triangles, process=False).volume) * 1e9


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_finds_its_place_and_is_made_twice_the_same(name) -> None:
    one, two = (flawed(plate(), defect(name, size_quantile=0.1, seed=5), finish="machined") for _ in range(2))
    assert [p.kind for p in one.placed] == [name]
    assert one.skipped == ()
    assert one.placed == two.placed
    assert one.part.vertices.tobytes() == two.part.vertices.tobytes()
    for file, raster in one.rasters.items():
        other = two.rasters[file]
        assert raster.mask.any()
        assert raster.mask.tobytes() == other.mask.tobytes()
        assert raster.height_m is None or raster.height_m.tobytes() == other.height_m.tobytes()
    assert one.mesh_changed == (kind(name).carrier == "mesh")


@pytest.mark.parametrize("name", [name for name in KINDS if kind(name).carrier == "patch"])
def test_what_a_raster_does_lies_within_its_mask(name) -> None:
    made = flawed(plate(), defect(name, seed=8), finish="machined")
    (raster,) = made.rasters.values()
    for array in (raster.height_m, raster.fresh, raster.cavity, raster.deposit, raster.film, raster.tint):
        if array is not None:
            assert np.isfinite(array).all()
            largest = float(np.abs(array).max())
            assert np.abs(array[~raster.mask]).max(initial=0.0) <= 0.02 * largest
    edge = np.concatenate([raster.mask[0], raster.mask[-1], raster.mask[:, 0], raster.mask[:, -1]])
    assert edge.mean() < 0.2, "a defect is not cut off by the border of its raster"


def test_a_dent_has_the_area_and_volume_of_its_cap() -> None:
    a, d = 2e-3, 150e-6
    raster = hollows.dent(Shape(2 * a, 0.0, d, 0.0, 0.5, 1))
    below = np.minimum(raster.height_m, 0.0)
    texel = raster.texel_m**2
    assert np.count_nonzero(below < 0.0) * texel == pytest.approx(math.pi * a * a, rel=0.02)
    assert -below.sum() * texel == pytest.approx(math.pi * d * (3 * a * a + d * d) / 6, rel=0.02)
    assert -below.min() == pytest.approx(d, rel=0.01)


@pytest.mark.parametrize("length_mm", [4.0, 25.0])
def test_a_scratch_has_its_length_and_width(length_mm) -> None:
    raster = strokes.scratch(Shape(length_mm * 1e-3, 120e-6, 15e-6, 0.0, 0.5, 3))
    columns = np.flatnonzero(raster.mask.any(axis=0))
    assert (columns[-1] - columns[0]) * raster.texel_m == pytest.approx(length_mm * 1e-3, rel=0.03)
    groove = (raster.fresh > 0.9).sum(axis=0).max() * raster.texel_m
    assert groove == pytest.approx(120e-6, rel=0.45)
    assert raster.height_m.min() == pytest.approx(-15e-6, rel=0.4)
    assert raster.height_m.max() > 0.0


def test_ridges_of_a_fingerprint_have_their_period() -> None:
    period = 480e-6
    raster = greases.fingerprint(Shape(18e-3, period, 0.0, 0.5, 0.7, 9))
    film = raster.film - raster.film.mean()
    power = np.abs(np.fft.fftshift(np.fft.fft2(film, (512, 512)))) ** 2
    frequency = np.fft.fftshift(np.fft.fftfreq(512, raster.texel_m))
    radius = np.hypot(frequency[:, None], frequency[None, :])
    band = (radius > 1 / 1e-3) & (radius < 1 / 3e-4)
    mean = float((radius * power)[band].sum() / power[band].sum())
    assert 1 / mean == pytest.approx(period, rel=0.1)


def test_chatter_has_its_wavelength() -> None:
    raster = waves.chatter(Shape(20e-3, 1e-3, 5e-6, 0.0, 0.5, 4))
    middle = raster.height_m[raster.height_m.shape[0] // 2].astype(float)
    power = np.abs(np.fft.rfft(middle, 8192)) ** 2
    peak = np.fft.rfftfreq(8192, raster.texel_m)[np.argmax(power)]
    assert 1 / peak == pytest.approx(1e-3, rel=0.08)


def test_severity_deepens_and_the_quantile_lengthens() -> None:
    for name in KINDS:
        mild, bad = (shape_of(defect(name, severity=s)) for s in (0.1, 0.9))
        small, large = (shape_of(defect(name, size_quantile=q)) for q in (0.1, 0.9))
        assert bad.depth_m > mild.depth_m or kind(name).depth_m[1] == 0.0
        assert large.length_m > small.length_m
        assert shape_of(defect(name, size_scale=2.0)).length_m == pytest.approx(2 * shape_of(defect(name)).length_m)


def test_an_unrolled_cylinder_measures_along_its_surface() -> None:
    radius, angle = 0.01, np.linspace(-1.5, 1.5, 7)
    for sign in (1.0, -1.0):  # convex, hollow
        centre = np.array([0.0, 0.0, -sign * radius])
        points = centre + radius * np.stack([np.sin(angle), 0 * angle, sign * np.cos(angle)], axis=1)
        points[:, 1] += 0.002
        xy, near = chart(PatchPose(tuple(np.eye(4).ravel()), (0.1, 0.1), sign * radius), points)
        np.testing.assert_allclose(xy[:, 0], radius * angle, atol=1e-12)
        np.testing.assert_allclose(xy[:, 1], 0.002)
        assert near.all()


def test_a_raster_is_saved_whole_and_sampled_texel_by_texel(tmp_path) -> None:
    raster = hollows.pit(Shape(3e-3, 400e-6, 1e-4, 0.0, 0.5, 2))
    save_raster(raster, tmp_path / "a.npz")
    again = load_raster(tmp_path / "a.npz")
    assert again.tint_rgb == raster.tint_rgb
    rows, columns = raster.mask.shape
    x = (np.arange(columns) + 0.5 - columns / 2) * raster.texel_m
    y = (np.arange(rows) + 0.5 - rows / 2) * raster.texel_m
    assert np.array_equal(sample_mask(again.mask, again.texel_m, np.stack(np.meshgrid(x, y), axis=-1)), raster.mask)
    beyond = np.array([[0.51 * columns * raster.texel_m, 0.0]])
    assert not sample_mask(np.ones_like(again.mask), again.texel_m, beyond).any()


def test_a_missing_hole_fills_its_volume_and_leaves_the_mesh_closed() -> None:
    made = flawed(plate(), defect("missing_feature", face_quantile=0.2))
    (placed,) = made.placed
    added = volume_mm3(made.part) - volume_mm3(plate())
    cylinder = math.pi / 4 * (1e3 * placed.size_m[0]) ** 2 * 1e3 * placed.depth_m
    assert added == pytest.approx(cylinder, rel=0.04)
    mesh = trimesh.Trimesh(made.part.vertices, made.part.triangles, process=False)
    mesh.merge_vertices(merge_norm=True, merge_tex=True)
    assert mesh.is_watertight
    assert not np.isin(made.part.face_of_triangle, placed.face_ids).any()


def test_a_chip_takes_volume_and_leaves_other_triangles_as_they_are() -> None:
    part = block()
    made = flawed(part, defect("chip"))
    (placed,) = made.placed
    lost = volume_mm3(part) - volume_mm3(made.part)
    # Less than the box about the fracture, more than a tenth of it.
    box = 1e9 * placed.size_m[0] * placed.size_m[1] * placed.depth_m
    assert 0.1 * box < lost < box
    assert np.array_equal(made.part.vertices[: len(part.vertices)], part.vertices)
    opened = made.part.face_of_triangle == -1
    names = {made.surface.materials[k].name for k in np.unique(made.surface.material_of_triangle[opened])}
    assert names == {placed.material}
    far = [face for face in range(6) if face not in made.part.face_of_triangle[len(part.triangles) :]]
    for face in far:
        own, old = made.part.face_of_triangle == face, part.face_of_triangle == face
        assert np.array_equal(made.part.triangles[own], part.triangles[old])


def test_a_burr_rises_by_its_height_above_its_edge() -> None:
    part = block()
    made = flawed(part, defect("burr"))
    (placed,) = made.placed
    new = made.part.vertices[len(part.vertices) :]
    beyond = np.maximum(np.abs(new) - np.array([0.02, 0.015, 0.005]), 0.0)
    assert np.linalg.norm(beyond, axis=1).max() == pytest.approx(placed.depth_m, rel=0.6)
    assert placed.depth_m <= shape_of(defect("burr")).depth_m * 1.001
    assert len(placed.face_ids) == 2


def test_a_part_without_a_hole_is_told_apart_not_refused() -> None:
    made = flawed(block(), defect("missing_feature"), defect("dent", 2))
    assert [p.defect_id for p in made.placed] == [2]
    (skipped,) = made.skipped
    assert (skipped.kind, skipped.reason) == ("missing_feature", "expected a hole to leave out, found none")


def test_porosity_prefers_cast_faces_and_chatter_needs_cut_ones() -> None:
    part = plate()
    made = flawed(part, defect("porosity", size_quantile=0.0), finish="sand_cast_machined")
    process = {finish.face_id: finish.process for finish in made.surface.finishes}
    assert {process[face] for face in made.placed[0].face_ids} == {"sand_cast"}
    made = flawed(block(), defect("chatter"), finish="blasted")
    assert made.placed == ()
    assert "turned, milled" in made.skipped[0].reason


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(InputError, match="unknown kind of defect 'scrach'"):
        flawed(block(), defect("scrach"))
