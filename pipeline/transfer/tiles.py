"""Overlapping windows over a picture, and weights that blend them without a seam.

Covers: where windows lie and how much each counts at each pixel, in any unit (pixels or latents). The weights of all
windows add up to one everywhere and fall to zero at every inner border, so that no window's edge is a step. Does not
cover: what is computed in a window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """A rectangle: rows top to bottom, columns left to right, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index the last two axes of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def scaled(self, factor: int) -> Window:
        """The same window where one unit is *factor* smaller ones."""
        return Window(self.top * factor, self.bottom * factor, self.left * factor, self.right * factor)


def windows(height: int, width: int, side: int, overlap: int) -> list[Window]:
    """Windows of at most *side* x *side* that cover height x width and overlap by at least *overlap*."""
    return [
        Window(top, min(top + side, height), left, min(left + side, width))
        for top in _starts(height, side, overlap)
        for left in _starts(width, side, overlap)
    ]


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """Evenly spaced first units of the fewest windows, the last ending at *length*."""
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def blend_weights(tiles: list[Window], height: int, width: int, overlap: int) -> list[NDArray[np.float32]]:
    """One float32 array per window, of its shape; over a picture they add up to 1 (within float rounding)."""
    raw = [np.outer(_ramp(t.top, t.bottom, height, overlap), _ramp(t.left, t.right, width, overlap)) for t in tiles]
    total = np.zeros((height, width))
    for tile, weight in zip(tiles, raw, strict=True):
        total[tile.slices] += weight
    return [(weight / total[tile.slices]).astype(np.float32) for tile, weight in zip(tiles, raw, strict=True)]


def _ramp(start: int, end: int, length: int, overlap: int) -> NDArray[np.float64]:
    """1 in the middle, falling as a raised cosine over *overlap* units towards every end that is not the picture's."""
    weight = np.ones(end - start)
    rise = np.sin(0.5 * np.pi * (np.arange(overlap) + 0.5) / overlap) ** 2
    if start > 0:
        weight[:overlap] *= rise
    if end < length:
        weight[-overlap:] *= rise[::-1]
    return weight
