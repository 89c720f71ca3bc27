"""What a policy's references are worth: the share of the overexposed pixels they hold, and the picture they give.

Covers: scores of policies on clips, tuning of the rule. Does not cover: the policies (`selector`). docs/clips.md
defines the numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.clips.correspond import match
from pipeline.clips.frames import Clip, Frame
from pipeline.clips.selector import Policy, RuleBased, references

MU: Final = 5000.0
"""Of the range compression log(1 + mu x) / log(1 + mu) that HDR reconstructions are compared in (Kalantari and
Ramamoorthi, "Deep high dynamic range imaging of dynamic scenes", 2017)."""
PEAK_STOPS: Final = 4.0
"""x = 1 lies this far above saturation."""
_MOST_DB: Final = 60.0
"""A reconstruction without error counts as this good."""
_GAIN_STEP: Final = 4
"""Brightness between two frames is matched on every n-th pixel."""

RATIOS: Final = (1.0, 0.9, 0.8, 0.6, 0.4)
HELPS: Final = (0.0, 0.1, 0.3)
SIMILARITIES: Final = (0.3, 0.0, 0.6)
OLDEST: Final = (48, 24, 12, 6)
"""The grid that the rule is tuned on, the values to prefer first."""


@dataclass(frozen=True)
class Score:
    """A policy on a set of clips."""

    policy: str
    clips: int
    """Clips in which anything after the first frame is overexposed."""
    frames: int
    """Overexposed frames among them."""
    recovered_share: float
    """Share of a clip's overexposed pixels that the reference shows well exposed; mean over clips, 0 to 1."""
    psnr_db: float
    """Mean over frames, of the reconstruction inside the mask, in range-compressed radiance."""


class Judge:
    """Scores policies on *clips*; what two frames are worth to each other is computed once."""

    def __init__(self, clips: Iterable[Clip]) -> None:
        self.clips = tuple(clips)
        self._worth: dict[tuple[int, int, int | None], tuple[int, int, float]] = {}

    def evaluate(self, policy: Policy) -> Score:
        """The score of *policy*. Shares are nan without any overexposed frame."""
        shares, levels = [], []
        for number, clip in enumerate(self.clips):
            chosen = references(policy, clip.observations)
            worth = [self._of(number, frame, chosen[frame]) for frame in range(1, len(clip.frames))]
            worth = [entry for entry in worth if entry[1] > 0]
            if worth:
                shares.append(sum(entry[0] for entry in worth) / sum(entry[1] for entry in worth))
                levels += [entry[2] for entry in worth]
        mean = (sum(shares) / len(shares), sum(levels) / len(levels)) if shares else (math.nan, math.nan)
        return Score(policy.name, len(shares), len(levels), *mean)

    def ceiling(self) -> float:
        """The recovered share if the best past frame were always the one stored: no selector can do better."""
        shares = []
        for number, clip in enumerate(self.clips):
            worth = [[self._of(number, frame, past) for past in range(frame)] for frame in range(1, len(clip.frames))]
            lost = sum(entries[0][1] for entries in worth)
            if lost:
                shares.append(sum(max(entry[0] for entry in entries) for entries in worth) / lost)
        return sum(shares) / len(shares) if shares else math.nan

    def _of(self, clip: int, frame: int, reference: int | None) -> tuple[int, int, float]:
        key = (clip, frame, reference)
        if key not in self._worth:
            frames = self.clips[clip].frames
            self._worth[key] = reference_worth(frames[frame], None if reference is None else frames[reference])
        return self._worth[key]


def evaluate(policy: Policy, clips: Iterable[Clip]) -> Score:
    """The score of one *policy* on *clips*."""
    return Judge(clips).evaluate(policy)


def tune(judge: Judge) -> RuleBased:
    """The rule of the grid (RATIOS, HELPS, SIMILARITIES, OLDEST) that recovers most on the judge's clips.

    Of equals the first.
    """
    rules = (
        RuleBased(ratio, helps, similarity, oldest)
        for ratio, helps, similarity, oldest in itertools.product(RATIOS, HELPS, SIMILARITIES, OLDEST)
    )
    scored = [(judge.evaluate(rule).recovered_share, -place, rule) for place, rule in enumerate(rules)]
    return max(scored, key=lambda entry: entry[:2])[2]


def best_lag(judge: Judge, lags: Sequence[Policy]) -> Policy:
    """The one of *lags* that recovers most on the judge's clips."""
    return max(lags, key=lambda policy: judge.evaluate(policy).recovered_share)


def reference_worth(frame: Frame, reference: Frame | None) -> tuple[int, int, float]:
    """(pixels recovered, pixels overexposed, PSNR in dB inside the mask) of *frame* with *reference*.

    The reconstruction puts the reference's radiance, in the brightness of *frame*, where it is well exposed, but never
    below the saturation that is known to be exceeded; elsewhere it leaves the saturated values.
    """
    clipped = frame.clipped
    rows, columns = np.nonzero(clipped.any(axis=-1))
    if not len(rows):
        return 0, 0, _MOST_DB
    truth, lost = frame.radiance[rows, columns], clipped[rows, columns]
    saturated = np.asarray(truth / np.maximum(frame.share[rows, columns], np.float32(1.0)), dtype=np.float32)
    guess = saturated.copy()
    held = np.zeros(len(rows), dtype=bool)
    if reference is not None:
        found = match(frame.geometry, reference.geometry, rows, columns)
        held = found.seen & reference.well[found.rows, found.columns]
        value = reference.radiance[found.rows, found.columns] * np.float32(brightness_change(frame, reference))
        guess = np.where(held[:, None] & lost, np.maximum(value, saturated), saturated)
    peak = float(np.max(saturated)) * 2.0**PEAK_STOPS
    return int(np.count_nonzero(held)), len(rows), psnr(guess / peak, truth / peak)


def brightness_change(frame: Frame, reference: Frame) -> float:
    """How many times as bright *frame* is as *reference*: median over points that both show well exposed; 1 without."""
    grid = np.zeros_like(frame.well)
    grid[::_GAIN_STEP, ::_GAIN_STEP] = True
    rows, columns = np.nonzero(grid & frame.well)
    found = match(frame.geometry, reference.geometry, rows, columns)
    both = found.seen & reference.well[found.rows, found.columns]
    if not both.any():
        return 1.0
    now = frame.radiance[rows[both], columns[both]].sum(axis=-1)
    then = reference.radiance[found.rows[both], found.columns[both]].sum(axis=-1)
    return float(np.median(now / np.maximum(then, np.float32(1e-9))))


def psnr(guess: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """PSNR, dB, of two arrays of relative radiance after range compression (MU) of what lies in 0..1."""
    compressed = [
        np.log1p(MU * np.clip(values.astype(np.float64), 0.0, 1.0)) / math.log1p(MU) for values in (guess, truth)
    ]
    error = float(np.mean((compressed[0] - compressed[1]) ** 2))
    return _MOST_DB if error <= 10.0 ** (-_MOST_DB / 10.0) else -10.0 * math.log10(error)
