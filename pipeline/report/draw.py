"""Drawing: colours, masks, boxes, false colour, JPEG.

Pictures are (h, w, 3) uint8 RGB arrays. Every function returns a new array. Does not cover: which layer is shown how
(`panels`), pages (`page`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Color = tuple[int, int, int]

BACKGROUND: Final[Color] = (24, 25, 28)
"""Where a layer shows nothing."""

_PALETTE: Final[tuple[Color, ...]] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 176, 132),
    (240, 105, 90),
    (178, 132, 240),
    (240, 228, 66),
    (214, 110, 170),
    (120, 200, 80),
    (60, 120, 216),
    (200, 144, 96),
    (80, 208, 208),
    (255, 150, 190),
)
"""The first entries follow Okabe and Ito's colours for the colour-blind (2008)."""


def color_of(index: int) -> Color:
    """A colour for number *index* >= 0: twelve distinct ones, then shades of them."""
    base = _PALETTE[index % len(_PALETTE)]
    shade = (1.0, 0.72, 0.5)[(index // len(_PALETTE)) % 3]
    return (round(base[0] * shade), round(base[1] * shade), round(base[2] * shade))


def hex_color(color: Color) -> str:
    """ "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def read_picture(data: bytes) -> Picture:
    """Decode the bytes of a PNG or JPEG. Raises OSError when they are neither."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if decoded is None:
        raise OSError("expected a PNG or JPEG picture, found something else")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def jpeg(picture: Picture, quality: int = 82) -> bytes:
    """Encode as JPEG without chroma subsampling, so that thin coloured lines stay sharp."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise OSError("cannot encode a JPEG")
    return bytes(encoded.tobytes())


def shrink(picture: Picture, width: int) -> Picture:
    """Scale down to at most *width* pixels wide, averaging; never up."""
    height_now, width_now = picture.shape[:2]
    if width_now <= width:
        return picture.copy()
    size = (width, max(1, round(height_now * width / width_now)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def muted(picture: Picture, brightness: float = 0.35) -> Picture:
    """Grey and dark: the ground on which coloured marks stand out."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) * brightness
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def with_masks(
    picture: Picture, masks: Sequence[NDArray[np.bool_]], colors: Sequence[Color], *, fill: float = 0.35
) -> Picture:
    """Tint each (h, w) mask with its colour (*fill* = opacity) and draw its outline."""
    tinted = picture.astype(np.float32)
    for mask, color in zip(masks, colors, strict=True):
        tinted[mask] = (1.0 - fill) * tinted[mask] + fill * np.array(color, np.float32)
    drawn: Picture = np.clip(tinted, 0, 255).astype(np.uint8)
    thickness = max(1, round(picture.shape[1] / 640))
    for mask, color in zip(masks, colors, strict=True):
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outlines, -1, color, thickness, cv2.LINE_AA)
    return drawn


def with_boxes(
    picture: Picture, boxes: Sequence[Sequence[float]], labels: Sequence[str], colors: Sequence[Color]
) -> Picture:
    """Draw boxes (x, y, w, h in pixels), then their labels on chips, so that no box crosses a label."""
    drawn = picture.copy()
    scale = max(0.6, picture.shape[1] / 640)
    for (x, y, w, h), color in zip(boxes, colors, strict=True):
        corners = (round(x), round(y)), (round(x + w) - 1, round(y + h) - 1)
        cv2.rectangle(drawn, *corners, color, max(1, round(scale)), cv2.LINE_AA)
    for (x, y, _, _), label, color in zip(boxes, labels, colors, strict=True):
        if label:
            _chip(drawn, label, (round(x), round(y)), color, 0.42 * scale)
    return drawn


def _chip(drawn: Picture, label: str, corner: tuple[int, int], color: Color, scale: float) -> None:
    """Write *label* on a coloured chip above *corner*, moved inside the picture; changes *drawn*."""
    text = label.encode("ascii", "replace").decode()
    font, weight = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(scale * 1.6))
    (width, height), base = cv2.getTextSize(text, font, scale, weight)
    pad = max(2, round(4 * scale))
    x = int(np.clip(corner[0], 0, max(0, drawn.shape[1] - width - 2 * pad)))
    y = int(np.clip(corner[1], height + base + pad, drawn.shape[0]))
    cv2.rectangle(drawn, (x, y - height - base - pad), (x + width + 2 * pad, y), color, -1)
    ink = (12, 12, 12) if sum(color) > 330 else (250, 250, 250)
    cv2.putText(drawn, text, (x + pad, y - base), font, scale, ink, weight, cv2.LINE_AA)


