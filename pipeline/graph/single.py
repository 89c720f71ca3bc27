"""One scene by itself: the same actions as in a build, their outputs laid out for a person.

Covers: `make_scene`. Does not cover: builds (`build`). Nothing is reused and no dataset is needed.

    DIR/scene.json        which scene, its keys, what each stage took
    DIR/parts/<part_id>/  DIR/painted/<picture>/  DIR/render/  DIR/truth/  DIR/photos/  DIR/transfer/
                          the same bytes as in the store of a build, record.json (seconds, memory) apart
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.dataset.store import Store, check_writable
from pipeline.errors import (
    EXIT_BAD_ENVIRONMENT,
    EXIT_BAD_INPUT,
    EnvironmentProblem,
    GlintError,
    InputError,
    StageFailed,
)
from pipeline.graph.build import NEEDED_BYTES, run_plans
from pipeline.graph.children import stop_children
from pipeline.graph.execute import Failure, Workplace, usable_cpus
from pipeline.graph.executor import ThreadExecutor
from pipeline.graph.fitting_batch import with_fitting_batch
from pipeline.graph.keys import stages_path
from pipeline.graph.model_identity import identify_here
from pipeline.graph.plan import PAINT, PART, ScenePlan, catalog_of, plan_scene
from pipeline.graph.progress import Tally
from pipeline.graph.signals import stopped_by_signals
from pipeline.graph.stage import Machine
from pipeline.graph.transfer_plan import TransferPlan, planned_painting, planned_transfer
from pipeline.records import write_json
from pipeline.spec.draw import draw_scene, scene_index
from pipeline.spec.load import load_spec

SCENE_FILE: Final = "scene.json"
_WORK: Final = ".work"
_BY_LABEL: Final = {PART: "parts", PAINT: "painted"}
"""Stage -> folder, of stages that a scene may need several outputs of."""
_FOLDERS: Final = ("parts", "painted", "render", "truth", "photos", "transfer")


@dataclass(frozen=True)
class SceneMade:
    """A scene that was made by itself."""

    scene_id: str
    folder: Path
    seconds: dict[str, float]
    """Stage -> seconds; parts together."""


def make_scene(
    spec_path: Path,
    scene_id: str,
    out: Path,
    threads: int | None = None,
    stages: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
    **machine: Any,
) -> SceneMade:
    """Make scene *scene_id* of the spec into the folder *out*, which is empty, absent or of an earlier run.

    *tell* hears when memory runs out and fewer photos share a network call. *machine*: device, dtype and batch of
    transfer, as in `stage.Machine`. Raises InputError for a wrong spec, id or folder, and what the failing stage
    raised.
    """
    spec = load_spec(spec_path)
    scene = draw_scene(spec, scene_index(spec, scene_id))
    _check_folder(out)
    check_writable(out, NEEDED_BYTES)
    work = out / _WORK
    shutil.rmtree(work, ignore_errors=True)
    registry = stages_path(stages)
    workplace = Workplace(registry, str(work.absolute()), Machine(threads=threads or usable_cpus(), **machine))
    identify = identify_here(registry, workplace.machine)
    transfer, painting = planned_transfer(spec, identify), planned_painting(spec, identify)

    def make(transfer: TransferPlan) -> ScenePlan:
        plan = plan_scene(scene, catalog_of(spec, registry, transfer.identity, painting))
        _run(plan, Store(work), workplace)
        return plan

    try:
        plan, _ = with_fitting_batch(transfer, make, tell)
        return _lay_out(plan, Store(work), out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(plan: ScenePlan, store: Store, workplace: Workplace) -> None:
    with stopped_by_signals(stop_children):
        executor = ThreadExecutor(workplace, usable_cpus())
        results = list(run_plans([plan], store, lambda: executor, Tally(1)))
    if results[0].failures:
        raise _as_error(results[0].failures[0])


def _check_folder(out: Path) -> None:
    """Only a folder that this command made itself is written over."""
    if out.is_dir() and any(out.iterdir()) and not (out / SCENE_FILE).is_file() and not (out / _WORK).is_dir():
        raise InputError(f"expected --out to be a new or empty folder, found files in {out}; name another one")


def _lay_out(plan: ScenePlan, store: Store, out: Path) -> SceneMade:
    """Move the outputs from the store to where a person looks for them."""
    (out / SCENE_FILE).unlink(missing_ok=True)
    for name in _FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
    for stage, name in _BY_LABEL.items():
        if any(action.stage == stage for action in plan.actions):
            (out / name).mkdir()
    seconds: dict[str, float] = {}
    for action in plan.actions:
        record = store.record(action.stage, action.key)
        seconds[action.stage] = seconds.get(action.stage, 0.0) + record.seconds
        shared = _BY_LABEL.get(action.stage)
        target = out / action.stage if shared is None else out / shared / action.label
        store.folder(action.stage, action.key).rename(target)
    keys = {**plan.keys, "parts": plan.parts}
    write_json(out / SCENE_FILE, {"scene_id": plan.scene_id, "keys": keys, "seconds": seconds, "scene": plan.scene})
    return SceneMade(plan.scene_id, out, seconds)


def _as_error(failure: Failure) -> GlintError:
    """The failure of the only scene as the failure of the command."""
    kinds = {EXIT_BAD_INPUT: InputError, EXIT_BAD_ENVIRONMENT: EnvironmentProblem}
    message = f"{failure.stage} of {failure.label}: {failure.message}"
    error: GlintError = kinds.get(failure.exit_code, StageFailed)(message)
    if failure.detail:
        error.add_note(failure.detail)
    return error
