"""Is what the photo showed still there? The shading of each part, and of the photo as a whole, along its own pattern.

Covers: how much of the light and dark is left. Does not cover: where it is (`flow`, `align`), single marks (`marks`).
This is what notices a part that was painted flat, and a picture that has no more than the photo's mean.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.truth import Region

Floats = NDArray[np.float32]

_MARGIN_PX: Final = 2
"""Of a part's inside to its outline, which is judged by itself and moves with every blur."""
_LEAST_CODES: Final = 8.0
"""Standard deviation of a part below which it shows no shading to lose."""
_LEAST_PHOTO_CODES: Final = 4.0
_LEAST_PX: Final = 60


def part_shading(before: Floats, after: Floats, part: Region) -> float | None:
    """Share of the shading of *part* that is gone: 0 = all is there, 1 = none, above 1 = dark became bright.

    *before*, *after*: (h, w) smoothed grey, codes, the first after the tone curve. None where the part is small or
    even.
    """
    window = part.window(0, (before.shape[0], before.shape[1]))
    side = 2 * _MARGIN_PX + 1
    framed = cv2.copyMakeBorder(part.mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    inside = cv2.erode(framed, np.ones((side, side), np.uint8))[1:-1, 1:-1] > 0
    if np.count_nonzero(inside) < _LEAST_PX:
        return None
    return _lost(before[window][inside], after[window][inside], _LEAST_CODES)


def photo_shading(before: Floats, after: Floats) -> float | None:
    """`part_shading` of the photo as a whole; None for a photo that shows nothing itself."""
    return _lost(before, after, _LEAST_PHOTO_CODES)


def _lost(before: Floats, after: Floats, least: float) -> float | None:
    """One minus the slope of *after* on *before* (n,), 0 at least; None where *before* spreads less than *least*."""
    pattern = before - before.mean()
    variance = float((pattern**2).mean())
    if variance < least**2:
        return None
    return max(0.0, 1.0 - float((pattern * after).mean()) / variance)
