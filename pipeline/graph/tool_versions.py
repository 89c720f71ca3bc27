"""Versions of installed packages, for keys.

Does not cover: which stage depends on which (`stages`).
"""

from __future__ import annotations

import importlib.metadata
from functools import cache

from pipeline.errors import EnvironmentProblem


def versions(*packages: str) -> dict[str, str]:
    """Package -> version. Raises EnvironmentProblem for one that is not installed."""
    return {package: _version(package) for package in packages}


@cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if package == "bpy":
            from pipeline.render.launch import require_blender

            require_blender()
        raise EnvironmentProblem(f"expected the package {package}, found none; install the project again") from None
