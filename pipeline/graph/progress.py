"""What a build tells while it runs: bars on a terminal, lines in a log, or nothing.

Covers: counting what was made, reused and failed, what runs now, the time left. Does not cover: the closing message
(`pipeline.cli`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

from pipeline.graph.execute import Outcome
from pipeline.graph.schedule import SceneResult
from pipeline.graph.stage import Action

_BETWEEN_LINES_S: Final = 5.0
_SHOWN_RUNNING: Final = 2


class Progress(Protocol):
    """Listens to a build."""

    def started(self, action: Action) -> None:
        """An action was given to the executor."""
        ...

    def reused(self, action: Action) -> None:
        """An output was found in the store."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """An action ended, well or not."""
        ...

    def scene_ended(self, result: SceneResult) -> None:
        """A scene has everything, or is given up."""
        ...

    def planned_again(self, why: str) -> None:
        """The build begins anew, with what the store has by now."""
        ...


class Tally:
    """Counts; says nothing. The base of the others."""

    def __init__(self, scenes: int) -> None:
        self.scenes = scenes
        self.scenes_done = 0
        self.scenes_failed = 0
        self.counts: Counter[tuple[str, str]] = Counter()
        """(stage, "built" | "reused" | "failed") -> actions."""
        self.running: dict[str, str] = {}
        """Key -> "stage of label", in the order of starting."""

    def started(self, action: Action) -> None:
        """Remember what is under way."""
        self.running[action.key] = f"{action.stage} {action.label}"

    def reused(self, action: Action) -> None:
        """Count an output that was there."""
        self.counts[action.stage, "reused"] += 1

    def ended(self, outcome: Outcome) -> None:
        """Count an action."""
        self.running.pop(outcome.key, None)
        self.counts[outcome.stage, outcome.status] += 1

    def scene_ended(self, result: SceneResult) -> None:
        """Count a scene."""
        self.scenes_done += 1
        self.scenes_failed += bool(result.failures)

    def planned_again(self, why: str) -> None:
        """Count from the start."""
        self.scenes_done = self.scenes_failed = 0
        self.counts.clear()
        self.running.clear()

    def stage_line(self) -> str:
        """For example "part 3 cached, render 4 done 1 failed"."""
        words = {"built": "done", "reused": "cached", "failed": "failed"}
        stages = dict.fromkeys(stage for stage, _ in self.counts)
        return ", ".join(
            f"{stage} "
            + " ".join(f"{self.counts[stage, kind]} {word}" for kind, word in words.items() if self.counts[stage, kind])
            for stage in stages
        )


class LineProgress(Tally):
    """One line per finished scene, at most one every few seconds; for logs."""

    def __init__(self, scenes: int, say: Callable[[str], None]) -> None:
        super().__init__(scenes)
        self._say = say
        self._started = self._last = time.monotonic()

    def ended(self, outcome: Outcome) -> None:
        """Count; say failures at once."""
        super().ended(outcome)
        if outcome.failure is not None:
            self._say(f"failed: {outcome.stage} of {outcome.label}: {outcome.failure.message}")

    def scene_ended(self, result: SceneResult) -> None:
        """Count; say how far the build is, unless that was said a moment ago."""
        super().scene_ended(result)
        now = time.monotonic()
        if now - self._last < _BETWEEN_LINES_S and self.scenes_done < self.scenes:
            return
        self._last = now
        left = (now - self._started) / self.scenes_done * (self.scenes - self.scenes_done)
        self._say(f"{self.scenes_done}/{self.scenes} scenes, {self.stage_line()}, {duration(left)} left")

    def planned_again(self, why: str) -> None:
        """Say why; count from the start."""
        super().planned_again(why)
        self._started = self._last = time.monotonic()
        self._say(why)


class BarProgress(Tally):
    """Bars on a terminal: scenes, a line of counts per stage, and what runs now."""

    def __init__(self, scenes: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        super().__init__(scenes)
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[now]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._scenes_bar: Any = self.bars.add_task("scenes", total=scenes, now="")
        self._stage_bars: dict[str, Any] = {}

    def started(self, action: Action) -> None:
        """Show what runs."""
        super().started(action)
        self._show_running()

    def reused(self, action: Action) -> None:
        """Count in the stage's bar."""
        super().reused(action)
        self._show_stage(action.stage)

    def ended(self, outcome: Outcome) -> None:
        """Count in the stage's bar; failures stay above the bars."""
        super().ended(outcome)
        self._show_stage(outcome.stage)
        self._show_running()
        if outcome.failure is not None:
            line = f"failed: {outcome.stage} of {outcome.label}: {outcome.failure.message}"
            self.bars.console.print(line, markup=False, highlight=False, style="red")

    def scene_ended(self, result: SceneResult) -> None:
        """Move the bar of scenes."""
        super().scene_ended(result)
        self.bars.update(self._scenes_bar, completed=self.scenes_done)

    def planned_again(self, why: str) -> None:
        """Say why above the bars; begin them anew."""
        super().planned_again(why)
        self.bars.console.print(why, markup=False, highlight=False)
        for bar in self._stage_bars.values():
            self.bars.remove_task(bar)
        self._stage_bars.clear()
        self.bars.update(self._scenes_bar, completed=0, now="")

    def _show_running(self) -> None:
        first = ", ".join(list(self.running.values())[:_SHOWN_RUNNING])
        self.bars.update(self._scenes_bar, now=f"now: {first}" if first else "")

    def _show_stage(self, stage: str) -> None:
        if stage not in self._stage_bars:
            total = self.scenes if stage != "part" else None
            self._stage_bars[stage] = self.bars.add_task(stage, total=total, now="")
        built, cached, failed = (self.counts[stage, kind] for kind in ("built", "reused", "failed"))
        now = ", ".join(f"{count} {word}" for count, word in ((cached, "cached"), (failed, "failed")) if count)
        self.bars.update(self._stage_bars[stage], completed=built + cached + failed, now=now)


def make_progress(scenes: int, quiet: bool) -> tuple[Progress, AbstractContextManager[object]]:
    """The progress that suits where the output goes, and the context to show it in. Everything goes to stderr."""
    import sys

    if quiet:
        return Tally(scenes), nullcontext()
    if sys.stderr.isatty():
        bars = BarProgress(scenes)
        return bars, bars.bars
    return LineProgress(scenes, lambda line: _say(sys.stderr, line)), nullcontext()


def duration(seconds: float) -> str:
    """Seconds in words, for example "2 min 5 s"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def count_of(number: int, what: str) -> str:
    """For example "1 scene", "8 scenes"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _say(stream: Any, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()
