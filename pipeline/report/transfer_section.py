"""The report about transfer: whether it ran, how strongly photos were changed, why others were not, pairs of pictures.

Does not cover: the decision (`transfer.gate`), the rest of the page (`report`).
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Final

from pipeline.report import draw
from pipeline.report.charts import bars
from pipeline.report.data import BuildTables, Row
from pipeline.report.page import PictureSizes, chart_cards, panel_figure, table
from pipeline.report.panel import Panel, guarded

_PAIRS: Final = 6
_REASONS: Final = 8
_COLUMNS: Final = (
    "photo_id", "image_path", "camera_image_path", "origin", "transfer_strength", "gate_passed", "gate_reason"
)  # fmt: skip


def transfer_sentence(tables: BuildTables) -> str:
    """Whether transfer ran, in one sentence; HTML."""
    record = tables.record.transfer
    return "" if record is None else f'<p class="soft">{escape(record.sentence())}</p>'


def transfer_section(tables: BuildTables, sizes: PictureSizes) -> str:
    """HTML; empty where transfer did not run."""
    record = tables.record.transfer
    if record is None or not record.ran:
        return ""
    photos = [row for row in tables.rows("photos", _COLUMNS) if row["gate_passed"] is not None]
    strengths = Counter(f"{row['transfer_strength']:g}" for row in photos if row["gate_passed"])
    kept = sum(not row["gate_passed"] for row in photos)
    card = bars(
        "Strength that was kept",
        {**{name: float(strengths[name]) for name in sorted(strengths)}, "camera photo": float(kept)},
        note="photos",
        form="{:,.0f}",
    )
    limits = "".join(f"<li>{escape(name)} at most {value:.3g}</li>" for name, value in sorted(record.limits.items()))
    weights = "; ".join(f"{use}: sha256 {digest[:12]}" for use, digest in record.weights.items())
    about = escape(f"{weights}; licence of the model: {record.licence}; batch {record.smallest_batch or record.batch}.")
    return (
        f'<h2>Transfer</h2><p class="soft">{about}</p>{chart_cards([card])}{_reasons(photos)}'
        f"<details><summary>Limits of the gate ({escape(record.limits_source)})</summary><ul>{limits}</ul></details>"
        f"{_pairs(tables, photos, sizes)}"
    )


def _reasons(photos: list[Row]) -> str:
    """The scores or problems that tries failed by, counted."""
    found: Counter[str] = Counter()
    for row in photos:
        for one in (row["gate_reason"] or "").split(" | "):
            text = one.partition(": ")[2]
            if text:
                found[_kind_of(text)] += 1
    if not found:
        return ""
    rows = [(name, f"{count:,}") for name, count in found.most_common(_REASONS)]
    return f"<h3>Why tries failed</h3>{table(('score or problem', 'tries'), rows)}"


def _kind_of(text: str) -> str:
    """The name of the score in a reason such as "part 2 (flange): blob 0.3 exceeds 0.15 (...)", else the reason."""
    words = text.partition(" exceeds ")[0].split()
    return words[-2] if " exceeds " in text and len(words) > 1 else text.removeprefix("photo: ")


def _pairs(tables: BuildTables, photos: list[Row], sizes: PictureSizes) -> str:
    both = [row for row in photos if row["camera_image_path"] is not None]
    if not both:
        return ""
    shown = both[:: max(1, len(both) // _PAIRS)][:_PAIRS]
    figures = "".join(
        panel_figure(panel, sizes, large=False)
        for row in shown
        for panel in (
            _panel(tables, row, "camera_image_path", f"{row['photo_id']}, camera", ""),
            _panel(tables, row, "image_path", "transferred", f"strength {row['transfer_strength']:g}"),
        )
    )
    return f'<h3>Before and after</h3><div class="panels">{figures}</div>'


def _panel(tables: BuildTables, row: Row, column: str, title: str, note: str) -> Panel:
    def make() -> Panel:
        return Panel(title, note, draw.read_picture(tables.file(row[column]).read_bytes()))

    return guarded(title, make)
