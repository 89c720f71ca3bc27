"""The store: stage outputs by key, each there whole or not at all.

Covers: where an output lies, committing one atomically with its `record.json`, removing one, what dead processes left
behind. Does not cover: how keys are made (`graph.keys`), tables and builds (`build`), checking contents (`verify`).

An output is written in DATASET/.staging/<uuid>, which no reader looks into and which is on the same file system, and
renamed to DATASET/store/<stage>/<2 hex>/<key> when it is complete. Each staging folder has a lock file beside it; the
kernel drops the lock with the process that held it, however that process ended, so leftovers are told from work in
progress without guessing from times or process ids.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pipeline.dataset.folders import check_writable, folder_errors, translate_os_error
from pipeline.errors import DamageFound
from pipeline.records import from_dict, read_json, sha256_file, to_dict, write_json

__all__ = [
    "RECORD_FILE",
    "ROWS_FILE",
    "ActionRecord",
    "FileRecord",
    "OutputRecord",
    "Staged",
    "Store",
    "check_writable",
    "translate_os_error",
]

STORE: Final = "store"
STAGING: Final = ".staging"
RECORD_FILE: Final = "record.json"
ROWS_FILE: Final = "rows.json"

_STAGE = re.compile(r"[a-z][a-z0-9_]*")
_KEY = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True)
class ActionRecord:
    """What is known about an output before it is made: everything that its key was computed from."""

    stage: str
    version: int
    key: str
    label: str
    """For people: the scene id, or the part's name."""
    fields: Mapping[str, Any]
    """Plain JSON values."""
    inputs: tuple[Mapping[str, str], ...] = ()
    """{"role", "stage", "key"} of every output that this one was made from."""
    tools: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileRecord:
    """Size and checksum of one file of an output."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class OutputRecord:
    """`record.json`: how an output came about, and the checksum of every file beside it."""

    stage: str
    version: int
    key: str
    label: str
    fields: dict[str, Any]
    inputs: tuple[dict[str, str], ...]
    tools: dict[str, str]
    seconds: float
    """Wall time of the stage."""
    peak_memory_bytes: int | None
    numbers: dict[str, float]
    notes: tuple[str, ...]
    files: dict[str, FileRecord]
    """POSIX path below the output folder -> checksum; `record.json` itself is not among them."""
    dropped: dict[str, FileRecord] = field(default_factory=dict)
    """Files that were there and that the spec does not keep, see `keep`."""


@dataclass
class Staged:
    """An output in the making: write files into *folder*, set what was measured, leave the `with` block."""

    folder: Path
    """Empty at first."""
    seconds: float | None = None
    """None: the time spent inside the `with` block."""
    peak_memory_bytes: int | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Store:
    """The stage outputs of one dataset folder. Safe for any number of processes at once; holds no open files."""

    def __init__(self, root: Path) -> None:
        """*root* is the DATASET folder; nothing is created before the first output."""
        self.root = root.absolute()

    def folder(self, stage: str, key: str) -> Path:
        """Where the output of *stage* under *key* is, or will be. Raises ValueError for a malformed stage or key."""
        if not _STAGE.fullmatch(stage) or not _KEY.fullmatch(key):
            raise ValueError(f"expected a stage name and a hex key, found {stage!r} and {key!r}")
        return self.root / STORE / stage / key[:2] / key

    def has(self, stage: str, key: str) -> bool:
        """Whether the output is there, whole."""
        return (self.folder(stage, key) / RECORD_FILE).is_file()

    def dropped(self, stage: str, key: str) -> tuple[str, ...]:
        """Paths of the files of an output that were dropped; none of an output that is not there."""
        try:
            return tuple(self.record(stage, key).dropped)
        except FileNotFoundError:
            return ()

    def is_whole(self, stage: str, key: str) -> bool:
        """Whether the output is there with all of its files."""
        return self.has(stage, key) and not self.dropped(stage, key)

    def record(self, stage: str, key: str) -> OutputRecord:
        """The record of an output. Raises FileNotFoundError when absent, DamageFound when it cannot be read."""
        path = self.folder(stage, key) / RECORD_FILE
        try:
            return from_dict(OutputRecord, read_json(path))
        except ValueError as error:  # bad JSON, bad text, or not the fields of a record
            raise DamageFound(f"{self.relative(path)}: expected an output record, found {error}") from error

    def relative(self, path: Path) -> str:
        """*path* as tables hold it: POSIX, relative to DATASET. Raises ValueError when it lies outside."""
        return PurePosixPath(path.absolute().relative_to(self.root)).as_posix()

    def outputs(self) -> Iterator[tuple[str, str]]:
        """(stage, key) of every complete output, in sorted order."""
        for record in sorted((self.root / STORE).glob(f"*/??/*/{RECORD_FILE}")):
            yield record.parts[-4], record.parts[-2]

    @contextmanager
    def stage_output(self, action: ActionRecord) -> Iterator[Staged]:
        """Make one output: yields a `Staged` with an empty folder; a clean exit commits it, an error removes it.

        On a clean exit every file is hashed, `record.json` is written, all is flushed to disk and the folder is
        renamed into place. When another process has committed the same key meanwhile, its copy stays and this one is
        dropped. Raises EnvironmentProblem for a full disk, a read-only file system or a missing permission.
        """
        target = self.folder(action.stage, action.key)
        with folder_errors(self.root), self.staging_folder() as folder:
            staged = Staged(folder)
            started = time.monotonic()
            yield staged
            if staged.seconds is None:
                staged.seconds = time.monotonic() - started
            write_json(folder / RECORD_FILE, to_dict(_output_record(action, staged)))
            flush(folder)
            self._move_into_place(folder, target)

    @contextmanager
    def staging_folder(self) -> Iterator[Path]:
        """An empty folder outside everything that readers see, on the same file system; gone after the block unless
        it was renamed away."""
        staging = self.root / STAGING
        staging.mkdir(parents=True, exist_ok=True)
        name, lock = _take_lock(staging)
        folder = staging / name
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _lock_path(folder).unlink(missing_ok=True)
            os.close(lock)

    def clean_staging(self) -> int:
        """Remove what processes that died left in the staging area; folders in use stay. Returns how many went."""
        removed = 0
        for folder in self._staging_folders():
            # Created if absent: a folder without a lock file lost it to a cleaner that was killed half-way.
            lock = os.open(_lock_path(folder), os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                removed += folder.exists()
                shutil.rmtree(folder, ignore_errors=True)
                _lock_path(folder).unlink(missing_ok=True)
            finally:
                os.close(lock)
        return removed

    def is_busy(self) -> bool:
        """Whether some process is making an output or a build here right now."""
        for folder in self._staging_folders():
            try:
                lock = os.open(_lock_path(folder), os.O_RDWR)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(lock)
        return False

    def remove(self, stage: str, key: str) -> None:
        """Take an output out of the store: out of sight at once by a rename, then deleted. Absent is no error."""
        with folder_errors(self.root), self.staging_folder() as folder:
            try:
                self.folder(stage, key).rename(folder / key)
            except FileNotFoundError:
                return

    def _staging_folders(self) -> list[Path]:
        names = {entry.name.removesuffix(".lock") for entry in (self.root / STAGING).glob("*")}
        return [self.root / STAGING / name for name in sorted(names)]

    def _move_into_place(self, folder: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(target)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            if self.is_whole(target.parts[-3], target.name):
                return
            # Files of it were dropped, or somebody damaged it: no writer leaves an output without its record.
            self.remove(target.parts[-3], target.name)
            folder.rename(target)
        flush_folder(target.parent)


def flush(folder: Path) -> None:
    """Make every file and folder below *folder* durable (fsync)."""
    for place, _, files in os.walk(folder):
        for name in files:
            with Path(place, name).open("rb") as file:
                os.fsync(file.fileno())
        flush_folder(Path(place))


def flush_folder(folder: Path) -> None:
    """Make a folder's list of names durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _output_record(action: ActionRecord, staged: Staged) -> OutputRecord:
    paths = sorted(path for path in staged.folder.rglob("*") if not path.is_dir())
    names = [path.relative_to(staged.folder).as_posix() for path in paths]
    return OutputRecord(
        stage=action.stage,
        version=action.version,
        key=action.key,
        label=action.label,
        fields=dict(action.fields),
        inputs=tuple(dict(entry) for entry in action.inputs),
        tools=dict(action.tools),
        seconds=staged.seconds or 0.0,
        peak_memory_bytes=staged.peak_memory_bytes,
        numbers=dict(staged.numbers),
        notes=tuple(staged.notes),
        files={
            name: FileRecord(sha256_file(path), path.stat().st_size) for name, path in zip(names, paths, strict=True)
        },
    )


def _lock_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _take_lock(staging: Path) -> tuple[str, int]:
    """(fresh name, descriptor of its locked lock file)."""
    while True:
        name = uuid.uuid4().hex
        path = _lock_path(staging / name)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:  # a cleaner may have taken the file for a leftover before it was locked
            return name, descriptor
        os.close(descriptor)
