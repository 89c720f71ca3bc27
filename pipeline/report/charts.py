"""Charts as inline SVG: horizontal bars and histograms.

Colours come from the page's style sheet (classes `bar`, `axis`, `label`), so charts follow light and dark. Every text
is escaped. Does not cover: what is counted (`distributions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

_WIDTH: Final = 360
_ROW: Final = 22
_LABEL: Final = 128
_PLOT_HEIGHT: Final = 110


@dataclass(frozen=True)
class Chart:
    """A chart with its heading; *svg* is safe to print."""

    title: str
    note: str
    svg: str


def bars(title: str, counts: Mapping[str, float], *, note: str = "", rows: int = 12, form: str = "{:,.0f}") -> Chart:
    """Horizontal bars, largest first; what does not fit in *rows* is summed up as "others"."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = ordered if len(ordered) <= rows else ordered[: rows - 1]
    if len(shown) < len(ordered):
        rest = ordered[len(shown) :]
        shown = [*shown, (f"{len(rest)} others", sum(value for _, value in rest))]
    largest = max((value for _, value in shown), default=0.0) or 1.0
    lines = [_bar(place, name, value, largest, form) for place, (name, value) in enumerate(shown)]
    return Chart(title, note, _svg(title, max(1, len(shown)) * _ROW, lines or [_text(0, 15, "nothing", "label")]))


def histogram(title: str, values: Iterable[float], *, unit: str = "", note: str = "", bins: int = 24) -> Chart:
    """Histogram of the finite *values* over their range, with the median marked."""
    finite = np.fromiter(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return Chart(title, note, _svg(title, _ROW, [_text(0, 15, "nothing", "label")]))
    low, high = float(np.min(finite)), float(np.max(finite))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(finite, bins=bins, range=(low, high))
    largest = int(np.max(counts))
    columns = [_column(i, int(count), largest, bins) for i, count in enumerate(counts) if count]
    median = float(np.median(finite))
    x = (median - low) / (high - low) * _WIDTH
    marks = [
        f'<line class="axis" x1="0" y1="{_PLOT_HEIGHT}" x2="{_WIDTH}" y2="{_PLOT_HEIGHT}"/>',
        f'<line class="median" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{_PLOT_HEIGHT}"/>',
        _text(0, _PLOT_HEIGHT + 16, number(float(edges[0])), "label"),
        _text(_WIDTH, _PLOT_HEIGHT + 16, f"{number(float(edges[-1]))} {unit}".strip(), "label end"),
    ]
    summary = f"median {number(median)}{' ' + unit if unit else ''}"
    return Chart(title, f"{note}, {summary}" if note else summary, _svg(title, _PLOT_HEIGHT + 22, [*columns, *marks]))


def number(value: float) -> str:
    """Three significant digits, without exponents in the usual range."""
    if value == 0 or 0.001 <= abs(value) < 1e6:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:.2g}"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """ "1 part", "2 parts", "1,234 parts"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def _bar(place: int, name: str, value: float, largest: float, form: str) -> str:
    y, room = place * _ROW, _WIDTH - _LABEL - 56
    length = max(1.5, value / largest * room)
    label = name if len(name) <= 19 else f"{name[:18]}…"
    return (
        f"<g><title>{escape(name)}: {escape(form.format(value))}</title>"
        + _text(_LABEL - 8, y + 15, label, "label end")
        + f'<rect class="bar" x="{_LABEL}" y="{y + 4}" width="{length:.1f}" height="{_ROW - 8}" rx="2"/>'
        + _text(_LABEL + length + 6, y + 15, form.format(value), "value")
        + "</g>"
    )


def _column(place: int, count: int, largest: int, bins: int) -> str:
    width = _WIDTH / bins
    height = max(1.5, count / largest * (_PLOT_HEIGHT - 6))
    return (
        f"<g><title>{count:,}</title>"
        f'<rect class="bar" x="{place * width + 0.75:.2f}" y="{_PLOT_HEIGHT - height:.1f}" '
        f'width="{width - 1.5:.2f}" height="{height:.1f}" rx="1.5"/></g>'
    )


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{''.join(parts)}</svg>"
    )
