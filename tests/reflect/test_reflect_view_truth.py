"""The files of edges and depth failures of a bundle: views without parts, without metal, with layers missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.synthetic_bundle import MadeView, camera

from pipeline import masks
from pipeline.bundle import (
    BundleMaterial,
    load_bundle,
    read_exr,
    read_ids,
    view_folder,
    write_exr,
    write_ids,
)
from pipeline.dataset.tables import rows_to_table
from pipeline.errors import InputError
from pipeline.layers import PATH_TERMS, read_parts, write_parts
from pipeline.records import write_json
from pipeline.reflect.depth_failure_layers import DEPTH_FAILURE_CHANNELS
from pipeline.reflect.edge_layers import FALSE_EDGE_CHANNELS
from pipeline.reflect.view_truth import depth_failure_rows, edge_rows, joined_by_view
from pipeline.spec.depth_sensor import DepthSensorSpec, ProjectorSpec

H, W = 48, 64
SENSOR = DepthSensorSpec((ProjectorSpec("left", (-0.1, 0.0, 0.0)), ProjectorSpec("right", (0.1, 0.0, 0.0))), 1.0, 7.0)


WALL = BundleMaterial("wall", "plain", None, None, None, (0.3, 0.3))


def bundle_of(folder, light, *, seen=True, material=WALL):
    """A bundle of one support that faces the camera at 1 m; *light* (h, w) is its diffuse light, its colour is even."""
    rgb = np.repeat(np.float32(light)[..., None], 3, axis=2)
    MadeView({"key": rgb}, camera=camera(W, H)).write(folder)
    layers = view_folder(folder, 0)
    there = np.full((H, W), seen, np.float32)
    ids = {"object": 1001, "material": 1}
    for name, value in ids.items():
        write_ids(layers / f"{name}.png", np.uint16(there * value))
    write_exr(layers / "depth.exr", {"Z": there})
    write_exr(layers / "normal.exr", {"X": 0 * there, "Y": 0 * there, "Z": -there})
    terms = {name: np.zeros((H, W, 3), np.float32) for name in (*PATH_TERMS, "glossy_color")}
    terms |= {"diffuse_direct": rgb, "diffuse_color": np.repeat(0.5 * there[..., None], 3, axis=2), "group.key": rgb}
    write_parts(layers / "terms.exr", terms, "zip:1")
    write_json(folder / "bundle.json", replace(load_bundle(folder), materials=(material,)))
    return folder


SHADOW = np.where(np.arange(W) < W // 2, 0.1, 0.4) * np.ones((H, 1))


def test_a_scene_without_parts_or_metal_has_edges_of_its_own(tmp_path):
    bundle = bundle_of(tmp_path / "bundle", SHADOW)
    (row,) = edge_rows(bundle, [], tmp_path / "out")
    labels = read_ids(tmp_path / "out" / row["edges_path"])
    channels = read_exr(tmp_path / "out" / row["false_edge_path"])
    assert set(channels) == set(FALSE_EDGE_CHANNELS)
    assert set(np.unique(labels)) == {0, 4}
    assert channels["contrast"].max() == pytest.approx(2.0, abs=0.5)
    assert channels["false"].max() == 0.0


def test_a_view_of_nothing_gives_empty_layers(tmp_path):
    bundle = bundle_of(tmp_path / "bundle", np.zeros((H, W)), seen=False)
    (row,) = edge_rows(bundle, [], tmp_path / "out")
    (failed,) = depth_failure_rows(bundle, SENSOR, lambda view: [], tmp_path / "out")
    assert not read_ids(tmp_path / "out" / row["edges_path"]).any()
    channels = read_exr(tmp_path / "out" / failed["depth_failure_path"])
    assert set(channels) == {f"{side}.{name}" for side in ("left", "right") for name in DEPTH_FAILURE_CHANNELS}
    assert not any(values.any() for values in channels.values())


def test_rows_of_a_view_are_joined_and_fit_the_contract(tmp_path):
    bundle = bundle_of(tmp_path / "bundle", SHADOW)
    rows = joined_by_view(
        edge_rows(bundle, [], tmp_path / "out"), depth_failure_rows(bundle, SENSOR, lambda view: [], tmp_path / "out")
    )
    assert rows_to_table("reflection_layers", rows).num_rows == 1
    assert {"edges_path", "false_edge_path", "depth_failure_path"} < set(rows[0])
    assert joined_by_view([], rows) == rows


def test_same_bundle_same_bytes(tmp_path):
    bundle = bundle_of(tmp_path / "bundle", SHADOW)
    for name in ("a", "b"):
        edge_rows(bundle, [], tmp_path / name)
        depth_failure_rows(bundle, SENSOR, lambda view: [], tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 3
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


def test_edges_at_a_seen_defect_are_the_surface_s(tmp_path):
    bundle = bundle_of(tmp_path / "bundle", SHADOW)
    (view,) = load_bundle(bundle).views
    scratch = np.zeros((H, W), bool)
    scratch[:20, W // 2 - 2 : W // 2 + 2] = True
    row = {"view_id": view.view_id, "visible": True, "mask_rle": masks.encode(scratch)}
    others = [row | {"view_id": "another"}, row | {"visible": False}]
    (made,) = edge_rows(bundle, [row, *others], tmp_path / "out")
    labels = read_ids(tmp_path / "out" / made["edges_path"])
    assert set(np.unique(labels[:18])) == {0, 2}
    assert set(np.unique(labels[26:])) == {0, 4}
    edge_rows(bundle, others, tmp_path / "out")
    assert set(np.unique(read_ids(tmp_path / "out" / made["edges_path"]))) == {0, 4}


def test_missing_layers_are_named(tmp_path):
    bundle = bundle_of(tmp_path / "bundle", SHADOW)
    terms = view_folder(bundle, 0) / "terms.exr"
    parts = read_parts(terms)
    write_parts(terms, {name: values for name, values in parts.items() if name != "diffuse_color"}, "zip:1")
    for make in (
        lambda: edge_rows(bundle, [], tmp_path / "out"),
        lambda: depth_failure_rows(bundle, SENSOR, lambda view: [], tmp_path / "out"),
    ):
        with pytest.raises(InputError, match="diffuse_color"):
            make()
    light = view_folder(bundle, 0) / "light.exr"
    kept = light.read_bytes()
    write_parts(light, {"denoised.fill": parts["diffuse_direct"]}, "zip:1")
    with pytest.raises(InputError, match="key is missing"):
        edge_rows(bundle, [], tmp_path / "out")
    light.write_bytes(kept)
    terms.unlink()
    with pytest.raises(OSError, match=r"terms\.exr"):
        edge_rows(bundle, [], tmp_path / "out")


def test_a_bundle_that_does_not_know_its_lobes_is_read_as_matt(tmp_path):
    """Bundles from before materials had an alpha: nothing is told to mirror sharply, nothing fails."""
    old = BundleMaterial("wall", "plain", None, None, None)
    bundle = bundle_of(tmp_path / "bundle", SHADOW, material=old)
    (row,) = edge_rows(bundle, [], tmp_path / "out")
    assert set(np.unique(read_ids(tmp_path / "out" / row["edges_path"]))) == {0, 4}
