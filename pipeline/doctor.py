"""What the machine has and lacks: Python, Blender, libraries, system libraries, processors, disk, temporary folder.

Covers: looking and saying what to do. Does not cover: changing anything (`.ci/bootstrap.py` sets up), or models and
graphics cards.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from pipeline.system_libraries import Verdict, examine_libraries, remedy

BLENDER_OF_PYTHON: Final = {(3, 13): "5.2", (3, 11): "4.5"}
"""Which line of Blender has a wheel for which Python."""

LIBRARIES: Final = (
    "numpy",
    "scipy",
    "trimesh",
    "cascadio",
    "opencv-python",
    "openimageio",
    "pycocotools",
    "pyarrow",
    "pydantic",
    "dask",
    "distributed",
)
"""Distributions whose versions decide what a dataset looks like."""

FREE_BYTES_NEEDED: Final = 2 * 2**30
"""A quickstart build and Blender's temporary files fit into it."""

SET_UP: Final = "run `make demo`, which sets the environment up"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    remedy: str = ""
    """What to do; empty when ok."""


def examine(folder: Path | None = None) -> list[Finding]:
    """Look at everything, the disk at *folder* (default: the current one); takes some seconds, raises nothing."""
    verdict = examine_libraries(Path(sys.executable))
    return [
        examine_python(sys.version_info[:2]),
        examine_blender(verdict, sys.version_info[:2]),
        *examine_binary_modules(verdict),
        examine_system_libraries(verdict),
        examine_versions(),
        examine_processors(),
        examine_disk(folder or Path.cwd()),
        examine_temporary_folder(),
    ]


def examine_python(version: tuple[int, int]) -> Finding:
    """Blender has wheels for two Pythons only."""
    ok = version in BLENDER_OF_PYTHON
    found = f"{platform.python_version()} ({sys.executable})"
    return Finding("Python", ok, found, "" if ok else "rendering needs Python 3.13 or 3.11; " + SET_UP)


def examine_blender(verdict: Verdict, version: tuple[int, int]) -> Finding:
    """The version that bpy says of itself must be of the line that belongs to this Python."""
    trial = next(trial for trial in verdict.trials if trial.module == "bpy")
    line = BLENDER_OF_PYTHON.get(version, "5.2 or 4.5")
    ok = trial.ok and trial.output.startswith(f"{line}.")
    what = remedy(verdict.missing) if verdict.missing else f"expected Blender {line}; {SET_UP}"
    return Finding("Blender (bpy)", ok, trial.output, "" if ok else what)


def examine_binary_modules(verdict: Verdict) -> list[Finding]:
    """OpenCV and Embree, imported in a process of their own like Blender."""
    what = remedy(verdict.missing) if verdict.missing else SET_UP
    return [
        Finding(trial.module, trial.ok, trial.output, "" if trial.ok else what)
        for trial in verdict.trials
        if trial.module != "bpy"
    ]


def examine_system_libraries(verdict: Verdict) -> Finding:
    """Shared libraries that the wheels expect of the system."""
    if not verdict.missing:
        return Finding("system libraries", True, "all found")
    return Finding("system libraries", False, f"missing {', '.join(verdict.missing)}", remedy(verdict.missing))


def examine_versions() -> Finding:
    """Versions of the Python libraries, from their metadata: nothing is imported."""
    versions = {name: _version(name) for name in LIBRARIES}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Finding("libraries", False, f"not installed: {', '.join(missing)}", SET_UP)
    return Finding("libraries", True, ", ".join(f"{name} {version}" for name, version in versions.items()))


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def examine_processors() -> Finding:
    """Processors this process may use; fewer than the machine's in a container with limits on them."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("processors", True, f"{usable} of {os.cpu_count() or usable}")


def examine_disk(folder: Path) -> Finding:
    """Free space where a dataset would be written."""
    free = shutil.disk_usage(folder).free
    ok = free >= FREE_BYTES_NEEDED
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    what = f"free at least {FREE_BYTES_NEEDED / 2**30:.0f} GiB, or give --out a folder on a larger disk"
    return Finding("disk", ok, found, "" if ok else what)


def examine_temporary_folder() -> Finding:
    """Blender and the build stage their files there."""
    try:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"glint")
        return Finding("temporary folder", True, tempfile.gettempdir())
    except OSError as error:
        return Finding("temporary folder", False, str(error), "set TMPDIR to a folder that can be written to")
