"""Writing the Parquet files of a build in bounded memory.

Covers: buffering rows into row groups, one file per table. Does not cover: where rows come from (`build`).
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.tables import TABLES, rows_to_table
from pipeline.errors import DamageFound

_ROWS_AS_PYTHON: Final = 256
"""Rows kept as dicts, which take some ten times the memory of Arrow arrays."""
_ROW_GROUP_BYTES: Final = 16 * 2**20
"""Arrow memory of a full row group. Readers load whole row groups; masks dominate."""


class TableWriters:
    """One Parquet writer per table. A context manager; files are whole after the block."""

    def __init__(self, folder: Path) -> None:
        self._writers = {name: _TableWriter(folder, name) for name in TABLES}

    def add(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Append *rows*. Raises DamageFound when they do not fit the table's schema."""
        self._writers[table].add(rows)

    def __enter__(self) -> Self:
        """Start writing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is buffered (unless the block failed) and close the files."""
        for writer in self._writers.values():
            writer.close(keep=error is None)


class _TableWriter:
    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._file = pq.ParquetWriter(
            folder / f"{name}.parquet", TABLES[name].arrow(), compression="zstd", write_page_index=True
        )
        self._rows: list[dict[str, Any]] = []
        self._tables: list[Any] = []
        self._bytes = 0

    def add(self, rows: list[dict[str, Any]]) -> None:
        self._rows.extend(rows)
        if len(self._rows) >= _ROWS_AS_PYTHON:
            self._to_arrow()
        if self._bytes >= _ROW_GROUP_BYTES:
            self._write_group()

    def close(self, keep: bool) -> None:
        if keep:
            self._to_arrow()
            self._write_group()
        self._file.close()

    def _to_arrow(self) -> None:
        if self._rows:
            try:
                table = rows_to_table(self._name, self._rows)
            except ValueError as error:
                raise DamageFound(f"rows that break the data contract: {error}") from error
            self._rows = []
            self._tables.append(table)
            self._bytes += table.nbytes

    def _write_group(self) -> None:
        if self._tables:
            self._file.write_table(pa.concat_tables(self._tables).combine_chunks())
            self._tables = []
            self._bytes = 0
