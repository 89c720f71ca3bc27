"""verify finds each kind of damage, says where, and finds nothing in a sound dataset."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.changed_builds import change_rows, whats

from pipeline import masks
from pipeline.bundle import read_exr, read_ids, write_exr, write_ids
from pipeline.dataset import open_dataset
from pipeline.dataset.build import BuildInfo, write_build
from pipeline.dataset.verify import verify
from pipeline.errors import InputError
from pipeline.layers import read_parts, relative_error, write_parts

VIEW, PHOTO = "tiny-000001-v0", "tiny-000001-v0-p1"


def at(root: Path, table: str, name: str, column: str) -> Path:
    dataset = open_dataset(root)
    row = dataset.photo(name) if table == "photos" else dataset.rows(table, "view_id", name)[0]
    return root / row[column]


def test_a_sound_dataset_has_no_problem(dataset_root: Path) -> None:
    seen = []
    report = verify(dataset_root, progress=lambda what, done, total: seen.append((what, done, total)))
    assert report.problems == ()
    assert report.build == "0001"
    assert report.checked["views"] == 4
    assert report.checked["photos"] == 8
    assert report.checked["outputs"] == 13
    assert ("store", 13, 13) in seen
    assert ("photos", 8, 8) in seen
    assert report.ok


def test_one_changed_byte_is_found(dataset_root: Path) -> None:
    path = at(dataset_root, "photos", PHOTO, "image_path")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    report = verify(dataset_root, deep=False)
    assert [problem.what for problem in report.problems] == ["checksum"]
    assert report.problems[0].where == path.relative_to(dataset_root).as_posix()
    assert re.search(r"p1\.png: checksum: expected [0-9a-f]{64}, found [0-9a-f]{64}$", str(report.problems[0]))
    assert not report.ok


def test_a_missing_a_shorter_and_an_unknown_file_are_found(dataset_root: Path) -> None:
    at(dataset_root, "views", VIEW, "depth_path").unlink()
    shorter = at(dataset_root, "views", VIEW, "normal_path")
    shorter.write_bytes(shorter.read_bytes()[:-1])
    (shorter.parent / "extra.png").write_bytes(b"")
    assert whats(verify(dataset_root, deep=False)) == {"file", "size", "unknown file"}


def test_an_unreadable_record_and_what_rests_on_it_are_found(dataset_root: Path) -> None:
    path = at(dataset_root, "photos", PHOTO, "image_path").parent / "record.json"
    path.write_text("{")
    report = verify(dataset_root, deep=False)
    assert whats(report) == {
        "output record",
        "image_path",
        "m_path",
        "t_path",
        "r_path",
        "c_path",
        "picture_path",
        "radiance_path",
        "stops_above_path",
    }
    assert any(problem.where == path.relative_to(dataset_root).as_posix() for problem in report.problems)


def test_a_changed_table_is_found(dataset_root: Path) -> None:
    path = dataset_root / "builds" / "0001" / "reflections.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    assert whats(verify(dataset_root)) == {"checksum", "table"}


def test_a_table_of_another_form_is_found(dataset_root: Path) -> None:
    path = dataset_root / "builds" / "0001" / "reflections.parquet"
    pq.write_table(pa.table({"view_id": ["v"]}), path)
    assert {"checksum", "rows", "schema", "schema version"} == whats(verify(dataset_root))


def test_a_broken_pointer_is_found(dataset_root: Path) -> None:
    (dataset_root / "LATEST").write_text("0007\n")
    assert whats(verify(dataset_root, deep=False)) == {"build"}


def drop_first(rows: list[dict[str, Any]]) -> None:
    del rows[0]


def setter(**values: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda rows: rows[0].update(values)


EMPTY_MASK = masks.encode(np.zeros((24, 32), dtype=bool))


@pytest.mark.parametrize(
    ("table", "change", "expected"),
    [
        ("scenes", drop_first, {"foreign key", "split", "splits"}),
        ("views", drop_first, {"foreign key"}),
        ("photos", drop_first, {"foreign key", "splits"}),
        ("photos", setter(split="test"), {"split", "splits"}),
        ("photos", setter(sha256="0" * 64), {"photo checksum"}),
        ("photos", setter(width=31), {"image size", "mask size", "layer size"}),
        ("photos", setter(clipped_fraction=1.5), {"clipped_fraction"}),
        ("photos", setter(clipped_fraction=0.001), {"clipped pixels"}),
        ("photos", setter(image_path="store/photos/ab/abcd/p.png"), {"image_path", "contents"}),
        ("photos", lambda rows: rows.append(rows[0]), {"key", "splits"}),
        ("instances", drop_first, {"instance layer"}),
        ("instances", setter(px_visible=5), {"px_visible", "visible_fraction"}),
        ("instances", setter(visible_fraction=1.25), {"visible_fraction"}),
        ("instances", setter(mask_rle=EMPTY_MASK), {"mask_rle", "bbox_visible"}),
        ("instances", setter(mask_full_rle=EMPTY_MASK), {"mask_full_rle"}),
        ("instances", setter(mask_rle='{"size":[24,32],"counts":"1"}'), {"contents"}),
        ("instances", setter(bbox_visible=[0, 0, 9, 9]), {"bbox_visible"}),
        ("instances", setter(bbox_visible=None), {"bbox_visible"}),
        ("highlights", setter(area_px=9), {"area_px"}),
        ("highlights", setter(bbox=[0, 0, 9, 9]), {"bbox"}),
        ("highlights", setter(clipped_px=[9, 0, 0]), {"clipped pixels"}),
        ("reflections", setter(instance_id=2), {"reflection mask"}),
        ("reflections", setter(share=1.5), {"share"}),
        ("mirror_images", setter(instance_id=1), {"mirror image mask"}),
        ("mirror_images", setter(bbox=[4.0, 4.0, 4.0, 3.0]), {"bbox"}),
        ("cast_light", setter(instance_id=1), {"cast light mask"}),
        ("cast_light", setter(area_px=9), {"area_px"}),
        ("cast_light", setter(share=1.5), {"share"}),
        ("views", setter(cast_light_path=None), {"cast light"}),
        ("views", setter(light_groups=["rig"]), {"light groups"}),
    ],
)
def test_each_rule_is_checked(dataset_root: Path, table: str, change: Any, expected: set[str]) -> None:
    change_rows(dataset_root, table, change)
    assert whats(verify(dataset_root)) == expected


@pytest.mark.parametrize(
    ("column", "name", "expected"),
    [
        ("layers_path", "group.rig", {"sum of light groups and of terms"}),
        (
            "terms_path",
            "glossy_direct",
            {"sum of light groups and of terms", "luminance of noisy", "luminance of glossy_direct"},
        ),
        ("layers_path", "noisy", {"luminance of noisy"}),
        ("layers_path", "glossy_direct", {"luminance of glossy_direct"}),
    ],
)
def test_light_that_does_not_add_up_is_found(dataset_root: Path, column: str, name: str, expected: set[str]) -> None:
    path = at(dataset_root, "views", VIEW, column)
    parts = read_parts(path)
    parts[name][3, 4] += 0.1
    write_parts(path, parts, "zip:1")
    report = verify(dataset_root)
    assert whats(report) - {"checksum", "size"} == expected
    assert any(f"view {VIEW}" in str(problem) and "to their rounding" in str(problem) for problem in report.problems)


def test_a_decomposition_that_does_not_add_up_is_found(dataset_root: Path) -> None:
    path = at(dataset_root, "reflection_layers", VIEW, "decomposition_path")
    parts = read_parts(path)
    parts["highlight.rig"][5, 6] += 0.1
    parts["diffuse.world"][6, 6] = -1
    write_parts(path, parts, "zip:1")
    expected = {"sum of the decomposition", "decomposition"}
    assert whats(verify(dataset_root)) - {"checksum", "size"} == expected
    parts["diffuse.moon"] = parts.pop("diffuse.world")
    write_parts(path, parts, "zip:1")
    assert any("moon" in str(problem) for problem in verify(dataset_root).problems)


@pytest.mark.parametrize(
    ("field", "expected"), [("groups", "sum of light groups"), ("terms", "sum of light-path terms")]
)
def test_a_render_whose_layers_did_not_add_up_is_found(dataset_root: Path, field: str, expected: str) -> None:
    path = at(dataset_root, "views", VIEW, "bundle_path")
    bundle = json.loads(path.read_text())
    bundle["light_sums"][0][field] = 2e-4
    path.write_text(json.dumps(bundle))
    report = verify(dataset_root)
    assert whats(report) - {"checksum", "size"} == {expected}
    assert any("found a relative error of 0.0002" in str(problem) for problem in report.problems)


def test_cast_light_that_is_no_light_or_nobody_s_is_found(dataset_root: Path) -> None:
    path = at(dataset_root, "views", VIEW, "cast_light_path")
    parts = read_parts(path)
    parts["cast.rig"][3, 4] = np.nan
    write_parts(path, parts, "zip:1")
    labels = at(dataset_root, "views", VIEW, "thrower_path")
    ids = read_ids(labels)
    ids[0, 0] = 9
    write_ids(labels, ids)
    assert whats(verify(dataset_root)) - {"checksum", "size"} == {"layer", "thrower layer"}


def test_an_instance_layer_that_disagrees_is_found(dataset_root: Path) -> None:
    path = at(dataset_root, "views", VIEW, "instance_path")
    ids = read_ids(path)
    ids[0, 0] = 7
    ids[13, 15] = 0
    write_ids(path, ids)
    expected = {"instance layer", "px_visible", "mask_rle", "sum of the decomposition"}
    assert whats(verify(dataset_root)) - {"checksum", "size"} == expected


def test_a_layer_that_cannot_be_read_does_not_end_the_check(dataset_root: Path) -> None:
    at(dataset_root, "views", VIEW, "layers_path").write_bytes(b"no image")
    change_rows(dataset_root, "photos", setter(sha256="0" * 64))
    report = verify(dataset_root)
    assert whats(report) == {"size", "contents", "photo checksum"}
    assert report.checked["photos"] == 8


def test_every_problem_is_one_line(dataset_root: Path) -> None:
    for path in dataset_root.glob("store/render/*/*/views/v0/*.png"):
        path.unlink()
    report = verify(dataset_root, deep=False)
    assert all("\n" not in str(problem) for problem in report.problems)
    assert len(report.problems) == 24


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a dataset folder"):
        verify(tmp_path / "nowhere")
    with pytest.raises(InputError, match="expected a dataset folder"):
        verify(tmp_path)


def test_a_store_without_a_build_is_checked(tmp_path: Path, scene_maker: Any) -> None:
    scene_maker(tmp_path, 0)
    report = verify(tmp_path)
    assert report.ok
    assert report.build is None
    assert report.checked["outputs"] == 4


def test_an_older_build_can_be_checked(dataset_root: Path, scene_maker: Any, info: BuildInfo) -> None:
    write_build(dataset_root, [scene_maker(dataset_root, 8)], info)
    assert verify(dataset_root, "0001").checked["photos"] == 8
    assert verify(dataset_root).checked["photos"] == 2


def test_relative_error_is_measured_against_the_pixel_and_a_little_of_the_mean() -> None:
    image = np.full((4, 4, 3), 2.0, dtype=np.float32)
    other = image.copy()
    other[1, 2, 0] = 2.0 * (1 + 3e-4)
    # The error is taken over 2 + 0.01 * 2, so that 3e-4 becomes 3e-4 / 1.01.
    assert relative_error(other, image) == pytest.approx(3e-4 / 1.01, rel=1e-3)
    black = np.zeros((2, 2, 3), dtype=np.float32)
    assert relative_error(black, black) == 0.0
    assert relative_error(black + np.float32(1e-9), black) == np.inf
    assert relative_error(np.full_like(black, np.nan), black) == np.inf


@pytest.mark.parametrize(("change", "what"), [(0.01, "mixture"), (np.nan, "layer"), (-1.0, "layer")])
def test_a_mixture_that_is_not_the_sum_of_its_layers_is_found(dataset_root: Path, change: float, what: str) -> None:
    row = open_dataset(dataset_root).glass("tiny-000001-v0-p0")
    assert row is not None
    path = dataset_root / row["m_path"]
    channels = read_exr(path)
    channels["G"][3, 4] += change
    write_exr(path, channels)
    assert what in whats(verify(dataset_root))
