"""What layers hold on both sides of edge pixels: values sampled along the line that crosses each edge at right angles.

Does not cover: what they say about the edge (`edges`).
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.reflect.edge_pixels import EdgePixels

Floats = NDArray[np.float32]

SIDE_PX: Final = 2.0
"""Distance from an edge of scale 1 px at which a side is looked at; it grows with the scale as `_stretch` says."""
ALONG_PX: Final = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""A side's value is the mean of places that lie along the edge: single paths are noisy."""
_MOST_ROWS: Final = 16384
"""OpenCV maps at most 32767 rows."""


class Crossing:
    """The lines across n edge pixels."""

    def __init__(self, edges: EdgePixels) -> None:
        self.x = edges.columns.astype(np.float32)
        self.y = edges.rows.astype(np.float32)
        self.normal = edges.normal
        self.stretch = _stretch(edges.scale_px)

    def values(self, layer: NDArray[Any], steps: tuple[float, ...]) -> Floats:
        """Values (n, steps) or (n, steps, c) of *layer* (h, w) or (h, w, c) float32, linear between pixels.

        *steps*: places along the line, in pixels of the finest scale.
        """
        return _linear(layer, *self._places(steps))

    def ids(self, layer: NDArray[Any], steps: tuple[float, ...]) -> NDArray[Any]:
        """Values (n, steps) of *layer* (h, w) at the nearest pixels."""
        x, y = (np.rint(at).astype(np.intp) for at in self._places(steps))
        height, width = layer.shape
        return np.asarray(layer[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)])

    def sides(self, layer: Floats) -> tuple[Floats, Floats]:
        """Mean values (n, c) of *layer* (h, w, c) on both sides, the one that the normal points to first."""
        found = []
        for sign in (1.0, -1.0):
            across = sign * SIDE_PX * self.stretch
            along = np.asarray(ALONG_PX, dtype=np.float32)[None, :] * self.stretch[:, None]
            x = self.x[:, None] + across[:, None] * self.normal[:, :1] - along * self.normal[:, 1:]
            y = self.y[:, None] + across[:, None] * self.normal[:, 1:] + along * self.normal[:, :1]
            found.append(_linear(layer, x, y).mean(axis=1))
        return found[0], found[1]

    def _places(self, steps: tuple[float, ...]) -> tuple[Floats, Floats]:
        along = np.asarray(steps, dtype=np.float32)[None, :] * self.stretch[:, None]
        return self.x[:, None] + along * self.normal[:, :1], self.y[:, None] + along * self.normal[:, 1:]


def _stretch(scale: Floats) -> Floats:
    """How much farther a coarser edge is looked at from: half of what its scale adds, for its place is less sure."""
    return np.asarray(0.5 + 0.5 * scale, dtype=np.float32)


def _linear(layer: NDArray[Any], x: Floats, y: Floats) -> Floats:
    """*layer* at places (n, k), with the outermost pixels repeated."""
    channels = () if layer.ndim == 2 else layer.shape[2:]
    result = np.empty((*x.shape, *channels), dtype=np.float32)
    for first in range(0, len(x), _MOST_ROWS):
        own = slice(first, first + _MOST_ROWS)
        result[own] = cv2.remap(layer, x[own], y[own], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(
            result[own].shape
        )
    return result
