"""Radiance against the range of a sensor: what is clipped, what is well exposed, and half floats that keep the side.

Does not cover: how the camera got its exposure (`camera`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.clips import range_share

__all__ = ["LEAST_SHARE", "half_on_its_side", "range_share", "well_exposed"]

LEAST_SHARE: Final = 0.02
"""A pixel is well exposed when no channel is clipped and the brightest fills at least this share of the range: 5.6
stops below saturation, where 10 000 electrons of full well leave a signal-to-noise ratio of 14."""
_ROUNDS: Final = 16


def well_exposed(share: NDArray[np.float32], clipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) where no channel of *clipped* (h, w, 3) is set and the sensor got enough, see LEAST_SHARE."""
    result: NDArray[np.bool_] = ~clipped.any(axis=-1) & (share.max(axis=-1) >= LEAST_SHARE)
    return result


def half_on_its_side(
    radiance: NDArray[np.float32], clipped: NDArray[np.bool_], signal_from_radiance: NDArray[np.float32]
) -> NDArray[np.float16]:
    """*radiance* (h, w, 3) as half floats that are clipped exactly where *clipped* (h, w, 3) says.

    Rounding may carry a value over the saturation; such values are moved to the next half float on their own side, an
    error of at most one part in a thousand.
    """
    half = np.minimum(radiance, np.float32(np.finfo(np.float16).max)).astype(np.float16)
    for _ in range(_ROUNDS):
        over = range_share(half.astype(np.float32), signal_from_radiance) > 1.0
        if np.array_equal(over, clipped):
            break
        half = np.where(clipped & ~over, np.nextafter(half, np.float16(np.inf)), half)
        half = np.where(over & ~clipped, np.nextafter(half, np.float16(0.0)), half)
    return np.asarray(half, dtype=np.float16)
