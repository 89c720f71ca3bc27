"""Tries of a photo, measured once and decided later: limits come from the whole dataset, tries are made scene by scene.

Covers: the record of a try, when no further try is needed whatever the limits will be, which try a set of limits keeps.
Does not cover: making pictures (`ladder`, the stage), the scores (`measure`), calibration (`limits`).

A limit lies within its `BOUNDS` whatever it is calibrated on. So a try below every lowest bound passes for certain, one
above a highest bound fails for certain, and only between them both the picture and the next try are kept until the
limits are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.limits import BOUNDS, LEAST_SAMPLES, Limits, limits_of_worst
from pipeline.transfer.gate.limits import DEFAULT as DEFAULT_LIMITS
from pipeline.transfer.gate.measure import Camera, Scored, measure, worst
from pipeline.transfer.gate.verdict import Failure, Verdict, picture_fault, verdict_of

Photo = NDArray[np.uint8]
Certainty = Literal["passes", "fails", "open"]


@dataclass(frozen=True)
class TryRecord:
    """What is known of one try of one photo."""

    strength: float
    """0: the round trip through the autoencoder, which is no try."""
    scores: Mapping[str, float]
    """The worst value of each score that could be measured."""
    exceeded: tuple[Scored, ...] = ()
    """Every single score above the lowest bound of its limit: what a verdict may turn on."""
    fault: str = ""
    """Why the picture is none; empty when it is one."""

    @property
    def certainty(self) -> Certainty:
        """What limits within their bounds can say."""
        if self.fault or any(not one.value <= BOUNDS[one.score].highest for one in self.exceeded):
            return "fails"
        return "open" if self.exceeded else "passes"

    def verdict(self, limits: Limits) -> Verdict:
        """What *limits* say."""
        if self.fault:
            return Verdict(False, self.scores, (Failure(self.fault, "photo", 1.0, 0.0),))
        return verdict_of(self.exceeded, limits, self.scores)


@dataclass(frozen=True)
class Choice:
    """Which try a photo is kept from."""

    kept: int | None
    """Index among the tries; None: the camera photo stays."""
    scores: Mapping[str, float]
    """Of the try that is kept, else of the last one."""
    reason: str
    """Why the tries before failed; empty when the first was kept."""


def measured(camera: Camera, picture: Photo, strength: float, problem: str | None = None) -> TryRecord:
    """The record of *picture* (h, w, 3) uint8. *problem*: why the generator itself says that it is none."""
    fault = problem or picture_fault(camera, picture)
    if fault:
        return TryRecord(strength, {}, fault=fault)
    scores = measure(camera, picture)
    exceeded = tuple(one for one in scores if not one.value <= BOUNDS[one.score].lowest)
    finite = tuple(one if np.isfinite(one.value) else Scored(one.score, _NOT_A_NUMBER, one.of) for one in exceeded)
    return TryRecord(strength, {name: _finite(value) for name, value in worst(scores).items()}, finite)


def choose(tries: Sequence[TryRecord], limits: Limits) -> Choice:
    """The first of *tries*, in falling strength, that *limits* let pass. Raises ValueError without any."""
    if not tries:
        raise ValueError("expected at least one try, found none")
    failed: list[str] = []
    for index, one in enumerate(tries):
        verdict = one.verdict(limits)
        if verdict.passed:
            return Choice(index, one.scores, " | ".join(failed))
        failed.append(f"strength {one.strength:g}: {verdict.reason}")
    return Choice(None, tries[-1].scores, " | ".join(failed))


def limits_of_round_trips(scores: Iterable[Mapping[str, float]], source: str) -> Limits:
    """Limits out of the worst scores of round trips, one entry per photo; `limits.calibrate` from pictures.

    With fewer than LEAST_SAMPLES photos the defaults, which say so in their source.
    """
    known = list(scores)
    if len(known) < LEAST_SAMPLES:
        return Limits(DEFAULT_LIMITS.limits, f"default, for want of photos ({len(known)} of {LEAST_SAMPLES})", 0)
    return limits_of_worst(known, source)


_NOT_A_NUMBER: Final = 1e9
"""Stands for a score that is not finite: tables hold finite numbers, and this fails every limit."""


def _finite(value: float) -> float:
    return value if np.isfinite(value) else _NOT_A_NUMBER
