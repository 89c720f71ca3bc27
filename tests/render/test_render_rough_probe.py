"""The rough probe: what rough metal shows, against the microfacet model integrated without Blender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import metal_samples as samples
from support import render_scenes as rs

from pipeline.arrange.arrangement import matrix
from pipeline.bundle import (
    FIRST_FAR,
    WORLD_INDEX,
    WORLD_LABELS_FILE,
    BundleWorld,
    WorldLabel,
    load_bundle,
    read_exr,
    view_folder,
    write_ids,
    write_rgb,
)
from pipeline.light.lamps import ImageWorld
from pipeline.records import from_dict, read_json, to_dict, write_json
from pipeline.reflected_sources import read_hits
from pipeline.render.job import JOB_FILE, RenderJob
from pipeline.render.launch import render_in_child
from pipeline.render.rough_shares import decode_rays, rough_channels, thing_classes
from pipeline.surface.material import MetalMaterial

LAMP_CENTRE, LAMP_HALF = np.array([0.0, 0.09, 0.3]), 0.05
PIXELS = 20


def steel(across: float, along: float) -> MetalMaterial:
    return MetalMaterial("plate", "steel", (2.4, 2.0, 1.7), (4.2, 3.6, 3.1), "ground", 0.8, across, along, "=")


def slanting(pixels: int):
    """A camera that looks at the origin from the side opposite the lamp."""
    pose = rs.look_at((0.0, -0.12, 0.3), (0.0, 0.0, 0.0))
    flat = samples.above(0.3, 0.02, pixels)
    return replace(flat, cam_from_world=tuple(float(v) for v in pose.ravel()))


def plate_job(folder, material, lay_deg=0.0):
    made = samples.Samples(folder)
    made.plate(material, np.zeros(3), np.array([0.1, 0, 0]), np.array([0, 0.1, 0]), lay_deg)
    made.lamp(LAMP_CENTRE, LAMP_HALF, 30.0)
    return made


def rough_layer(made, pixels=PIXELS):
    camera = slanting(pixels)
    made.render([camera], samples=1, world=0.2)
    return camera, read_exr(view_folder(made.folder / "out", 0) / "rough_reflection.exr")


def lamp_shares(camera, across, along, lay_deg):
    """Share of mirrored rays that meet the lamp, on a grid of every fourth pixel: GGX with its masking, white."""
    pose = np.linalg.inv(matrix(camera.cam_from_world))
    turn = np.radians(lay_deg)
    lay = np.array([-np.sin(turn), np.cos(turn), 0.0])
    frame = np.stack([np.cross([0, 0, 1], lay), lay, [0, 0, 1]])  # across, along, normal
    u, v = (a.ravel() for a in np.meshgrid(*[(np.arange(300) + 0.5) / 300] * 2))
    radius = np.sqrt(u / (1 - u))
    slopes = np.stack([across * radius * np.cos(2 * np.pi * v), along * radius * np.sin(2 * np.pi * v)])
    half = np.stack([-slopes[0], -slopes[1], np.ones_like(u)], -1)
    half /= np.linalg.norm(half, axis=1, keepdims=True)

    def hidden(w):
        return (np.sqrt(1 + ((across * w[..., 0]) ** 2 + (along * w[..., 1]) ** 2) / w[..., 2] ** 2) - 1) / 2

    shares = []
    for row in range(2, camera.height, 4):
        for column in range(2, camera.width, 4):
            local = np.array([(column + 0.5 - camera.cx) / camera.fx, (row + 0.5 - camera.cy) / camera.fy, 1.0])
            ray = pose[:3, :3] @ local
            point = pose[:3, 3] - ray * pose[2, 3] / ray[2]
            out = frame @ (-ray / np.linalg.norm(ray))
            cosine = half @ out
            into = 2 * cosine[:, None] * half - out
            seen = (cosine > 0) & (into[:, 2] > 0)
            weight = np.where(seen, cosine / half[:, 2] / (1 + hidden(out) + hidden(into)), 0)
            world = into @ frame
            there = point + world * ((LAMP_CENTRE[2] - point[2]) / world[:, 2])[:, None]
            on_lamp = seen & (np.abs(there - LAMP_CENTRE)[:, :2].max(1) < LAMP_HALF)
            shares.append((weight * on_lamp).sum() / weight.sum())
    return np.array(shares)


@pytest.mark.bpy
@pytest.mark.parametrize(("across", "along", "lay_deg"), [(0.25, 0.25, 0.0), (0.4, 0.06, 0.0), (0.4, 0.06, 90.0)])
def test_shares_are_those_of_the_microfacet_model(tmp_path, across, along, lay_deg) -> None:
    camera, layer = rough_layer(plate_job(tmp_path, steel(across, along), lay_deg))
    expected = lamp_shares(camera, across, along, lay_deg)
    assert 0.1 < expected.mean() < 0.9
    assert layer["lamp"].mean() == pytest.approx(expected.mean(), abs=0.02)
    assert np.allclose(layer["lamp"] + layer["far"], 1, atol=2e-3)
    assert layer["rays"].mean() > 0.9


@pytest.mark.bpy
def test_top_share_and_entropy_follow_from_the_shares(tmp_path) -> None:
    _, layer = rough_layer(plate_job(tmp_path, steel(0.12, 0.12)))
    lamp = layer["lamp"]
    assert set(np.unique(layer["object"])) == {rs.KEY, WORLD_INDEX}
    decided = np.abs(lamp - 0.5) > 0.01
    assert decided.mean() > 0.8
    assert np.array_equal((layer["object"] == rs.KEY)[decided], (lamp > 0.5)[decided])
    assert np.allclose(layer["share"], np.maximum(lamp, 1 - lamp), atol=2e-3)
    inside = np.clip(lamp.astype(np.float64), 1e-9, 1 - 1e-9)
    bits = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    assert np.allclose(layer["entropy"], bits, atol=0.02)


@pytest.mark.bpy
def test_a_labelled_world_is_told_apart_as_the_mirror_probe_does(tmp_path) -> None:
    made = plate_job(tmp_path, steel(0.002, 0.002))
    made.render([slanting(48)], samples=1, world=0.2)
    job = from_dict(RenderJob, read_json(tmp_path / "job" / JOB_FILE))
    rows, columns = np.mgrid[:512, :1024] // 16
    labels = (rows * 64 + columns + rows % 2 + 1).astype(np.uint16)
    radiance = np.where(labels % 2, 1.0, 9.0)[..., None] * np.ones(3, np.float32)
    write_rgb(tmp_path / "job" / "far.exr", radiance.astype(np.float32))
    write_ids(tmp_path / "job" / WORLD_LABELS_FILE, labels)
    names = tuple(
        WorldLabel(int(v), "surroundings" if v % 2 else "light", f"far:{v}", f"{v}") for v in np.unique(labels)
    )
    bundle = replace(job.bundle, world=BundleWorld("world", 0.7, names))
    objects = tuple(entry for entry in job.objects if entry.index != rs.KEY)
    job = replace(job, objects=objects, world=ImageWorld("far.exr", 0.5, 0.7, "world", "job"), bundle=bundle)
    write_json(tmp_path / "job" / JOB_FILE, to_dict(job))
    out = tmp_path / "labelled"
    out.mkdir()
    render_in_child(tmp_path / "job", out, threads=2, timeout_s=120)
    record = load_bundle(out)
    hits = read_hits(out, record, record.views[0])
    layer = read_exr(view_folder(out, 0) / "rough_reflection.exr")
    assert len(np.unique(hits)) > 3
    assert (layer["object"] == hits)[layer["share"] > 0.99].mean() > 0.97
    assert (layer["share"] > 0.99).mean() > 0.1
    mixed = (layer["far_light"] > 0.2) & (layer["far_light"] < 0.8)
    lit = 9 * layer["far_light"]
    assert mixed.any()
    error = np.abs(layer["far_light_radiance"] - lit / np.maximum(lit + layer["far"], 1e-6))[mixed]
    # The picture blends at the borders of its texels, where these pixels lie; unweighted shares would be off by 0.35.
    assert error.mean() < 0.12
    assert (hits[layer["object"] > 0] >= FIRST_FAR).all()


def test_decoding_divides_by_the_weight_of_the_ray() -> None:
    radiance = np.float32([[2 * 0.7, 0.0, 0.7], [65535 * 0.31, 4.0 * 0.31, 0.31], [0, 0, 0]])
    index, luminance, weight = decode_rays(radiance)
    assert index.tolist() == [2, 65535, 0]
    assert luminance == pytest.approx([0, 4, 0])
    assert weight == pytest.approx([0.7, 0.31, 0])


def test_only_rays_that_leave_the_object_at_the_centre_count() -> None:
    bundle = from_dict(RenderJob, _some_job()).bundle
    shown, first = np.uint16([1, 1]), np.uint16([[1, 1, 1001, 1], [1001] * 4])
    hits = np.float32([[1, 3001, 3001, 1001], [3001] * 4])
    radiance = np.stack([hits, np.zeros_like(hits), np.ones_like(hits)], -1)
    found = rough_channels(shown, first, radiance, thing_classes(bundle))
    assert found["rays"].tolist() == [0.75, 0.0]
    for name in ("self", "lamp", "surroundings"):
        assert found[name].tolist() == pytest.approx([1 / 3, 0])
    assert found["entropy"].tolist() == pytest.approx([np.log2(3), 0])
    assert found["object"][1] == 0


def _some_job():
    """The record of the analytic scene's job, whose objects are 1, 2, 1001, 3001 and 3002."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        return to_dict(rs.write_job(Path(folder)))
