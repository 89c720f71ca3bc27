"""DATASET/quarantine: one file per scene that failed, with the error and the command that repeats it.

The folder mirrors the latest run of `build`: a scene that has been made since is no longer there.
"""

from __future__ import annotations

import shlex
import sys
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
    command = [*_program(), "scene", str(spec_path), result.scene_id, "--out", f"{result.scene_id}-again"]
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


def _program() -> list[str]:
    """What to type for this program from the current folder: it was called as the checkout's script or as `glint`."""
    script = Path(sys.argv[0])
    if script.name == "run_pipeline.py":
        return [_from_here(Path(sys.executable)), _from_here(script)]
    return [_from_here(script)] if script.name == "glint" else ["glint"]


def _from_here(path: Path) -> str:
    """*path*, relative when it is below the current folder."""
    path = path.absolute()
    here = path.is_relative_to(Path.cwd())
    return str(path.relative_to(Path.cwd()) if here else path)


def keep_only(root: Path, scene_ids: Collection[str]) -> None:
    """Remove the files of all other scenes."""
    for path in sorted((root / QUARANTINE).glob("*.json")):
        if path.stem not in scene_ids:
            path.unlink(missing_ok=True)
