"""What a build would do: counts per stage, reasons, and how long it should take.

Does not cover: the plan itself (`plan`), the comparison with the newest build (`explain`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from pipeline.dataset.store import Store
from pipeline.errors import DamageFound
from pipeline.graph.build import BuildOptions, machine_of, workers_of
from pipeline.graph.explain import LastBuild, Status, status_of
from pipeline.graph.keys import stages_path
from pipeline.graph.model_identity import identify_here
from pipeline.graph.plan import ALL_STAGES, PAINT, PHOTOS, TRANSFER, Catalog, ScenePlan, catalog_of, plan_build
from pipeline.graph.progress import count_of, duration
from pipeline.graph.transfer_plan import planned_painting, planned_transfer
from pipeline.spec.load import load_spec

ASSUMED_SECONDS: Final = {"part": 3.0, "render": 20.0, "truth": 1.0, "photos": 2.0, "transfer": 30.0, "paint": 60.0}
"""What an action is taken to cost before one was recorded: 640 x 480 pixels on two cores, transfer on a
graphics card."""

_SAMPLED: Final = 50


@dataclass(frozen=True)
class PlanSummary:
    """What a build would do."""

    scenes: int
    photos: int
    cached: Mapping[str, int]
    """Stage -> outputs that are in the store."""
    to_do: Mapping[str, int]
    """Stage -> outputs that are not."""
    seconds: float
    """Estimated wall time of what is to do."""
    recorded: bool
    """Whether every stage's cost comes from this dataset's own records; else some are assumed."""


def plan_dataset(
    spec_path: Path, out: Path | None, options: BuildOptions, tell: Callable[[str], None] | None
) -> Iterator[str]:
    """Lines that say what a build into *out* would do; without *out* everything is still to do.

    *tell* gets a line for each output that has to be made, with the reasons. Raises InputError for a wrong spec.
    """
    spec = load_spec(spec_path)
    stages = stages_path(options.stages)
    identify = identify_here(stages, machine_of(options))
    transfer, painting = planned_transfer(spec, identify), planned_painting(spec, identify)
    catalog = catalog_of(spec, stages, transfer.identity, painting)
    workers = workers_of(options)

    def explain(status: Status) -> None:
        if tell is not None:
            tell(f"{status.action.label} {status.action.stage}: {'; '.join(status.reasons)}")

    plans = plan_build(spec, catalog, options.limit)
    store = None if out is None else Store(out)
    summary = summarize(plans, store, catalog, workers, None if tell is None else explain)
    yield f"{spec.dataset.name}: {count_of(summary.scenes, 'scene')}, {count_of(summary.photos, 'photo')}"
    for stage in ALL_STAGES:
        if (stage == TRANSFER and transfer.identity is None) or (stage == PAINT and painting is None):
            continue
        yield f"  {stage:8}{summary.cached.get(stage, 0):6} cached {summary.to_do.get(stage, 0):6} to do"
    if transfer.use != "off" and transfer.identity is None:
        yield transfer.record().sentence()
    basis = "from recorded times" if summary.recorded else "partly from assumed times"
    if any(summary.to_do.values()):
        yield f"about {duration(summary.seconds)} with {count_of(workers, 'worker')}, {basis}"
    else:
        yield "nothing to do"


def summarize(
    plans: Iterable[ScenePlan],
    store: Store | None,
    catalog: Catalog,
    workers: int,
    explain: Callable[[Status], None] | None = None,
) -> PlanSummary:
    """Count what is there and what is not. *explain* is told of each action that has to run, with its reasons."""
    last = None if store is None else LastBuild(store)
    tally: Counter[tuple[str, str]] = Counter()
    seen: set[str] = set()
    scenes = photos = 0
    for plan in plans:
        scenes += 1
        photos += len(plan.scene.photos) if PHOTOS in plan.keys else 0
        for action in plan.actions:
            if action.key in seen:
                continue
            seen.add(action.key)
            status = status_of(action, plan, store, last if explain is not None else None, catalog)
            tally[status.status, action.stage] += 1
            if explain is not None and status.status == "build":
                explain(status)
    cached, to_do = ({s: tally[kind, s] for s in ALL_STAGES if tally[kind, s]} for kind in ("reuse", "build"))
    costs = {} if store is None else recorded_seconds(store)
    seconds = _wall_seconds({stage: count * costs.get(stage, ASSUMED_SECONDS[stage]) for stage, count in to_do.items()})
    recorded = all(stage in costs for stage in to_do)
    return PlanSummary(scenes, photos, cached, to_do, seconds / workers, recorded)


def recorded_seconds(store: Store) -> dict[str, float]:
    """Stage -> median seconds of (a sample of) its outputs in the store; stages without output are left out."""
    found = {}
    for stage in ALL_STAGES:
        seconds = []
        folder = store.folder(stage, "0" * 64).parents[1]
        for path in sorted(folder.glob("??/*"))[:_SAMPLED] if folder.is_dir() else ():
            try:
                seconds.append(store.record(stage, path.name).seconds)
            except (FileNotFoundError, DamageFound):
                continue
        if seconds:
            found[stage] = median(seconds)
    return found


def _wall_seconds(work: Mapping[str, float]) -> float:
    """Wall seconds of one worker: parts come before the first render; photos and labels overlap the next render."""
    parts, render = work.get("part", 0.0), sum(work.get(stage, 0.0) for stage in ("paint", "render", "transfer"))
    beside = work.get("truth", 0.0) + work.get("photos", 0.0)
    return parts + max(render, beside)
