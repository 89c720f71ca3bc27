"""Read a spec file: TOML text to a checked DatasetSpec, or one message that names everything that is wrong with it.

Does not cover: what the keys mean (`model`), how scenes are drawn from them (`draw`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from pipeline.errors import InputError
from pipeline.spec.messages import describe
from pipeline.spec.model import DatasetSpec

MAX_SPEC_BYTES: Final = 4 * 2**20
"""Largest spec file that is read."""


def load_spec(path: Path) -> DatasetSpec:
    """Read and check the spec file at *path*; `DatasetSpec.folder` is the folder it lies in.

    Raises InputError, with every problem in one message, when the file is missing, is not UTF-8 or not TOML, or when
    anything in it is wrong.
    """
    return spec_of(_parse(_read(path), path), path)


def spec_of(values: Mapping[str, Any], path: Path) -> DatasetSpec:
    """The checked spec of *values*, nested as in a spec file, as if the file at *path* held them.

    Raises InputError, with every problem in one message, when anything in them is wrong.
    """
    raw = _arrays_as_tuples(dict(values))
    try:
        spec = DatasetSpec.model_validate(raw, context={"folder": path.parent})
    except ValidationError as error:
        raise InputError(_message(path, describe(error, raw))) from None
    return spec.in_folder(path.parent)


def _message(path: Path, lines: list[str]) -> str:
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return "\n".join([f"{path}: {count}", *(f"  {line}" for line in lines), "docs/spec.md explains every key."])


def _read(path: Path) -> str:
    if path.is_dir():
        raise InputError(f"{path}: expected a spec file (TOML), found a folder; name a file such as scenes/smoke.toml")
    if not path.is_file():
        raise InputError(f"{path}: expected a spec file (TOML), found no such file; check the path")
    if path.stat().st_size > MAX_SPEC_BYTES:
        raise InputError(f"{path}: expected a spec of at most {MAX_SPEC_BYTES} bytes, found {path.stat().st_size}")
    try:
        return path.read_bytes().decode("utf-8-sig")  # Windows editors like to put a byte order mark first
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8 text, found byte 0x{error.object[error.start]:02x} at offset {error.start}; "
            "save the file as UTF-8"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, found: {error.strerror}; check its permissions") from None


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        raise InputError(f"{path}: expected valid TOML, found: {error}; see https://toml.io") from None
    except RecursionError:
        raise InputError(f"{path}: expected valid TOML, found arrays or tables nested too deeply") from None


def _arrays_as_tuples(value: Any) -> Any:
    """TOML gives lists; the frozen, strict models hold tuples and convert nothing silently."""
    if isinstance(value, dict):
        return {key: _arrays_as_tuples(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_arrays_as_tuples(inner) for inner in value)
    return value
