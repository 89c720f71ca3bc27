"""Painted pictures in real renders: the plate lies where its frame says, the backdrop stands behind the parts."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.fake_builds import ROOT

from pipeline.bundle import load_bundle, read_ids, read_xyz
from pipeline.graph.plan import catalog_of
from pipeline.graph.stage import Machine
from pipeline.graph.stages import STAGES
from pipeline.light.backdrop import LABEL
from pipeline.spec.draw import draw_scene
from pipeline.spec.fields import render_fields
from pipeline.spec.load import load_spec
from pipeline.spec.painted import PaintedPicture, PaintedSpec
from pipeline.view_light import read_view_light

WIDTH_M = 0.08
SPEC = (
    (ROOT / "scenes" / "smoke.toml")
    .read_text()
    .replace("resolution = [96, 72]", "resolution = [160, 120]\nelevation_deg = 3.0")
    .replace("samples = 8", "samples = 16\ncast_light = false")
)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """(bundle folder, scene) of one scene with both pictures: red and green blocks on the table, blue behind."""
    folder = tmp_path_factory.mktemp("painted")
    (folder / "spec.toml").write_text(SPEC)
    spec = load_spec(folder / "spec.toml")
    scene = draw_scene(spec, 0)
    pictures = [PaintedPicture(name, 0, name, 1, width) for name, width in (("plate", WIDTH_M), ("wall", 2.0))]
    scene = replace(scene, painted=PaintedSpec(spec.painted.painting(), *pictures))
    blocks = np.zeros((64, 128, 3), np.uint8)
    blocks[:, :64] = (30, 30, 220)  # BGR: red on the left
    blocks[:, 64:] = (30, 220, 30)
    inputs = {}
    for kind, picture in (("surface", blocks), ("backdrop", np.full((64, 64, 3), (200, 60, 40), np.uint8))):
        inputs[f"painted:{kind}"] = folder / kind
        inputs[f"painted:{kind}"].mkdir()
        cv2.imwrite(str(folder / kind / "picture.png"), picture)
    catalog, machine = catalog_of(spec, "pipeline.graph.stages:STAGES"), Machine(threads=2)
    for item in scene.items:
        action, part = catalog.part(item), folder / item.part_id
        inputs[f"part:{item.part_id}"] = part
        if not part.exists():
            part.mkdir()
            cad = ROOT / "assets" / item.part_file.removeprefix("assets:")
            STAGES["part"].run(action.fields, {"cad": cad}, part, machine)
    out = folder / "render"
    out.mkdir()
    STAGES["render"].run(render_fields(scene), inputs, out, machine)
    return out, scene


def seen(rendered):
    """Radiance (h, w, 3), world positions, object labels (h, w) of the view."""
    out, _ = rendered
    bundle = load_bundle(out)
    labels = {entry.index: entry.label for entry in bundle.objects}
    ids = read_ids(out / "views" / "v0" / "object.png")
    names = np.vectorize(lambda index: labels.get(int(index), ""))(ids)
    light = sum(read_view_light(out, bundle.views[0]).groups.values())
    return light, read_xyz(out / "views" / "v0" / "position.exr"), names


def test_the_plate_shows_the_picture_where_its_frame_says(rendered):
    from pipeline.surface.painted import painted_support
    from pipeline.surface.supports import support_material

    out, scene = rendered
    radiance, position, names = seen(rendered)
    look = support_material(scene.arrangement.surface, scene.arrangement.seed)
    picture = out.parent / "surface" / "picture.png"
    face = painted_support(look, picture, "x.png", WIDTH_M, scene.arrangement.seed).picture
    u = (position - np.array(face.origin)) @ np.array(face.right)
    folded = np.abs(np.mod(u + 1.0, 2.0) - 1.0)  # mirrored beyond the border
    near = (names == "table") & (np.linalg.norm(position[..., :2], axis=-1) < 0.08) & (position[..., 2] > -1e-4)
    for wanted, inside in (("red", folded < 0.4), ("green", (folded > 0.6) & (folded < 0.95))):
        pixels = radiance[near & inside]
        assert len(pixels) > 60
        red, green = pixels[:, 0], pixels[:, 1]
        assert np.mean((red > green) == (wanted == "red")) > 0.95


def test_the_backdrop_stands_behind_everything_and_is_labelled(rendered):
    radiance, position, names = seen(rendered)
    wall = names == LABEL
    assert wall.mean() > 0.05
    assert (radiance[wall][:, 2] > radiance[wall][:, 0]).mean() > 0.95  # blue
    camera = np.linalg.inv(np.array(load_bundle(rendered[0]).views[0].camera.cam_from_world).reshape(4, 4))[:3, 3]
    distance = np.linalg.norm(position - camera, axis=-1)
    assert distance[wall].min() > distance[names == "table"].max()
    flat = position[wall] - position[wall].mean(axis=0)
    assert np.linalg.svd(flat, full_matrices=False)[1][-1] / np.sqrt(len(flat)) < 1e-3  # one upright plane
    normal = np.linalg.svd(flat, full_matrices=False)[2][-1]
    assert abs(normal[2]) < 1e-3


def test_the_scene_row_names_both(rendered):
    from pipeline.records import read_json

    (row,) = read_json(rendered[0] / "rows.json")["scenes"]
    assert (row["painted_surface"], row["painted_backdrop"]) == ("plate-0", "wall-0")
