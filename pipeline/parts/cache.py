"""Parts that were read before, on this machine, by the hash of all that they depend on.

A dataset's store remembers parts too; this cache serves commands without a dataset, such as `scene`, and new datasets
of the same parts. It may be deleted at any time. Does not cover: what the hash is made of (the part stage), reading
(`read`), where the cache lies (`pipeline.user_cache`).
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from pipeline.parts.part import Part, load_part, save_part
from pipeline.user_cache import cache_folder


def remembered(key: str, read: Callable[[], Part]) -> Part:
    """The part of *key* from the cache, else what *read* gives, which is then remembered.

    A damaged entry is read anew and replaced; a cache that cannot be written is passed over. What *read* raises passes
    through, and nothing is remembered.
    """
    folder = cache_folder("parts") / key[:2] / key
    with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
        return load_part(folder)
    part = read()
    with contextlib.suppress(OSError):
        _remember(part, folder)
    return part


def _remember(part: Part, folder: Path) -> None:
    """Put *part* into the cache whole: written beside its place, then renamed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        save_part(part, staging)
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