def painted(shape: tuple[int, int], masks: Sequence[NDArray[np.bool_]], colors: Sequence[Color]) -> Picture:
    """Masks in flat colours on the background; later ones cover earlier ones."""
    drawn = np.full((*shape, 3), BACKGROUND, np.uint8)
    for mask, color in zip(masks, colors, strict=True):
        drawn[mask] = color
    return drawn


def id_colors(ids: NDArray[Any]) -> Picture:
    """A colour for every id of a (h, w) integer layer; 0 is background."""
    values, places = np.unique(ids, return_inverse=True)
    table = np.array([BACKGROUND if value == 0 else color_of(_scatter(int(value))) for value in values], np.uint8)
    return np.asarray(table[places.reshape(ids.shape)])


def _scatter(value: int) -> int:
    """Neighbouring ids get unlike colours, 36 in a row all different: 13 shares no factor with 36."""
    return 13 * value % 36


def value_range(values: NDArray[Any], inside: NDArray[np.bool_]) -> tuple[float, float]:
    """(low, high) of the finite *values* *inside*, without the outer percent on each side; (0, 1) when none."""
    finite = values[inside & np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.percentile(finite, [1.0, 99.0])
    return float(low), float(max(high, low + 1e-9))


def false_color(values: NDArray[Any], inside: NDArray[np.bool_], low: float, high: float) -> Picture:
    """Viridis from *low* (yellow) to *high* (violet) for (h, w) *values* *inside*; background elsewhere."""
    scaled = np.nan_to_num(np.clip((high - values) / (high - low), 0.0, 1.0), nan=0.0)
    mapped = cv2.applyColorMap((scaled * 255.0).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    drawn: Picture = np.ascontiguousarray(mapped[..., ::-1])
    drawn[~inside] = BACKGROUND
    return drawn


def normal_colors(normal: NDArray[Any]) -> Picture:
    """Unit normals (h, w, 3) of an OpenCV camera in the usual colours: red right, green up, blue towards the lens."""
    shown = (normal * np.array([1.0, -1.0, -1.0]) * 0.5 + 0.5) * 255.0
    drawn: Picture = np.clip(np.nan_to_num(shown), 0, 255).astype(np.uint8)
    drawn[np.abs(normal).sum(axis=-1) < 1e-6] = BACKGROUND
    return drawn


def srgb(radiance: NDArray[Any], scale: float) -> Picture:
    """Linear Rec.709 (h, w, 3) times *scale* as sRGB (IEC 61966-2-1), clipped at white."""
    linear = np.clip(np.nan_to_num(radiance) * scale, 0.0, 1.0)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1.0 / 2.4) - 0.055)
    return np.asarray(np.round(curve * 255.0), dtype=np.uint8)


def shaded(colors: Picture, facing: NDArray[Any]) -> Picture:
    """Darken flat *colors* by (h, w) *facing* (1 = towards the lens), so that shapes are seen."""
    return np.asarray(np.clip(colors * (0.45 + 0.55 * np.clip(facing, 0, 1))[..., None], 0, 255), dtype=np.uint8)


def contact_sheet(pictures: Sequence[tuple[str, Picture]], columns: int, width: int) -> Picture:
    """Captioned pictures in rows of *columns*, each scaled to *width* pixels wide, on a dark ground."""
    tiles = [_tile(caption, picture, width) for caption, picture in pictures]
    rows = []
    for start in range(0, len(tiles), columns):
        row = tiles[start : start + columns]
        height = max(tile.shape[0] for tile in row)
        row = [np.pad(tile, ((0, height - len(tile)), (0, 0), (0, 0))) for tile in row]
        row += [np.zeros_like(row[0])] * (columns - len(row) if len(tiles) > columns else 0)
        rows.append(np.concatenate(row, axis=1))
    return np.concatenate(rows, axis=0)


def _tile(caption: str, picture: Picture, width: int) -> Picture:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    smaller = picture.shape[1] > width
    scaled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    bar = np.zeros((24, width, 3), np.uint8)
    text = caption.encode("ascii", "replace").decode()
    cv2.putText(bar, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (225, 225, 225), 1, cv2.LINE_AA)
    return np.concatenate([bar, np.asarray(scaled, dtype=np.uint8)], axis=0)
