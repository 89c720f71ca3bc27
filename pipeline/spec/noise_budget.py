"""Samples chosen by noise: what a scene says about how much rendering error its photos hide.

Covers: the record, and the word "auto" in a spec. Does not cover: the noise of sensors (`graph.noise_budget`), the
choice (`render.noise`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

AUTO: Final = "auto"
AUTO_SAMPLES: Final = 0
"""What `samples = "auto"` becomes: a number that no spec can write."""


@dataclass(frozen=True)
class NoiseBudget:
    """Samples are chosen so that the rendering error stays below the noise of the sensors."""

    least: int
    """Fewest samples."""
    most: int
    """Most samples."""
    tolerated: float | None = None
    """Relative noise that the cleanest planned photo shows at metered grey; None until the plan knows the photos."""


def number_or_auto(value: Any, check: Callable[[Any], int]) -> int:
    """The validator of `samples`: "auto", or what *check* allows."""
    return AUTO_SAMPLES if value == AUTO else check(value)
