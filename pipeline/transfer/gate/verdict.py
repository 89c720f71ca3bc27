"""The gate's decision about one changed photo, in numbers and in words.

Covers: scores against limits, pictures that are no pictures. Does not cover: what to try next (`ladder`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.limits import DEFAULT, Limits
from pipeline.transfer.gate.measure import SCORES, Camera, Scored, measure, prepare, worst
from pipeline.transfer.gate.truth import GateTruth

Photo = NDArray[np.uint8]

_FLAT_CODES: Final = 1.0
"""Standard deviation of a picture's codes below which it shows nothing: black, or one colour."""


@dataclass(frozen=True)
class Failure:
    """One limit that was exceeded."""

    score: str
    of: str
    """The part, defect or highlight, or "background"; "photo" for a picture that is none."""
    value: float
    limit: float

    def __str__(self) -> str:
        """For example: part 2 (flange): edge_drift_px 3.10 exceeds 1.25 (largest drift of ...)."""
        if self.score not in SCORES:
            return f"{self.of}: {self.score}"
        return f"{self.of}: {self.score} {self.value:.3g} exceeds {self.limit:.3g} ({SCORES[self.score]})"


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one changed photo."""

    passed: bool
    scores: Mapping[str, float]
    """The worst value of each score that could be measured; for the column `gate_scores`."""
    failures: tuple[Failure, ...]
    """Every limit that was exceeded, the worst first (value over limit)."""

    @property
    def reason(self) -> str:
        """The worst failure in words, and how many more there are; empty when passed."""
        if not self.failures:
            return ""
        more = len(self.failures) - 1
        return f"{self.failures[0]}{f'; {more} more' if more else ''}"


def judge(camera: Camera, changed: Photo, limits: Limits = DEFAULT) -> Verdict:
    """Whether the labels of *camera* still hold for *changed* (h, w, 3) uint8.

    A picture of the wrong size or type, or one that shows nothing, fails with a reason instead of an exception: it
    comes from a generator.
    """
    fault = picture_fault(camera, changed)
    if fault is not None:
        return Verdict(False, {}, (Failure(fault, "photo", 1.0, 0.0),))
    scores = measure(camera, changed)
    return verdict_of(scores, limits, worst(scores))


def verdict_of(scores: tuple[Scored, ...], limits: Limits, highest: Mapping[str, float]) -> Verdict:
    """The verdict of measured *scores*, the *highest* of each name among them."""
    failures = sorted(_failures(scores, limits), key=lambda failure: -failure.value / failure.limit)
    return Verdict(not failures, highest, tuple(failures))


def judge_photo(photo: Photo, changed: Photo, truth: GateTruth, limits: Limits = DEFAULT) -> Verdict:
    """`judge` for a single try. Raises ValueError when *photo* and *truth* differ in size."""
    return judge(prepare(photo, truth), changed, limits)


def _failures(scores: tuple[Scored, ...], limits: Limits) -> list[Failure]:
    return [
        Failure(scored.score, scored.of, scored.value, limits.limits[scored.score])
        for scored in scores
        if not scored.value <= limits.limits[scored.score]  # so that NaN fails too
    ]


def picture_fault(camera: Camera, changed: Photo) -> str | None:
    """Why *changed* is no picture that could take the camera photo's place; None when it is one."""
    if changed.shape != camera.photo.shape or changed.dtype != np.uint8:
        return f"expected {camera.photo.shape} uint8, found {changed.shape} {changed.dtype}"
    if float(changed.std()) < _FLAT_CODES <= float(camera.photo.std()):
        return "the picture shows nothing: black, or one colour"
    return None
