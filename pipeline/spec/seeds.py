"""Random streams by name: every drawn aspect of every scene has its own.

Covers: hashing (dataset seed, scene index, stream name) to seeds and generators. A new stream never shifts another,
and scene 7 does not change when scene 6 does. Does not cover: what is drawn (`draw`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

import numpy as np

from pipeline.spec.numbers import Numbers, pick_name, round_drawn

_DOMAIN = "glint-seed-1"
"""Raised when the scheme changes: all scenes of all datasets change with it."""


def _digest(dataset_seed: int, scene_index: int, name: str) -> int:
    text = f"{_DOMAIN}\0{dataset_seed}\0{scene_index}\0{name}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def stream(dataset_seed: int, scene_index: int, name: str) -> np.random.Generator:
    """A PCG64 generator for the aspect *name* of one scene. Only its `random()` is used, whose values NumPy keeps
    from version to version (NEP 19 promises that for the bit generators, not for the other distributions)."""
    return np.random.Generator(np.random.PCG64(_digest(dataset_seed, scene_index, name)))


def seed_of(dataset_seed: int, scene_index: int, name: str, bits: int = 31) -> int:
    """A whole number in [0, 2**bits) for a tool that wants a seed of its own, such as Cycles. *bits* <= 256."""
    return _digest(dataset_seed, scene_index, name) >> (256 - bits)


def scene_seed(dataset_seed: int, scene_index: int) -> int:
    """The seed of a scene as the scenes table records it: 63 bits."""
    return seed_of(dataset_seed, scene_index, "scene", bits=63)


class Stream:
    """Values of one aspect of one scene, each made from exactly one uniform number.

    So changing one distribution changes only what is drawn from it, not what is drawn after it.
    """

    def __init__(self, dataset_seed: int, scene_index: int, name: str) -> None:
        self._generator = stream(dataset_seed, scene_index, name)

    def u(self) -> float:
        """A uniform number in [0, 1)."""
        return float(self._generator.random())

    def number(self, numbers: Numbers) -> float:
        """A number of the distribution."""
        return numbers.value(self.u())

    def radians(self, numbers_deg: Numbers) -> float:
        """An angle of a distribution in degrees, as radians."""
        return round_drawn(math.radians(self.number(numbers_deg)))

    def name(self, weights: Mapping[str, float]) -> str:
        """A name by its weight."""
        return pick_name(weights, self.u())

    def below(self, probability: float) -> bool:
        """True with *probability*."""
        return self.u() < probability
