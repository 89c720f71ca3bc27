"""The report of a build: one HTML page that needs nothing but itself.

Covers: which sections there are and what they say. Does not cover: reading tables (`data`), choosing what is shown
(`choose`), drawing (`panels`, `charts`), HTML (`page`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Final

from pipeline.report import draw
from pipeline.report.carried import carried_rows
from pipeline.report.charts import bars, counted
from pipeline.report.choose import PHOTO_COLUMNS, SCENE_TRAITS, clearest, contact_photos, unlike_scenes
from pipeline.report.data import BuildTables, Row, open_tables
from pipeline.report.distributions import distribution_charts
from pipeline.report.draw import Picture
from pipeline.report.page import (
    PictureSizes,
    chart_cards,
    document,
    facts,
    figures,
    panel_figure,
    shot,
    table,
)
from pipeline.report.panel import Panel
from pipeline.report.panels import (
    INSTANCE_COLUMNS,
    VIEW_COLUMNS,
    labelled_picture,
    photo_picture,
    view_panels,
)
from pipeline.report.transfer_section import transfer_section, transfer_sentence

REPORT_FILE: Final = "report/index.html"
LARGEST_PAGE_BYTES: Final = 8_000_000

_CONTACT_PHOTOS: Final = 24
_DETAILED_VIEWS: Final = 6
_SHRINKS: Final = 4
_SCENE_COLUMNS: Final = (
    "scene_id", *SCENE_TRAITS, "n_items", "samples", "blender", "render_seconds"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Shot:
    photo: Row
    scene: Row
    picture: Picture
    labelled: Picture


@dataclass(frozen=True, eq=False)
class _Detail:
    view: Row
    scene: Row
    panels: list[Panel]


def write_report(root: Path, build_folder: Path) -> Path:
    """Write `report/index.html` into *build_folder*, a build of the dataset *root*, and return its path.

    The build may still be on its way to its final place: only its own folder and the store are read. The page stays
    below 8 MB: pictures shrink until it does. Raises FileNotFoundError when the folder holds no build.json.
    """
    tables = open_tables(root, build_folder)
    scenes = tables.rows("scenes", _SCENE_COLUMNS)
    shots = _shots(tables, unlike_scenes(scenes, _CONTACT_PHOTOS))
    details = _details(tables, unlike_scenes(scenes, _DETAILED_VIEWS))
    charts = "".join(f"<h3>{escape(name)}</h3>{chart_cards(cards)}" for name, cards in distribution_charts(tables))
    rest = f"<h2>What was drawn</h2>{charts}{_stages(tables)}{_quarantine(tables)}{_origin(tables)}"
    sizes = PictureSizes()
    for _ in range(_SHRINKS):
        body = _pictures(shots, details, sizes) + transfer_section(tables, sizes) + rest
        html = document(_title(tables), _header(tables, scenes), body, _footer())
        if len(html.encode()) < LARGEST_PAGE_BYTES:
            break
        sizes = sizes.smaller()
    return _write(build_folder / REPORT_FILE, html)


def _write(path: Path, html: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(html, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _shots(tables: BuildTables, scenes: Sequence[Row]) -> list[_Shot]:
    """Photos of the contact sheet; a photo whose file cannot be read is left out (`verify` names it)."""
    photos = contact_photos(tables, scenes, _CONTACT_PHOTOS)
    instances = tables.rows("instances", INSTANCE_COLUMNS, ("view_id", sorted({str(p["view_id"]) for p in photos})))
    by_scene = {scene["scene_id"]: scene for scene in scenes}
    shots = []
    for photo in photos:
        try:
            picture = photo_picture(tables, photo)
            own = [row for row in instances if row["view_id"] == photo["view_id"]]
            labelled = labelled_picture(picture, carried_rows(tables, photo, own))
        except (OSError, ValueError):
            continue
        width = PictureSizes().sheet_px
        scene = by_scene[photo["scene_id"]]
        shots.append(_Shot(photo, scene, draw.shrink(picture, width), draw.shrink(labelled, width)))
    return shots


def _details(tables: BuildTables, scenes: Sequence[Row]) -> list[_Detail]:
    """One view of each scene with all its panels; scenes take their views in turn, so that cameras vary."""
    views = tables.rows("views", VIEW_COLUMNS, ("scene_id", [scene["scene_id"] for scene in scenes]))
    details = []
    for place, scene in enumerate(scenes):
        own = [view for view in views if view["scene_id"] == scene["scene_id"]]
        if own:
            view = own[place % len(own)]
            photos = tables.rows("photos", PHOTO_COLUMNS, ("view_id", [view["view_id"]]))
            panels = view_panels(tables, view, clearest(photos) if photos else None)
            details.append(_Detail(view, scene, [_as_shown(panel, large=i == 0) for i, panel in enumerate(panels)]))
    return details


def _as_shown(panel: Panel, *, large: bool) -> Panel:
    """The panel at the largest size the page will show, so that big renders do not fill the memory."""
    if panel.picture is None:
        return panel
    sizes = PictureSizes()
    return replace(panel, picture=draw.shrink(panel.picture, sizes.photo_px if large else sizes.layer_px))


def _title(tables: BuildTables) -> str:
    return f"{tables.record.dataset} {_number(tables)}".strip()


def _number(tables: BuildTables) -> str:
    """The build's number; empty while it has none."""
    name = tables.folder.name
    return f"build {name}" if name.isdigit() else ""


