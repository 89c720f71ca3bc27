"""What a picture tells of itself, and of another: the evidence that a reference selector decides on.

Covers: clipped and well exposed pixels of an 8-bit picture, what two pictures have in common. Does not cover: what is
made of it (`selector`). Truth has no place here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CLIPPED_CODE: Final = 250
"""A pixel of an 8-bit picture with a channel from here on counts as clipped."""
DARK_CODE: Final = 24
"""A pixel whose brightest channel is below this is too dark to help."""
_LONG_SIDE: Final = 320
"""Evidence is gathered on every n-th pixel of larger pictures."""
_SAME_STOPS: Final = 0.5
"""Two pixels show the same when their brightness, exposure taken out, agrees within this many stops."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a picture tells of itself."""

    clipped: NDArray[np.bool_]
    """(h, w)."""
    well: NDArray[np.bool_]
    """(h, w) neither clipped nor dark."""
    brightness: NDArray[np.float32]
    """(h, w) log2 of the linear light, exposure taken out."""

    @property
    def clipped_share(self) -> float:
        """Share of the picture that is clipped."""
        return float(self.clipped.mean())


def evidence_of(picture: NDArray[np.uint8], exposure_log2: float) -> Evidence:
    """Evidence of a *picture* (h, w, 3), on at most _LONG_SIDE pixels a side."""
    step = -(-max(picture.shape[:2]) // _LONG_SIDE)
    picture = picture[::step, ::step]
    brightest = picture.max(axis=-1)
    clipped = brightest >= CLIPPED_CODE
    linear = (np.maximum(brightest, 1).astype(np.float32) / 255.0) ** np.float32(2.2)
    brightness = np.log2(linear) - np.float32(exposure_log2)
    return Evidence(clipped, ~clipped & (brightest >= DARK_CODE), np.asarray(brightness, dtype=np.float32))


def help_share(now: Evidence, then: Evidence) -> float:
    """Share of the pixels clipped *now* that were well exposed *then* at the same place; 1 when nothing is clipped."""
    lost = int(np.count_nonzero(now.clipped))
    return 1.0 if lost == 0 else float(np.count_nonzero(now.clipped & then.well) / lost)


def agreement(now: Evidence, then: Evidence) -> float:
    """Share of the pixels well exposed in both that show the same, but for a brightness that all share.

    1 when too few pixels are well exposed in both to tell.
    """
    both = now.well & then.well
    if np.count_nonzero(both) < both.size // 100:
        return 1.0
    change = now.brightness[both] - then.brightness[both]
    return float(np.mean(np.abs(change - np.median(change)) < _SAME_STOPS))
