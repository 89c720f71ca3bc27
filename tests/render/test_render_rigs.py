"""Rigs as they are rendered: declared illuminance, bright and dark field in a mirror, stripes, rigs side by side."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support import render_scenes as rs

from pipeline import bundle
from pipeline.arrange.arrangement import Arrangement, PlacedCamera, SupportMesh
from pipeline.bundle import BundleObject, BundleView, SceneBundle
from pipeline.layers import read_layer, read_layers
from pipeline.light.illuminate import illuminate
from pipeline.light.sight import views_of
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _all_groups, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import ArrangementSpec, RenderSpec, RigSpec, SceneSpec, SurroundingsSpec
from pipeline.surface.material import MetalMaterial, PlainMaterial
from pipeline.tables import names, table

pytestmark = pytest.mark.bpy

RADIUS, DISTANCE, SIDE = 0.04, 0.5, 0.012
LUX = 800.0
WIDTH, HEIGHT, FOCAL = 48, 36, 150.0
WHITE = PlainMaterial("white", (1.0, 1.0, 1.0), 1.0, 1.0, 0.0, 1.0)
BLACK = PlainMaterial("black", (0.0, 0.0, 0.0), 1.0, 1.0, 0.0, 1.0)
MIRROR = MetalMaterial("mirror", "silver", (0.05,) * 3, (4.0,) * 3, "polished", 0.01, 1e-4, 1e-4, "P")
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
ALL = names("rigs")


def _camera(elevation_deg: float) -> PlacedCamera:
    elevation = math.radians(elevation_deg)
    pose = rs.look_at((0.0, -DISTANCE * math.cos(elevation), DISTANCE * math.sin(elevation)), (0.0, 0.0, 0.0))
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)


def _scene(rigs: tuple[str, ...], samples: int) -> SceneSpec:
    return SceneSpec(
        schema_version=2,
        dataset="t",
        index=0,
        scene_id="t-000000",
        seed=1,
        split="train",
        items=(),
        arrangement=ArrangementSpec("table", "wood", 0.01, 1),
        rigs=tuple(RigSpec(rig, 0.3, 1.0, LUX) for rig in rigs),
        surroundings=SurroundingsSpec("wheel_studio", 0.0, 0.0),
        cameras=(),
        twins=False,
        render=RenderSpec(samples, False, 1),
        photos=(),
    )


def render_rigs(folder, rigs, camera, plate, *, normal=(0.0, 0.0, 1.0), half=SIDE, samples=16):
    """Render a square *plate* (a material) at the origin under each of *rigs* alone; the bundle's folder."""
    (folder / "job").mkdir(parents=True)
    (folder / "out").mkdir()
    vertices, triangles = rs.quad([0, 0, 0.0], [0.5, 0, 0], [0, 0.5, 0])
    table_mesh = SupportMesh("table", "wood", vertices, np.tile(np.float32([0, 0, 1]), (4, 1)), triangles)
    scene = _scene(rigs, samples)
    light = illuminate(scene, Arrangement((), (table_mesh,), (camera,), (0.0, 0.0, 0.01), RADIUS))
    assembler = _Assembler(folder / "job")
    up = np.array(normal) / np.linalg.norm(normal)
    right = np.cross([0.0, 1.0, 0.0], up)
    corners, faces = rs.quad(list(0.0005 * up), list(half * right), list(half * np.cross(up, right)))
    count = len(corners)
    flat = {"vertices": corners, "triangles": faces, "material": np.full(2, assembler.material(plate), np.int32)}
    flat |= {name: np.zeros((count, 3), np.float32) for name in ("lay", "lay_axis", "lay_origin")}
    assembler.add(BundleObject(1, "part", "plate", "plate", None), flat)
    for number, mesh in enumerate(light.surroundings):
        assembler.add_surrounding(number, mesh)
    for number, lamp in enumerate(light.lamps):
        assembler.add_lamp(number, lamp)
    views = tuple(
        BundleView(f"t-v{i}", i, camera, rig, i, light.groups[i], analyser=light.analysers[i])
        for i, rig in enumerate(rigs)
    )
    entries = tuple(assembler.entries)
    content = SceneBundle("t", "", samples, _all_groups(light), entries, (), (), (), views)
    materials, objects = tuple(assembler.materials), tuple(assembler.objects)
    job = RenderJob("t", scene.render, 2, content.groups, light.world, materials, objects, content)
    write_json(folder / "job" / JOB_FILE, to_dict(job))
    render_in_child(folder / "job", folder / "out", threads=2, timeout_s=300)
    return folder / "out", light


