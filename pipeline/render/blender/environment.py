"""Environment images that ship inside the bpy wheel."""

from __future__ import annotations

from pathlib import Path

import bpy

from pipeline.errors import EnvironmentProblem


def image_path(name: str) -> Path:
    """Path of `studiolights/world/<name>` in the running bpy. Raises EnvironmentProblem when the wheel lacks it."""
    datafiles = Path(bpy.utils.resource_path("LOCAL")) / "datafiles"
    path = datafiles / "studiolights" / "world" / name
    if not path.is_file():
        raise EnvironmentProblem(
            f"expected the environment image {name} in bpy's datafiles, found none; reinstall bpy, "
            "or choose surroundings that need no image"
        )
    return path
