"""The schedule of a build: which action may run next. Pure: no files, no clock, no Dask.

Covers: scenes taken one by one from a lazy plan, dependencies by key, one queue per resource in scene order, a bounded
number of actions in flight, failures handed on to every scene that needs them, retries after a lost worker. Does not
cover: running actions (`execute`), where they run (`executor`, `dask_executor`).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.graph.execute import Failure, Outcome
from pipeline.graph.plan import ScenePlan
from pipeline.graph.stage import Action, Resource

ATTEMPTS: Final = 3
"""Times that an action is started when the workers under it die. The last time it runs alone, so that a neighbour's
fault is not taken for its own."""

_ADMITTED_AT_ONCE: Final = 64


@dataclass(frozen=True)
class SceneResult:
    """How one scene ended."""

    scene_id: str
    index: int
    keys: Mapping[str, str]
    """Stage -> key, of the stages that run once per scene."""
    parts: Mapping[str, str]
    """Part id -> key of the part's output."""
    pictures: Mapping[str, str]
    """Id of a painted picture -> key of its output."""
    failures: tuple[Failure, ...]
    """Empty: every output is there."""


@dataclass
class _OpenScene:
    plan: ScenePlan
    unresolved: int
    failures: dict[str, Failure] = field(default_factory=dict)


@dataclass
class _Pending:
    action: Action
    order: int
    missing: set[str]
    attempts: int = 0


