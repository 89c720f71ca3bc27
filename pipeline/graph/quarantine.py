"""DATASET/quarantine: one file per scene that failed, with the error and the command that repeats it.

The folder mirrors the latest run of `build`: a scene that has been made since is no longer there.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Final

from pipeline.graph.schedule import SceneResult
from pipeline.records import to_dict, write_json

QUARANTINE: Final = "quarantine"


def quarantine(root: Path, spec_path: Path, result: SceneResult) -> Path:
    """Write why a scene failed; returns the file."""
    first = result.failures[0]
    path = root / QUARANTINE / f"{result.scene_id}.json"
    path.parent.mkdir(exist_ok=True)
    command = ["glint", "scene", str(spec_path), result.scene_id, "--out", f"{result.scene_id}-again"]
    write_json(
        path,
        {
            "scene_id": result.scene_id,
            "stage": first.stage,
            "label": first.label,
            "kind": first.error,
            "error": first.message,
            "command": shlex.join(command),
            "failures": to_dict(result.failures),
        },
    )
    return path


def keep_only(root: Path, scene_ids: Collection[str]) -> None:
    """Remove the files of all other scenes."""
    for path in sorted((root / QUARANTINE).glob("*.json")):
        if path.stem not in scene_ids:
            path.unlink(missing_ok=True)
