"""The tables of docs/data-contract.md, written from the schemas.

`python -m pipeline.dataset.contract docs/data-contract.md` brings the page up to date; a test says when that is due.
Does not cover: the prose around the tables, which is written by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from pipeline.dataset.columns import Column, TableSchema
from pipeline.dataset.tables import TABLES

BEGIN: Final = "<!-- tables: written by pipeline.dataset.contract -->"
END: Final = "<!-- end of tables -->"


def contract_tables() -> str:
    """Every table and column as Markdown."""
    return "\n".join(_table(schema) for schema in TABLES.values())


def with_tables(page: str) -> str:
    """*page* with the part between its two markers brought up to date. Raises ValueError when they are missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected the markers {BEGIN!r} and {END!r} in the page")
    return f"{head}{BEGIN}\n\n{contract_tables()}\n{END}{tail}"


def _table(schema: TableSchema) -> str:
    key = ", ".join(f"`{name}`" for name in schema.key)
    lines = [
        f"### {schema.name}",
        "",
        f"A row is {schema.row}. Key: {key}.",
        "",
        "| column | type | unit | meaning |",
        "|---|---|---|---|",
        *(_row(column) for column in schema.columns),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column) -> str:
    kind = column.kind if column.length is None else f"{column.kind} ({column.length})"
    kind = kind if column.required else f"{kind}, or null"
    return f"| `{column.name}` | {kind} | {column.unit} | {column.description} |"


def main(path: Path) -> None:
    """Rewrite the tables in the page at *path*."""
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
