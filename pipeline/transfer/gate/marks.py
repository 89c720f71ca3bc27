"""Are defects still visible, and are highlights where they were? Small patterns against their surroundings.

Covers: contrast of each defect, pattern and place of each highlight, clipped pixels of each part. Does not cover: what
a defect looks like. Everything is compared with what the tone curve makes of the camera photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.truth import CLIPPED_CODE, Region

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_RING_PX: Final = 6
"""Width of the surroundings that a mark is compared with."""
_GAP_PX: Final = 1
"""Pixels next to a mark that are neither: blur of the lens."""
_FILL_PX: Final = 3
DEFECT_LEAST_CODES: Final = 5.0
"""Rms contrast below which the camera photo hardly shows a defect and nothing is judged ..."""
DEFECT_LEAST_ENERGY: Final = 80.0
"""... or root of the summed squares of its contrast: a few faint pixels drown in the noise of any change."""
DEFECT_LEAST_PX: Final = 6
_STANDARD_ERRORS: Final = 1.5
"""Of the slope on a defect's pattern that are given to it: as much as the grain of the change around it may take."""
_GRAIN_PX: Final = 2.0
"""Correlation length of that grain, pixels: the standard error of a slope grows with it. An estimate."""
HIGHLIGHT_LEAST_CODES: Final = 20.0
"""Mean of a highlight above its ring that lets its place be judged."""
HIGHLIGHT_LEAST_PX: Final = 12
_CLIPPED_LEAST_PX: Final = 24
_CLIPPED_SLACK: Final = 12.0
"""Codes below the level that clipping would have in which a pixel still counts as that bright."""
_TOLERANCE_PX: Final = 2
CAME_CODES: Final = 24.0
"""Brighter or darker by so much than the part's own change is a mark that came: more than the 20 codes by which a
highlight must stand out to be judged, less than the 30 that planted ones have."""
_CAME_SIGMA_PX: Final = 0.8
"""Takes single pixels of noise out."""


@dataclass(frozen=True)
class Mark:
    """What became of one defect or highlight."""

    kept: float
    """Its contrast over that of the camera photo, along the camera photo's pattern: 1 = unchanged, 0 = gone,
    negative = turned over."""
    moved_px: float
    """Distance between the centres of what stands out, before and after; 0 for defects."""


def defect_mark(before: Floats, after: Floats, defect: Region, allowed: Mask) -> Mark | None:
    """The contrast that *defect* keeps; None where the camera photo does not show it well enough to judge.

    *before*, *after*: (h, w) grey, codes, the first after the tone curve; *allowed*: (h, w) pixels of the same part.
    The pattern is what *before* shows beyond the same place without the defect: its mask and the pixels next to it,
    filled in from around them. The contrast kept is the slope on the pattern of what *after* shows beyond that; a
    change of brightness all around is taken out. CNR alone would not do: noise of the surroundings changes too. What
    the grain of the change there makes uncertain (1.5 standard errors of the slope) counts as kept.
    """
    window = defect.window(2 * _RING_PX, (before.shape[0], before.shape[1]))
    mask = defect.within(window)
    hole = _near(mask, _GAP_PX) & allowed[window]
    ring = _near(mask, _RING_PX) & ~_near(mask, _GAP_PX) & allowed[window]
    if defect.area < DEFECT_LEAST_PX or np.count_nonzero(ring) < DEFECT_LEAST_PX:
        return None
    old, new = before[window], after[window]
    sound = _filled(old, hole)
    pattern = (old - sound)[hole]
    rms, energy = float(np.sqrt((pattern**2).mean())), float((pattern**2).sum())
    if rms < DEFECT_LEAST_CODES or np.sqrt(energy) < DEFECT_LEAST_ENERGY:
        return None
    around = (new - old)[ring]
    found = (new - sound)[hole] - float(np.median(around))
    slope = float((pattern * found).sum()) / energy
    spread = 1.4826 * float(np.median(np.abs(around - np.median(around))))
    error = _STANDARD_ERRORS * _GRAIN_PX * spread / float(np.sqrt(energy))
    return Mark(min(max(slope, 1.0), slope + error), 0.0)


