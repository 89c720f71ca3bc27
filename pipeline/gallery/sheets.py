"""Contact sheets and the page that shows them.

Covers: laying photos out with their names below them, a JPEG that stays small, and docs/gallery.md. Does not cover:
what is on the photos (`plan`), making them (`tiles`).
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import StageFailed
from pipeline.gallery.plan import SECTIONS, Section, Tile
from pipeline.gallery.tiles import Shown

COLUMNS: Final = 5
MAX_BYTES: Final = 300_000
"""A contact sheet is no larger than this."""
CAPTION_PX: Final = 20
GAP_PX: Final = 6
PAPER: Final = 250
INK: Final = 40
NO_PHOTO: Final = 205

Picture = NDArray[np.uint8]

_QUALITIES: Final = (92, 88, 84, 78, 72, 66, 58, 50)


def contact_sheet(shown: Sequence[Shown], size: tuple[int, int]) -> Picture:
    """(h, w, 3) BGR uint8: the photos of *shown*, scaled to *size* (width, height), five in a row, names below.

    A tile without a photo is grey.
    """
    width, height = size
    columns, rows = min(COLUMNS, len(shown)), math.ceil(len(shown) / COLUMNS)
    step_x, step_y = width + GAP_PX, height + CAPTION_PX + GAP_PX
    sheet = np.full((rows * step_y + GAP_PX, columns * step_x + GAP_PX, 3), PAPER, dtype=np.uint8)
    for number, one in enumerate(shown):
        x, y = GAP_PX + number % COLUMNS * step_x, GAP_PX + number // COLUMNS * step_y
        sheet[y : y + height, x : x + width] = _photo(one.photo, size)
        _write(sheet, printable(one.tile.name), (x, y + height), width)
    return sheet


def printable(name: str) -> str:
    """*name* with what the sheet's font has no sign for as "?"."""
    return re.sub(r"[^ -~]", "?", name)


def _photo(path: Path | None, size: tuple[int, int]) -> Picture:
    picture = None if path is None else cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        return np.full((size[1], size[0], 3), NO_PHOTO, dtype=np.uint8)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _write(sheet: Picture, text: str, corner: tuple[int, int], width: int) -> None:
    """Write *text* into the strip below *corner*, as large as fits."""
    font, largest = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    (needed, _), _ = cv2.getTextSize(text, font, largest, 1)
    scale = largest * min(1.0, width / max(needed, 1))
    place = (corner[0], corner[1] + CAPTION_PX - 6)
    cv2.putText(sheet, text, place, font, scale, (INK, INK, INK), 1, cv2.LINE_AA)


def save_sheet(sheet: Picture, path: Path) -> int:
    """Write *sheet* as a JPEG of the best quality that keeps it below MAX_BYTES; returns its size in bytes.

    Raises StageFailed when no quality does: the section has too many tiles of that size for one sheet.
    """
    for quality in _QUALITIES:
        ok, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
        if ok and len(data) < MAX_BYTES:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.tobytes())
            return len(data)
    raise StageFailed(f"expected {path.name} to fit into {MAX_BYTES} bytes, found more; choose a smaller --size")


def page(tiles: Sequence[Tile], pictures: str) -> str:
    """docs/gallery.md: every section with its sheet, in the folder *pictures* beside the page, and its entries."""
    by_section: Mapping[str, list[Tile]] = {s.name: [t for t in tiles if t.section == s.name] for s in SECTIONS}
    return "\n".join([_HEAD, *(_section(s, by_section[s.name], pictures) for s in SECTIONS)])


_HEAD: Final = """# Gallery

Every entry of the tables in `assets/tables/`, on the same part (`scenes/gallery.toml`), through the
same stages as any dataset. `make gallery` makes this page and its pictures.
"""


def _section(section: Section, tiles: Sequence[Tile], pictures: str) -> str:
    rows = [f"| `{markdown(tile.name)}` | {markdown(tile.desc)} |" for tile in tiles]
    return "\n".join(
        [
            f"## {section.title}",
            "",
            f"{section.about} Table: `assets/tables/{section.table}`.",
            "",
            f"![{section.title}]({pictures}/{section.name}.jpg)",
            "",
            "| name | what it is |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def markdown(text: Any) -> str:
    """*text* for a cell of a Markdown table: nothing in it is taken for markup."""
    flat = " ".join(html.escape(str(text), quote=False).split())
    return re.sub(r"([\\|`*\[\]])", r"\\\1", flat)
