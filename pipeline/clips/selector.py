"""The reference selector: keep the one stored frame, or replace it by the current one, from what a camera knows.

After "Online Overexposed Pixels Hallucination" (arXiv 2308.15462): one frame of the past is stored; a policy decides
after each frame whether the current one takes its place. Covers: the policies. Does not cover: what a good choice is
worth (`evaluate`). Nothing here sees truth or a later frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from pipeline.clips.evidence import agreement, help_share
from pipeline.clips.frames import Observation

Action = Literal["keep", "replace"]


class Selector(Protocol):
    """A policy at work on one clip."""

    def see(self, current: Observation) -> int:
        """Take in a frame; returns the number of the frame that is stored for the next one."""
        ...


class Policy(Protocol):
    """A way to choose references."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def selector(self) -> Selector:
        """A fresh selector for one clip."""
        ...


def references(policy: Policy, frames: Sequence[Observation]) -> list[int | None]:
    """Number of the frame that *policy* has stored when each of *frames* arrives; None for the first."""
    selector = policy.selector()
    stored: list[int | None] = [None]
    for frame in frames:
        stored.append(selector.see(frame))
    return stored[:-1]


@dataclass(frozen=True)
class FixedLag:
    """The frame a fixed number of frames ago. It needs a memory of that many frames, more than the other policies."""

    lag: int

    @property
    def name(self) -> str:
        """What tables call it."""
        return "previous_frame" if self.lag == 1 else f"fixed_lag({self.lag})"

    def selector(self) -> Selector:
        """A fresh selector; before *lag* frames have passed, the oldest."""
        return _DelayLine(self.lag)


PREVIOUS_FRAME: Final = FixedLag(1)


class _DelayLine:
    def __init__(self, lag: int) -> None:
        self._kept: deque[int] = deque(maxlen=lag)

    def see(self, current: Observation) -> int:
        self._kept.append(current.index)
        return self._kept[0]


@dataclass(frozen=True, eq=False)
class State:
    """What the rule decides on."""

    current: Observation
    stored: Observation

    @property
    def age(self) -> int:
        """Frames since the stored one."""
        return self.current.index - self.stored.index


@dataclass(frozen=True)
class RuleBased:
    """Keep the frame that saw more, as long as it shows the same scene and still helps.

    The stored frame is replaced when the current one is clipped no more than *ratio* times as much, when too few pixels
    agree (*similarity*), when it is too old (*oldest*), or when it was well exposed at too few of the pixels that are
    clipped now (*helps*). Highlights move over metal with the camera: of frames clipped about as much as each other the
    older helps more, so it is kept. The numbers are tuned on the training split of scenes/clips.toml, see docs/clips.md.
    """

    ratio: float = 0.8
    """1 takes the newer of two frames that are clipped alike."""
    helps: float = 0.0
    similarity: float = 0.3
    oldest: int = 48

    @property
    def name(self) -> str:
        """What tables call it."""
        return "rule"

    def selector(self) -> Selector:
        """A fresh selector."""
        return _OneFrame(self)

    def decide(self, state: State) -> Action:
        """Keep or replace the stored frame of *state*."""
        now, then = state.current.evidence, state.stored.evidence
        if state.age >= self.oldest or now.clipped_share <= self.ratio * then.clipped_share:
            return "replace"
        if agreement(now, then) < self.similarity:
            return "replace"
        return "replace" if help_share(now, then) < self.helps else "keep"


class _OneFrame:
    def __init__(self, rule: RuleBased) -> None:
        self._rule = rule
        self._stored: Observation | None = None

    def see(self, current: Observation) -> int:
        if self._stored is None or self._rule.decide(State(current, self._stored)) == "replace":
            self._stored = current
        return self._stored.index
