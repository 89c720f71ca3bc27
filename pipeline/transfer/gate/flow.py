"""Has the inside of a part moved? Dense optical flow (DIS), its median per part.

Covers: median motion of each part's pixels. Does not cover: outlines (`edges`). Source of the
method: Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search" (2016), as in OpenCV.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.truth import Region

Flow = NDArray[np.float32]

_LEAST_TEXTURE: Final = 3.0
"""Gradient in codes per pixel (Sobel / 8) below which a pixel cannot tell where it went."""
_LEAST_PIXELS: Final = 60


@lru_cache(maxsize=1)
def _solver() -> Any:
    library: Any = cv2  # its type stubs lack the solver
    return library.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)


def flow_of(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Flow:
    """(h, w, 2) float32 pixels (x, y) that each pixel of *before* moved to in *after*, both (h, w) uint8 grey."""
    return np.asarray(_solver().calc(before, after, None), dtype=np.float32)


def texture(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) length of the gradient of *grey*, codes per pixel."""
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(x, y), dtype=np.float32)


def part_flow(flow: Flow, structure: NDArray[np.float32], part: Region) -> float | None:
    """Length in pixels of the median motion of *part* where *structure* (h, w, of `texture`) lets it be seen.

    None where too few pixels do.
    """
    window = part.window(0, (flow.shape[0], flow.shape[1]))
    rows, columns = np.nonzero(part.mask & (structure[window] >= _LEAST_TEXTURE))
    if rows.size < _LEAST_PIXELS:
        return None
    moved = flow[window][rows, columns].astype(np.float64)
    middle = np.median(moved, axis=0)
    return float(np.linalg.norm(middle))