def _header(tables: BuildTables, scenes: Sequence[Row]) -> str:
    record = tables.record
    counts = {name: f"{entry.rows:,}" for name, entry in record.tables.items() if name != "outputs"}
    if record.quarantined:
        counts["quarantined"] = f"{len(record.quarantined):,}"
    blenders = sorted({str(scene["blender"]) for scene in scenes if scene["blender"]})
    about = {
        "Spec": f"{record.spec_path} (sha256 {record.spec_sha256[:12]})",
        "Blender": ", ".join(blenders) or "not recorded",
        "Code": record.code_version,
        "Made": record.created or "not recorded",
        "Schema": record.schema_version,
        "Licence": f"of the pictures: {record.licence}; of the code: GPL-3.0-or-later",
    }
    if record.description:
        about = {"About": record.description, **about}
    over = " · ".join(filter(None, ("Glint", _number(tables))))
    title = f'<p class="over">{escape(over)}</p><h1>{escape(record.dataset)}</h1>{transfer_sentence(tables)}'
    return f"{title}{figures(counts)}{facts(about)}"


def _pictures(shots: Sequence[_Shot], details: Sequence[_Detail], sizes: PictureSizes) -> str:
    sheet = "".join(
        shot(str(entry.photo["photo_id"]), _shot_caption(entry), entry.picture, sizes, entry.labelled)
        for entry in shots
    )
    return (
        "<h2>Photos</h2>"
        '<label class="toggle"><input type="checkbox" id="labels"> show masks, boxes and labels</label>'
        f'<div class="sheet">{sheet or "No photo could be read."}</div>'
        '<h2>Views, layer by layer</h2><p class="soft">The same camera, seen through every label that belongs to it. '
        "Click a picture to enlarge it; the arrow keys go on.</p>"
        + "".join(_article(entry, sizes) for entry in details)
    )


def _shot_caption(entry: _Shot) -> str:
    exposure = entry.photo["exposure_ev"]
    words = [f"{exposure:+.1f} EV"] if exposure is not None else []
    words = [str(entry.scene["rig"]), str(entry.scene["surroundings"]), *words]
    return f"<b>{escape(str(entry.photo['photo_id']))}</b><br>{escape(', '.join(words))}"


def _article(entry: _Detail, sizes: PictureSizes) -> str:
    scene = entry.scene
    seconds = scene["render_seconds"]
    chips = [
        counted(scene["n_items"], "part") if scene["n_items"] is not None else "",
        f"{scene['arrangement']}" if scene["arrangement"] else "",
        f"rig {scene['rig']}",
        f"surroundings {scene['surroundings']}",
        f"{entry.view['width']} × {entry.view['height']} px",
        f"{scene['samples']} samples",
        f"{seconds:.1f} s for the scene" if seconds is not None else "",
        str(scene["split"]),
    ]
    spans = "".join(f"<span>{escape(chip)}</span>" for chip in chips if chip)
    shown = (
        panel_figure(panel, sizes, large=place == 0 and panel.picture is not None)
        for place, panel in enumerate(entry.panels)
    )
    heading = f'<h3 class="id">{escape(str(entry.view["view_id"]))}</h3>'
    return f'<article>{heading}<div class="chips">{spans}</div><div class="panels">{"".join(shown)}</div></article>'


def _stages(tables: BuildTables) -> str:
    stages = tables.record.stages
    rows = [
        (
            name,
            f"{stage.outputs:,}",
            f"{stage.seconds:,.1f}",
            f"{stage.seconds / max(1, stage.outputs):.2f}",
            f"{stage.peak_memory_bytes / 2**20:,.0f} MiB" if stage.peak_memory_bytes else "–",
        )
        for name, stage in stages.items()
    ]
    cards = [bars("Seconds by stage", {name: s.seconds for name, s in stages.items()}, note="total", form="{:,.1f} s")]
    for stage_name, numbers in tables.stage_numbers().items():
        timed = {name.removesuffix("_seconds"): v for name, v in numbers.items() if name.endswith("_seconds")}
        if timed:
            cards.append(bars(f"Inside {stage_name}", timed, note="mean seconds per output", form="{:,.2f} s"))
    heads = ("stage", "outputs", "seconds", "per output", "peak memory")
    note = '<p class="soft">What each output took when it was made; outputs taken from the store count as well.</p>'
    return f"<h2>Where the time went</h2>{note}{table(heads, rows)}<p></p>{chart_cards(cards)}"


def _quarantine(tables: BuildTables) -> str:
    entries = tables.quarantine()
    if not entries:
        return '<h2>Quarantine</h2><p class="soft">Empty: every scene was made.</p>'
    items = "".join(_failed(scene_id, values) for scene_id, values in entries.items())
    count = counted(len(entries), "scene")
    return f'<h2>Quarantine</h2><p class="soft">{count} failed; the build leaves them out.</p>{items}'


def _failed(scene_id: str, values: Row) -> str:
    error = str(values.get("message") or values.get("error") or "no reason recorded")
    command = values.get("command")
    repeat = f"<p>Repeat it with</p><pre>{escape(str(command))}</pre>" if command else ""
    return f'<div class="failed"><p class="id">{escape(scene_id)}</p><pre>{escape(error)}</pre>{repeat}</div>'


def _origin(tables: BuildTables) -> str:
    record = tables.record
    name, text = escape(record.spec_path), escape(record.spec_text)
    return (
        "<h2>How it was made</h2>"
        f"<details><summary>The spec, {name}</summary><pre>{text}</pre></details>"
        f"<details><summary>Environment</summary>{facts(record.environment)}</details>"
    )


def _footer() -> str:
    return "Made by Glint. This page holds all its pictures and loads nothing."
