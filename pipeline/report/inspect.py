"""Inspect: everything known about one scene, view or photo, as text and as one picture.

Covers: finding the id, the text, the contact picture. Does not cover: CAD files (`parts`), whole builds (`report`).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.dataset.build import open_build
from pipeline.dataset.columns import INTEGER, NUMBER, Column, TableSchema
from pipeline.dataset.tables import TABLES
from pipeline.errors import DamageFound, InputError
from pipeline.report import draw
from pipeline.report.choose import PHOTO_COLUMNS, clearest
from pipeline.report.data import BuildTables, Row, open_tables
from pipeline.report.draw import Picture
from pipeline.report.panel import Panel
from pipeline.report.panels import VIEW_COLUMNS, photo_picture, view_panels

_TILE_PX: Final = 480
_COLUMNS: Final = 3
_KINDS: Final = {"photos": "photo_id", "views": "view_id", "scenes": "scene_id"}
_LONG: Final = 400
"""Longer values are cut in the text; the tables hold them whole."""


def inspect_id(root: Path, wanted: str, folder: Path | None = None, *, apart: bool = False) -> tuple[str, Path]:
    """(text, path of a JPEG) about the scene, view or photo called *wanted* in the newest build of *root*.

    The picture is written as `inspect-<id>.jpg` into *folder*, the current one by default; *apart* writes each of its
    tiles at full size as well, `inspect-<id>-<number>-<title>.jpg`. Raises InputError with the closest ids when there
    is none of that name, DamageFound when not one of its pictures can be read.
    """
    tables = open_tables(root, open_build(root).folder)
    table = _table_of(tables, wanted)
    text = "\n\n".join(_sections(tables, table, wanted))
    shown = [(panel.title, panel.picture) for panel in _panels(tables, table, wanted) if panel.picture is not None]
    if not shown:
        raise DamageFound(f"{wanted}: expected its pictures in {root}, found none that can be read; run `glint verify`")
    path = (folder or Path()) / f"inspect-{_file_name(wanted)}.jpg"
    path.write_bytes(draw.jpeg(draw.contact_sheet(shown, min(_COLUMNS, len(shown)), _TILE_PX), 90))
    for number, (title, picture) in enumerate(shown if apart else ()):
        own = path.with_name(f"{path.stem}-{number:02d}-{_file_name(title.lower())}.jpg")
        own.write_bytes(draw.jpeg(picture, 90))
    return text, path


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("_")


def photo_text(row: Row, heading: str) -> str:
    """Every column of a row of the photos table that has a value, with its unit."""
    whole = {column.name: row.get(column.name) for column in TABLES["photos"].columns}
    return _described(TABLES["photos"], whole, heading)


def _table_of(tables: BuildTables, wanted: str) -> str:
    """Table that has *wanted* as a row's id."""
    for table, column in _KINDS.items():
        if tables.rows(table, (column,), (column, [wanted])):
            return table
    known = [str(value) for table, column in _KINDS.items() for value in tables.values(table, column)]
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5) or sorted(known)[:3]
    raise InputError(
        f"expected the id of a scene, view or photo in build {tables.folder.name}, found {wanted!r}; "
        f"did you mean {', '.join(close) or 'another dataset (this one is empty)'}?"
    )


def _sections(tables: BuildTables, table: str, wanted: str) -> Iterable[str]:
    """The text, paragraph by paragraph: the row itself, what it belongs to, what belongs to it."""
    row = _row(tables, table, wanted)
    yield _described(TABLES[table], row, f"{_KINDS[table].removesuffix('_id')} {wanted}")
    if table == "photos":
        yield _listed(tables, "highlights", ("photo_id", [wanted]), "highlights of this photo")
        for glass in tables.rows("glass", tables.all_columns("glass"), ("photo_id", [wanted])):
            yield _described(TABLES["glass"], glass, "the glass before it")
        if row["gate_passed"] is not None:
            yield _listed(tables, "transfers", ("photo_id", [wanted]), "tries to transfer it (0 = the round trip)")
        view = _row(tables, "views", row["view_id"])
        yield _described(TABLES["views"], view, f"view {view['view_id']}")
    view_ids = _view_ids(tables, table, row)
    yield _listed(tables, "instances", ("view_id", view_ids), "part instances")
    yield _listed(tables, "reflections", ("view_id", view_ids), "what the metal shows")
    yield _listed(tables, "cast_light", ("view_id", view_ids), "light that the metal throws around it")
    yield _listed(tables, "mirror_images", ("view_id", view_ids), "mirror images of parts")
    yield _listed(tables, "defects", ("view_id", view_ids), "defects")
    if table != "photos":
        yield _listed(tables, "photos", ("view_id", view_ids), "photos")
    scene = row if table == "scenes" else _row(tables, "scenes", row["scene_id"])
    if table != "scenes":
        yield _described(TABLES["scenes"], scene, f"scene {scene['scene_id']}")
    yield "what was drawn\n" + "\n".join(_flat(json.loads(scene["spec_json"]), "  "))


def _row(tables: BuildTables, table: str, wanted: str) -> Row:
    """The whole row. Raises DamageFound when another table names it and it is not there."""
    found = tables.rows(table, tables.all_columns(table), (_KINDS[table], [wanted]))
    if not found:
        raise DamageFound(f"expected {wanted} in table {table}, found no such row; run `glint verify`")
    return found[0]


