"""How far light is above what a sensor can hold, in stops: one definition for photos and for the frames of clips.

Does not cover: which exposure a photo has (`camera`), the past frames that hold what a clip's frame lost (`clips`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def stops_above(share: NDArray[Any]) -> NDArray[np.float32]:
    """log2 of the *share* of a channel's range that light fills, where that is above 1; 0 elsewhere.

    Exposure without noise, as every clipped channel is judged: above 0 exactly where a channel is clipped, as a half
    float too.
    """
    return np.asarray(np.log2(np.maximum(share, np.float32(1.0)), dtype=np.float32), dtype=np.float32)


def saturation_columns(share: NDArray[np.float32]) -> dict[str, list[float] | list[int]]:
    """Of *share* (h, w, 3): clipped pixels and largest stops above saturation in red, green and blue."""
    most = stops_above(np.array([np.max(share[..., channel]) for channel in range(3)]))
    return {
        "clipped_px": [int(np.count_nonzero(share[..., channel] > 1.0)) for channel in range(3)],
        "stops_above_max": [float(stops) for stops in most],
    }
