"""What `keep` means to a build: when a render's files are dropped, and when dropped files make it run again.

Covers: whether an output serves a plan, dropping what the spec does not keep once a scene is done. Does not cover:
which files there are (`pipeline.dataset.keep`), the order of work (`schedule`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.dataset.keep import drop_files, is_kept
from pipeline.dataset.store import Store
from pipeline.graph.plan import PHOTOS, RENDER, TRUTH, ScenePlan
from pipeline.graph.stage import Action


def serves(plan: ScenePlan, action: Action, store: Store) -> bool:
    """Whether the output of *action* is in the store with every file that *plan* still needs.

    A render whose files were dropped serves as long as what is made from it is there, and the plan keeps none of them.
    """
    if not store.has(action.stage, action.key):
        return False
    dropped = store.dropped(action.stage, action.key) if action.stage == RENDER else ()
    if not dropped:
        return True
    made_from_it = [other for other in plan.actions if other.stage in {TRUTH, PHOTOS}]
    return not any(is_kept(name, plan.keep) for name in dropped) and all(
        store.has(other.stage, other.key) for other in made_from_it
    )


class OpenPlans:
    """The plans of scenes under way, by which an action is judged that comes without its plan."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_render: dict[str, ScenePlan] = {}

    def noted(self, plans: Iterable[ScenePlan]) -> Iterator[ScenePlan]:
        """*plans*, each remembered as it is taken."""
        for plan in plans:
            self._by_render[plan.keys[RENDER]] = plan
            yield plan

    def present(self, action: Action) -> bool:
        """Whether nothing has to be run for *action*."""
        plan = self._by_render.get(action.key)
        if plan is None:
            return self._store.has(action.stage, action.key)
        return serves(plan, action, self._store)

    def close(self, render_key: str, done: bool) -> None:
        """Forget a scene that ended; of one that is *done*, drop what its plan does not keep."""
        plan = self._by_render.pop(render_key, None)
        if plan is not None and done and not plan.keeps_all:
            drop_files(self._store, RENDER, render_key, plan.keep)
