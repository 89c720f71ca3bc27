"""The table of policies that `glint clips` prints.

Does not cover: how the numbers come about (`evaluate`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.clips.evaluate import Judge, Score
from pipeline.clips.load import load_clips
from pipeline.clips.selector import PREVIOUS_FRAME, FixedLag, Policy, RuleBased
from pipeline.dataset.reader import Dataset
from pipeline.errors import InputError

LAGS: Final = (2, 4, 8, 12, 16, 24)
"""Fixed lags that the rule is compared with."""


def policies(rule: RuleBased | None = None) -> tuple[Policy, ...]:
    """The policies that are compared; *rule*: the tuned one when None."""
    return (PREVIOUS_FRAME, *(FixedLag(lag) for lag in LAGS), rule or RuleBased())


def summary(dataset: Dataset, split: str | None) -> Iterator[str]:
    """Lines of the table for the clips of *split*, or all. Raises InputError when there are none."""
    judge = Judge(load_clips(dataset, split))
    if not judge.clips:
        where = f"of the split {split}" if split else ""
        raise InputError(
            f"expected clips {where} in {dataset.root}, found none; set clips.probability in the spec and build again"
        )
    yield from score_lines([judge.evaluate(policy) for policy in policies()])


def score_lines(scores: Sequence[Score]) -> Iterator[str]:
    """One line per score, a heading first."""
    yield f"{'policy':<16} {'clips':>5} {'frames':>6} {'recovered':>9} {'PSNR dB':>8}"
    for score in scores:
        yield (
            f"{score.policy:<16} {score.clips:>5} {score.frames:>6} {100 * score.recovered_share:>7.1f} % "
            f"{score.psnr_db:>8.2f}"
        )
