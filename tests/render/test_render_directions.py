"""Directions in the picture: which way grooves spread light, which way an image world turns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import render_scenes as rs

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import BundleObject, view_folder
from pipeline.layers import read_layer
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.surface.material import EmitterMaterial, MetalMaterial

pytestmark = pytest.mark.bpy


def rendered(folder, job, camera, name):
    """Layer *name* (h, w, 3) of *job*, seen by *camera* alone."""
    view = replace(job.bundle.views[0], camera=camera)
    job = replace(job, bundle=replace(job.bundle, views=(view,)))
    write_json(folder / JOB_FILE, to_dict(job))
    out = folder / "out"
    out.mkdir()
    render_in_child(folder, out, threads=2, timeout_s=120)
    return read_layer(view_folder(out, 0), name)


def placed(pose, width, height, focal):
    """A camera with its principal point in the middle."""
    values = tuple(float(v) for v in pose.ravel())
    return PlacedCamera(0, values, focal, focal, width / 2, height / 2, width, height)


def from_above(height_m):
    """(4, 4) pose of a camera above the origin that looks straight down, its right along +x."""
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[2, 3] = height_m
    return pose


@pytest.mark.parametrize("lay", ["straight along x", "circles that run along x at the origin"])
def test_light_spreads_across_the_grooves(tmp_path, lay):
    job = rs.write_job(tmp_path / "job", samples=32, denoise=False)
    assembler = _Assembler(tmp_path / "job")
    metal = MetalMaterial("plate", "steel", (2.4, 2.0, 1.7), (4.2, 3.6, 3.1), "brushed", 0.8, 0.3, 0.04, "=")
    vertices, triangles = rs.quad([0, 0, 0], [0.1, 0, 0], [0, 0.1, 0])
    straight = lay.startswith("straight")
    mesh = {
        "vertices": vertices,
        "normals": np.tile(np.float32([0, 0, 1]), (4, 1)),
        "triangles": triangles,
        "material": np.full(2, assembler.material(metal), np.int32),
        "face": np.ones(2, np.int32),
        "lay": np.tile(np.float32([1, 0, 0] if straight else [0, 0, 0]), (4, 1)),
        "lay_axis": np.tile(np.float32([0, 0, 0] if straight else [0, 0, 1]), (4, 1)),
        "lay_origin": np.tile(np.float32([0, 0, 0] if straight else [0, -5, 0]), (4, 1)),
    }
    assembler.add(BundleObject(1, "part", "plate", "plate", None), mesh)
    corners = rs.quad([0, 0, 0.5], [0.02, 0, 0], [0, -0.02, 0])
    lamp = assembler._plain(*corners, EmitterMaterial("key", (50.0, 50.0, 50.0)))
    assembler.add(BundleObject(rs.KEY, "light", "key", "softbox", "key"), lamp)
    job = replace(job, objects=tuple(assembler.objects), materials=tuple(assembler.materials))
    light = rendered(tmp_path / "job", job, placed(from_above(0.3), 64, 64, 110.0), "group.key").sum(axis=2)
    y, x = np.mgrid[:64, :64] - 31.5
    wide, high = np.sqrt(((x**2 * light).sum(), (y**2 * light).sum()) / light.sum())
    assert high > 2.0 * wide


def test_an_image_world_turns_counter_clockwise_from_above_as_rooms_do(tmp_path):
    pictures = []
    for turn in (0.0, 0.8):
        folder = tmp_path / f"{turn}"
        world = ImageWorld("interior.exr", 1.0, turn, "world")
        job = replace(rs.write_job(folder, samples=4, denoise=False), objects=(), world=world)
        ahead = (float(np.cos(0.3 + turn)), float(np.sin(0.3 + turn)), 0.2)
        pictures.append(rendered(folder, job, placed(rs.look_at((0.0, 0.0, 0.0), ahead), 64, 32, 32.0), "environment"))
    still, turned = pictures
    assert still.std() > 0.1 * still.mean()
    assert np.abs(turned - still).mean() < 0.02 * still.mean()
