"""One scene rendered for a benchmark: its bundle, without truth and photos. No benchmark by itself."""

from __future__ import annotations

from pathlib import Path

from pipeline.graph.execute import Workplace, run_action, usable_cpus
from pipeline.graph.plan import PART, RENDER, Catalog, plan_scene
from pipeline.graph.stage import Machine
from pipeline.spec.scene import SceneSpec

ROOT = Path(__file__).parents[1]
REGISTRY = "pipeline.graph.stages:STAGES"


def workplace_in(folder: Path) -> Workplace:
    """Where the outputs go: a store in *folder*, on all cores of this machine."""
    return Workplace(REGISTRY, str(folder), Machine(threads=usable_cpus()))


def bundle_of(scene: SceneSpec, catalog: Catalog, workplace: Workplace) -> Path:
    """The bundle of *scene*, rendered unless it is there. Raises RuntimeError when a stage fails."""
    plan = plan_scene(scene, catalog)
    for action in plan.actions:
        if action.stage in {PART, RENDER}:
            outcome = run_action(action, workplace)
            if outcome.failure is not None:
                raise RuntimeError(outcome.failure.message)
    key = plan.keys[RENDER]
    return Path(workplace.root) / "store" / RENDER / key[:2] / key
