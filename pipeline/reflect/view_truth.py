"""The layers that are made of a view's bundle after the render, and their rows of the table reflection_layers.

Covers: edges and depth failures: folders, files, rows. Does not cover: what is in them (`edge_layers`,
`depth_failure_layers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.bundle import BundleView, load_bundle, view_folder
from pipeline.reflect.depth_failure_layers import DEPTH_FAILURE_FILE, write_depth_failure
from pipeline.reflect.edge_layers import EDGES_FILE, FALSE_EDGE_FILE, write_edges
from pipeline.reflect.line_of_sight import Mesh
from pipeline.spec.depth_sensor import DepthSensorSpec

Rows = list[dict[str, Any]]


def edge_rows(bundle: Path, defects: Iterable[Mapping[str, Any]], out: Path) -> Rows:
    """Write the explained edges of every view of the bundle in folder *bundle* below *out*; a row per view.

    *defects*: rows of the defects table. Paths are relative to *out*. Raises OSError when a file cannot be read or
    written.
    """
    scene = load_bundle(bundle)
    masks: dict[str, list[str]] = {}
    for row in defects:
        if row["visible"]:
            masks.setdefault(row["view_id"], []).append(row["mask_rle"])
    rows: Rows = []
    for view in scene.views:
        folder = _folder(out, view)
        write_edges(bundle, scene, view, masks.get(view.view_id, ()), folder)
        rows.append(_row(scene.scene_id, view, out, folder, edges=EDGES_FILE, false_edge=FALSE_EDGE_FILE))
    return rows


def depth_failure_rows(
    bundle: Path, sensor: DepthSensorSpec, parts: Callable[[BundleView], Sequence[Mesh]], out: Path
) -> Rows:
    """Write where *sensor* would fail in every view, below *out*; a row per view, as `edge_rows`.

    *parts* gives the meshes of all part instances in the camera's frame of a view.
    """
    scene = load_bundle(bundle)
    rows: Rows = []
    for view in scene.views:
        folder = _folder(out, view)
        write_depth_failure(bundle, scene, view, sensor, parts(view), folder)
        rows.append(_row(scene.scene_id, view, out, folder, depth_failure=DEPTH_FAILURE_FILE))
    return rows


def joined_by_view(*tables: Rows) -> Rows:
    """One row per view with the columns of all *tables*, in the order of their first appearance."""
    joined: dict[str, dict[str, Any]] = {}
    for row in (row for table in tables for row in table):
        joined.setdefault(row["view_id"], {}).update(row)
    return list(joined.values())


def _folder(out: Path, view: BundleView) -> Path:
    folder = view_folder(out, view.view_index)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _row(scene_id: str, view: BundleView, out: Path, folder: Path, **files: str) -> dict[str, Any]:
    paths = {f"{name}_path": (folder / file).relative_to(out).as_posix() for name, file in files.items()}
    return {"view_id": view.view_id, "scene_id": scene_id, **paths}
