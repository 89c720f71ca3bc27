"""Where a build came from: code version, machine, library versions.

Covers: what `build.json` records about code and environment. Does not cover: what belongs in a key (each stage's
`tools`).
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Final

import pipeline

_LIBRARIES: Final = ("bpy", "numpy", "opencv-python", "OpenImageIO", "pyarrow", "cascadio", "trimesh", "dask")


def code_version() -> str:
    """Version of this package, with the git commit when it runs from a checkout ("+changed" when that is edited)."""
    checkout = Path(pipeline.__file__).parent.parent
    commit = _git(checkout, "rev-parse", "--short=12", "HEAD") if (checkout / ".git").exists() else None
    if not commit:
        return pipeline.__version__
    changed = "+changed" if _git(checkout, "status", "--porcelain", "--untracked-files=no") else ""
    return f"{pipeline.__version__}+{commit}{changed}"


def environment() -> dict[str, str]:
    """Python, operating system, processor count and the versions of the libraries that shape the data."""
    described = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": str(os.cpu_count()),
    }
    for library in _LIBRARIES:
        try:
            described[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return described


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
