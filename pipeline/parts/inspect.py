"""A CAD file at a glance: what it holds, in words and in one picture.

Does not cover: reading (`read`), the words (`measure`), the picture (`picture`).
"""

from __future__ import annotations

from pathlib import Path

from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.measure import describe
from pipeline.parts.picture import draw_part
from pipeline.parts.read import read_part


def inspect_file(path: Path, units: str | None, folder: Path) -> tuple[str, Path]:
    """(text, path of a PNG) about the CAD file *path*. The picture is written as `inspect-<name>.png` into *folder*.

    *units* as for `read_part`. Raises InputError when the file cannot be read as a part.
    """
    part = read_part(path, units=units, tolerance=Tolerance(), limits=Limits())
    lines = describe(part)
    width = max(len(label) for label, _ in lines)
    picture = folder / f"inspect-{path.stem}.png"
    draw_part(part, picture)
    return "\n".join(f"{label:{width}}  {text}" for label, text in lines), picture
