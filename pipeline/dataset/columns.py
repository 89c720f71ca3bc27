"""What a column and a table are: types, meaning, units, and turning rows into Arrow tables.

Covers: the description of a table and the check of rows against it. Does not cover: which tables there are (`tables`).
All fields are nullable and no type is a `large_` one, because readers differ in what they make of those; a value that
must be there is checked here instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pipeline.records import canonical_json

SCHEMA_VERSION: Final = "2.2"
"""Raised in its second number for a new column, in its first for one that is renamed, retyped or gone."""

TEXT: Final = "text"
INTEGER: Final = "integer"
NUMBER: Final = "number"
FLAG: Final = "flag"
TEXTS: Final = "list of text"
INTEGERS: Final = "list of integers"
NUMBERS: Final = "list of numbers"
NUMBER_BY_NAME: Final = "map name -> number"
TEXT_BY_NAME: Final = "map name -> text"

_ARROW: Final[dict[str, Any]] = {
    TEXT: pa.string(),
    INTEGER: pa.int64(),
    NUMBER: pa.float64(),
    FLAG: pa.bool_(),
    TEXTS: pa.list_(pa.string()),
    INTEGERS: pa.list_(pa.int64()),
    NUMBERS: pa.list_(pa.float64()),
    NUMBER_BY_NAME: pa.map_(pa.string(), pa.float64()),
    TEXT_BY_NAME: pa.map_(pa.string(), pa.string()),
}


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: str
    """One of the constants above."""
    description: str
    unit: str = ""
    required: bool = False
    """A row without it is refused."""
    length: int | None = None
    """Lists only: the number of values in each row."""
    is_json: bool = False
    """Text that holds JSON; `rows_to_table` also takes the object itself."""

    @property
    def is_path(self) -> bool:
        """Whether the value names a file, relative to DATASET."""
        return self.name.endswith("_path")

    def field(self) -> Any:
        """The Arrow field, with description and unit in its metadata."""
        notes = {"description": self.description, "unit": self.unit}
        return pa.field(self.name, _ARROW[self.kind], metadata={key: text for key, text in notes.items() if text})


@dataclass(frozen=True)
class TableSchema:
    """One table: what a row is, and its columns in order."""

    name: str
    row: str
    """What one row stands for."""
    key: tuple[str, ...]
    """Columns that together name a row; no two rows share them."""
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column called *name*. Raises KeyError."""
        return {column.name: column for column in self.columns}[name]

    def arrow(self) -> Any:
        """The Arrow schema, with `schema_version` and the table's name in its metadata."""
        metadata = {"schema_version": SCHEMA_VERSION, "glint_table": self.name, "row": self.row}
        return pa.schema([column.field() for column in self.columns], metadata=metadata)

    def paths(self) -> tuple[str, ...]:
        """Names of the columns that hold paths."""
        return tuple(column.name for column in self.columns if column.is_path)


def rows_to_arrow(schema: TableSchema, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Turn row dicts into a pyarrow.Table of *schema*; a column that a row leaves out is null.

    Nested sequences are flattened into list columns ((4, 4) or (8, 3) values, in row-major order), objects become
    canonical JSON in JSON columns. Raises ValueError that names table, row and column for an unknown column, a
    missing required value, a wrong type or a wrong number of values.
    """
    known = {column.name for column in schema.columns}
    for place, row in enumerate(rows):
        unknown = sorted(set(row) - known)
        if unknown:
            raise ValueError(f"{_where(schema, row, place)}: expected the columns of the contract, found {unknown}")
    arrays = [_array(schema, column, rows) for column in schema.columns]
    return pa.Table.from_arrays(arrays, schema=schema.arrow())


def _array(schema: TableSchema, column: Column, rows: Sequence[Mapping[str, Any]]) -> Any:
    values = []
    for place, row in enumerate(rows):
        try:
            values.append(_value(column, row.get(column.name)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{_where(schema, row, place)}, column {column.name}: {error}") from error
    return pa.array(values, type=_ARROW[column.kind])


def _value(column: Column, value: Any) -> Any:
    """*value* as plain Python of the column's kind. Strict: no text becomes a number, no fraction an integer."""
    if value is None:
        if column.required:
            raise ValueError(f"expected a value ({column.description}), found none")
        return None
    if column.is_json and not isinstance(value, str):
        return canonical_json(value)
    if column.kind == NUMBER_BY_NAME:
        return [(str(name), _number(entry)) for name, entry in sorted(value.items())]
    if column.kind == TEXT_BY_NAME:
        return [(str(name), _text(entry)) for name, entry in sorted(value.items())]
    if column.kind in _ONE_BY_LIST:
        return _list(column, value)
    return _ONE[column.kind](value)


def _list(column: Column, value: Any) -> list[Any]:
    one = _ONE_BY_LIST[column.kind]
    entries = [one(entry) for entry in _flat(value)]
    if column.length is not None and len(entries) != column.length:
        raise ValueError(f"expected {column.length} values, found {len(entries)}")
    return entries


def _flat(value: Any) -> Iterable[Any]:
    if isinstance(value, (str, bytes, Mapping)):
        raise TypeError(f"expected a list, found {value!r}")
    for entry in value:
        if isinstance(entry, (list, tuple, np.ndarray)):
            yield from _flat(entry)
        else:
            yield entry


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)) or not np.isfinite(value):
        raise TypeError(f"expected a finite number, found {value!r}")
    return float(value)


def _integer(value: Any) -> int:
    if isinstance(value, (bool, str)) or int(value) != value:
        raise TypeError(f"expected a whole number, found {value!r}")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {value!r}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"expected true or false, found {value!r}")
    return bool(value)


_ONE: Final = {TEXT: _text, INTEGER: _integer, NUMBER: _number, FLAG: _flag}
_ONE_BY_LIST: Final = {TEXTS: _text, INTEGERS: _integer, NUMBERS: _number}


def _where(schema: TableSchema, row: Mapping[str, Any], place: int) -> str:
    name = "/".join(str(row[key]) for key in schema.key if key in row)
    return f"table {schema.name}, row {name or place}"
