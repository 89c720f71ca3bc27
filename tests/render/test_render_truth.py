"""Truth layers, the mirror probe and the radiance sums, against closed-form geometry."""

from __future__ import annotations

import numpy as np
import pytest
from support import render_scenes as rs

from pipeline import bundle
from pipeline.arrange.arrangement import matrix
from pipeline.layers import NOISY_BITS, read_layers, rounding_error
from pipeline.render.launch import render_in_child

pytestmark = pytest.mark.bpy


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """Layers of one render of the analytic scene."""
    base = tmp_path_factory.mktemp("truth")
    rs.write_job(base / "job", width=160, height=120, samples=16)
    (base / "out").mkdir()
    render_in_child(base / "job", base / "out", threads=2, timeout_s=300)
    folder = bundle.view_folder(base / "out", 0)
    truth = {name: bundle.read_ids(folder / f"{name}.png") for name in ("instance", "object", "face", "material")}
    for name in ("depth", "normal", "position", "reflection"):
        truth[name] = bundle.read_exr(folder / f"{name}.exr")
    truth["layers"] = read_layers(folder)
    made = bundle.load_bundle(base / "out")
    truth["camera"], truth["sums"] = made.views[0].camera, made.light_sums[0]
    return truth


def rays(camera):
    """Origin (3,) and unit directions (h, w, 3) of the rays through the pixel centres, world frame."""
    world_from_cam = np.linalg.inv(matrix(camera.cam_from_world))
    x = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    y = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    directions = np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))], axis=-1)
    directions = directions @ world_from_cam[:3, :3].T
    return world_from_cam[:3, 3], directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def hit_sphere(origin, directions, centre, radius):
    """Distance along each ray to a sphere, inf where it misses."""
    offset = origin - centre
    b = directions @ offset
    disc = b**2 - (offset @ offset - radius**2)
    return np.where(disc > 0, -b - np.sqrt(np.maximum(disc, 0)), np.inf)


def stack(channels, names="XYZ"):
    return np.stack([channels[n] for n in names], axis=-1)


def interior(mask):
    """Pixels whose four neighbours are in the mask too."""
    core = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            core &= np.roll(mask, step, axis)
    return core


def test_sphere_mask_depth_and_normals_are_the_analytic_ones(view):
    origin, directions = rays(view["camera"])
    distance = hit_sphere(origin, directions, rs.SPHERE_CENTRE, rs.SPHERE_RADIUS)
    expected, found = np.isfinite(distance), view["instance"] == rs.SPHERE
    assert (expected & found).sum() / (expected | found).sum() > 0.99
    core = interior(expected & found)
    forward = matrix(view["camera"].cam_from_world)[2, :3]
    depth = distance * (directions @ forward)
    error = np.abs(view["depth"]["Z"] - depth)[core] / distance[core]
    assert np.quantile(error, 0.999) < 1e-4
    points = origin + directions * np.where(core, distance, 0)[..., None]
    normal = (points - rs.SPHERE_CENTRE) / rs.SPHERE_RADIUS
    normal = normal @ matrix(view["camera"].cam_from_world)[:3, :3].T
    assert np.abs(stack(view["normal"]) - normal)[core].max() < 2e-3


def test_position_depth_and_camera_agree(view):
    camera, core = view["camera"], view["object"] > 0
    position = stack(view["position"])
    in_camera = position @ matrix(camera.cam_from_world)[:3, :3].T + matrix(camera.cam_from_world)[:3, 3]
    depth = view["depth"]["Z"]
    assert np.abs(in_camera[..., 2] - depth)[core].max() < 1e-6 + 1e-5 * depth.max()
    u = camera.fx * in_camera[..., 0] / in_camera[..., 2] + camera.cx
    columns = np.arange(camera.width) + 0.5
    assert np.abs(u - columns)[core].max() < 0.02  # pixel centres, although a pixel filter of 0.01 px remains


def test_cylinder_faces_are_told_apart_by_their_normal(view):
    top = view["face"][view["instance"] == rs.CYLINDER]
    assert set(np.unique(top)) == {1, 2}
    up = matrix(view["camera"].cam_from_world)[:3, :3] @ [0, 0, 1]
    normals, cylinder = stack(view["normal"]), view["instance"] == rs.CYLINDER
    assert np.allclose((normals @ up)[cylinder & (view["face"] == 2)], 1, atol=1e-5)
    assert np.allclose((normals @ up)[cylinder & (view["face"] == 1)], 0, atol=1e-4)


def test_what_the_sphere_mirrors_is_what_reflected_rays_hit(view):
    origin, directions = rays(view["camera"])
    distance = hit_sphere(origin, directions, rs.SPHERE_CENTRE, rs.SPHERE_RADIUS)
    core = interior(interior((view["instance"] == rs.SPHERE) & np.isfinite(distance)))
    points = origin + directions * np.where(core, distance, 0)[..., None]
    normal = (points - rs.SPHERE_CENTRE) / rs.SPHERE_RADIUS
    mirrored = directions - 2 * np.sum(directions * normal, -1, keepdims=True) * normal
    to_panel = (rs.PANEL_CENTRE[2] - points[..., 2]) / mirrored[..., 2]
    there = points + mirrored * to_panel[..., None]
    on_panel = (to_panel > 0) & (np.abs(there - rs.PANEL_CENTRE)[..., :2].max(-1) < rs.PANEL_HALF)
    found = view["reflection"]["object"] == rs.KEY
    both = core & on_panel
    assert both.sum() > 20
    assert (found[core] != on_panel[core]).mean() < 0.01
    agree = both & found
    assert np.abs(view["reflection"]["distance"] - to_panel)[agree].max() < 0.02
    world = core & (view["reflection"]["object"] == bundle.WORLD_INDEX)
    direction = stack(view["reflection"], ("direction.X", "direction.Y", "direction.Z"))
    assert world.sum() > 20
    assert np.abs(direction - mirrored)[world].max() < 0.02


def test_radiance_is_the_sum_of_light_groups_and_of_light_paths(view):
    layers = view["layers"]
    assert 0 < view["sums"].groups < 1e-4
    assert 0 < view["sums"].terms < 1e-4
    groups = sum(layers[f"group.{g}"] for g in rs.GROUPS)
    terms = sum(layers[term] for term in bundle.PATH_TERMS)
    assert (np.abs(terms - groups) / (np.abs(groups) + 1e-3)).max() < 2 * rounding_error(NOISY_BITS)
    assert all(layers[f"group.{g}"].max() > 0.1 for g in rs.GROUPS)


def test_denoised_layers_keep_the_energy_and_lose_the_noise(view):
    layers = view["layers"]
    noisy, combined = layers["noisy"], layers["combined"]
    denoised = sum(layers[f"denoised.{g}"] for g in rs.GROUPS)
    table = interior(view["object"] == rs.TABLE)
    for clean in (combined, denoised):
        assert clean.mean() == pytest.approx(noisy.mean(), rel=0.03)
        roughness = [np.abs(np.diff(x, axis=1))[table[:, 1:]].mean() for x in (clean, noisy)]
        assert roughness[0] < 0.5 * roughness[1]
