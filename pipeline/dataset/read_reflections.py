"""Reading the reflection layers of a view; `reader.Dataset` has a method for each of these functions.

Does not cover: the layers' meaning (docs/truth.md), checking them (`check_reflection_layers`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.keep import not_kept
from pipeline.errors import DamageFound, InputError

if TYPE_CHECKING:
    from pipeline.dataset.reader import Dataset, Row
    from pipeline.reflected_sources import ReflectedSources


def reflected_sources(dataset: Dataset, view_id: str) -> ReflectedSources:
    """See `Dataset.reflected_sources`."""
    from pipeline import reflected_sources as sources

    view = dataset.view(view_id)
    for column in ("reflection_path", "position_path", "normal_path", "object_path"):
        if not dataset.has_file(view, column):
            raise InputError(not_kept(f"a file in column {column} of view {view_id}", view["scene_id"]))
    try:
        return sources.reflected_sources((dataset.root / view["bundle_path"]).parent, view_id)
    except (OSError, KeyError, ValueError) as error:
        raise DamageFound(f"view {view_id}: {error}") from error


def layers_row(dataset: Dataset, view_id: str) -> Row | None:
    """The row of a view in the table `reflection_layers`; None in builds from before there was one."""
    if not (dataset.folder / "reflection_layers.parquet").is_file():
        return None
    rows = dataset.rows("reflection_layers", "view_id", view_id)
    return rows[0] if rows else None


def decomposition(dataset: Dataset, view_id: str) -> dict[str, NDArray[np.float32]]:
    """See `Dataset.decomposition`."""
    from pipeline.layers import read_parts

    path = layer_file(dataset, view_id, "decomposition_path")
    try:
        return read_parts(path)
    except OSError as error:
        raise DamageFound(str(error)) from error


def layer_file(dataset: Dataset, view_id: str, column: str) -> Path:
    """The file that *column* of the table `reflection_layers` names for a view. Raises InputError without one."""
    view, row = dataset.view(view_id), layers_row(dataset, view_id)
    if row is None:
        raise InputError(
            f"expected a row for view {view_id} in the table reflection_layers, found none: this build was made before "
            "there was such a table; build the spec again"
        )
    if not dataset.has_file(row, column):
        raise InputError(not_kept(f"a file in column {column} of view {view_id}", view["scene_id"]))
    return dataset.root / str(row[column])
