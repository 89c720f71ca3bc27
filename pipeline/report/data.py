"""The tables of one build, as the report and `inspect` read them.

Reads the Parquet files with pyarrow and only the columns asked for, because a nightly build has millions of masks and
because a report is written before its build is visible to the dataset reader. Does not cover: drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.dataset.build import BUILD_FILE, LATEST, BuildRecord
from pipeline.dataset.keep import was_dropped
from pipeline.dataset.store import RECORD_FILE, STORE
from pipeline.dataset.tables import TABLES
from pipeline.errors import DamageFound
from pipeline.records import from_dict, read_json

Row = dict[str, Any]

QUARANTINE: Final = "quarantine"
_BATCH_ROWS: Final = 2048
_SAMPLED_RECORDS: Final = 400
"""Records read for the report; more do not change an average."""


@dataclass(frozen=True)
class BuildTables:
    """A build's record and tables below the dataset folder *root*."""

    root: Path
    folder: Path
    record: BuildRecord

    def rows(self, table: str, columns: Sequence[str], where: tuple[str, Sequence[Any]] | None = None) -> list[Row]:
        """Rows of *table* with the *columns*; *where* = (column, allowed values). Maps come as dicts.

        A column that the build's tables do not have (an older build) is None in every row. Raises DamageFound when
        the table cannot be read.
        """
        path = self.folder / f"{table}.parquet"
        if table not in self.record.tables or (where is not None and not where[1]):
            return []
        with _readable(path):
            found = list(_matching(path, columns, where))
            rows = [row for group in found for row in group.to_pylist(maps_as_pydicts="strict")]
        return [{name: row.get(name) for name in columns} for row in rows]

    def values(self, table: str, column: str) -> Iterator[Any]:
        """Values of one column, null ones left out, batch by batch: memory does not grow with the build.

        Raises DamageFound when the table cannot be read.
        """
        import pyarrow.parquet as pq

        path = self.folder / f"{table}.parquet"
        if table not in self.record.tables:
            return
        with _readable(path), pq.ParquetFile(path) as file:
            if column not in file.schema_arrow.names:
                return
            for batch in file.iter_batches(_BATCH_ROWS, columns=[column]):
                for value in batch.column(0).to_pylist(maps_as_pydicts="strict"):
                    if value is not None:
                        yield value

    def all_columns(self, table: str) -> tuple[str, ...]:
        """Names of the columns of *table* in the data contract."""
        return tuple(column.name for column in TABLES[table].columns)

    def file(self, path: str | None) -> Path:
        """A file that a `*_path` column names. Raises FileNotFoundError when the dataset does not keep it."""
        if path is None or (not (self.root / path).exists() and was_dropped(self.root, path)):
            raise FileNotFoundError("not kept in this dataset (`keep` in its spec); `glint scene` makes it anew")
        return self.root / path

    def quarantine(self) -> dict[str, Row]:
        """Scene id -> what the quarantine folder says about each scene that this build left out."""
        return {scene: _read_quarantine(self.root / QUARANTINE / f"{scene}.json") for scene in self.record.quarantined}

    def stage_numbers(self) -> dict[str, dict[str, float]]:
        """Stage -> number -> mean over (up to 400, evenly chosen) of its outputs, as their records measured it."""
        by_stage: dict[str, list[str]] = {}
        for row in self.rows("outputs", ("stage", "key")):
            by_stage.setdefault(row["stage"], []).append(row["key"])
        return {stage: self._means(stage, sorted(set(keys))) for stage, keys in by_stage.items()}

    def _means(self, stage: str, keys: list[str]) -> dict[str, float]:
        totals: dict[str, list[float]] = {}
        for key in keys[:: max(1, len(keys) // _SAMPLED_RECORDS)]:
            path = self.root / STORE / stage / key[:2] / key / RECORD_FILE
            if path.is_file():
                for name, value in read_json(path).get("numbers", {}).items():
                    totals.setdefault(name, []).append(float(value))
        return {name: sum(values) / len(values) for name, values in totals.items()}


def open_tables(root: Path, folder: Path) -> BuildTables:
    """The tables in the build *folder* of the dataset *root*. Raises FileNotFoundError without a build.json."""
    return BuildTables(root, folder, from_dict(BuildRecord, read_json(folder / BUILD_FILE)))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what pyarrow says of a damaged or missing table into DamageFound."""
    try:
        yield
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise DamageFound(
            f"{path}: expected a readable Parquet table, found {error}; remove {LATEST} and run the build again, which "
            f"writes a new build from the store"
        ) from error


def _matching(path: Path, columns: Sequence[str], where: tuple[str, Sequence[Any]] | None) -> Iterator[Any]:
    """Arrow tables with the matching rows of each row group: no more than one row group is in memory at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        for group in range(file.num_row_groups):
            if where is None:
                yield file.read_row_group(group, columns=there)
                continue
            column, allowed = where
            if not _may_hold(file.metadata.row_group(group), column, allowed):
                continue
            keys = file.read_row_group(group, columns=[column]).column(0)
            matches = pc.is_in(keys, value_set=pa.array(allowed, keys.type))
            if pc.any(matches).as_py():
                yield file.read_row_group(group, columns=there).filter(matches)


def _may_hold(group: Any, column: str, allowed: Sequence[Any]) -> bool:
    """Whether a row group's statistics leave room for one of the *allowed* values."""
    for place in range(group.num_columns):
        entry = group.column(place)
        if entry.path_in_schema == column and entry.statistics is not None and entry.statistics.has_min_max:
            return any(entry.statistics.min <= value <= entry.statistics.max for value in allowed)
    return True


def _read_quarantine(path: Path) -> Row:
    if not path.is_file():
        return {}
    values = read_json(path)
    return values if isinstance(values, dict) else {}
