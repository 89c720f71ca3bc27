"""What to do when a changed photo fails: less of the change, and in the end none.

Covers: the order of tries and the record of them. Does not cover: how a picture is made (the callable), the decision
(`verdict`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.spec.transfer import LADDER
from pipeline.transfer.gate.limits import DEFAULT, Limits
from pipeline.transfer.gate.measure import Camera
from pipeline.transfer.gate.verdict import Verdict, judge

Photo = NDArray[np.uint8]
Attempt = Callable[[float], Photo]

STRENGTHS: Final = LADDER
"""Strengths of img2img, the boldest first."""


@dataclass(frozen=True)
class Try:
    """One strength and what the gate said."""

    strength: float
    passed: bool
    scores: Mapping[str, float]
    reason: str
    """Empty when passed."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The photo to keep."""

    photo: Photo
    """(h, w, 3) uint8: the first try that passed, else the camera photo itself."""
    strength: float | None
    """Its strength; None for the camera photo."""
    tries: tuple[Try, ...]

    @property
    def passed(self) -> bool:
        """Whether a changed photo was kept."""
        return self.strength is not None

    @property
    def scores(self) -> Mapping[str, float]:
        """Of the last try: the one that is kept, or the last that failed."""
        return self.tries[-1].scores

    @property
    def reason(self) -> str:
        """Why the strengths that were tried before failed; empty when the first passed."""
        failed = [f"strength {one.strength:g}: {one.reason}" for one in self.tries if not one.passed]
        return " | ".join(failed)


def ladder(
    camera: Camera, attempt: Attempt, limits: Limits = DEFAULT, strengths: Sequence[float] = STRENGTHS
) -> Outcome:
    """The first picture that passes the gate, at falling *strengths*; the camera photo when none does.

    *attempt* makes the picture for a strength; it is called once for each strength until one passes. What it raises
    is not caught: a failed generator is not a failed gate. Raises InputError for strengths that are none, do not fall,
    or lie outside 0..1.
    """
    _check(strengths)
    tries: list[Try] = []
    for strength in strengths:
        picture = attempt(strength)
        verdict: Verdict = judge(camera, picture, limits)
        tries.append(Try(strength, verdict.passed, verdict.scores, verdict.reason))
        if verdict.passed:
            return Outcome(picture, strength, tuple(tries))
    return Outcome(camera.photo, None, tuple(tries))


def _check(strengths: Sequence[float]) -> None:
    falling = all(first > second for first, second in pairwise(strengths))
    if not strengths or not falling or not all(0.0 < value <= 1.0 for value in strengths):
        raise InputError(f"expected falling strengths above 0 and at most 1, found {list(strengths)}")
