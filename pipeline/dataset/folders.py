"""What can go wrong with a folder, said in words: no permission, read-only, a file in the way, no space.

Covers: a check before work starts, and the translation of OSErrors met during it. Does not cover: what the folder is
for; `store` and `build` are the users.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.errors import EnvironmentProblem, GlintError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_ONLY: Final = frozenset({errno.EROFS})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
_IN_THE_WAY: Final = frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR})
_NOTHING_LEFT_BYTES: Final = 64 * 1024
"""Below this an OSError without a number (image libraries raise such) is taken for a full disk."""


def translate_os_error(error: OSError, folder: Path) -> EnvironmentProblem | None:
    """The message a user should see for *error*, met while writing in *folder*; None when it is not the folder's fault.

    A full disk and a read-only file system always count; a refused permission only when the error names a path in
    *folder* (or none), a file in the way only when it is *folder* itself, above it or directly in it.
    """
    if error.errno in _FULL or (error.errno is None and _is_full(folder)):
        temporary = Path(tempfile.gettempdir())
        elsewhere = _is_full(temporary) and not _is_full(folder)
        return _temporary_full(temporary) if elsewhere else _full(folder)
    if error.errno in _READ_ONLY:
        return EnvironmentProblem(
            f"expected a folder that can be written, found {folder} on a read-only file system; choose another --out"
        )
    place = folder if error.filename is None else Path(os.fsdecode(error.filename))
    if error.errno in _FORBIDDEN and (_is_at(place, folder) or folder.absolute() in place.absolute().parents):
        return EnvironmentProblem(
            f"expected a folder that can be written, found no permission to write in {folder}; change its owner or "
            f"mode, or choose another --out"
        )
    in_the_way = _file_among(place)
    if error.errno in _IN_THE_WAY and in_the_way is not None and _is_at(in_the_way, folder):
        return EnvironmentProblem(
            f"expected {folder} to be a folder that can be written, found a file in the way ({in_the_way}); move it or "
            f"choose another --out"
        )
    return None


@contextmanager
def full_disk_errors(folder: Path, *, temporary: bool = False) -> Iterator[None]:
    """Say of any failure within the block that the disk of *folder* is full, when it is.

    For libraries and child processes that do not say why they could not write. To be left before what they wrote is
    removed. *temporary*: the folder is one of the system's temporary ones.
    """
    try:
        yield
    except (OSError, GlintError) as error:
        if isinstance(error, EnvironmentProblem) or not _is_full(folder):
            raise
        raise (_temporary_full if temporary else _full)(folder) from error


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Turn every OSError that `translate_os_error` knows into its EnvironmentProblem; let the others through."""
    try:
        yield
    except OSError as error:
        problem = translate_os_error(error, folder)
        if problem is None:
            raise
        raise problem from error


def check_writable(root: Path, need_bytes: int = 0) -> None:
    """Create *root* if needed and prove that files can be written there.

    Raises EnvironmentProblem (exit 3) that names the folder: no permission, read-only, a file in the way, a full
    disk, or fewer than *need_bytes* bytes free.
    """
    with folder_errors(root):
        _make(root)
        probe = root / f".writable-{uuid.uuid4().hex}"
        try:
            with probe.open("wb") as file:
                file.write(b"\0" * 4096)
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    free = _free_bytes(root)
    if free < need_bytes:
        raise EnvironmentProblem(
            f"expected at least {need_bytes / 2**20:.0f} MiB free in {root}, found {free / 2**20:.0f} MiB; free some "
            f"space or choose another --out"
        )


def _make(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:  # its parent is there, but of a kind that holds no folders (/proc)
        raise EnvironmentProblem(
            f"expected a place where folders can be made, found that {root} cannot be; choose another --out"
        ) from error


def _full(folder: Path) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"expected room to write in {folder}, found a full disk or quota ({_free_bytes(folder) / 2**20:.1f} MiB free); "
        f"free some space (`glint gc DATASET` removes what no build uses) and run the same command again"
    )


def _temporary_full(folder: Path) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"expected room for temporary files in {folder}, found a full disk ({_free_bytes(folder) / 2**20:.1f} MiB "
        f"free); free some space there, or set TMPDIR to another folder, and run the same command again"
    )


def _is_full(folder: Path) -> bool:
    return _free_bytes(folder) < _NOTHING_LEFT_BYTES


def _free_bytes(folder: Path) -> int:
    """Bytes that this user may still write on the file system of *folder* (or of its nearest existing parent)."""
    for place in (folder, *folder.parents):
        if place.exists():
            return shutil.disk_usage(place).free
    return 0


def _file_among(path: Path) -> Path | None:
    """*path* or the parent of it that exists but is no folder."""
    return next((place for place in (path, *path.parents) if place.exists() and not place.is_dir()), None)


def _is_at(path: Path, folder: Path) -> bool:
    """Whether *path* is *folder*, one of its parents, or directly in it (deeper files belong to a stage)."""
    path, folder = path.absolute(), folder.absolute()
    return path == folder or path in folder.parents or path.parent == folder
