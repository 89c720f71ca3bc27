"""Polarised lamps as they are rendered: mirrored and diffused light against Malus' law, and one name for each lamp."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from support import render_scenes as rs

from pipeline import bundle
from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import FIRST_LAMP, BundleObject, BundleView, SceneBundle
from pipeline.layers import NOISY_BITS, read_layer, read_layers, rounding_error
from pipeline.light.lamps import ImageWorld
from pipeline.light.pieces import lamp, polarised
from pipeline.light.polarisers import UNPOLARISED_SHARE, mirrored_factor
from pipeline.light.shapes import Mesh
from pipeline.photo_geometry import PhotoGeometry
from pipeline.records import to_dict, write_json
from pipeline.reflect.highlights import highlight_rows
from pipeline.reflect.reflections import reflection_rows
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import MetalMaterial, PlainMaterial
from pipeline.view_light import ViewLight, read_view_light

pytestmark = pytest.mark.bpy

SIZE = 64
ANGLES = (0.0, 45.0, 90.0)
LAMP, WORLD = 8.0, 0.25
"""Radiance of the bare lamp and of the surroundings."""
GROUPS = ("lamp", "world")
MIRROR = MetalMaterial("mirror", "silver", (0.05,) * 3, (4.0,) * 3, "polished", 0.01, 1e-4, 1e-4, "P")
ROUGH = replace(MIRROR, name="rough", alpha_across=0.25, alpha_along=0.25)
WHITE = PlainMaterial("white", (0.8, 0.8, 0.8), 1.0, 1.0, 0.0, 1.0)
PLASTIC = PlainMaterial("plastic", (0.4, 0.4, 0.4), 0.05, 1.5, 0.0, 1.0)
PLATES = {1: MIRROR, 2: WHITE, 3: ROUGH, 4: PLASTIC}
BARE = len(ANGLES)
"""View of the same lamp without any filter; the views before it are those of ANGLES."""


def _camera(position, target, focal):
    pose = rs.look_at(position, target)
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), focal, focal, SIZE / 2, SIZE / 2, SIZE, SIZE)


def _add_plate(assembler, index, material, corners, faces):
    flat = {"vertices": corners, "triangles": faces, "material": np.full(2, assembler.material(material), np.int32)}
    flat |= {name: np.zeros((4, 3), np.float32) for name in ("lay", "lay_axis", "lay_origin")}
    flat["lay"][:, 0] = 1.0
    assembler.add(BundleObject(index, "part", f"plate{index}", "plate", None), flat)


def _lamps(corners, faces, angles):
    """The lamp of each view: behind a foil it has half of its radiance left."""
    mesh = Mesh(corners, faces)
    bare = lamp("panel", "panel", "lamp", mesh, (LAMP,) * 3)
    foiled = lamp("panel", "panel", "lamp", mesh, (LAMP * UNPOLARISED_SHARE,) * 3)
    filtered = [polarised(foiled, mirrored_factor(angle)) for angle in angles]
    return [replace(made, rig=number) for number, made in enumerate([*filtered, bare])]


def _render(folder, assembler, lamps, camera, samples):
    for number, made in enumerate(lamps):
        assembler.add_lamp(number, made)
    views = tuple(
        BundleView(f"p-v{i}", i, camera, "any", i, GROUPS, analyser=1.0 if i == len(lamps) - 1 else UNPOLARISED_SHARE)
        for i in range(len(lamps))
    )
    content = SceneBundle("p", "", samples, GROUPS, tuple(assembler.entries), (), (), (), views)
    world, spec = ImageWorld(None, WORLD, 0.0, "world"), RenderSpec(samples, False, 4)
    materials, objects = tuple(assembler.materials), tuple(assembler.objects)
    write_json(folder / JOB_FILE, to_dict(RenderJob("p", spec, 2, GROUPS, world, materials, objects, content)))
    out = folder / "out"
    out.mkdir()
    render_in_child(folder, out, threads=2, timeout_s=300)
    return out


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    """Four plates on which a camera sees a large lamp mirrored, under foils at each of ANGLES and without any."""
    folder = tmp_path_factory.mktemp("plates")
    assembler = _Assembler(folder)
    for index, material in PLATES.items():
        corners, faces = rs.quad([0.05 * (index - 2.5), 0.0, 0.0], [0.022, 0, 0], [0, 0.022, 0])
        _add_plate(assembler, index, material, corners, faces)
    tilt = math.radians(40.0)
    across = [0.0, 0.3 * math.cos(tilt), -0.3 * math.sin(tilt)]
    front = rs.quad([0.0, 0.4 * math.sin(tilt), 0.4 * math.cos(tilt)], [-0.3, 0, 0], across)
    camera = _camera((0.0, -0.4 * math.sin(tilt), 0.4 * math.cos(tilt)), (0.0, 0.0, 0.0), 1.7 * SIZE)
    lamps = _lamps(*front, ANGLES)
    return _render(folder, assembler, lamps, camera, 64)


def _mean(out, view, index, layer="group.lamp"):
    folder = bundle.view_folder(out, view)
    inside = cv2.erode((bundle.read_ids(folder / "instance.png") == index).astype(np.uint8), np.ones((3, 3))) > 0
    assert inside.sum() > 20
    return float(read_layer(folder, layer)[inside].mean())


@pytest.mark.parametrize("view", range(len(ANGLES)))
@pytest.mark.parametrize("index", [1, 3])
def test_metal_shows_a_polarised_lamp_by_malus_law(index, view, plates):
    expected = 0.5 * math.cos(math.radians(ANGLES[view])) ** 2
    assert _mean(plates, view, index) / _mean(plates, BARE, index) == pytest.approx(expected, rel=0.03, abs=0.002)


@pytest.mark.parametrize("view", range(len(ANGLES)))
def test_a_diffuse_plate_keeps_a_quarter_at_every_angle(view, plates):
    assert _mean(plates, view, 2) / _mean(plates, BARE, 2) == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("view", range(len(ANGLES)))
def test_plastic_keeps_its_body_colour_and_its_gloss_follows_malus_law(view, plates):
    gloss, both = (_mean(plates, BARE, 4, f"{lobe}_direct") for lobe in ("glossy", "diffuse"))
    body = both - _mean(plates, BARE, 4, "group.world")  # which the lamp hides from the gloss
    assert min(gloss, body) > 0.1
    expected = 0.25 * body + 0.5 * math.cos(math.radians(ANGLES[view])) ** 2 * gloss
    assert _mean(plates, view, 4) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("view", range(len(ANGLES)))
@pytest.mark.parametrize("index", [2, 3, 4])  # the mirror shows nothing but the lamp
def test_an_analyser_halves_what_is_not_polarised(index, view, plates):
    ratio = _mean(plates, view, index, "group.world") / _mean(plates, BARE, index, "group.world")
    assert ratio == pytest.approx(0.5, rel=0.02)


def test_what_is_filtered_still_adds_up(plates):
    for entry in bundle.load_bundle(plates).light_sums:
        assert max(entry.groups, entry.terms) < 1e-3
    for view in range(BARE + 1):
        layers = read_layers(bundle.view_folder(plates, view))
        terms = sum(layers[term] for term in bundle.PATH_TERMS)
        assert np.abs(terms - layers["noisy"]).max() < 2 * rounding_error(NOISY_BITS) * layers["noisy"].max()


def test_light_that_metal_throws_on_paint_is_depolarised_by_the_paint(tmp_path):
    """A plate that only the mirror under it lights: crossed foils take no more of that light than of any other."""
    assembler = _Assembler(tmp_path)
    _add_plate(assembler, 1, MIRROR, *rs.quad([0, 0, 0], [0.4, 0, 0], [0, 0.4, 0]))
    _add_plate(assembler, 2, WHITE, *rs.quad([0.05, 0, 0.1], [0.04, 0, 0], [0, -0.04, 0]))
    lamps = _lamps(*rs.quad([0, 0, 0.4], [0.3, 0, 0], [0, -0.3, 0]), (90.0,))
    camera = _camera((0.05, -0.25, 0.02), (0.05, 0.0, 0.1), 2.0 * SIZE)
    out = _render(tmp_path, assembler, lamps, camera, 64)
    assert _mean(out, 1, 2) > 0.05 * LAMP
    assert _mean(out, 0, 2) / _mean(out, 1, 2) == pytest.approx(0.25, rel=0.03)


def test_the_truth_names_a_polarised_lamp_once(plates):
    content = bundle.load_bundle(plates)
    lights = [entry for entry in content.objects if entry.kind == "light"]
    assert [entry.index for entry in lights] == [FIRST_LAMP + i for i in range(BARE + 1)]
    rows = [row for row in reflection_rows(plates) if row["reflected_kind"] == "light"]
    for view in range(BARE + 1):
        folder = bundle.view_folder(plates, view)
        seen = np.unique(bundle.read_exr(folder / "reflection.exr")["object"]).astype(int)
        assert [index for index in seen if index >= FIRST_LAMP and index != bundle.WORLD_INDEX] == [FIRST_LAMP + view]
        mine = [row for row in rows if row["view_id"] == f"p-v{view}"]
        assert sorted(row["instance_id"] for row in mine) == sorted(PLATES)
        assert {row["reflected_id"] for row in mine} == {"panel"}
        assert min(row["share"] for row in mine) > 0.9


@dataclass(frozen=True)
class Photo:
    """The least that highlights need of a photo."""

    photo_id: str
    light: ViewLight
    saturation: float

    @property
    def geometry(self):
        camera = self.light.view.camera
        pinhole = (camera.fx, camera.fy, camera.cx, camera.cy)
        return PhotoGeometry(camera.width, camera.height, pinhole, pinhole)

    @property
    def group_gains(self):
        return {group: np.ones(3, np.float32) for group in GROUPS}

    @property
    def saturation_radiance(self):
        return np.full(3, self.saturation)

    @property
    def clipped(self):
        return np.zeros((SIZE, SIZE, 3), np.bool_)


def test_crossed_foils_leave_no_highlight_and_parallel_ones_do(plates):
    views = bundle.load_bundle(plates).views
    photos = [Photo(view.view_id, read_view_light(plates, view), 0.25 * LAMP) for view in views]
    found = {view.view_id: [] for view in views}
    for row in highlight_rows(plates, photos):
        assert row["light_id"] == "panel"
        found[row["photo_id"]].append(row["instance_id"])
    parallel, crossed = f"p-v{ANGLES.index(0.0)}", f"p-v{ANGLES.index(90.0)}"
    assert 1 in found[parallel]
    assert 1 in found[f"p-v{BARE}"]
    assert found[crossed] == []
