"""The dataset folder: store, tables, builds, reader, verify, diff, gc.

Readers need `open_dataset` alone. The rest is for `graph`, `report` and the command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.dataset.reader import Dataset

__all__ = ["open_dataset"]


def open_dataset(path: str | Path, build: str | Path | None = None) -> Dataset:
    """Open a dataset folder for reading: its newest build, or the one called *build* (for example "0003").

    A `Path` given as *build* is taken for the build's folder itself. Raises InputError when there is no such build,
    DamageFound when its record cannot be read. See `reader.Dataset` for what can be read, with an example.
    """
    from pipeline.dataset.reader import Dataset  # imported here: workers use the store and need no tables

    return Dataset(Path(path), build)
