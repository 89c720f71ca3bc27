"""Random choices for rooms and environments: one stream by name and seed.

Covers: numbers, choices, weighted choices. Does not cover: what is drawn. Only uniform numbers are taken from the
generator (see `spec.seeds`), so that a room stays what it was when NumPy changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.spec.seeds import stream
from pipeline.surface.material import Rgb

Thing = TypeVar("Thing")


class Dice:
    """A stream of choices that is the same for the same seed and name."""

    def __init__(self, seed: int, name: str) -> None:
        self._seed, self._name = seed, name
        self._generator = stream(seed, 0, f"light.{name}")

    def part(self, name: str) -> Dice:
        """A stream of its own for one aspect: what is drawn there shifts nothing here."""
        return Dice(self._seed, f"{self._name}.{name}")

    def u(self) -> float:
        """A uniform number in [0, 1)."""
        return float(self._generator.random())

    def grid(self, rows: int, columns: int) -> NDArray[np.float64]:
        """(rows, columns) uniform numbers in [0, 1)."""
        return self._generator.random((rows, columns))

    def between(self, low: float, high: float) -> float:
        """A uniform number."""
        return low + (high - low) * self.u()

    def count(self, low: int, high: int) -> int:
        """A whole number from *low* to *high*, both included."""
        return low + int((high - low + 1) * self.u())

    def below(self, probability: float) -> bool:
        """True with *probability*."""
        return self.u() < probability

    def one_of(self, things: Sequence[Thing]) -> Thing:
        """One of *things*, each as likely."""
        return things[int(len(things) * self.u())]

    def tinted(self, color: Rgb, spread: float) -> Rgb:
        """*color* with each channel and the whole varied by up to *spread* (relative), at most 0.9."""
        whole = self.between(1.0 - spread, 1.0 + spread)
        red, green, blue = (min(0.9, c * whole * self.between(1.0 - spread / 3, 1.0 + spread / 3)) for c in color)
        return red, green, blue
