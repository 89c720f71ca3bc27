"""Reading the edges of a view and where a depth sensor would fail; `reader.Dataset` has a method for each function.

Does not cover: what the layers mean (docs/truth.md), checking them (`check_edges`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.read_reflections import layer_file, layers_row
from pipeline.errors import DamageFound, InputError

if TYPE_CHECKING:
    from pipeline.dataset.reader import Dataset

EDGE_CAUSES: Final = ("geometry", "surface", "reflection", "illumination")
"""What a value k + 1 of the edge labels stands for."""


def edge_labels(dataset: Dataset, view_id: str) -> NDArray[np.uint16]:
    """See `Dataset.edge_labels`."""
    from pipeline.bundle import read_ids

    path = _file(dataset, view_id, "edges_path")
    try:
        return read_ids(path)
    except OSError as error:
        raise DamageFound(str(error)) from error


def false_edges(dataset: Dataset, view_id: str) -> dict[str, NDArray[np.float32]]:
    """See `Dataset.false_edges`."""
    return _channels(_file(dataset, view_id, "false_edge_path"))


def depth_failure(dataset: Dataset, view_id: str) -> dict[str, NDArray[np.float32]]:
    """See `Dataset.depth_failure`."""
    row = layers_row(dataset, view_id)
    if row is not None and row.get("depth_failure_path") is None:
        raise InputError(
            f"expected a depth sensor for view {view_id}, found none: its spec has no [[depth_sensor.projectors]]"
        )
    return _channels(_file(dataset, view_id, "depth_failure_path"))


def photo_layer(dataset: Dataset, view_id: str, layer: str) -> NDArray[Any] | None:
    """The layer of a view that `Dataset.truth` calls "edges", "false_edge.<channel>" or
    "depth_failure.<projector>.<cause>"; None for any other name. Raises InputError for an unknown channel."""
    if layer == "edges":
        return edge_labels(dataset, view_id)
    kind, _, channel = layer.partition(".")
    if kind not in {"false_edge", "depth_failure"}:
        return None
    channels = false_edges(dataset, view_id) if kind == "false_edge" else depth_failure(dataset, view_id)
    if channel not in channels:
        raise InputError(f"expected a channel of {kind} ({', '.join(channels)}), found {channel!r}")
    return channels[channel]


def is_edge_layer(layer: str) -> bool:
    """Whether a layer of `Dataset.truth` is lines rather than areas."""
    return layer.partition(".")[0] in {"edges", "false_edge"}


def _file(dataset: Dataset, view_id: str, column: str) -> Path:
    row = layers_row(dataset, view_id)
    if row is None or row.get(column) is None:
        raise InputError(
            f"expected a file in column {column} of view {view_id}, found none: this build was made before there was "
            "such a layer; build the spec again"
        )
    return layer_file(dataset, view_id, column)


def _channels(path: Path) -> dict[str, NDArray[np.float32]]:
    from pipeline.bundle import read_exr

    try:
        return read_exr(path)
    except OSError as error:
        raise DamageFound(str(error)) from error
