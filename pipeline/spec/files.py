"""Which files a spec may name, and where they are.

Covers: "assets:parts/x.step" and paths relative to the spec's folder, nothing else. Does not cover: what is in the
files (`parts` reads them).
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

from pipeline import tables
from pipeline.errors import InputError
from pipeline.spec.checks import problem, suggestion

ASSETS_PREFIX: Final = "assets:"

CARRIES_UNITS: Final = (".step", ".stp", ".iges", ".igs", ".glb", ".3mf")
WITHOUT_UNITS: Final = (".stl", ".obj", ".ply")
PART_SUFFIXES: Final = CARRIES_UNITS + WITHOUT_UNITS
"""Extensions of the part files that can be read, lower case."""
IMAGE_SUFFIXES: Final = (".exr", ".hdr")
"""Extensions of environment images: formats that hold radiance, not colours of a screen."""


def resolve_part_file(name: str, folder: Path) -> Path:
    """Real path of the part file that a spec in *folder* calls *name*.

    Raises InputError when the name is not allowed, climbs out of its folder, or names no file.
    """
    try:
        return find_part_file(name, folder)
    except ValueError as error:
        raise InputError(f'part file "{name}": expected {error}') from None


def resolve_image_file(name: str, folder: Path) -> Path:
    """As `resolve_part_file`, for an environment image."""
    try:
        return find_image_file(name, folder)
    except ValueError as error:
        raise InputError(f'environment image "{name}": expected {error}') from None


def find_part_file(name: str, folder: Path) -> Path:
    """As `resolve_part_file`, raising the validation error that the spec's models report with its path."""
    return _find(name, folder, PART_SUFFIXES)


def find_image_file(name: str, folder: Path) -> Path:
    """As `resolve_image_file`, raising the validation error that the spec's models report with its path."""
    return _find(name, folder, IMAGE_SUFFIXES)


def _find(name: str, folder: Path, suffixes: tuple[str, ...]) -> Path:
    root, relative = _root_and_relative(name, folder)
    _check_form(relative, suffixes)
    try:
        path = (root / relative).resolve()
        inside, there = path.is_relative_to(root.resolve()), path.is_file()
    except (OSError, RuntimeError) as error:  # a name too long for the system, links that go round in a circle
        raise problem("a file that this system can open", f'"{name}" ({error})') from None
    if not inside:
        raise problem("a file below the spec's folder or the assets folder", f'"{name}", a link that leads out of it')
    if not there and (root / relative).is_symlink():
        raise problem("a file", f'"{name}", a link that leads to none')
    if not there:
        raise problem(f"a file in {path.parent}", f'"{name}", which does not exist', _nearest(path))
    return path


def _root_and_relative(name: str, folder: Path) -> tuple[Path, str]:
    if name.startswith(ASSETS_PREFIX):
        return tables.assets_root(), name.removeprefix(ASSETS_PREFIX)
    return folder, name


def _check_form(relative: str, suffixes: tuple[str, ...]) -> None:
    allowed = 'a relative path with "/" between folders and without "..", or "assets:" and such a path'
    pure = PurePosixPath(relative)
    if not relative.isprintable() or "\\" in relative or ":" in relative:
        raise problem(allowed)
    if pure.is_absolute() or ".." in pure.parts or not pure.name:
        raise problem(allowed)
    if pure.suffix.lower() not in suffixes:
        raise problem(f"a file name that ends in one of {', '.join(suffixes)}")


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return suggestion(path.name, sorted(entry.name for entry in path.parent.iterdir()))
