"""Convex pieces that were cut before, on this machine, by the hash of the mesh: cutting takes seconds, reading nothing.

Does not cover: the cutting (`pieces`), where the cache lies (`pipeline.user_cache`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.pieces import CONCAVITY, MOST_PIECES, convex_pieces
from pipeline.user_cache import cache_folder

Floats = NDArray[np.float64]

_VERSION: Final = 2
"""Raised whenever `convex_pieces` gives other pieces for the same mesh."""


def remembered_pieces(vertices: Floats, triangles: NDArray[np.int32]) -> tuple[Floats, ...]:
    """`convex_pieces` of a mesh, from the cache where it was cut before.

    A damaged entry is cut anew and replaced; a cache that cannot be written is passed over.
    """
    file = cache_folder("pieces") / f"{_key(vertices, triangles)}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile), np.load(file) as arrays:
        return tuple(np.asarray(arrays[f"piece{i}"], dtype=np.float64) for i in range(len(arrays.files)))
    pieces = convex_pieces(vertices, triangles)
    with contextlib.suppress(OSError):
        _remember(pieces, file)
    return pieces


def _key(vertices: Floats, triangles: NDArray[np.int32]) -> str:
    digest = hashlib.sha256(f"{_VERSION} {CONCAVITY} {MOST_PIECES}".encode())
    digest.update(np.ascontiguousarray(vertices, dtype=np.float64).tobytes())
    digest.update(np.ascontiguousarray(triangles, dtype=np.int32).tobytes())
    return digest.hexdigest()


def _remember(pieces: tuple[Floats, ...], file: Path) -> None:
    """Write beside the place, then rename, so that nobody reads half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".new-", suffix=".npz", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as output:
            np.savez(output, **{f"piece{i}": points for i, points in enumerate(pieces)})  # type: ignore[arg-type]
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
