"""Light taken apart: the fit against closed forms, metal against its lamps alone, bundles that lack layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import boxed_mirrors as bm
from support import render_scenes as rs
from support.synthetic_bundle import MadeView, lamp_object, part_object, support_object

from pipeline.bundle import PATH_TERMS, WORLD_INDEX, load_bundle, read_ids, view_folder, write_ids
from pipeline.layers import KEPT_BITS, NOISY_BITS, read_layers, read_parts, relative_error, rounding_error, write_parts
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.reflect.decomposition import DECOMPOSED, decompose, decompose_views, split
from pipeline.reflect.fitting import fitted
from pipeline.render.job import JOB_FILE, _bundle_material
from pipeline.render.launch import render_in_child
from pipeline.surface.material import EmitterMaterial


def test_a_fit_has_the_sums_and_the_cross_ratio_of_its_start() -> None:
    start = np.array([[3.0, 1.0], [1.0, 2.0]], np.float32)[..., None]
    rows, columns = np.float32([[5.0], [2.0]]), np.float32([[3.0], [4.0]])
    table = fitted(rows, columns, start)[..., 0].astype(np.float64)
    assert table.sum(1) == pytest.approx(rows[:, 0], rel=1e-6)
    assert table.sum(0) == pytest.approx(columns[:, 0], rel=1e-3)
    ratio = table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0])
    assert ratio == pytest.approx(6.0, rel=2e-3)  # 3 x 2 / (1 x 1): scaling rows and columns leaves it alone


def test_a_fit_of_a_start_that_already_fits_is_the_start() -> None:
    start = np.random.default_rng(3).uniform(0.1, 2, (4, 5, 20)).astype(np.float32)
    assert np.allclose(fitted(start.sum(1), start.sum(0), start), start, rtol=2e-3)


def test_a_start_of_zero_or_sums_that_differ_lose_no_light() -> None:
    rows, columns = np.float32([[1.0, 0.0, 2.0], [3.0, 0.0, 0.0]]), np.float32([[2.0, 0.0, 0.0], [2.1, 0.0, 0.0]])
    table = fitted(rows, columns, np.zeros((2, 2, 3), np.float32))
    assert np.isfinite(table).all()
    assert (table >= 0).all()
    assert np.allclose(table.sum(1), rows)


def test_each_group_s_direct_light_is_found_where_both_groups_bring_both() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0, 3, (3, 2, 500, 3)).astype(np.float32)  # group, direct or indirect
    truth[0, 0] *= 20
    terms = np.zeros((5, 500, 3), np.float32)
    terms[:2] = truth.sum(0)
    table = split(truth.sum(1), terms, truth[:, 0])
    assert np.allclose(table[:, :2], truth, rtol=0.02, atol=0.03)
    assert not table[:, 2:].any()


def _made(tmp_path, direct=True, instance=True):
    """A view in which half of the part shows a lamp and half another part; the groups and the folder."""
    shape = (6, 8)
    ids = np.ones(shape, np.uint16) if instance else np.zeros(shape, np.uint16)
    hits = np.full(shape, 3001)
    hits[:, 4:] = 2
    hits[4:, 4:] = 1001
    mirror = np.where((hits == 3001)[..., None], np.float32([4, 3, 2]), 0).astype(np.float32)
    other = np.where((hits != 3001)[..., None], np.float32(0.5), 0) * np.ones(3, np.float32)
    groups = {"key": mirror + other, "fill": np.where((hits != 3001)[..., None], 0.25, 0) * np.ones(3, np.float32)}
    made = MadeView(
        groups,
        instance=ids,
        glossy_direct=mirror,
        probe_object=hits,
        objects=[
            part_object(1),
            part_object(2),
            support_object(1001),
            lamp_object(3001, "bar", "key"),
            lamp_object(3002, "dot", "fill"),
        ],
    )
    folder = made.write(tmp_path / "bundle")
    files = view_folder(folder, 0)
    write_ids(files / "object.png", ids)
    terms = {name: np.zeros((*shape, 3), np.float32) for name in PATH_TERMS}
    terms |= {"glossy_direct": mirror, "glossy_indirect": sum(groups.values()) - mirror}
    write_parts(files / "terms.exr", terms | {f"group.{name}": np.float32(g) for name, g in groups.items()}, "zip:1")
    if direct:
        write_parts(files / "direct.exr", {"group.key": mirror * 0.5, "group.fill": mirror * 0}, "zip:1")
    return folder, groups, hits


def test_layers_of_a_view_made_by_hand(tmp_path) -> None:
    folder, groups, hits = _made(tmp_path)
    rows = decompose_views(folder, tmp_path / "truth")
    assert rows == [
        {
            "view_id": "made-000000-v0",
            "scene_id": "made-000000",
            "decomposition_path": "views/v0/decomposition.exr",
        }
    ]
    parts = read_parts(tmp_path / "truth" / rows[0]["decomposition_path"])
    assert set(parts) == {"highlight.key"} | {
        f"{name}.{group}" for name in ("inter_reflection", "surroundings") for group in groups
    }
    assert np.allclose(parts["highlight.key"][hits == 3001], [4, 3, 2])
    assert np.allclose(parts["inter_reflection.key"][hits == 2], 0.5)
    assert np.allclose(parts["surroundings.key"][hits == 1001], 0.5)
    assert np.allclose(parts["surroundings.fill"][hits == 1001], 0.25)
    assert not parts["inter_reflection.key"][hits != 2].any()


def test_a_bundle_without_direct_light_has_rows_without_layers(tmp_path) -> None:
    folder, _, _ = _made(tmp_path, direct=False)
    assert decompose_views(folder, tmp_path / "truth") == [{"view_id": "made-000000-v0", "scene_id": "made-000000"}]
    assert not (tmp_path / "truth").exists()


def test_a_view_without_parts_is_black(tmp_path) -> None:
    folder, _, _ = _made(tmp_path, instance=False)
    row = decompose_views(folder, tmp_path / "truth")[0]
    parts = read_parts(tmp_path / "truth" / row["decomposition_path"])
    assert len(parts) == 1
    assert all(not values.any() for values in parts.values())


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory):
    return bm.rendered(tmp_path_factory.mktemp("mirrors"), width=120, height=90, samples=16)


@pytest.mark.bpy
def test_layers_of_polished_metal_add_up_and_lie_where_geometry_puts_them(mirrors) -> None:
    record = load_bundle(mirrors)
    layers, stored = decompose(mirrors, record, record.views[0]), read_layers(view_folder(mirrors, 0))
    origins, directions = bm.camera_rays(record.views[0].camera)
    first = bm.cast(origins, directions)
    metal = np.isin(first.index, (bm.BALL, bm.PLATE))
    points = origins + directions * np.where(metal, first.distance, 0)[..., None]
    index = np.where(metal, bm.cast(points, bm.mirrored(directions, first.normal)).index, 0)
    core = interior(first.index) & metal
    black = np.zeros_like(stored["noisy"])

    def of(kind):
        return sum((values for name, values in layers.items() if name.startswith(f"{kind}.")), black)

    shown = of("highlight") + of("inter_reflection") + of("surroundings")
    error = np.abs(shown - stored["noisy"])[core] / (stored["noisy"][core] + 1e-3)
    assert core.sum() > 1000
    assert error.max() < 1e-4
    plain = interior(index) & core
    for kind, things in {
        "highlight": [bm.LAMP],
        "inter_reflection": [bm.BALL, bm.PLATE, bm.RED, bm.BLUE],
        "surroundings": [bm.TABLE, bm.WALL, WORLD_INDEX],
    }.items():
        there = plain & np.isin(index, things)
        share = of(kind).sum(-1) / np.maximum(stored["noisy"].sum(-1), 1e-9)
        assert there.sum() > 20, kind
        assert np.quantile(share[there], 0.02) > 0.99, kind
        assert np.quantile(share[plain & ~np.isin(index, things)], 0.98) < 0.01, kind


def interior(index):
    """Pixels whose neighbours within two pixels show the same."""
    core = np.ones(index.shape, bool)
    for axis in (0, 1):
        for step in (-2, -1, 1, 2):
            core &= np.roll(index, step, axis) == index
    return core


def _analytic(folder, only=None, samples=32):
    """Bundle of the analytic scene: rough metal under two lamps and a world, or under one of them alone."""
    job = rs.write_job(folder / "job", width=48, height=36, samples=samples, denoise=False, alphas=(0.2, 0.2))
    dark = (1e-9,) * 3
    materials = tuple(
        replace(m, radiance=dark) if isinstance(m, EmitterMaterial) and only not in (None, m.name) else m
        for m in job.materials
    )
    world = ImageWorld(None, 0.3 if only in (None, "world") else 0.0, 0.0, "world")
    bundle = replace(job.bundle, materials=tuple(_bundle_material(m) for m in materials))
    write_json(folder / "job" / JOB_FILE, to_dict(replace(job, materials=materials, world=world, bundle=bundle)))
    (folder / "out").mkdir()
    render_in_child(folder / "job", folder / "out", threads=2, timeout_s=300)
    return folder / "out"


@pytest.mark.bpy
def test_each_lamp_s_layer_on_rough_metal_is_what_it_gives_alone(tmp_path) -> None:
    out = _analytic(tmp_path / "all")
    record = load_bundle(out)
    layers = decompose(out, record, record.views[0])
    assert {name.partition(".")[0] for name in layers} <= set(DECOMPOSED)
    metal = read_ids(view_folder(out, 0) / "instance.png") > 0
    core = interior(metal.astype(int)) & metal
    stored = read_layers(view_folder(out, 0))
    for lamp in ("key", "fill"):
        alone = read_layers(view_folder(_analytic(tmp_path / lamp, lamp, 128), 0))
        noise = np.abs(stored[f"group.{lamp}"] - alone["noisy"])[core].mean()
        error = np.abs(layers[f"highlight.{lamp}"] - alone["glossy_direct"])[core].mean()
        assert error < 1.3 * noise + 0.02 * alone["glossy_direct"][core].mean()
        bias = (layers[f"highlight.{lamp}"] - alone["glossy_direct"])[core].mean() / alone["noisy"][core].mean()
        assert abs(bias) < 0.05


@pytest.mark.bpy
def test_stored_layers_add_up_to_their_rounding(tmp_path, mirrors) -> None:
    row = decompose_views(mirrors, tmp_path)[0]
    parts = read_parts(tmp_path / row["decomposition_path"])
    stored = read_layers(view_folder(mirrors, 0))
    on_part = read_ids(view_folder(mirrors, 0) / "instance.png") > 0
    total = sum(parts.values())
    assert not total[~on_part].any()
    limit = rounding_error(NOISY_BITS) + rounding_error(KEPT_BITS) + 1e-4
    assert relative_error(total[on_part][None], stored["noisy"][on_part][None]) < limit
