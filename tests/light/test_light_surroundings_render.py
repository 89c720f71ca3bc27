"""Surroundings as Blender renders them: illuminance at the working plane, and labels where the light is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support import render_scenes as rs

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import (
    WORLD_LABELS_FILE,
    BundleObject,
    BundleView,
    SceneBundle,
    read_ids,
    view_folder,
    world_texels,
    write_exr,
)
from pipeline.layers import read_layer
from pipeline.light.lamps import Illumination
from pipeline.light.surroundings import build_surroundings
from pipeline.masks import decode
from pipeline.records import to_dict, write_json
from pipeline.reflect.reflections import reflection_rows
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler, _bundle_world, _write_world
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec, SurroundingsSpec
from pipeline.surface.material import MetalMaterial, PlainMaterial

pytestmark = pytest.mark.bpy

WEIGHTS = np.array([0.2126, 0.7152, 0.0722])
SEED = 5


def rendered(folder, spec, assembler, camera, samples, image=None):
    """Bundle folder of what *assembler* holds in the surroundings *spec*, seen by *camera*."""
    around = build_surroundings(spec, (1.0, 0.8), image)
    for number, mesh in enumerate(around.pieces):
        assembler.add_surrounding(number, mesh)
    for number, lamp in enumerate(around.lamps):
        assembler.add_lamp(number, lamp)
    light = Illumination(
        around.lamps, around.pieces, around.world, (around.groups,), (False,), (1.0,), (1.0,), picture=around.picture
    )
    _write_world(light, folder)
    view = BundleView("s-v0", 0, camera, "none", 0, around.groups)
    entries, world = tuple(assembler.entries), _bundle_world(light)
    bundle = SceneBundle("s", "", samples, around.groups, entries, (), (), (), (view,), world=world)
    job = RenderJob(
        scene_id="s",
        render=RenderSpec(samples, False, 3),
        threads=2,
        groups=around.groups,
        world=around.world,
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=bundle,
    )
    write_json(folder / JOB_FILE, to_dict(job))
    out = folder / "out"
    out.mkdir()
    render_in_child(folder, out, threads=2, timeout_s=300)
    return out


def placed(pose, size, focal):
    values = tuple(float(v) for v in pose.ravel())
    return PlacedCamera(0, values, focal, focal, size / 2, size / 2, size, size)


def white_plate(folder):
    """An assembler that holds a white Lambertian plate of 2 cm at the working plane, facing up."""
    folder.mkdir()
    assembler = _Assembler(folder)
    white = PlainMaterial("white", (1.0, 1.0, 1.0), 1.0, 1.0, 0.0, 0.1)
    vertices, triangles = rs.quad([0, 0, 0], [0.01, 0, 0], [0, 0.01, 0])
    up = np.tile(np.float32([0, 0, 1]), (4, 1))
    assembler.add(
        BundleObject(1001, "support", "plate", "plate", None), assembler._plain(vertices, triangles, white, up)
    )
    return assembler


def plate_radiance(folder, spec, image=None):
    """Luminance of the plate by direct light alone."""
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[2, 3] = 0.2
    out = rendered(folder, spec, white_plate(folder), placed(pose, 16, 300.0), 512, image)
    direct = read_layer(view_folder(out, 0), "diffuse_direct")
    return float((direct @ WEIGHTS).mean())


@pytest.mark.parametrize("name", ["workshop_room", "machine_hall", "inspection_cell", "far_workshop", "far_hazy"])
def test_a_white_plate_measures_the_declared_illuminance(tmp_path, name):
    ratio = 500.0 / 1000.0  # 500 lux beside a rig of 1000 lux: a white plate has radiance 0.5
    measured = plate_radiance(tmp_path / "job", SurroundingsSpec(name, 1.1, ratio, None, SEED))
    assert measured == pytest.approx(ratio, rel=0.05)


def test_a_user_s_image_gives_the_declared_illuminance(tmp_path):
    radiance = np.full((64, 128, 3), 0.2, np.float32)
    radiance[8:20, 30:50] = (30.0, 24.0, 18.0)
    image = tmp_path / "hall.exr"
    write_exr(image, {axis: radiance[..., i] for i, axis in enumerate("RGB")})
    measured = plate_radiance(tmp_path / "job", SurroundingsSpec("hall", 0.7, 0.8, "hall.exr"), image)
    assert measured == pytest.approx(0.8, rel=0.05)


def test_blender_shows_each_lamp_of_a_far_environment_where_its_label_is(tmp_path):
    spec = SurroundingsSpec("far_laboratory", 1.9, 0.5, None, SEED)
    around = build_surroundings(spec, (1.0, 0.8))
    lamps = [entry for entry in around.picture.names if entry.label == "luminaire"]
    rows = np.arange(512)[:, None] * np.ones((1, 1024))
    sizes = {lamp.value: ((around.picture.labels == lamp.value) & (rows > 90)).sum() for lamp in lamps}
    chosen = max(sizes, key=sizes.get)
    y, x = np.nonzero(around.picture.labels == chosen)
    polar, azimuth = (y.mean() + 0.5) / 512 * math.pi, math.pi - (np.median(x) + 0.5) / 512 * math.pi + spec.yaw_rad
    ahead = (math.sin(polar) * math.cos(azimuth), math.sin(polar) * math.sin(azimuth), math.cos(polar))
    folder = tmp_path / "job"
    folder.mkdir()
    pose = rs.look_at((0.0, 0.0, 0.0), ahead)
    out = rendered(folder, spec, _Assembler(folder), placed(pose, 96, 130.0), 4)
    seen = read_layer(view_folder(out, 0), "environment") @ WEIGHTS
    v, u = np.mgrid[:96, :96] + 0.5
    rays = np.stack([(u - 48) / 130, (v - 48) / 130, np.ones((96, 96))], axis=-1).reshape(-1, 3) @ pose[:3, :3]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    labels = read_ids(out / WORLD_LABELS_FILE)
    label = labels[world_texels(rays, labels.shape, spec.yaw_rad)].reshape(96, 96)
    lit = np.isin(label, [lamp.value for lamp in around.picture.names if lamp.kind == "light"])
    bright = seen > 0.5 * np.percentile(seen[label == chosen], 50)
    assert label[48, 48] == chosen
    assert (lit & bright).sum() / (lit | bright).sum() > 0.85


def test_a_mirror_ball_s_reflections_name_what_of_the_far_environment_it_shows(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    assembler = _Assembler(folder)
    chrome = MetalMaterial("chrome", "chromium", (3.2, 3.2, 2.3), (3.3, 3.3, 3.1), "polished", 0.01, 0.001, 0.001, "M")
    rs._add_metal(assembler, rs.SPHERE, "sphere", rs._sphere(), chrome)
    pose = rs.look_at((0.0, -0.3, 0.2), tuple(rs.SPHERE_CENTRE))
    spec = SurroundingsSpec("far_workshop", 2.4, 0.5, None, SEED)
    out = rendered(folder, spec, assembler, placed(pose, 160, 700.0), 8)
    rows = reflection_rows(out)
    assert sum(row["share"] for row in rows) == pytest.approx(1.0, abs=0.01)
    assert all(row["reflected_id"].startswith("far:") and row["mean_distance_m"] is None for row in rows)
    kinds = {row["reflected_kind"] for row in rows}
    assert kinds == {"light", "surroundings"}
    radiance = read_layer(view_folder(out, 0), "group.world") @ WEIGHTS
    shown = {row["reflected_id"]: float(np.median(radiance[decode(row["mask_rle"])])) for row in rows}
    lamps = [shown[r["reflected_id"]] for r in rows if r["reflected_kind"] == "light" and r["area_px"] >= 12]
    assert len(lamps) >= 3
    assert min(lamps) > 3 * max(shown["far:floor"], shown["far:ceiling"])
