"""Builds: same content same bytes, LATEST, what a broken row does, and nothing to see of a failed one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.dataset.build import BuildInfo, SceneOutputs, builds, latest_number, open_build, write_build
from pipeline.dataset.store import ActionRecord, Store
from pipeline.dataset.tables import SCHEMA_VERSION, TABLES
from pipeline.errors import DamageFound, InputError
from pipeline.records import sha256_file, write_json


def table_bytes(root: Path, number: str) -> dict[str, str]:
    return {name: sha256_file(root / "builds" / number / f"{name}.parquet") for name in TABLES}


def test_two_builds_of_the_same_content_have_the_same_bytes(tmp_path: Path, scene_maker, info: BuildInfo) -> None:
    for name in ("a", "b"):
        root = tmp_path / name
        write_build(root, [scene_maker(root, index) for index in range(5)], info)
    assert table_bytes(tmp_path / "a", "0001") == table_bytes(tmp_path / "b", "0001")


def test_rows_keep_the_order_of_the_scenes(tmp_path: Path, scene_maker, info: BuildInfo) -> None:
    scenes = [scene_maker(tmp_path, index) for index in (3, 1, 2)]
    build = write_build(tmp_path, iter(scenes), info)
    assert pq.read_table(build.folder / "scenes.parquet").column("scene_index").to_pylist() == [3, 1, 2]


def test_record_counts_what_the_tables_hold(dataset_root: Path) -> None:
    record = open_build(dataset_root).record
    for name, file in record.tables.items():
        assert pq.read_table(dataset_root / "builds" / "0001" / file.file).num_rows == file.rows, name
    assert record.splits == {"train": {"scenes": 3, "photos": 6}, "val": {"scenes": 1, "photos": 2}}
    assert record.stages["render"].outputs == 4


def test_paths_in_tables_name_files_below_the_dataset(dataset_root: Path) -> None:
    for name, schema in TABLES.items():
        table = pq.read_table(dataset_root / "builds" / "0001" / f"{name}.parquet")
        for column in schema.paths():
            for path in table.column(column).drop_null().to_pylist():
                assert (dataset_root / path).is_file()
                assert path.startswith("store/")


def test_render_time_and_key_come_from_the_store(dataset_root: Path) -> None:
    row = pq.read_table(dataset_root / "builds" / "0001" / "scenes.parquet").to_pylist()[0]
    assert row["render_seconds"] == 1.5
    assert Store(dataset_root).has("render", row["scene_key"])


def test_every_schema_carries_version_description_and_unit(dataset_root: Path) -> None:
    schema = pq.read_schema(dataset_root / "builds" / "0001" / "views.parquet")
    assert schema.metadata[b"schema_version"] == SCHEMA_VERSION.encode()
    assert schema.field("depth_path").metadata[b"unit"] == b"m"
    assert all(field.metadata[b"description"] for field in schema)
    assert not any("large" in str(field.type) or not field.nullable for field in schema)


def test_newest_build_is_the_one_latest_names(dataset_root: Path, scene_maker, info: BuildInfo) -> None:
    write_build(dataset_root, [scene_maker(dataset_root, 9)], info)
    assert (builds(dataset_root), latest_number(dataset_root)) == (("0001", "0002"), "0002")
    assert open_build(dataset_root).record.tables["scenes"].rows == 1
    assert open_build(dataset_root, "0001").record.tables["scenes"].rows == 4


def test_finish_sees_the_whole_build_before_any_reader(tmp_path: Path, scene_maker, info: BuildInfo) -> None:
    seen = []

    def finish(folder: Path) -> None:
        seen.append((sorted(path.name for path in folder.iterdir()), builds(tmp_path)))
        (folder / "report").mkdir()
        (folder / "report" / "index.html").write_text("<html>")

    build = write_build(tmp_path, [scene_maker(tmp_path, 0)], info, finish)
    names, visible = seen[0]
    assert {"build.json", "README.md", "croissant.json", "photos.parquet"} <= set(names)
    assert visible == ()
    assert (build.folder / "report" / "index.html").is_file()


def test_a_failing_report_leaves_no_build(tmp_path: Path, scene_maker, info: BuildInfo) -> None:
    def finish(folder: Path) -> None:
        raise RuntimeError("no report")

    with pytest.raises(RuntimeError, match="no report"):
        write_build(tmp_path, [scene_maker(tmp_path, 0)], info, finish)
    assert builds(tmp_path) == ()
    assert latest_number(tmp_path) is None
    assert list((tmp_path / ".staging").iterdir()) == []


def test_a_build_without_scenes_has_empty_tables(tmp_path: Path, info: BuildInfo) -> None:
    build = write_build(tmp_path, [], info)
    assert pq.read_table(build.folder / "photos.parquet").schema.names == TABLES["photos"].arrow().names


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"photos": [{"photo_id": "p", "colour": "red"}]}, r"photos, row p.*colour"),
        ({"pictures": []}, "pictures"),
        ({"scenes": [{"scene_id": "s"}]}, r"row s, column seed.*found none"),
        ({"views": [{"view_id": "v", "layers_path": "../../x.exr"}]}, r"layers_path.*x\.exr"),
    ],
)
def test_rows_that_break_the_contract_are_named(tmp_path: Path, info: BuildInfo, rows: dict, message: str) -> None:
    key = "ab" * 32
    with Store(tmp_path).stage_output(ActionRecord("render", 1, key, "s", {})) as staged:
        write_json(staged.folder / "rows.json", rows)
    with pytest.raises(DamageFound, match=message):
        write_build(tmp_path, [SceneOutputs("s", {"render": key})], info)
    assert builds(tmp_path) == ()


def test_a_missing_output_is_named(tmp_path: Path, info: BuildInfo) -> None:
    with pytest.raises(DamageFound, match="scene s: expected the output render/abab"):
        write_build(tmp_path, [SceneOutputs("s", {"render": "ab" * 32})], info)


def test_no_dataset_no_build_wrong_number(tmp_path: Path, dataset_root: Path) -> None:
    with pytest.raises(InputError, match="expected a dataset folder"):
        open_build(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="found none yet"):
        open_build(tmp_path / "empty")
    with pytest.raises(InputError, match="0001"):
        open_build(dataset_root, "0042")
    (dataset_root / "LATEST").write_text("0042\n")
    with pytest.raises(DamageFound, match="0042"):
        open_build(dataset_root)


def test_croissant_describes_every_column_and_checksum(dataset_root: Path) -> None:
    folder = dataset_root / "builds" / "0001"
    card = json.loads((folder / "croissant.json").read_text())
    assert card["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    for file in card["distribution"]:
        assert sha256_file(folder / file["contentUrl"]) == file["sha256"]
    described = {f"{record['name']}/{field['name']}" for record in card["recordSet"] for field in record["field"]}
    assert described == {f"{name}/{column.name}" for name, schema in TABLES.items() for column in schema.columns}
    references = {
        field["references"]["field"]["@id"] for record in card["recordSet"] for field in record["field"]
        if "references" in field
    }  # fmt: skip
    assert references <= described


def test_dataset_card_has_front_matter_and_counts(dataset_root: Path) -> None:
    text = (dataset_root / "builds" / "0001" / "README.md").read_text()
    assert text.startswith("---\n")
    assert "8 synthetic photographs" in text
    assert "| train | 3 | 6 |" in text


def test_description_and_licence_of_the_spec_are_in_both_cards(tmp_path: Path, scene_maker, info: BuildInfo) -> None:
    info = replace(info, description="Bolts of one line.", licence='CC-BY-4.0 "or later"')
    folder = write_build(tmp_path, [scene_maker(tmp_path, 0)], info).folder
    card, text = json.loads((folder / "croissant.json").read_text()), (folder / "README.md").read_text()
    assert card["license"] == 'CC-BY-4.0 "or later"'
    assert card["description"].startswith("Bolts of one line. 2 synthetic photographs")
    assert '\nlicense_name: "CC-BY-4.0 \\"or later\\""\n' in text
    assert "\nBolts of one line. 2 synthetic photographs" in text
    assert 'Licence of the pictures: CC-BY-4.0 "or later".' in text


def test_full_row_groups_are_written_while_scenes_come_in(
    tmp_path: Path, scene_maker, info: BuildInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write_build(tmp_path / "a", [scene_maker(tmp_path / "a", index) for index in range(4)], info)
    monkeypatch.setattr("pipeline.dataset.writer._ROWS_AS_PYTHON", 1)
    monkeypatch.setattr("pipeline.dataset.writer._ROW_GROUP_BYTES", 1)
    split = write_build(tmp_path / "b", [scene_maker(tmp_path / "b", index) for index in range(4)], info)
    for name in TABLES:
        one, many = (pq.ParquetFile(build.folder / f"{name}.parquet") for build in (whole, split))
        assert (one.num_row_groups, many.num_row_groups) == (1, 4), name
        assert one.read().equals(many.read())
