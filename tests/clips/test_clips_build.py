"""A small clip through the real stages: poses follow the belt, tables hold together, the reader hands out frames."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline import cli, masks
from pipeline.bundle import load_bundle, rides_the_belt
from pipeline.camera.redevelop import Changes, redevelop
from pipeline.clips.correspond import match
from pipeline.clips.light import range_share
from pipeline.clips.load import load_clip
from pipeline.dataset import open_dataset
from pipeline.dataset.verify import verify
from pipeline.errors import InputError
from pipeline.graph.build import BuildOptions, build_dataset
from pipeline.graph.keys import DEFAULT_STAGES
from pipeline.graph.single import make_scene
from pipeline.records import from_dict
from pipeline.spec.scene import SceneSpec

pytestmark = [pytest.mark.bpy, pytest.mark.slow]

SPEC = """
schema_version = 1
dataset = { name = "line", seed = 4, scenes = 1 }
metals = { aluminium_6061 = 1.0 }
finishes = { turned = 1.0 }
items = { count = 2 }
arrangement = { kinds = { conveyor = 1.0 }, surfaces = { conveyor = { green_conveyor_belt = 1.0 } } }
rigs = { weights = { studio_softboxes = 1.0 } }
surroundings = { weights = { softlit_studio_room = 1.0 } }
cameras = { fill = 0.7, elevation_deg = 50.0, resolution = [64, 48] }
render = { samples = 64 }
parts.flange = { file = "assets:parts/flange.step", category = "flange" }
[photos]
per_view = 1
sensors = { mv_global_shutter_color = 1.0 }
lenses = { c_mount_25mm = 1.0 }
[clips]
probability = 1.0
frames = 3
samples = 4
frame_rate_hz = 10.0
motion = { part_conveyor = 1.0 }
belt_mm_s = 200.0
light_change = { switch = 1.0 }
light_change_stops = 3.0
all_lights_probability = 1.0
change_at = 0.5
exposure_lag_s = 0.3
exposure_delay_frames = 1
"""
STEP_M = 0.02


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    (folder / "line.toml").write_text(SPEC)
    options = BuildOptions(sync=True, quiet=True, stages=DEFAULT_STAGES)
    build_dataset(folder / "line.toml", folder / "out", options)
    return open_dataset(folder / "out")


def test_the_build_is_sound(dataset) -> None:
    report = verify(dataset.root)
    assert report.ok, report.problems
    assert dataset.scenes.column("samples").to_pylist() == [4]


def test_poses_follow_the_belt(dataset) -> None:
    """model_to_camera of each part moves along the belt by its speed, and the parts' pixels move with it."""
    views = dataset.views_of("line-000000")
    assert [view["belt_shift_m"] for view in views] == [[-STEP_M, 0, 0], None, [STEP_M, 0, 0]]
    for number in (1, 2):
        poses = []
        for view in views:
            (row,) = [row for row in dataset.instances(view["view_id"]) if row["instance_id"] == number]
            camera = np.array(view["cam_from_world"]).reshape(4, 4)
            poses.append(np.linalg.inv(camera) @ np.array(row["model_to_camera"]).reshape(4, 4))
            seen, full = masks.decode(row["mask_rle"]), masks.decode(row["mask_full_rle"])
            assert (seen & full).sum() > 0.97 * seen.sum() > 0  # the CAD silhouette at the pose covers what is seen
        steps = np.diff([pose[:3, 3] for pose in poses], axis=0)
        assert steps == pytest.approx(np.array([[STEP_M, 0, 0]] * 2), abs=1e-9)
        assert poses[0][:3, :3] == pytest.approx(poses[2][:3, :3])


def test_parts_are_found_again_across_frames(dataset) -> None:
    """Matched pixels of parts show points of the same part, at the same place on it."""
    clip = load_clip(dataset, "line-000000-c0-p0")
    first, last = clip.frames[0].geometry, clip.frames[2].geometry
    rows, columns = np.nonzero((first.objects > 0) & (first.objects <= 2))
    found = match(first, last, rows, columns)
    assert found.seen.mean() > 0.6
    ids = [row["view_id"] for row in dataset.views_of("line-000000")]
    here = dataset.position(ids[0])[rows, columns] + [2 * STEP_M, 0, 0]
    there = dataset.position(ids[2])[found.rows, found.columns]
    apart = np.linalg.norm(here - there, axis=1)[found.seen]
    pixel_m = np.median(first.depth[rows, columns]) / first.camera.fx
    assert np.median(apart) < pixel_m
    assert {1001} <= first.riding  # the belt itself


def test_the_reader_hands_out_frames_in_order(dataset) -> None:
    assert dataset.clip_ids() == ["line-000000-c0-p0"]
    frames = list(dataset.clip("line-000000-c0-p0"))
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.1, 0.2])
    shares = [frame.overexposed["share"] for frame in frames]
    assert shares[1] > shares[0] + 0.05  # the light rose by three stops in frame 1
    for frame in frames:
        clipped = frame.clipped()
        assert np.array_equal(range_share(frame.radiance(), frame.signal_from_radiance) > 1.0, clipped)
        assert frame.image().shape == clipped.shape
    assert set(frames[1].references) == {frames[0].photo["photo_id"]}
    with pytest.raises(InputError, match="clip_id"):
        next(dataset.clip("line-000000-c9-p0"))


def test_a_frame_taken_again_has_the_bytes_of_the_dataset(dataset, tmp_path) -> None:
    """The exposure control is run through the earlier frames; without them the bright frame would be exposed right."""
    scene = from_dict(SceneSpec, json.loads(dataset.scene("line-000000")["spec_json"]))
    (bundle,) = (dataset.root / "store" / "render").glob("*/*")
    frame = list(dataset.clip("line-000000-c0-p0"))[2]
    row, file = redevelop(scene, 2, 0, bundle, Changes(), tmp_path)
    assert file.read_bytes() == (dataset.root / frame.photo["image_path"]).read_bytes()
    assert row["exposure_ev"] == frame.photo["exposure_ev"] > 0.5


def test_the_command_prints_the_policies(dataset) -> None:
    result = CliRunner().invoke(cli.main, ["clips", str(dataset.root)])
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert [line.split()[0] for line in lines[1:]] == [
        "previous_frame", *(f"fixed_lag({lag})" for lag in (2, 4, 8, 12, 16, 24)), "rule",
    ]  # fmt: skip
    assert all(line.split()[1] == "1" for line in lines[1:])


def test_the_same_scene_again_has_the_same_bytes(dataset, tmp_path) -> None:
    (tmp_path / "line.toml").write_text(SPEC)
    again = make_scene(tmp_path / "line.toml", "line-000000", tmp_path / "again", stages=DEFAULT_STAGES).folder
    for stage in ("render", "photos"):
        (folder,) = (dataset.root / "store" / stage).glob("*/*")
        built = json.loads((folder / "record.json").read_text())["files"]
        for name, entry in json.loads((again / stage / "record.json").read_text())["files"].items():
            assert name == "rows.json" or built[name]["sha256"] == entry["sha256"], name
    bundle = load_bundle(again / "render")
    assert any(rides_the_belt(entry) for entry in bundle.objects)
