"""Panels of reflection truth: mirror images of parts, light taken apart, rough reflections, light above saturation.

A build without such a layer has no panel of it. Does not cover: the reflected-source map, highlights and cast light
(`panels`), edges and depth failures (`edge_panels`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import read_exr, read_rgb
from pipeline.layers import read_parts
from pipeline.report import draw
from pipeline.report.carried import carried_rows
from pipeline.report.charts import counted
from pipeline.report.data import BuildTables, Row
from pipeline.report.draw import Picture
from pipeline.report.panel import Legend, Panel, guarded

MIRROR_COLUMNS: Final = ("view_id", "instance_id", "category", "mirror_kind", "mirror_id", "clarity", "mask_rle")
LAYER_COLUMNS: Final = ("view_id", "decomposition_path")

_TERMS: Final = (
    ("highlight", "lamps, mirrored once"),
    ("inter_reflection", "parts, mirrored"),
    ("surroundings", "table, walls and world, mirrored"),
    ("diffuse", "scattered below the surface: paint, table"),
)
_WHITE_SHARE: Final = 99.0
"""Percentile of a view's radiance that is shown white, the same in all layers of its light taken apart."""
_LEAST_SHARE: Final = 0.005
"""A kind of light below this share has no panel: rims of silhouettes bring a little of the table."""
_NAMED_IMAGES: Final = 5
"""Only the largest mirror images have a name, or names would cover what they name."""
_MOST_STOPS: Final = 4.0


def reflection_panels(tables: BuildTables, view: Row, photo: Row | None, picture: Picture | None) -> list[Panel]:
    """The panels of *view*; *picture* is its *photo*, None without one."""
    layers = tables.rows("reflection_layers", LAYER_COLUMNS, ("view_id", [view["view_id"]]))
    found = _view_panels(tables, view, layers[0] if layers else {})
    if photo is None or picture is None:
        return found
    return [*_mirror_panels(tables, photo, picture), *found, *_clipping_panels(tables, photo, picture)]


def _view_panels(tables: BuildTables, view: Row, layers: Row) -> list[Panel]:
    """Panels of the layers that there are; a file that `keep` dropped has none."""
    panels: list[Panel] = []
    files = {name: path for row in (view, layers) for name, path in row.items() if name.endswith("_path") and path}
    there = {name: tables.file(path) for name, path in files.items() if (tables.root / path).exists()}
    if "decomposition_path" in there:
        panels += _term_panels(there["decomposition_path"])
    if "rough_reflection_path" in there:
        path = there["rough_reflection_path"]
        panels.append(guarded("How sharply it is shown", partial(_sharpness_panel, path)))
    return panels


def _mirror_panels(tables: BuildTables, photo: Row, picture: Picture) -> Iterator[Panel]:
    rows = tables.rows("mirror_images", MIRROR_COLUMNS, ("view_id", [photo["view_id"]]))
    if rows:
        yield guarded("Mirror images", partial(_mirror_panel, tables, photo, picture, rows))


def _mirror_panel(tables: BuildTables, photo: Row, picture: Picture, images: Sequence[Row]) -> Panel:
    rows = carried_rows(tables, photo, images)
    shapes = [masks.decode(str(row["mask_rle"])) for row in rows]
    pairs = [(row, mask) for row, mask in zip(rows, shapes, strict=True) if mask.any()]
    colors = [draw.color_of(int(row["instance_id"]) - 1) for row, _ in pairs]
    drawn = draw.with_masks(draw.muted(picture), [mask for _, mask in pairs], colors, fill=0.6)
    boxes = [masks.box_of(mask) or (0, 0, 0, 0) for _, mask in pairs]
    drawn = draw.with_boxes(drawn, boxes, [""] * len(boxes), colors)
    large = sorted(range(len(pairs)), key=lambda place: -int(pairs[place][1].sum()))[:_NAMED_IMAGES]
    names = [f"{pairs[place][0]['category']} {pairs[place][0]['instance_id']}" for place in large]
    drawn = draw.with_boxes(drawn, [boxes[place] for place in large], names, [colors[place] for place in large])
    mirrors = len({(row["mirror_kind"], row["mirror_id"]) for row in rows})
    return Panel("Mirror images", f"{counted(len(rows), 'image')} of parts in {counted(mirrors, 'mirror')}", drawn)


def _term_panels(path: Path) -> list[Panel]:
    """One panel per kind of light, summed over the light groups, all at one exposure."""
    try:
        layers = read_parts(path)
    except OSError as error:
        return [Panel("Light taken apart", f"cannot be drawn: {error}", None)]
    total = _sum(layers, "")
    white = float(np.percentile(total.max(axis=-1), _WHITE_SHARE)) if total.size else 0.0
    scale = 1.0 / white if white > 0 else 1.0
    panels = []
    for term, note in _TERMS:
        image = _sum(layers, f"{term}.")
        share = float(image.sum(dtype=np.float64) / max(total.sum(dtype=np.float64), 1e-9))
        if share > _LEAST_SHARE:
            panels.append(
                Panel(term.replace("_", "-").capitalize(), f"{note}; {share:.0%} of the light", draw.srgb(image, scale))
            )
    return panels


def _sum(layers: Mapping[str, NDArray[np.float32]], prefix: str) -> NDArray[np.float32]:
    chosen = [values for name, values in layers.items() if name.startswith(prefix)]
    shape = next(iter(layers.values())).shape if layers else (0, 0, 3)
    return np.asarray(sum(chosen, np.zeros(shape, np.float32)), dtype=np.float32)


def _sharpness_panel(path: Path) -> Panel:
    channels = read_exr(path, ("share", "rays"))
    share, inside = channels["share"], channels["rays"] > 0
    ends = (Legend((253, 231, 37), "0: many things"), Legend((68, 1, 84), "1: one thing"))
    note = "share of the rays, spread as the metal's roughness does, that meet one thing"
    return Panel("How sharply it is shown", note, draw.false_color(share, inside, 0.0, 1.0), ends)


def _clipping_panels(tables: BuildTables, photo: Row, picture: Picture) -> list[Panel]:
    path = photo.get("stops_above_path")
    if not path or not (tables.root / path).exists():
        return []
    return [guarded("Above saturation", partial(_clipping_panel, tables.root / path, picture))]


def _clipping_panel(path: Path, picture: Picture) -> Panel:
    stops = read_rgb(path)
    most = np.maximum(np.maximum(stops[..., 0], stops[..., 1]), stops[..., 2])
    over = most > 0
    drawn = draw.muted(picture)
    drawn[over] = draw.false_color(most, over, 0.0, _MOST_STOPS)[over]
    ends = (Legend((253, 231, 37), "just clipped"), Legend((68, 1, 84), f"{_MOST_STOPS:.0f} stops above"))
    return Panel("Above saturation", f"true radiance, up to {float(most.max()):.1f} stops above", drawn, ends)
