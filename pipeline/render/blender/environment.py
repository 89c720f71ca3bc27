"""Environment images: those that ship inside the bpy wheel, and those of a render job."""

from __future__ import annotations

from pathlib import Path

import bpy

from pipeline.errors import EnvironmentProblem
from pipeline.light.lamps import ImageWorld


def world_image(world: ImageWorld, job_folder: Path) -> Path | None:
    """Path of the image of *world*; None when it is flat. Raises EnvironmentProblem when the wheel lacks it."""
    if world.file is None:
        return None
    return job_folder / world.file if world.place == "job" else _wheel_image(world.file)


def _wheel_image(name: str) -> Path:
    datafiles = Path(bpy.utils.resource_path("LOCAL")) / "datafiles"
    path = datafiles / "studiolights" / "world" / name
    if not path.is_file():
        raise EnvironmentProblem(
            f"expected the environment image {name} in bpy's datafiles, found none; reinstall bpy, "
            "or choose surroundings that need no image"
        )
    return path