class Schedule:
    """State of a build. The driver asks `next_actions`, runs them, and reports `resolved` or `lost`.

    *slots* says how many actions of each resource run at once; up to *ahead* times as many are in flight, so that no
    slot waits for the driver. *present* says whether an action's output is in the store already. No more scenes are
    open than can keep the slots busy, whatever the length of the plan.
    """

    def __init__(
        self,
        scenes: Iterator[ScenePlan],
        slots: Mapping[Resource, int],
        present: Callable[[Action], bool],
        *,
        ahead: int = 2,
        stop_after: int | None = None,
    ) -> None:
        self.failed_scenes = 0
        self.stopped = False
        self._scenes = scenes
        self._present = present
        self._room: dict[Resource, int] = {resource: ahead * count for resource, count in slots.items()}
        self._most_open = 2 * ahead * sum(slots.values())
        self._stop_after = stop_after
        self._exhausted = False
        self._order = 0
        self._open: dict[str, _OpenScene] = {}
        self._closed: list[SceneResult] = []
        self._done: set[str] = set()
        self._failed: dict[str, Failure] = {}
        self._pending: dict[str, _Pending] = {}
        self._needed_by: defaultdict[str, list[str]] = defaultdict(list)
        self._scenes_of: defaultdict[str, list[_OpenScene]] = defaultdict(list)
        self._ready: dict[Resource, list[tuple[int, str]]] = {resource: [] for resource in slots}
        self._alone: list[tuple[int, str]] = []
        self._in_flight: dict[str, Resource] = {}

    @property
    def in_flight(self) -> int:
        """Actions given out and not yet reported."""
        return len(self._in_flight)

    @property
    def finished(self) -> bool:
        """Nothing is in flight and nothing will be given out any more."""
        return not self._in_flight and (self.stopped or (self._exhausted and not self._open))

    def next_actions(self) -> list[Action]:
        """Actions to start now, in scene order. Empty when the window is full or everything waits for others."""
        self._admit()
        if self.stopped:
            return []
        if self._alone:
            return [] if self._in_flight else [self._launch(heapq.heappop(self._alone)[1])]
        started = []
        for resource, queue in self._ready.items():
            room = self._room[resource] - sum(other == resource for other in self._in_flight.values())
            started += [self._launch(heapq.heappop(queue)[1]) for _ in range(min(room, len(queue)))]
        return started

    def resolved(self, outcome: Outcome) -> None:
        """Report how an action that was given out ended."""
        self._in_flight.pop(outcome.key, None)
        if outcome.failure is None:
            self._settle_done(outcome.key)
        else:
            self._settle_failed(outcome.key, outcome.failure)

    def lost(self, key: str) -> Outcome | None:
        """Report that the worker under an action died. The action runs again; after the last attempt, the failed
        outcome, which has been taken into account already."""
        self._in_flight.pop(key, None)
        pending = self._pending[key]
        if pending.attempts >= ATTEMPTS:
            outcome = _killed(pending)
            self.resolved(outcome)
            return outcome
        last = pending.attempts == ATTEMPTS - 1
        heapq.heappush(self._alone if last else self._ready[pending.action.resource], (pending.order, key))
        return None

    def stop(self) -> None:
        """Give nothing out any more; what is in flight may end."""
        self.stopped = True

    def take_closed(self) -> list[SceneResult]:
        """Scenes that ended since the last call."""
        closed, self._closed = self._closed, []
        return closed

    def _admit(self) -> None:
        for _ in range(_ADMITTED_AT_ONCE):
            if self.stopped or self._exhausted or len(self._open) >= self._most_open:
                return
            plan = next(self._scenes, None)
            if plan is None:
                self._exhausted = True
                return
            self._open_scene(plan)

    def _open_scene(self, plan: ScenePlan) -> None:
        """Take a scene in; its actions are in an order in which inputs come before what needs them."""
        scene = _OpenScene(plan, unresolved=len(plan.actions))
        self._open[plan.scene_id] = scene
        for action in plan.actions:
            self._take_in(action)
        for action in plan.actions:
            if action.key in self._pending:
                self._scenes_of[action.key].append(scene)
            else:
                self._count_down(scene, self._failed.get(action.key))

    def _take_in(self, action: Action) -> None:
        if action.key in self._pending or action.key in self._done or action.key in self._failed:
            return
        if self._present(action):
            self._done.add(action.key)
            return
        broken = next((self._failed[entry.key] for entry in action.inputs if entry.key in self._failed), None)
        if broken is not None:
            self._failed[action.key] = broken
            return
        missing = {entry.key for entry in action.inputs if entry.key not in self._done}
        self._order += 1
        self._pending[action.key] = _Pending(action, self._order, missing)
        for key in missing:
            self._needed_by[key].append(action.key)
        if not missing:
            heapq.heappush(self._ready[action.resource], (self._order, action.key))

    def _launch(self, key: str) -> Action:
        pending = self._pending[key]
        pending.attempts += 1
        self._in_flight[key] = pending.action.resource
        return pending.action

    def _settle_done(self, key: str) -> None:
        del self._pending[key]
        self._done.add(key)
        for other in self._needed_by.pop(key, []):
            waiting = self._pending.get(other)
            if waiting is None:  # failed meanwhile, through another input
                continue
            waiting.missing.discard(key)
            if not waiting.missing:
                heapq.heappush(self._ready[waiting.action.resource], (waiting.order, other))
        self._tell_scenes(key, None)

    def _settle_failed(self, key: str, failure: Failure) -> None:
        """Mark *key* and everything that needs it as failed."""
        todo = [key]
        while todo:
            broken = todo.pop()
            if self._pending.pop(broken, None) is None:
                continue
            self._failed[broken] = failure
            todo += self._needed_by.pop(broken, [])
            self._tell_scenes(broken, failure)

    def _tell_scenes(self, key: str, failure: Failure | None) -> None:
        for scene in self._scenes_of.pop(key, []):
            self._count_down(scene, failure)

    def _count_down(self, scene: _OpenScene, failure: Failure | None) -> None:
        scene.unresolved -= 1
        if failure is not None:
            scene.failures[failure.key] = failure
        if scene.unresolved == 0:
            self._close(scene)

    def _close(self, scene: _OpenScene) -> None:
        del self._open[scene.plan.scene_id]
        self._closed.append(result_of(scene.plan, tuple(scene.failures.values())))
        self.failed_scenes += bool(scene.failures)
        if self._stop_after is not None and self.failed_scenes >= self._stop_after:
            self.stopped = True


def result_of(plan: ScenePlan, failures: tuple[Failure, ...]) -> SceneResult:
    """The end of a scene: all that is kept of its plan."""
    return SceneResult(plan.scene_id, plan.scene.index, plan.keys, plan.parts, plan.pictures, failures)


def _killed(pending: _Pending) -> Outcome:
    action = pending.action
    message = (
        f"the worker process died {pending.attempts} times while it ran {action.stage} of {action.label}, at "
        f"last with nothing else running; the usual cause is too little memory: try fewer --workers"
    )
    failure = Failure(action.stage, action.key, action.label, "WorkerLost", message)
    return Outcome(action.stage, action.key, action.label, "failed", 0.0, failure)
