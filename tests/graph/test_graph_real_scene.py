"""A whole scene of STEP parts through the real stages: what the truth says agrees with rays cast at the CAD meshes,
and a build makes the same bytes as `scene`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import trimesh

from pipeline import masks
from pipeline.bundle import load_bundle, read_exr, read_ids, view_folder
from pipeline.dataset import open_dataset
from pipeline.dataset.verify import verify
from pipeline.errors import InputError
from pipeline.graph.build import BuildOptions, build_dataset
from pipeline.graph.keys import DEFAULT_STAGES
from pipeline.graph.single import make_scene
from pipeline.parts.part import load_part
from pipeline.records import sha256_file

pytestmark = [pytest.mark.bpy, pytest.mark.slow]

SPEC = """
schema_version = 1
dataset = { name = "real", seed = 11, scenes = 1 }
metals = { steel_carbon = 1.0 }
finishes = { turned = 1.0 }
items = { count = 3 }
arrangement = { surfaces = { table = { grey_painted_table = 1.0 } } }
rigs = { weights = { studio_softboxes = 1.0 } }
surroundings = { weights = { softlit_studio_room = 1.0 } }
cameras = { fill = 1.5, elevation_deg = 25.0, roll_deg = 7.0, resolution = [240, 180] }
render = { samples = 1, denoise = false }
depth_sensor.projectors = [{ name = "left", baseline_m = 0.1, direction_deg = 180.0 }]
photos = { per_view = 1, stops_above = true, sensors = { phone = 1.0 }, lenses = { kit_zoom = 1.0 } }
parts.flange = { file = "assets:parts/flange.step", category = "flange" }
parts.npt_fitting = { file = "assets:parts/npt_fitting.step", category = "fitting" }
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """(folder of the scene, its only view, its instance rows)."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "real.toml").write_text(SPEC)
    out = make_scene(folder / "real.toml", "real-000000", folder / "out", stages=DEFAULT_STAGES).folder
    (view,) = load_bundle(out / "render").views
    return out, view, json.loads((out / "truth" / "rows.json").read_text())["instances"]


def digests(folder):
    """Checksum of every file below *folder* but the record of what making it took."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "record.json")
    assert files
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


def camera_rays(camera):
    """(h * w, 3) directions through the pixel centres with z = 1, so that lengths along them are depths."""
    y, x = np.mgrid[: camera.height, : camera.width] + 0.5
    rays = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones_like(x)], axis=-1)
    return rays.reshape(-1, 3)


def cast(mesh, rays):
    """(n,) depth and triangle of the first hit of rays from the origin; inf and -1 where there is none."""
    points, ray, triangle = mesh.ray.intersects_location(np.zeros_like(rays), rays, multiple_hits=False)
    depth, hit = np.full(len(rays), np.inf), np.full(len(rays), -1)
    depth[ray], hit[ray] = points[:, 2], triangle
    return depth, hit


@pytest.fixture(scope="module")
def cast_scene(scene):
    """Depth (items, h * w) of each instance by itself, and the CAD face + 1 that is hit."""
    out, view, instances = scene
    depths, faces = [], []
    for row in instances:
        part = load_part(out / "parts" / row["part_id"])
        pose = np.array(row["model_to_camera"]).reshape(4, 4)
        vertices = part.vertices @ pose[:3, :3].T + pose[:3, 3]
        depth, hit = cast(trimesh.Trimesh(vertices, part.triangles, process=False), camera_rays(view.camera))
        depths.append(depth)
        faces.append(np.where(hit >= 0, part.face_of_triangle[hit] + 1, 0))
    return np.array(depths), np.array(faces)


def interior(ids):
    """(h, w) pixels whose eight neighbours carry the same id."""
    same = np.zeros(ids.shape, bool)
    middle = ids[1:-1, 1:-1]
    around = [np.roll(ids, (dy, dx), (0, 1))[1:-1, 1:-1] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    same[1:-1, 1:-1] = np.all([other == middle for other in around], axis=0)
    return same


def test_parts_are_drawn_where_their_poses_say(scene, cast_scene):
    _, view, instances = scene
    depths, _ = cast_scene
    shape = (view.camera.height, view.camera.width)
    nearest = np.where(np.isfinite(depths.min(axis=0)), depths.argmin(axis=0), -1)
    for place, row in enumerate(instances):
        seen, whole = masks.decode(row["mask_rle"]), masks.decode(row["mask_full_rle"])
        expected = (nearest == place).reshape(shape)
        assert (seen & expected).sum() / (seen | expected).sum() > 0.99
        alone = np.isfinite(depths[place]).reshape(shape)
        assert (whole & alone).sum() / (whole | alone).sum() > 0.99
        assert row["px_visible"] == seen.sum()


def test_depth_and_faces_are_those_of_the_cad_mesh(scene, cast_scene):
    out, _, _ = scene
    depths, faces = cast_scene
    folder = view_folder(out / "render", 0)
    instance, face = read_ids(folder / "instance.png"), read_ids(folder / "face.png")
    inner = np.flatnonzero(interior(instance.astype(np.int64) * 65536 + face) & (instance > 0))
    assert inner.size > 3000
    owner = instance.ravel()[inner] - 1
    expected, depth = depths[owner, inner], read_exr(folder / "depth.exr")["Z"].ravel()[inner]
    assert np.quantile(np.abs(depth - expected) / expected, 0.999) < 1e-4
    assert (faces[owner, inner] == face.ravel()[inner]).mean() > 0.999


def test_a_build_holds_the_same_bytes_and_is_sound(scene, tmp_path):
    out, _, _ = scene
    dataset = tmp_path / "dataset"
    options = BuildOptions(sync=True, quiet=True, threads=1, stages=DEFAULT_STAGES)
    result = build_dataset(out.parent / "real.toml", dataset, options)
    assert (result.scenes, result.quarantined) == (1, ())
    for stage in ("render", "truth", "photos"):
        (stored,) = (dataset / "store" / stage).glob("*/*")
        assert digests(stored) == digests(out / stage)
    assert verify(dataset).problems == ()
    built = open_dataset(dataset)
    (photo,) = built.photos.to_pylist()
    shape = (photo["height"], photo["width"])
    edges, false = built.truth(photo["photo_id"], "edges"), built.truth(photo["photo_id"], "false_edge.false")
    assert edges.shape == false.shape == shape
    assert set(np.unique(edges)) <= {0, 1, 2, 3, 4}
    assert not false[edges == 0].any()
    shadow = built.depth_failure(photo["view_id"])["left.shadow"]
    assert 0 < (shadow == 1.0).mean() < 0.5
    assert np.array_equal(built.truth(photo["photo_id"], "depth_failure.left.shadow").shape, shape)
    with pytest.raises(InputError, match="failure"):
        built.truth(photo["photo_id"], "depth_failure.right.shadow")
    assert built.stops_above(photo["photo_id"]).shape == (*shape, 3)


def test_some_parts_hide_others_and_reach_beyond_the_frame(scene):
    """Otherwise the tests above say less than they seem to."""
    _, _, instances = scene
    assert min(row["visible_fraction"] for row in instances) < 0.98
    assert any(row["truncated"] for row in instances)
