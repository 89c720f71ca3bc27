"""The rendered metal against the conductor Fresnel formula, computed apart from Blender."""

from __future__ import annotations

import numpy as np
import pytest
from support import render_scenes as rs

from pipeline import bundle
from pipeline.layers import read_layer
from pipeline.render.launch import render_in_child
from pipeline.surface.material import MetalMaterial
from pipeline.surface.metals import conductor_reflectance, metal

pytestmark = pytest.mark.bpy


@pytest.mark.parametrize("name", ["copper", "stainless_austenitic", "aluminium_pure"])
def test_a_polished_sphere_in_a_white_world_shows_its_reflectance_at_every_angle(tmp_path, name):
    preset = metal(name)
    alpha = 1e-4
    finish = MetalMaterial(name, name, preset.ior, preset.extinction, "polished", 0.01, alpha, alpha, "P")
    job = rs.write_furnace(tmp_path / "job", finish)
    (tmp_path / "out").mkdir()
    render_in_child(tmp_path / "job", tmp_path / "out", threads=2, timeout_s=120)
    folder = bundle.view_folder(tmp_path / "out", 0)
    radiance = read_layer(folder, "noisy")
    camera = job.bundle.views[0].camera
    seen, normal = bundle.read_ids(folder / "instance.png") == rs.SPHERE, bundle.read_exr(folder / "normal.exr")
    x = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    y = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    rays = np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    cosine = -np.sum(rays * np.stack([normal[a] for a in "XYZ"], axis=-1), axis=-1)
    steady = seen & (cosine > 0.35)  # towards the rim the angle changes too much within one pixel
    expected = conductor_reflectance(preset.ior, preset.extinction, cosine[steady])
    assert steady.sum() > 1000
    assert np.abs(radiance[steady] - expected).max() < 0.01
