"""Panels of a view's edges by cause, and of where a depth sensor would fail.

Does not cover: what the layers mean (docs/truth.md); all other panels (`panels`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import open_exr, read_exr, read_ids
from pipeline.dataset.read_edges import EDGE_CAUSES
from pipeline.layers import read_light, total
from pipeline.report import draw
from pipeline.report.data import BuildTables, Row
from pipeline.report.draw import Color, Picture
from pipeline.report.panel import Legend, Panel

CAUSE_COLORS: Final[tuple[Color, ...]] = ((235, 235, 235), (255, 196, 60), (255, 40, 80), (60, 160, 255))
"""Of EDGE_CAUSES."""
FAILURE_COLORS: Final[dict[str, Color]] = {
    "dark": (40, 190, 90),
    "saturation": (255, 60, 60),
    "second_path": (200, 80, 230),
    "grazing": (255, 190, 40),
    "shadow": (50, 110, 255),
}
"""Of causes of failure, in the order in which they are painted over each other."""
_COLUMNS: Final = ("view_id", "edges_path", "depth_failure_path")
_GROUND: Final = 0.35
"""Brightness of the picture below."""


def edge_panels(tables: BuildTables, view: Row) -> list[tuple[str, Callable[[], Panel]]]:
    """Title and maker of a panel of edges and of one of depth failures for each projector; none where a build has no
    such layers. The makers raise OSError when a layer cannot be read.
    """
    rows = tables.rows("reflection_layers", _COLUMNS, ("view_id", [view["view_id"]]))
    if not rows:
        return []
    row, panels = rows[0], []
    if row["edges_path"] is not None:
        panels.append(("Edges by cause", lambda: _edges(tables, view, row)))
    if row["depth_failure_path"] is not None:
        panels += [_failure(tables, view, row, name) for name in _projectors(tables, row)]
    return panels


def edge_picture(labels: NDArray[np.uint16], ground: Picture) -> Picture:
    """Edges (h, w), values as in edges.png, in the colours of their causes over the *ground* (h, w, 3).

    Raises ValueError when the two are not of one size.
    """
    if labels.shape != ground.shape[:2]:
        raise ValueError(f"expected edges of {ground.shape[:2]} pixels, found {labels.shape}")
    drawn = ground.copy()
    for place, color in enumerate(CAUSE_COLORS, start=1):
        drawn[labels == place] = color
    return drawn


def failure_picture(priors: dict[str, NDArray[np.float32]], ground: Picture) -> Picture:
    """Priors (h, w) by cause, each mixed into the *ground* (h, w, 3) with its colour."""
    drawn = ground.astype(np.float32)
    for cause, color in FAILURE_COLORS.items():
        share = np.clip(priors[cause], 0.0, 1.0)[..., None]
        drawn += share * (np.array(color, dtype=np.float32) - drawn)
    return np.asarray(np.round(drawn), dtype=np.uint8)


def _edges(tables: BuildTables, view: Row, row: Row) -> Panel:
    labels = read_ids(tables.file(row["edges_path"]))
    counts = np.bincount(labels.ravel(), minlength=len(EDGE_CAUSES) + 1)[1:]
    legend = tuple(
        Legend(color, f"{cause}, {count:,} px")
        for cause, color, count in zip(EDGE_CAUSES, CAUSE_COLORS, counts, strict=False)
    )
    note = "reflection: edges that are not the part's own"
    return Panel("Edges by cause", note, edge_picture(labels, _ground(tables, view, labels.shape)), legend)


def _projectors(tables: BuildTables, row: Row) -> list[str]:
    """Names of the projectors; a layer that cannot be read counts as one, whose panel says why."""
    try:
        file = open_exr(tables.file(row["depth_failure_path"]))
        names = list(file.spec().channelnames)
        file.close()
    except OSError:
        return ["?"]
    return sorted({name.partition(".")[0] for name in names})


def _failure(tables: BuildTables, view: Row, row: Row, projector: str) -> tuple[str, Callable[[], Panel]]:
    title = f"Depth failures: {projector}"

    def make() -> Panel:
        channels = read_exr(tables.file(row["depth_failure_path"]), (f"{projector}.",))
        own = {cause: channels[f"{projector}.{cause}"] for cause in FAILURE_COLORS}
        lost = float(channels[f"{projector}.failure"].mean())
        legend = tuple(Legend(color, cause.replace("_", " ")) for cause, color in FAILURE_COLORS.items())
        picture = failure_picture(own, _ground(tables, view, own["shadow"].shape))
        return Panel(title, f"mean prior {lost:.2f}", picture, legend)

    return title, make


def _ground(tables: BuildTables, view: Row, shape: tuple[int, ...]) -> Picture:
    """The view in grey, dark; black where its light is not kept."""
    try:
        light = read_light(tables.file(view["layers_path"]).parent)[0]
    except OSError:
        return np.zeros((*shape, 3), dtype=np.uint8)
    radiance = total(light, light)
    bright = float(np.percentile(radiance, 95.0))
    shown = draw.srgb(radiance, 0.7 / bright if bright > 0 else 1.0)
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor((grey * _GROUND).astype(np.uint8), cv2.COLOR_GRAY2RGB), dtype=np.uint8)
