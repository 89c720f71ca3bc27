"""Page: pieces of HTML, every text escaped and every picture embedded.

Covers: figures, charts, tables, the frame around them. Does not cover: what the report says (`report`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pipeline.report import draw
from pipeline.report.charts import Chart
from pipeline.report.draw import Picture
from pipeline.report.panel import Panel
from pipeline.report.style import SCRIPT, STYLE, content_policy


@dataclass(frozen=True)
class PictureSizes:
    """How large pictures are embedded, and how strongly they are compressed."""

    photo_px: int = 760
    layer_px: int = 460
    sheet_px: int = 520
    quality: int = 82

    def smaller(self) -> PictureSizes:
        """About half the bytes."""
        return PictureSizes(
            int(self.photo_px * 0.75), int(self.layer_px * 0.75), int(self.sheet_px * 0.75), max(50, self.quality - 8)
        )


def picture_url(picture: Picture, width: int, quality: int) -> str:
    """The picture as a data: URL of a JPEG."""
    encoded = base64.b64encode(draw.jpeg(draw.shrink(picture, width), quality)).decode("ascii")
    return f"data:image/jpeg;base64,{encoded}"


def shot(title: str, caption: str, picture: Picture, sizes: PictureSizes, over: Picture | None = None) -> str:
    """A figure of the contact sheet; *over* is shown on top when the reader asks for labels. *caption* is HTML."""
    images = _image(picture, sizes.sheet_px, sizes.quality, alt=title)
    if over is not None:
        images += _image(over, sizes.sheet_px, sizes.quality, alt="", kind=' class="over-image"')
    return f"<figure>{_button(title, images)}<figcaption>{caption}</figcaption></figure>"


def panel_figure(panel: Panel, sizes: PictureSizes, *, large: bool) -> str:
    """A figure of one panel, with its legend."""
    caption = f"<b>{escape(panel.title)}</b> {escape(panel.note)}{_legend(panel)}"
    if panel.picture is None:
        return f'<figure><div class="missing">{caption}</div></figure>'
    width = sizes.photo_px if large else sizes.layer_px
    image = _image(panel.picture, width, sizes.quality, alt=panel.title)
    kind = ' class="large"' if large else ""
    title = f"{panel.title} — {panel.note}" if panel.note else panel.title
    return f"<figure{kind}>{_button(title, image)}<figcaption>{caption}</figcaption></figure>"


def chart_cards(charts: Iterable[Chart]) -> str:
    """Charts as cards in a grid."""
    cards = (
        f'<div class="chart"><h4>{escape(chart.title)}</h4><p class="note">{escape(chart.note)}</p>{chart.svg}</div>'
        for chart in charts
    )
    return f'<div class="charts">{"".join(cards)}</div>'


def facts(values: Mapping[str, str]) -> str:
    """Names and values, escaped, as a description list."""
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in values.items())
    return f'<dl class="facts">{"".join(rows)}</dl>'


def figures(values: Mapping[str, str]) -> str:
    """Large numbers with their names."""
    cells = (f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in values.items())
    return f'<div class="figures">{"".join(cells)}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of escaped texts."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def document(title: str, header: str, body: str, footer: str) -> str:
    """The whole page. *header*, *body* and *footer* are HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(content_policy(), quote=True)}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>"
        f"<header>{header}</header>\n<main>{body}</main>\n<footer>{footer}</footer>"
        f'<dialog id="box"><img alt=""><p></p></dialog><script>{SCRIPT}</script></body></html>\n'
    )


def _button(title: str, images: str) -> str:
    return f'<button type="button" class="shot" data-title="{escape(title, quote=True)}">{images}</button>'


def _image(picture: Picture, width: int, quality: int, *, alt: str, kind: str = "") -> str:
    height_now, width_now = picture.shape[:2]
    shown = min(width, width_now)
    size = f'width="{shown}" height="{max(1, round(height_now * shown / width_now))}"'
    return f'<img{kind} {size} alt="{escape(alt, quote=True)}" src="{picture_url(picture, width, quality)}">'


def _legend(panel: Panel) -> str:
    if not panel.legend:
        return ""
    entries = (
        f'<span><i style="background:{draw.hex_color(entry.color)}"></i>{escape(entry.text)}</span>'
        for entry in panel.legend
    )
    return f'<div class="legend">{"".join(entries)}</div>'
