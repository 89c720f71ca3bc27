"""The models of this machine: a folder with one entry per model and what is known of it.

    $GLINT_MODELS, else glint/models in $XDG_DATA_HOME or ~/.local/share
    <name>/record.json    ModelRecord
    <name>/<file>         the weights: one file, or a folder in diffusers' layout

Where models lie is a setting of the machine and never stands in a spec; specs name models. An entry appears whole: it
is copied beside the others and renamed. Does not cover: downloading (`pull`), loading (`load`).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.records import from_dict, read_json, write_json
from pipeline.transfer.checkpoint import find_model, model_hash
from pipeline.transfer.configs import ModelConfig, sd15_config
from pipeline.transfer.embedding import count_vectors
from pipeline.transfer.lora_layers import expect_sd15_lora

RECORD: Final = "record.json"
UNKNOWN_LICENCE: Final = "not stated"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SPARE_BYTES: Final = 2**28


class ModelMissing(InputError):
    """A model that this machine has not: wrong input to a command that names it, no reason for others to stop."""


@dataclass(frozen=True)
class ModelRecord:
    """What the store knows of a model."""

    name: str
    kind: str
    """"sd15", "lora", "controlnet" or "embedding"."""
    file: str
    """Name of the file or folder within the entry."""
    sha256: str
    """Of the file; of a folder that of its files' checksums, see `checkpoint.model_hash`."""
    bytes: int
    dtypes: dict[str, int]
    """Number of tensors of each type."""
    source: str
    """Where it came from: "file NAME" or the page it was pulled from."""
    licence: str
    added: str
    """ISO 8601, UTC."""


def models_folder() -> Path:
    """Where models are kept; it need not exist yet."""
    own = os.environ.get("GLINT_MODELS")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "glint" / "models"


def list_models() -> list[ModelRecord]:
    """Every model, by name. Raises InputError for a record that cannot be read."""
    folder = models_folder()
    if not folder.is_dir():
        return []
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    return [_read(entry / RECORD) for entry in entries if (entry / RECORD).is_file()]


def whole_model(name: str, kind: str) -> ModelRecord:
    """The record of model *name*, whose weights are there and as large as it says.

    Raises ModelMissing when they are not, InputError when it is not of *kind*.
    """
    path, record = model_path(name, kind), model_record(name)
    size = _size(path) if path.exists() else 0
    if size != record.bytes:
        raise ModelMissing(
            f"expected {record.bytes} bytes of the model {name!r} in {path}, found {size}; add it again with "
            f"`glint models add FILE --name {name}` or `glint models pull`"
        )
    return record


def model_path(name: str, kind: str | None = None) -> Path:
    """The weights of model *name*. Raises ModelMissing when there is none, InputError when it is not of *kind*."""
    record = model_record(name)
    if kind is not None and record.kind != kind:
        raise InputError(f"expected {name!r} to be a model of kind {kind}, found {record.kind}")
    return models_folder() / name / record.file


def model_record(name: str) -> ModelRecord:
    """The record of model *name*. Raises ModelMissing when there is none."""
    _check_name(name)
    path = models_folder() / name / RECORD
    if not path.is_file():
        known = ", ".join(record.name for record in list_models()) or "none"
        raise ModelMissing(
            f"expected a model {name!r} in {models_folder()}, found {known}; add it with `glint models add FILE "
            f"--name {name}` or `glint models pull`"
        )
    return _read(path)


def add_model(
    path: Path,
    name: str | None = None,
    licence: str = UNKNOWN_LICENCE,
    source: str | None = None,
    config: ModelConfig | None = None,
    move: bool = False,
) -> ModelRecord:
    """Copy (or *move*) a file or folder into the store and record it; *name* defaults to the file's own.

    Raises InputError for what cannot be used and for a name that is taken by other weights, EnvironmentProblem when the
    store cannot be written. Adding the same weights again changes nothing but the licence, if one is named, and puts
    back what was lost of them.
    """
    config = config or sd15_config()
    path = path.absolute() if path.name else path.resolve()  # "." has no name; links keep theirs
    found = find_model(path, config)
    if found.kind == "lora":
        expect_sd15_lora(found.headers[""], path, config)
    if found.kind == "embedding":
        count_vectors(path, config)
    name = name or _name_of(path)
    _check_name(name)
    checksum = model_hash(path)
    entry = models_folder() / name
    if (entry / RECORD).is_file():
        present = _read(entry / RECORD)
        if present.sha256 == checksum:
            return _again(path, entry, present, licence, move)
        raise InputError(f"expected a new name, found other weights under {name!r} already; choose another --name")
    record = ModelRecord(
        name=name,
        kind=found.kind,
        file=path.name,
        sha256=checksum,
        bytes=_size(path),
        dtypes=found.dtypes(),
        source=source or f"file {path.name}",
        licence=licence,
        added=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _place(path, entry, record, move)
    return record


def _again(path: Path, entry: Path, present: ModelRecord, licence: str, move: bool) -> ModelRecord:
    """What is there already, whole again and under *licence* if that says something."""
    record = present if licence == UNKNOWN_LICENCE else replace(present, licence=licence)
    stored = entry / present.file
    if not stored.exists() or model_hash(stored) != present.sha256:
        _place(path, entry, replace(record, file=path.name), move)
    elif record != present:
        write_json(entry / RECORD, record)
    return _read(entry / RECORD)


def _place(path: Path, entry: Path, record: ModelRecord, move: bool) -> None:
    """Put the weights and their record into *entry* so that it is there whole or not at all."""
    staging = entry.with_name(f".{entry.name}.{os.getpid()}")
    copy: Callable[[Path, Path], object] = shutil.copytree if path.is_dir() else shutil.copyfile
    try:
        staging.mkdir(parents=True)
        free = shutil.disk_usage(staging).free
        if not move and free < record.bytes + _SPARE_BYTES:
            raise EnvironmentProblem(
                f"expected {record.bytes / 2**30:.1f} GiB free in {entry.parent}, found {free / 2**30:.1f} GiB; "
                f"free some, or set GLINT_MODELS to a folder on a larger disk"
            )
        if move:
            shutil.move(path, staging / record.file)
        else:
            copy(path, staging / record.file)
        write_json(staging / RECORD, record)
        if entry.exists():
            shutil.rmtree(entry)  # a record whose weights were lost
        staging.rename(entry)
    except OSError as error:
        raise EnvironmentProblem(
            f"expected to write models below {entry.parent}, found: {error.strerror or error}; "
            f"set GLINT_MODELS to a folder that can be written"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _read(path: Path) -> ModelRecord:
    try:
        return from_dict(ModelRecord, read_json(path))
    except (ValidationError, ValueError) as error:
        raise InputError(
            f"expected the record of a model in {path}, found something else; remove {path.parent} and add it again"
        ) from error


def _name_of(path: Path) -> str:
    """A name out of a file's: letters that names may not have become dashes."""
    stem = path.name if path.is_dir() else path.stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "model"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(f"expected a name of letters, digits, dots, dashes and underscores, found {name!r}")


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
