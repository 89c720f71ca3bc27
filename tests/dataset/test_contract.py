"""The page of the data contract is current, and rows that break the contract are refused with a clear message."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.dataset.columns import SCHEMA_VERSION
from pipeline.dataset.contract import with_tables
from pipeline.dataset.tables import TABLES, rows_to_table

PAGE = Path(__file__).parents[2] / "docs" / "data-contract.md"

DESIGNED = {
    "scenes": "scene_id scene_key seed split spec_json rig surroundings render_seconds samples",
    "views": "view_id scene_id width height fx fy cx cy cam_from_world layers_path depth_path normal_path "
    "instance_path face_path reflection_path",
    "photos": "photo_id view_id scene_id split image_path raw_path sha256 width height origin exposure_ev shutter_s "
    "gain f_number cct_k light_weights sensor lens clipped_fraction transfer_model transfer_strength gate_passed "
    "gate_scores quality_flags",
    "instances": "view_id instance_id part_id category metal finishes model_to_camera bbox_visible bbox_full "
    "box3d_corners px_visible px_full visible_fraction mask_rle mask_full_rle truncated symmetries",
    "highlights": "photo_id highlight_id instance_id light_id light_kind mask_rle bbox area_px centroid "
    "peak_radiance energy clipped_px face_ids",
    "reflections": "view_id instance_id reflected_kind reflected_id area_px share mean_distance_m mask_rle",
}


def highlight(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {"photo_id": "p", "highlight_id": 1, "instance_id": 1, "light_id": "l"}
    row |= {"light_kind": "bar", "mask_rle": "{}", "bbox": [0, 0, 2, 2], "area_px": 4}
    return row | changes


def test_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "run: python -m pipeline.dataset.contract docs/data-contract.md"
    assert f"Schema version {SCHEMA_VERSION}." in page


@pytest.mark.parametrize("name", DESIGNED)
def test_tables_have_every_column_that_readers_were_promised(name: str) -> None:
    assert set(DESIGNED[name].split()) <= {column.name for column in TABLES[name].columns}


def test_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        with_tables("# nothing")


def test_values_come_back_as_they_were() -> None:
    photo = {"photo_id": "p", "view_id": "v", "scene_id": "s", "split": "train", "image_path": "a", "sha256": "b"}
    photo |= {"width": 4, "height": 3, "origin": "camera", "light_weights": {"b": 2, "a": 0.5}, "quality_flags": ["x"]}
    row = rows_to_table("photos", [photo]).to_pylist()[0]
    assert row["light_weights"] == [("a", 0.5), ("b", 2.0)]
    assert row["quality_flags"] == ["x"]
    assert row["transfer_model"] is None


def test_nested_lists_are_laid_out_flat_and_objects_become_json() -> None:
    instance = {"view_id": "v", "instance_id": 1, "part_id": "p", "category": "c", "metal": "m", "px_visible": 1}
    instance |= {"px_full": 1, "visible_fraction": 1.0, "mask_rle": "", "mask_full_rle": "", "truncated": False}
    matrix = [[1, 0, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]]
    row = rows_to_table("instances", [instance | {"model_to_camera": matrix, "symmetries": {"b": [], "a": 1}}])
    assert row.to_pylist()[0]["model_to_camera"] == [float(value) for line in matrix for value in line]
    assert row.to_pylist()[0]["symmetries"] == '{"a":1,"b":[]}'


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, r"row p/1: expected the columns of the contract, found \['colour'\]"),
        ({"light_id": None}, r"column light_id: expected a value .*found none"),
        ({"area_px": 4.5}, r"column area_px: expected a whole number, found 4\.5"),
        ({"area_px": True}, "column area_px: expected a whole number, found True"),
        ({"peak_radiance": float("nan")}, "column peak_radiance: expected a finite number, found nan"),
        ({"peak_radiance": "3"}, "column peak_radiance: expected a finite number"),
        ({"light_kind": 3}, "column light_kind: expected text, found 3"),
        ({"bbox": [1, 2, 3]}, "column bbox: expected 4 values, found 3"),
        ({"bbox": "1234"}, "column bbox: expected a list"),
    ],
)
def test_a_wrong_value_is_named_with_table_row_and_column(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rows_to_table("highlights", [highlight(), highlight(highlight_id=2), highlight(**changes)])


def test_no_rows_make_an_empty_table_of_the_schema() -> None:
    table = rows_to_table("views", [])
    assert (table.num_rows, table.schema.field("cam_from_world").type) == (0, pa.list_(pa.float64()))