def _view_ids(tables: BuildTables, table: str, row: Row) -> list[str]:
    if table != "scenes":
        return [str(row["view_id"])]
    return [str(view["view_id"]) for view in tables.rows("views", ("view_id",), ("scene_id", [row["scene_id"]]))]


KEPT_PATHS: Final = ("layers_path", "depth_path")
"""Columns that are null where the spec's `keep` leaves out bundles, or truth; one of each is enough to tell."""


def _described(schema: TableSchema, row: Row, heading: str) -> str:
    """Every column that has a value, with its unit."""
    lines = [
        f"  {column.name:<20} {_short(row[column.name])} {_unit(column)}".rstrip()
        for column in schema.columns
        if row[column.name] is not None and not column.is_json
    ]
    lines += [f"  {name:<20} (not kept)" for name in KEPT_PATHS if name in row and row[name] is None]
    return "\n".join([heading, *lines])


def _unit(column: Column) -> str:
    """The unit of a single number; a file's unit, or a range, would confuse behind a value."""
    return column.unit if column.kind in {INTEGER, NUMBER} and ".." not in column.unit else ""


_LISTED: Final = {
    "instances": ("instance_id", "part_id", "category", "metal", "finish", "px_visible", "visible_fraction"),
    "highlights": ("highlight_id", "instance_id", "light_id", "light_kind", "area_px", "peak_radiance"),
    "defects": ("instance_id", "defect_id", "kind", "severity", "size_mm", "depth_um", "area_px", "bbox"),
    "reflections": ("instance_id", "reflected_kind", "reflected_id", "area_px", "share", "mean_distance_m"),
    "cast_light": ("cast_light_id", "instance_id", "light_id", "receiver_id", "area_px", "contrast", "peak_contrast"),
    "mirror_images": ("instance_id", "category", "mirror_kind", "mirror_id", "area_px", "clarity", "bbox"),
    "photos": ("photo_id", "exposure_ev", "clipped_fraction", "sensor", "lens", "tone", "origin", "image_path"),
    "transfers": ("try_index", "strength", "kept", "scores", "problem", "picture_path"),
}


def _listed(tables: BuildTables, table: str, where: tuple[str, Sequence[Any]], heading: str) -> str:
    """Rows as an aligned list of their main columns, with the view where there are several."""
    columns = _LISTED[table]
    if where[0] == "view_id" and len(where[1]) > 1 and table != "photos":
        columns = ("view_id", *columns)
    rows = tables.rows(table, columns, where)
    if not rows:
        return f"{heading}\n  none"
    cells = [list(columns)] + [[_short(row[name]) for name in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ["  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([heading, *lines])


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        text = ", ".join(f"{name}={_short(entry)}" for name, entry in value.items())
    elif isinstance(value, list):
        text = ", ".join(_short(entry) for entry in value)
    else:
        text = "-" if value is None else str(value)
    # Names come from files: a control character in one must not steer the terminal.
    text = "".join(character if character.isprintable() else "�" for character in text)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _flat(value: Any, indent: str, name: str = "") -> Iterable[str]:
    """A SceneSpec as "path = value" lines."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from _flat(entry, indent, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        for place, entry in enumerate(value):
            yield from _flat(entry, indent, f"{name}[{place}]")
    else:
        yield f"{indent}{name} = {_short(value)}"


def _panels(tables: BuildTables, table: str, wanted: str) -> list[Panel]:
    """Pictures: of a photo its view's layers, of a view all its photos as well, of a scene the layers of each view."""
    if table == "photos":
        photo = tables.rows("photos", PHOTO_COLUMNS, ("photo_id", [wanted]))[0]
        return view_panels(tables, _view(tables, str(photo["view_id"])), photo)
    if table == "views":
        return [*view_panels(tables, _view(tables, wanted), _clear_photo(tables, wanted)), *_photos(tables, wanted)]
    panels: list[Panel] = []
    for row in tables.rows("views", ("view_id",), ("scene_id", [wanted])):
        view_id = str(row["view_id"])
        panels += view_panels(tables, _view(tables, view_id), _clear_photo(tables, view_id))
    return panels


def _view(tables: BuildTables, view_id: str) -> Row:
    return tables.rows("views", VIEW_COLUMNS, ("view_id", [view_id]))[0]


def _clear_photo(tables: BuildTables, view_id: str) -> Row | None:
    photos = tables.rows("photos", PHOTO_COLUMNS, ("view_id", [view_id]))
    return clearest(photos) if photos else None


def _photos(tables: BuildTables, view_id: str) -> list[Panel]:
    """All photos of a view but the one already shown."""
    shown = _clear_photo(tables, view_id)
    photos = tables.rows("photos", PHOTO_COLUMNS, ("view_id", [view_id]))
    return [_photo_panel(tables, photo) for photo in photos if photo != shown]


def _photo_panel(tables: BuildTables, photo: Row) -> Panel:
    picture: Picture | None
    try:
        picture = photo_picture(tables, photo)
    except OSError:
        picture = None
    return Panel(f"Photo {photo['photo_id']}", "", picture)
