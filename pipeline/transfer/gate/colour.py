"""Is the metal still the same, and is the background still empty? Colour by cells of 4 x 4 pixels.

Covers: chroma of each part against the globally fitted tint; unexplained blobs in the background; how much of the
background and of each part is painted over. Does not cover: fine structure. All take out what exposure, tone and tint
do to the whole photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.features import COARSE, Features, Floats, cells, part_cells
from pipeline.transfer.gate.tone import tone_of
from pipeline.transfer.gate.truth import GateTruth

Mask = NDArray[np.bool_]

_LEAST_CELLS: Final = 4
_LEAST_BACKGROUND: Final = 32
"""Cells without which there is no background to speak of."""
_GUARD_CELLS: Final = 1
"""Cells around parts that the background does without: shadows, halos, reflections of the part's edge."""
_RINGS: Final = 2
"""Cells beside a part, 8 px, that are looked at by themselves."""
_SIGMA_CELLS: Final = 1.0
_LEAST_DIFFERENCE: Final = 6.0
"""CIE L*a*b* units that a cell must differ by to be unexplained: about twice a just visible difference of areas."""
_SPREAD: Final = 3.0
"""Or this many robust standard deviations of all background cells ..."""
_MOST_DIFFERENCE: Final = 12.0
"""... but never more: what is invented does not hide in a background that became busy."""
LEAST_PART: Final = 0.004
"""Share of a photo: a smaller part does not set the unit of blobs."""
LARGEST_UNIT: Final = 0.01
"""Nor does a larger one: what is invented beside parts that fill the frame may be small."""


@dataclass(frozen=True, eq=False)
class ColourTruth:
    """Coarse masks of one photo's labels."""

    background: Mask
    """(h / 4, w / 4) cells that touch no part, one cell away."""
    parts: tuple[Mask, ...]
    """Cells of each part of the truth."""
    beside: tuple[tuple[Mask, ...], ...]
    """Of each part, the cells of the background next to it and those one further, where the background does without."""
    unit_px: float
    """What blobs are measured by: area of the smallest part, pixels, from LEAST_PART to LARGEST_UNIT of the photo."""


def colour_truth(truth: GateTruth) -> ColourTruth:
    """Coarse masks of *truth*."""
    side = 2 * _GUARD_CELLS + 1
    taken = cells(~truth.background) > 0.0
    background = cv2.dilate(taken.astype(np.uint8), np.ones((side, side), np.uint8)) == 0
    pixels = truth.shape[0] * truth.shape[1]
    smallest = min((float(part.area) for part in truth.parts), default=0.0)
    return ColourTruth(
        np.asarray(background),
        tuple(part_cells(truth, part.instance_id) for part in truth.parts),
        tuple(_beside(truth.instance == part.instance_id, taken) for part in truth.parts),
        float(np.clip(smallest, LEAST_PART * pixels, LARGEST_UNIT * pixels)),
    )


def _beside(part: Mask, taken: Mask) -> tuple[Mask, ...]:
    """Rings of one cell about the cells that *part* (h, w) touches, without those *taken* by any part."""
    rings = []
    inner = cells(part) > 0.0
    for _ in range(_RINGS):
        outer = cv2.dilate(inner.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        rings.append(np.asarray(outer & ~inner & ~taken))
        inner = np.asarray(outer)
    return tuple(rings)


def global_tint(before: Features, after: Features, masks: ColourTruth) -> NDArray[np.float64]:
    """(2,) change of a*, b* at L* = 50 that the photo as a whole went through: the median of its background.

    Zero where the background has too few cells: of a photo that is all part nobody can tell a tint from another metal.
    """
    where = before.coloured & after.coloured & masks.background
    if np.count_nonzero(where) < _LEAST_BACKGROUND:
        return np.zeros(2)
    return np.asarray(np.median((after.coarse - before.coarse)[..., 1:][where], axis=0), dtype=np.float64)


def part_chroma(before: Features, after: Features, tint: NDArray[np.float64], mask: Mask) -> float | None:
    """Distance in the a*, b* plane at L* = 50 that the median colour of a part's cells moved, less the *tint*.

    None where the part shows no colour (clipped, black, or too small).
    """
    where = mask & before.coloured & after.coloured
    if np.count_nonzero(where) < _LEAST_CELLS:
        return None
    moved = np.median((after.coarse - before.coarse)[..., 1:][where], axis=0) - tint
    return float(np.linalg.norm(moved))


def unexplained(before: Features, after: Features, where: Mask | None = None, painted: Mask | None = None) -> Floats:
    """(h / 4, w / 4) difference in CIE L*, a*, b* that the global fits leave, smoothed; 0 outside of *where*.

    Lightness is compared after the tone curve that the medians of the cells *where* give, chroma after their median
    tint. Clipped cells show no colour, except those *painted*, which no exposure clipped.
    """
    where = np.ones(before.coarse.shape[:2], dtype=np.bool_) if where is None else where
    tone = tone_of(before.coarse[..., 0][where], after.coarse[..., 0][where], (0.0, 100.0))
    lightness = after.coarse[..., 0] - tone.of(before.coarse[..., 0])
    both = before.coloured & after.coloured
    counts = both if painted is None else both | (before.coloured & painted)
    chroma = (after.coarse - before.coarse)[..., 1:]
    if (both & where).any():
        chroma = chroma - np.median(chroma[both & where], axis=0)
    # scaled back to the cell's own lightness: the chroma of dark cells is mostly noise
    chroma = chroma * ((after.coarse[..., :1] + 16.0) / 66.0) * counts[..., None]
    rest = np.dstack([lightness, chroma]).astype(np.float32)
    rest = np.where(where[..., None], rest, 0.0).astype(np.float32)
    weight = cv2.GaussianBlur(where.astype(np.float32), (0, 0), _SIGMA_CELLS)
    smooth = cv2.GaussianBlur(rest, (0, 0), _SIGMA_CELLS) / np.maximum(weight, 1e-3)[..., None]
    return np.asarray(np.sqrt((smooth**2).sum(axis=2)), dtype=np.float32)


def background_blob(rest: Floats, masks: ColourTruth) -> float:
    """Area of the largest blob in the background, in units of the smallest part's area (`unit_px`).

    *rest*: what is `unexplained` there. A blob stands out from the rest of the background, see `painted_over` for what
    is everywhere.
    """
    where = masks.background
    if np.count_nonzero(where) < _LEAST_BACKGROUND:
        return 0.0
    spread = 1.4826 * float(np.median(rest[where]))
    odd = where & (rest > np.clip(_SPREAD * spread, _LEAST_DIFFERENCE, _MOST_DIFFERENCE))
    count, _, stats, _ = cv2.connectedComponentsWithStats(odd.astype(np.uint8), connectivity=4)
    largest = int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0
    return largest * COARSE**2 / masks.unit_px


def painted_over(rest: Floats, where: Mask, least_cells: int = 2 * _LEAST_CELLS) -> float | None:
    """Median of what is `unexplained` in the cells *where*, L*a*b* units; None where they are too few."""
    if np.count_nonzero(where) < least_cells:
        return None
    return float(np.median(rest[where]))
