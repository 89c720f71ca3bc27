"""What `keep` means to a build: when files of a render or its truth are dropped, and when that makes them run again.

Covers: whether an output serves a plan, dropping what the spec does not keep once a scene is done. Does not cover:
which files there are (`pipeline.dataset.keep`), the order of work (`schedule`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.dataset.keep import drop_files, is_kept
from pipeline.dataset.store import Store
from pipeline.graph.plan import PHOTOS, RENDER, TRANSFER, TRUTH, ScenePlan
from pipeline.graph.stage import Action

DROPPED_FROM: Final = (RENDER, TRUTH)
"""Stages whose outputs lose what the spec does not keep."""


def serves(plan: ScenePlan, action: Action, store: Store) -> bool:
    """Whether the output of *action* is in the store with every file that *plan* still needs.

    Outputs whose files were dropped serve as long as the plan keeps none of them; a render, only if what is made from
    it is there as well.
    """
    if not store.has(action.stage, action.key):
        return False
    dropped = store.dropped(action.stage, action.key) if action.stage in DROPPED_FROM else ()
    if any(is_kept(name, plan.keep) for name in dropped):
        return False
    if action.stage != RENDER or not dropped:
        return True
    return all(serves(plan, other, store) for other in plan.actions if other.stage in {TRUTH, PHOTOS, TRANSFER})


class OpenPlans:
    """The plans of scenes under way, by which an action is judged that comes without its plan."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_key: dict[str, ScenePlan] = {}
        """By the keys of those stages whose files may be dropped."""

    def noted(self, plans: Iterable[ScenePlan]) -> Iterator[ScenePlan]:
        """*plans*, each remembered as it is taken."""
        for plan in plans:
            self._by_key |= {plan.keys[stage]: plan for stage in _dropped_from(plan)}
            yield plan

    def present(self, action: Action) -> bool:
        """Whether nothing has to be run for *action*."""
        plan = self._by_key.get(action.key)
        if plan is None:
            return self._store.has(action.stage, action.key)
        return serves(plan, action, self._store)

    def close(self, render_key: str, done: bool) -> None:
        """Forget a scene that ended; of one that is *done*, drop what its plan does not keep."""
        plan = self._by_key.get(render_key)
        if plan is None:
            return
        for stage in _dropped_from(plan):
            self._by_key.pop(plan.keys[stage], None)
            if done and not plan.keeps_all:
                drop_files(self._store, stage, plan.keys[stage], plan.keep)


def _dropped_from(plan: ScenePlan) -> list[str]:
    """Those of DROPPED_FROM that *plan* has: the gallery plans no truth."""
    return [stage for stage in DROPPED_FROM if stage in plan.keys]
