"""Frozen records to JSON and back, in one canonical form.

Covers: dataclass <-> plain JSON values, canonical JSON text, hashes of it, and writing a JSON file whole.
Does not cover: what the records mean. Each room defines its own records.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, with_config

Record = TypeVar("Record")

__all__ = [
    "canonical_json",
    "from_dict",
    "read_json",
    "sha256_bytes",
    "sha256_file",
    "sha256_json",
    "to_dict",
    "write_json",
]


def to_dict(record: Any) -> Any:
    """Turn a dataclass (nested freely) into plain JSON values: dicts, lists, strings, numbers, booleans, None."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_dict(getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, dict):
        return {str(key): to_dict(value) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [to_dict(value) for value in record]
    return record


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(cast("type[Any]", kind)))


def from_dict(kind: type[Record], values: Any) -> Record:
    """Rebuild a record of dataclass *kind* from `to_dict`'s plain values.

    Raises pydantic.ValidationError when a field is missing, unknown or of the wrong type.
    """
    result: Record = _adapter(cast("Hashable", kind)).validate_python(values)
    return result


def canonical_json(value: Any) -> str:
    """One text per value: sorted keys, no spaces, no NaN (ValueError). What keys and checksums are made of."""
    return json.dumps(to_dict(value), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def sha256_json(value: Any) -> str:
    """Hex SHA-256 of the canonical JSON of *value*."""
    return sha256_bytes(canonical_json(value).encode())


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of *data*."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's content, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON (indented, keys in field order) so that *path* is either absent, old or whole."""
    text = json.dumps(to_dict(value), indent=1, allow_nan=False) + "\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """Parse a JSON file. Raises FileNotFoundError or json.JSONDecodeError."""
    return json.loads(path.read_text(encoding="utf-8"))
