"""Executors: where actions run. These run them in this process, one after the other or in threads.

Covers: what the driver asks of an executor, and the executors without Dask. Does not cover: the order of
work (`schedule`), Dask (`dask_executor`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
        self.slots: Mapping[Resource, int] = {"render": 1, "cpu": 1, "gpu": 1}
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


class ThreadExecutor:
    """Runs actions in threads of this process; worth it because stages mostly wait for processes of their own."""

    def __init__(self, workplace: Workplace, cpu_slots: int) -> None:
        self.slots: Mapping[Resource, int] = {"render": 1, "cpu": cpu_slots, "gpu": 1}
        self._workplace = workplace
        self._pools = {name: ThreadPoolExecutor(count, f"glint-{name}") for name, count in self.slots.items()}
        self._running: dict[Future[Outcome], Action] = {}

    def submit(self, action: Action) -> None:
        """Start an action as soon as a slot is free."""
        self._running[self._pools[action.resource].submit(run_action, action, self._workplace)] = action

    def wait(self) -> list[tuple[Action, Outcome | None]]:
        """Wait for the first action to end."""
        ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
        return [(self._running.pop(future), future.result()) for future in ended]

    def close(self) -> None:
        """End the threads and what stages keep."""
        for pool in self._pools.values():
            pool.shutdown()
        stop_children()

    def abort(self) -> None:
        """Forget what waits; what runs ends soon because its processes are stopped."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        stop_children()
