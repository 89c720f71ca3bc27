"""Which function draws which kind of patch, and how much room each needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.defect_patches import Raster
from pipeline.surface.defects import deposits, greases, hollows, strokes, waves
from pipeline.surface.defects.shape import Shape

DRAWINGS: Final[Mapping[str, Callable[[Shape], Raster]]] = {
    "scratch": strokes.scratch,
    "crack": strokes.crack,
    "tool_mark": strokes.tool_mark,
    "dent": hollows.dent,
    "pit": hollows.pit,
    "porosity": hollows.porosity,
    "rust": deposits.rust,
    "stain": deposits.stain,
    "fingerprint": greases.fingerprint,
    "oil_film": greases.oil_film,
    "chatter": waves.chatter,
}

ALONG_THE_LAY: Final = frozenset({"chatter"})
"""Kinds whose x axis follows the path of the tool; all others lie at any angle."""

_ASPECT: Final = {
    "scratch": 0.05,
    "crack": 0.25,
    "tool_mark": 0.25,
    "chatter": waves.CHATTER_ASPECT,
    "fingerprint": greases.FINGER_ASPECT,
}


def aspect(kind: str) -> float:
    """Width over length of the room that a patch of *kind* needs."""
    return _ASPECT.get(kind, 1.0)
