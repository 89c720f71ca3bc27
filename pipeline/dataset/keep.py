"""What stays in the store once a scene is done, and what its absence means to readers.

Covers: the three words of the spec's `keep`, the files that each stands for, dropping the others from a render's output
with its record kept, telling a dropped file from a lost one. Does not cover: when files are dropped and when a dropped
file makes a render run again (`graph.keeping`).

Tables are kept in any case: they lie in the build, and the store keeps each output's rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from pipeline.bundle import (
    CAST_LAMP_FILE,
    CAST_LIGHT_FILE,
    CONTEXT_FILE,
    MIRROR_FILE,
    MIRROR_REFLECTION_FILE,
    THROWER_FILE,
)
from pipeline.dataset.folders import folder_errors
from pipeline.dataset.store import RECORD_FILE, STORE, OutputRecord, Store
from pipeline.errors import DamageFound
from pipeline.layers import LIGHT_FILE, TERMS_FILE
from pipeline.records import to_dict, write_json

Keep = Literal["photos", "truth", "bundles"]
KEEP_ALL: Final[tuple[Keep, ...]] = ("photos", "truth", "bundles")

RADIANCE_FILES: Final = frozenset({LIGHT_FILE, TERMS_FILE, MIRROR_FILE, MIRROR_REFLECTION_FILE, CONTEXT_FILE})
"""What "bundles" keeps: names of files in a view's folder."""
TRUTH_FILES: Final = frozenset(
    {
        "depth.exr",
        "normal.exr",
        "position.exr",
        "reflection.exr",
        "instance.png",
        "object.png",
        "face.png",
        "material.png",
        CAST_LIGHT_FILE,
        THROWER_FILE,
        CAST_LAMP_FILE,
    }
)
"""What "truth" keeps: the exact layers in a view's folder."""


def is_kept(path: str, keep: Iterable[str]) -> bool:
    """Whether a file of a render's output, by its *path* below it, stays in the store."""
    name = PurePosixPath(path).name
    if name in RADIANCE_FILES:
        return "bundles" in keep
    return name not in TRUTH_FILES or "truth" in keep


def drop_files(store: Store, stage: str, key: str, keep: Iterable[str]) -> int:
    """Remove from an output what *keep* does not name; returns how many files went.

    The record is replaced first and names what was dropped, with its checksum, so that a process that dies in between
    leaves a sound output with files that the next call removes. Raises EnvironmentProblem when the folder cannot be
    written.
    """
    record = store.record(stage, key)
    folder = store.folder(stage, key)
    going = {name: entry for name, entry in record.files.items() if not is_kept(name, keep)}
    with folder_errors(store.root):
        if going:
            kept = {name: entry for name, entry in record.files.items() if name not in going}
            _replace_record(store, folder, replace(record, files=kept, dropped={**record.dropped, **going}))
        left = [folder / name for name in {**record.dropped, **going} if (folder / name).exists()]
        for path in left:
            path.unlink()
    return len(left)


def _replace_record(store: Store, folder: Path, record: OutputRecord) -> None:
    """Put *record* in place of the one in *folder*, at once."""
    with store.staging_folder() as staging:
        write_json(staging / RECORD_FILE, to_dict(record))
        with (staging / RECORD_FILE).open("rb") as file:
            os.fsync(file.fileno())
        (staging / RECORD_FILE).replace(folder / RECORD_FILE)


def was_dropped(root: Path, path: str) -> bool:
    """Whether the file at *path* below the dataset folder *root* was left out of the store on purpose."""
    parts = path.split("/", 4)
    if len(parts) < 5 or parts[0] != STORE:
        return False
    try:
        return parts[4] in Store(root).record(parts[1], parts[3]).dropped
    except (OSError, ValueError, DamageFound):
        return False


def not_kept(what: str, scene_id: str) -> str:
    """The message about a file that `keep` did not name."""
    return (
        f"expected {what}, found that this dataset does not keep it (`keep` in [dataset] of its spec); to make the "
        f"scene's files anew: python run_pipeline.py scene SPEC {scene_id} --out DIR"
    )
