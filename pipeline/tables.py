"""Where the assets folder is, and the tables of numbers in it.

Covers: locating `assets/`, reading its TOML and JSON tables once. Does not cover: what the numbers mean; `surface`,
`light` and `camera` own their tables, `spec` only asks for the names in them.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import EnvironmentProblem, InputError

_PLACES = (Path(__file__).parent.parent / "assets", Path(__file__).parent / "_assets")


@cache
def assets_root() -> Path:
    """The assets folder: beside `pipeline/` in a checkout, inside the package in a wheel."""
    for place in _PLACES:
        if (place / "tables").is_dir():
            return place
    raise EnvironmentProblem(f"expected the assets folder at {_PLACES[0]}, found none; reinstall the project")


@cache
def table(name: str) -> dict[str, Any]:
    """Read `assets/tables/<name>.json` or `.toml` as a dict from entry name to its values (do not change it)."""
    folder = assets_root() / "tables"
    as_json, as_toml = folder / f"{name}.json", folder / f"{name}.toml"
    if as_json.is_file():
        values: dict[str, Any] = json.loads(as_json.read_text(encoding="utf-8"))
    else:
        values = tomllib.loads(as_toml.read_text(encoding="utf-8"))
    return values


def names(name: str) -> tuple[str, ...]:
    """The entry names of a table, in file order."""
    return tuple(table(name))


def entry(name: str, key: str, what: str) -> dict[str, Any]:
    """The values of entry *key* of table *name*. Raises InputError that says what there is; *what* is for people."""
    rows = table(name)
    if key not in rows:
        raise InputError(f"unknown {what} {key!r}; expected one of {', '.join(names(name))}")
    row: dict[str, Any] = rows[key]
    return row
