"""What was drawn in a build: the charts of the report.

Covers: counting over the tables, column by column and batch by batch. Does not cover: how charts look (`charts`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from pipeline.report.charts import Chart, bars, histogram
from pipeline.report.data import BuildTables


def distribution_charts(tables: BuildTables) -> list[tuple[str, list[Chart]]]:
    """All charts of a build under their headings."""
    return [
        ("Parts and surfaces", _part_charts(tables)),
        ("Scenes and light", _scene_charts(tables)),
        ("Labels", _label_charts(tables)),
        ("Photos", _photo_charts(tables)),
    ]


def _count(tables: BuildTables, table: str, column: str) -> Counter[str]:
    return Counter(str(value) for value in tables.values(table, column))


def _scaled(tables: BuildTables, table: str, column: str, factor: float = 1.0) -> Iterator[float]:
    return (float(value) * factor for value in tables.values(table, column))


def _part_charts(tables: BuildTables) -> list[Chart]:
    processes = Counter(str(p) for finishes in tables.values("instances", "finishes") for p in finishes.values())
    return [
        bars("Parts", _count(tables, "instances", "part_id"), note="instances"),
        bars("Metals", _count(tables, "instances", "metal"), note="instances"),
        bars("Finishes", _count(tables, "instances", "finish"), note="instances"),
        bars("Processes", processes, note="CAD faces"),
    ]


def _scene_charts(tables: BuildTables) -> list[Chart]:
    return [
        bars("Rigs", _count(tables, "scenes", "rig"), note="scenes"),
        bars("Surroundings", _count(tables, "scenes", "surroundings"), note="scenes"),
        bars("Arrangements", _count(tables, "scenes", "arrangement"), note="scenes"),
        bars("Supports", Counter(_supports(tables)), note="scenes"),
        histogram("Parts per scene", _scaled(tables, "scenes", "n_items")),
        histogram("Distance", _scaled(tables, "instances", "distance_m"), unit="m", note="lens to part"),
    ]


def _supports(tables: BuildTables) -> Iterator[str]:
    """The look of each scene's support, which only the SceneSpec names."""
    for text in tables.values("scenes", "spec_json"):
        spec = json.loads(text)
        arrangement = spec.get("arrangement") if isinstance(spec, dict) else None
        if isinstance(arrangement, dict) and "surface" in arrangement:
            yield str(arrangement["surface"])


def _label_charts(tables: BuildTables) -> list[Chart]:
    shown: Counter[str] = Counter()
    kinds, areas = tables.values("reflections", "reflected_kind"), tables.values("reflections", "area_px")
    for kind, area in zip(kinds, areas, strict=True):
        shown[str(kind)] += int(area)
    total = max(1, sum(shown.values()))
    sizes = (float(max(box[2:])) for box in tables.values("instances", "bbox_visible"))
    widths = (area**0.5 for area in _scaled(tables, "highlights", "area_px"))
    return [
        histogram("Size in the picture", sizes, unit="px", note="longer side"),
        histogram("Visible fraction", _scaled(tables, "instances", "visible_fraction")),
        bars(
            "What the metal shows",
            {kind: 100.0 * area / total for kind, area in shown.items()},
            note="share of metal pixels",
            form="{:.1f} %",
        ),
        bars("Highlights by lamp", _count(tables, "highlights", "light_kind"), note="highlights"),
        histogram("Size of highlights", widths, unit="px", note="square root of the area"),
    ]


def _photo_charts(tables: BuildTables) -> list[Chart]:
    flags = Counter(str(flag) for row in tables.values("photos", "quality_flags") for flag in (row or ["none"]))
    return [
        histogram("Exposure", _scaled(tables, "photos", "exposure_ev"), unit="EV", note="against metered"),
        histogram("Clipped pixels", _scaled(tables, "photos", "clipped_fraction", 100.0), unit="%", note="per photo"),
        histogram("White balance", _scaled(tables, "photos", "white_balance_k"), unit="K"),
        bars("Sensors", _count(tables, "photos", "sensor"), note="photos"),
        bars("Lenses", _count(tables, "photos", "lens"), note="photos"),
        bars("Tone curves", _count(tables, "photos", "tone"), note="photos"),
        bars("Splits", _count(tables, "photos", "split"), note="photos"),
        bars("Quality flags", flags, note="photos"),
    ]