def radiance(out, view, *, part=True):
    """Mean luminance of the plate (or of what is not the plate) in a view."""
    folder = bundle.view_folder(out, view)
    seen = bundle.read_ids(folder / "instance.png") == 1
    inside = seen & np.roll(seen, 1, 0) & np.roll(seen, -1, 0) & np.roll(seen, 1, 1) & np.roll(seen, -1, 1)
    picture = read_layer(folder, "noisy")
    chosen = inside if part else ~seen
    assert chosen.sum() > 4
    return float((picture[chosen] @ LUMINANCE).mean())


@pytest.fixture(scope="module")
def under_every_rig(tmp_path_factory):
    """A white plate square to the camera under each rig: the camera stands overhead, so it lies nearly flat."""
    camera = _camera(89.0)
    towards = -views_of(Arrangement((), (), (camera,), (0.0, 0.0, 0.0), RADIUS))[0].axes[2]
    return render_rigs(tmp_path_factory.mktemp("rigs"), ALL, camera, WHITE, normal=tuple(towards), samples=64)


@pytest.mark.parametrize("rig", [name for name in ALL if name != "back_light"])
def test_measured_illuminance_is_the_declared_one(rig, under_every_rig):
    out, _ = under_every_rig
    view = ALL.index(rig)
    measured = math.pi * radiance(out, view) / bundle.load_bundle(out).views[view].analyser * LUX / math.pi
    assert measured == pytest.approx(LUX, rel=0.05)


def test_the_face_of_a_back_light_gives_off_the_declared_illuminance(under_every_rig):
    out, _ = under_every_rig
    assert radiance(out, ALL.index("back_light"), part=False) == pytest.approx(1.0, rel=0.05)
    assert radiance(out, ALL.index("back_light")) < 0.05  # what lies on it is a silhouette


def test_views_of_one_camera_under_several_rigs_share_their_truth_and_nothing_else(under_every_rig):
    out, light = under_every_rig
    chosen = [ALL.index(name) for name in ("ring", "dark_field_ring", "dome", "coaxial")]
    lamps = {bundle.FIRST_LAMP + number: lamp for number, lamp in enumerate(light.lamps)}
    first = bundle.view_folder(out, chosen[0])
    for view in chosen:
        folder = bundle.view_folder(out, view)
        for name in ("instance.png", "object.png", "face.png", "depth.exr", "position.exr", "normal.exr"):
            assert (folder / name).read_bytes() == (first / name).read_bytes(), name
        groups = {name.removeprefix("group.") for name in read_layers(folder) if name.startswith("group.")}
        assert groups == set(light.groups[view])
        seen = np.unique(bundle.read_exr(folder / "reflection.exr")["object"]).astype(int)
        assert {lamps[index].rig for index in seen if index in lamps} <= {view, None}


def test_a_flat_mirror_is_dark_in_dark_field_and_bright_in_bright_field(tmp_path):
    rigs = ("dark_field_ring", "dark_field_bars", "bright_field", "coaxial", "dome")
    camera = _camera(89.0)
    out, _ = render_rigs(tmp_path, rigs, camera, MIRROR, half=0.03, samples=4)
    dark, bars, bright, coaxial, _ = (radiance(out, view) for view in range(len(rigs)))
    assert max(dark, bars) < 0.02
    assert min(bright, coaxial) > 10 * max(dark, bars, 0.01)


def test_a_flat_mirror_shows_the_stripes_with_the_period_of_the_screen(tmp_path):
    camera = _camera(50.0)
    out, light = render_rigs(tmp_path, ("stripes_x0",), camera, MIRROR, half=0.05, samples=16)
    screen = next(lamp for lamp in light.lamps if lamp.rig == 0)
    picture = read_layer(bundle.view_folder(out, 0), "noisy") @ LUMINANCE
    row = picture[HEIGHT // 2, 16:32]
    wave = row / row.mean() - 1.0
    # the screen's mirror image is square to the axis, as far behind the mirror as the screen stands before it
    behind = DISTANCE + table("rigs")["stripes_x0"]["distance_mm"] * 1e-3
    periods = np.linspace(2.0, 12.0, 2001)
    expected = FOCAL * screen.material.stripes.period_m / behind
    assert periods[int(np.argmin([_misfit(wave, period) for period in periods]))] == pytest.approx(expected, rel=0.03)


def _misfit(wave, period):
    """What is left of *wave* without its best sinusoid of *period* pixels."""
    x = math.tau * np.arange(len(wave)) / period
    terms = np.stack([np.cos(x), np.sin(x), np.ones_like(x)], axis=1)
    return np.linalg.norm(wave - terms @ np.linalg.lstsq(terms, wave)[0])
