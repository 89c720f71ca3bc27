"""Builds that were made wrong on purpose, and what `verify` says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.dataset.problems import Report
from pipeline.dataset.tables import rows_to_table
from pipeline.records import sha256_file


def whats(report: Report) -> set[str]:
    return {problem.what for problem in report.problems}


def change_rows(root: Path, table: str, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Rewrite a table of the build and its entry in build.json, as a producer with a wrong idea would have."""
    folder = root / "builds" / "0001"
    path = folder / f"{table}.parquet"
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        for name, value in row.items():
            if isinstance(value, list) and value and isinstance(value[0], tuple):
                row[name] = dict(value)
    change(rows)
    pq.write_table(rows_to_table(table, rows), path)
    record = json.loads((folder / "build.json").read_text())
    record["tables"][table] |= {"sha256": sha256_file(path), "rows": len(rows)}
    (folder / "build.json").write_text(json.dumps(record))
