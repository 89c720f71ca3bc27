"""Reading and checking the edges of a view, depth failures, and how far photos are above saturation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.changed_builds import change_rows, whats

from pipeline.bundle import read_exr, read_ids, write_exr, write_ids
from pipeline.dataset import open_dataset
from pipeline.dataset.verify import verify
from pipeline.errors import DamageFound, InputError
from pipeline.report.data import open_tables
from pipeline.report.edge_panels import CAUSE_COLORS, FAILURE_COLORS
from pipeline.report.panels import Panel, view_panels

VIEW, PHOTO, OTHER = "tiny-000001-v0", "tiny-000001-v0-p1", "tiny-000001-v0-p0"

CHANGED = {"checksum", "size"}
"""What a changed file is noticed by in any case."""


def file_of(root: Path, column: str) -> Path:
    (row,) = open_dataset(root).rows("reflection_layers", "view_id", VIEW)
    return root / row[column]


def test_edges_of_a_view_and_of_its_photo(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    labels, channels = dataset.edge_labels(VIEW), dataset.false_edges(VIEW)
    assert labels.dtype == np.uint16
    assert np.array_equal(labels == 3, channels["false"] == 2.0)
    assert np.array_equal(dataset.truth(PHOTO, "edges"), labels)
    assert np.array_equal(dataset.truth(PHOTO, "false_edge.contrast"), channels["contrast"])
    failure = dataset.depth_failure(VIEW)
    assert {name.partition(".")[0] for name in failure} == {"left"}
    assert np.array_equal(dataset.truth(PHOTO, "depth_failure.left.shadow"), failure["left.shadow"])
    with pytest.raises(InputError, match=r"left\.failure"):
        dataset.truth(PHOTO, "depth_failure.right.failure")
    with pytest.raises(InputError, match="edges"):
        dataset.truth(PHOTO, "corners")


def test_builds_without_the_layers_say_so(dataset_root: Path) -> None:
    def forget(rows) -> None:
        for row in rows:
            row.update(depth_failure_path=None)

    change_rows(dataset_root, "reflection_layers", forget)
    with pytest.raises(InputError, match=r"\[\[depth_sensor.projectors\]\]"):
        open_dataset(dataset_root).depth_failure(VIEW)
    (dataset_root / "builds" / "0001" / "reflection_layers.parquet").unlink()
    for read in ("edge_labels", "false_edges", "depth_failure"):
        with pytest.raises(InputError, match="build the spec again"):
            getattr(open_dataset(dataset_root), read)(VIEW)


def test_damaged_layers_are_named(dataset_root: Path) -> None:
    for column, read in (("edges_path", "edge_labels"), ("false_edge_path", "false_edges")):
        path = file_of(dataset_root, column)
        path.write_bytes(path.read_bytes()[:40])
        with pytest.raises(DamageFound, match=path.name):
            getattr(open_dataset(dataset_root), read)(VIEW)
    assert "contents" in whats(verify(dataset_root))


def test_verify_finds_labels_that_disagree_with_shares(dataset_root: Path) -> None:
    path = file_of(dataset_root, "edges_path")
    labels = read_ids(path)
    labels[labels == 3] = 2
    write_ids(path, labels)
    assert {"labels"} == whats(verify(dataset_root)) - CHANGED
    labels[labels == 2] = 3
    labels[0, 0] = 4
    write_ids(path, labels)
    assert {"contrast", "shares"} == whats(verify(dataset_root)) - CHANGED
    labels[0, 0] = 9
    write_ids(path, labels)
    assert {"labels"} == whats(verify(dataset_root)) - CHANGED


def test_verify_finds_wrong_priors_and_sizes(dataset_root: Path) -> None:
    path = file_of(dataset_root, "depth_failure_path")
    write_exr(path, {name: values + 0.5 for name, values in read_exr(path).items()})
    assert {"depth failure"} == whats(verify(dataset_root)) - CHANGED
    edges = file_of(dataset_root, "false_edge_path")
    write_exr(edges, {name: values[1:] for name, values in read_exr(edges).items()})
    assert {"depth failure", "layer size"} == whats(verify(dataset_root)) - CHANGED


def test_stops_above_saturation(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    stops = dataset.stops_above(PHOTO)
    assert stops.dtype == np.float32
    assert stops[0].max() == 3.0
    with pytest.raises(InputError, match="stops_above = true"):
        dataset.stops_above(OTHER)
    path = dataset_root / dataset.photo(PHOTO)["stops_above_path"]
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DamageFound, match="stops"):
        open_dataset(dataset_root).stops_above(PHOTO)


def test_verify_compares_stops_with_the_columns(dataset_root: Path) -> None:
    def wrong(rows) -> None:
        row = next(row for row in rows if row["photo_id"] == PHOTO)
        row.update(clipped_px=[0, 1, 0], stops_above_max=[0.0, 2.0, 0.0])

    change_rows(dataset_root, "photos", wrong)
    assert {"clipped_px", "stops_above_max"} == whats(verify(dataset_root))


def test_a_build_of_an_older_schema_can_still_be_read(dataset_root: Path) -> None:
    """Columns that it lacks count as not kept."""
    path = dataset_root / "builds" / "0001" / "reflection_layers.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["edges_path", "false_edge_path", "depth_failure_path"]), path)
    with pytest.raises(InputError, match="build the spec again"):
        open_dataset(dataset_root).edge_labels(VIEW)


def panels_of(root: Path, view_id: str) -> dict[str, Panel]:
    tables = open_tables(root, root / "builds" / "0001")
    view = open_dataset(root).view(VIEW) | {"view_id": view_id}
    return {panel.title: panel for panel in view_panels(tables, view, None)}


def test_the_report_paints_edges_by_cause_and_failures(dataset_root: Path) -> None:
    panels = panels_of(dataset_root, VIEW)
    edges, left = panels["Edges by cause"], panels["Depth failures: left"]
    assert edges.picture is not None
    assert left.picture is not None
    assert tuple(edges.picture[0, 10]) == CAUSE_COLORS[0]
    assert tuple(edges.picture[-1, 10]) == CAUSE_COLORS[2]
    assert [entry.text for entry in edges.legend] == [
        "geometry, 12 px",
        "surface, 0 px",
        "reflection, 12 px",
        "illumination, 0 px",
    ]
    assert tuple(left.picture[0, 0]) == FAILURE_COLORS["shadow"]
    assert "Edges by cause" not in panels_of(dataset_root, "another")


def test_the_report_says_which_layers_cannot_be_drawn(dataset_root: Path) -> None:
    for column in ("edges_path", "depth_failure_path"):
        file_of(dataset_root, column).write_bytes(b"")
    panels = panels_of(dataset_root, VIEW)
    for title in ("Edges by cause", "Depth failures: ?"):
        assert panels[title].picture is None
        assert "cannot be drawn" in panels[title].note
    assert panels["Depth"].picture is not None