def highlight_mark(before: Floats, after: Floats, highlight: Region, allowed: Mask) -> Mark | None:
    """What *highlight* keeps and how far it moved; None where it does not stand out by 20 codes. Arguments as above.

    Kept is the lower of two shares: the slope of the after-pattern on the pattern, over mask and ring, and the height
    of the mask above the ring. The centre is that of the light above half of the highlight's height.
    """
    window = highlight.window(_RING_PX, (before.shape[0], before.shape[1]))
    mask = highlight.within(window)
    near = _near(mask, _RING_PX) & allowed[window]
    ring = near & ~_near(mask, _GAP_PX)
    if highlight.area < HIGHLIGHT_LEAST_PX or np.count_nonzero(ring) < HIGHLIGHT_LEAST_PX:
        return None
    level = float(np.median(before[window][ring]))
    first = before[window] - level
    second = after[window] - float(np.median(after[window][ring]))
    height = float(first[mask].mean())
    if height < HIGHLIGHT_LEAST_CODES:
        return None
    centred = first[near] - first[near].mean()
    slope = float((centred * (second[near] - second[near].mean())).sum()) / float((centred**2).sum())
    kept = min(slope, float(second[mask].mean()) / height)
    places = [_centre(values, near, 0.5 * height) for values in (first, second)]
    moved = float(np.linalg.norm(places[0] - places[1])) if places[0] is not None and places[1] is not None else 0.0
    return Mark(kept, moved)


def clipping_change(before: NDArray[np.uint8], after: NDArray[np.uint8], curve: Floats, part: Region) -> float | None:
    """Share of a part's brightest pixels that came or went, 0..1; None where fewer than 24 are clipped.

    *before*, *after*: (h, w) uint8, the brightest channel; *curve*: (256,) what the photo's tone made of each level. A
    pixel that clips in the camera photo must be as bright as clipping became, and no pixel that was clearly darker
    may be; neither counts within 2 px of one that agrees.
    """
    window = part.window(0, (before.shape[0], before.shape[1]))
    old, new = before[window], after[window].astype(np.float32)
    clipped = part.mask & (old >= CLIPPED_CODE)
    if np.count_nonzero(clipped) < _CLIPPED_LEAST_PX:
        return None
    expected = curve[old]
    level = float(curve[CLIPPED_CODE])
    gone = clipped & ~_near(new >= level - 2.0 * _CLIPPED_SLACK, _TOLERANCE_PX)
    came = part.mask & (new >= level - _CLIPPED_SLACK) & ~_near(expected >= level - 3.0 * _CLIPPED_SLACK, _TOLERANCE_PX)
    return min(1.0, float(np.count_nonzero(gone | came)) / float(np.count_nonzero(clipped)))


@dataclass(frozen=True)
class Came:
    """Marks on a part that no label knows: pixels of the largest patch of each kind."""

    light_px: float
    """Much brighter than the part became: a highlight."""
    dark_px: float
    """Much darker: a pit, a scratch, a hole."""


def marks_came(before: Floats, after: Floats, part: Region) -> Came | None:
    """The largest patches of *part* that changed much more than the part did. None where the part has no inside.

    *before*, *after*: (h, w) grey, codes, the first after the tone curve. The part's median change is taken off, and a
    pixel counts when what is left exceeds CAME_CODES and five robust standard deviations of the part.
    """
    window = part.window(0, (before.shape[0], before.shape[1]))
    inside = ~_near(~cv2.copyMakeBorder(part.mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT).astype(bool), 1)
    inside = inside[1:-1, 1:-1]
    if np.count_nonzero(inside) < HIGHLIGHT_LEAST_PX:
        return None
    change = cv2.GaussianBlur(after[window] - before[window], (0, 0), _CAME_SIGMA_PX)
    change = change - float(np.median(change[inside]))
    spread = 1.4826 * float(np.median(np.abs(change[inside])))
    least = max(CAME_CODES, 5.0 * spread)
    return Came(_largest(inside & (change > least)), _largest(inside & (change < -least)))


def _largest(mask: Mask) -> float:
    """Pixels of the largest connected patch of *mask*."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return float(stats[1:, cv2.CC_STAT_AREA].max(initial=0))


def _near(mask: Mask, by: int) -> Mask:
    """Pixels at most *by* from the mask, in both directions."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)) > 0)


def _filled(image: Floats, hole: Mask) -> Floats:
    """*image* (h, w) with *hole* filled in from around it: the mean of Telea's and the Navier-Stokes method."""
    where = hole.astype(np.uint8)
    fills = [cv2.inpaint(image, where, _FILL_PX, method) for method in (cv2.INPAINT_TELEA, cv2.INPAINT_NS)]
    return np.asarray(0.5 * (fills[0] + fills[1]), dtype=np.float32)


def _centre(values: Floats, near: Mask, above: float) -> NDArray[np.float64] | None:
    weight = np.where(near, np.maximum(values - above, 0.0), 0.0).astype(np.float64)
    total = float(weight.sum())
    if total <= 0.0:
        return None
    rows, columns = np.indices(weight.shape)
    return np.array([(columns * weight).sum() / total, (rows * weight).sum() / total])
