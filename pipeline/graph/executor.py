"""Executors: where actions run. This one runs them here, one after the other.

Covers: what the driver asks of an executor, and the executor without processes or Dask. Does not cover: the order of
work (`schedule`), Dask (`dask_executor`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from pipeline.graph.children import stop_children
from pipeline.graph.execute import Outcome, Workplace, run_action
from pipeline.graph.stage import Action, Resource


class Executor(Protocol):
    """Runs actions. Every submitted action comes back once from `wait`, as an outcome or as lost."""

    @property
    def slots(self) -> Mapping[Resource, int]:
        """How many actions of each resource run at once."""
        ...

    def submit(self, action: Action) -> None:
        """Take an action; it may start now or later."""
        ...

    def wait(self) -> list[tuple[Action, Outcome | None]]:
        """Wait until at least one action has ended; None in place of an outcome: the worker under it died."""
        ...

    def close(self) -> None:
        """Give everything back. Nothing is in flight."""
        ...

    def abort(self) -> None:
        """Stop what is in flight as fast as is safe, and give everything back."""
        ...


class SyncExecutor:
    """Runs each action in this process when it is waited for."""

    def __init__(self, workplace: Workplace) -> None:
        self.slots: Mapping[Resource, int] = {"render": 1, "cpu": 1}
        self._workplace = workplace
        self._queue: deque[Action] = deque()

    def submit(self, action: Action) -> None:
        """Take an action; it starts in `wait`."""
        self._queue.append(action)

    def wait(self) -> list[tuple[Action, Outcome | None]]:
        """Run the action that was submitted first."""
        action = self._queue.popleft()
        return [(action, run_action(action, self._workplace))]

    def close(self) -> None:
        """Stop helpers that stages keep between actions."""
        stop_children()

    def abort(self) -> None:
        """Forget what has not started."""
        self._queue.clear()
        stop_children()
