"""A build from the spec to LATEST: plan, run what is missing, collect, write the tables.

Covers: `build_dataset`. Does not cover: what a build would do (`estimate`), one scene alone (`single`), order and
execution of actions (`schedule`, `driver`), the tables (`pipeline.dataset.build`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.dataset.build import BuildInfo, SceneOutputs, latest_number, open_build, write_build
from pipeline.dataset.columns import SCHEMA_VERSION
from pipeline.dataset.store import Store, check_writable
from pipeline.errors import BatchTooLarge
from pipeline.graph.children import stop_children
from pipeline.graph.driver import drive
from pipeline.graph.execute import Workplace, usable_cpus
from pipeline.graph.executor import Executor, SyncExecutor
from pipeline.graph.fitting_batch import with_fitting_batch
from pipeline.graph.keeping import OpenPlans
from pipeline.graph.keys import stages_path
from pipeline.graph.model_identity import Identify, ModelIdentity, identify_here
from pipeline.graph.plan import PAINT, RENDER, ScenePlan, catalog_of, plan_build, scene_count
from pipeline.graph.progress import Progress, count_of, duration, make_progress
from pipeline.graph.quarantine import QUARANTINE, keep_only, quarantine
from pipeline.graph.schedule import SceneResult, Schedule, result_of
from pipeline.graph.signals import stopped_by_signals
from pipeline.graph.stage import Action, Machine
from pipeline.graph.transfer_choice import TransferChoice
from pipeline.graph.transfer_plan import TransferPlan, planned_painting, planned_transfer
from pipeline.records import canonical_json, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.load import load_spec

if TYPE_CHECKING:
    from pipeline.spec.model import DatasetSpec

CORES_PER_WORKER: Final = 4
"""Cycles gains little from more threads on small pictures, and each worker needs about 2 GiB."""

_NAMED: Final = 5

NEEDED_BYTES: Final = 64 * 2**20
"""Free space without which no build is begun."""


@dataclass(frozen=True)
class BuildOptions:
    """How to run a build on this machine."""

    workers: int | None = None
    """Worker processes; None = one per four cores."""
    scheduler: str | None = None
    """Address of an external Dask scheduler."""
    sync: bool = False
    """Run everything in this process, without Dask."""
    limit: int | None = None
    """Build only the first scenes."""
    threads: int | None = None
    """Threads per render; None = the cores of this machine shared out between the workers."""
    stop_after: int | None = None
    """Give up when this many scenes have failed."""
    quiet: bool = False
    stages: str | None = None
    """Registry of stages, "module:attribute"; None = $GLINT_STAGES or the real ones."""
    device: str = "auto"
    """Where networks run."""
    dtype: str = "auto"
    """Their number format."""
    batch: int | None = None
    """Photos per network call; None = as suits the device."""


@dataclass(frozen=True)
class BuildResult:
    """How a build ended."""

    number: str | None
    """Number of the newest build; None when no scene was finished or the build was given up."""
    folder: Path | None
    up_to_date: bool
    """Nothing was missing, so no new build was written."""
    scenes: int
    photos: int
    quarantined: tuple[str, ...]
    gave_up: bool
    reasons: tuple[str, ...] = ()
    """Different errors of quarantined scenes, each once."""
    transfer: str = ""
    """What became of transfer; empty where the spec says off."""

    def lines(self, out: Path, seconds: float) -> list[str]:
        """What a user is told on stdout."""
        if self.gave_up:
            return [f"gave up after {len(self.quarantined)} failed scenes; no build was written"]
        if self.number is None or self.folder is None:
            return ["no scene could be made; no build was written"]
        what = f"build {self.number} ({count_of(self.scenes, 'scene')}, {count_of(self.photos, 'photo')})"
        told = [self.transfer] if self.transfer else []
        if self.up_to_date:
            return [f"up to date: {what}", *told]
        report = f"report: {out / 'builds' / self.number / 'report' / 'index.html'}"
        return [f"{what} in {duration(seconds)}", *told, report]

    def quarantine_line(self, out: Path) -> str:
        """What a user is told about scenes that failed."""
        names = ", ".join(self.quarantined[:_NAMED]) + (", ..." if len(self.quarantined) > _NAMED else "")
        lines = [f"{count_of(len(self.quarantined), 'scene')} failed: {names}; see {out / QUARANTINE}"]
        lines += [f"  {reason}" for reason in self.reasons[:_NAMED]]
        return "\n".join(lines)


def build_dataset(spec_path: Path, out: Path, options: BuildOptions) -> BuildResult:
    """Make everything that *spec_path* asks for and *out* has not, and write a build of it.

    Scenes that fail are quarantined, the others go into the build. Raises InputError for a wrong spec,
    EnvironmentProblem for a machine that cannot do the work, KeyboardInterrupt when stopped; in every case what was
    finished stays in the store, and the same command goes on from there.
    """
    spec = load_spec(spec_path)
    text = spec_path.read_text(encoding="utf-8-sig")  # now: the file may be edited while the build runs
    check_writable(out, NEEDED_BYTES)
    store = Store(out)
    store.clean_staging()
    stages = stages_path(options.stages)
    workplace = Workplace(stages, str(store.root), machine_of(options))
    total = scene_count(spec, options.limit)
    progress, shown = make_progress(total, options.quiet)
    identify = identify_for(options, workplace)
    transfer, painting = planned_transfer(spec, identify), planned_painting(spec, identify)
    models = [identity for identity in (transfer.identity, painting) if identity is not None]

    def run(transfer: TransferPlan) -> list[SceneResult]:
        plans = plan_build(spec, catalog_of(spec, stages, transfer.identity, painting), options.limit)
        start = partial(make_executor, workplace, options, models)
        return sorted(run_plans(plans, store, start, progress, options.stop_after), key=lambda result: result.index)

    with stopped_by_signals(stop_children), shown:
        results, transfer = with_fitting_batch(transfer, run, progress.planned_again)
    return _finish(_Work(spec, spec_path, text, store, transfer), results, gave_up=len(results) < total)


def run_plans(
    plans: Iterable[ScenePlan],
    store: Store,
    start_executor: Callable[[], Executor],
    progress: Progress,
    stop_after: int | None = None,
) -> Iterator[SceneResult]:
    """Run what the store has not. The executor is started only when something is missing.

    Raises as `drive` does; after BatchTooLarge nothing is left half-made, and the plans may be made again.
    """
    seen: set[str] = set()
    open_plans = OpenPlans(store)

    def present(action: Action) -> bool:
        if action.key not in seen and open_plans.present(action):
            seen.add(action.key)
            progress.reused(action)
        return action.key in seen

    rest = open_plans.noted(plans)
    for plan in rest:
        if not all(present(action) for action in plan.actions):
            break
        result = result_of(plan, ())
        open_plans.close(plan.keys[RENDER], done=True)
        progress.scene_ended(result)
        yield result
    else:
        return
    executor = start_executor()
    try:
        schedule = Schedule(chain([plan], rest), executor.slots, present, stop_after=stop_after)
        for result in drive(schedule, executor, progress):
            open_plans.close(result.keys[RENDER], done=not result.failures)
            yield result
    except BatchTooLarge:
        executor.close()
        raise
    except BaseException:
        executor.abort()
        store.clean_staging()  # what killed workers left half-made
        raise
    executor.close()


def make_executor(workplace: Workplace, options: BuildOptions, models: Sequence[ModelIdentity]) -> Executor:
    """The executor that *options* ask for; Dask is imported only when it is used."""
    if options.sync:
        return SyncExecutor(workplace)
    from pipeline.graph.dask_executor import local_executor, remote_executor

    gpus = max((identity.gpus for identity in models if identity.resource == "gpu"), default=0)
    if options.scheduler is not None:
        return remote_executor(workplace, options.scheduler, any(one.resource == "gpu" for one in models))
    return local_executor(workplace, workers_of(options), gpus if options.device == "auto" else min(gpus, 1))


def identify_for(options: BuildOptions, workplace: Workplace) -> Identify:
    """What asks whoever will transfer photos: this machine, or the workers of the scheduler."""
    if options.scheduler is None:
        return identify_here(workplace.stages, workplace.machine)
    from pipeline.graph.remote import identify_remotely

    return identify_remotely(options.scheduler, workplace)


def workers_of(options: BuildOptions) -> int:
    """Worker processes of a local build."""
    if options.sync:
        return 1
    return options.workers or max(1, usable_cpus() // CORES_PER_WORKER)


def machine_of(options: BuildOptions) -> Machine:
    """Settings of this machine; 0 threads: each remote worker uses its own cores."""
    threads = max(1, usable_cpus() // workers_of(options))
    if options.threads is not None or options.scheduler is not None:
        threads = options.threads or 0
    return Machine(threads=threads, device=options.device, dtype=options.dtype, batch=options.batch)


@dataclass(frozen=True)
class _Work:
    """What a build is made of, beside its scenes."""

    spec: DatasetSpec
    spec_path: Path
    text: str
    store: Store
    transfer: TransferPlan


def _finish(work: _Work, results: list[SceneResult], gave_up: bool) -> BuildResult:
    """Write quarantine and build, unless the newest build says the same already."""
    spec, store = work.spec, work.store
    good = [result for result in results if not result.failures]
    bad = [result for result in results if result.failures]
    if not gave_up:
        keep_only(store.root, {result.scene_id for result in bad})
    for result in bad:
        quarantine(store.root, work.spec_path, result)
    quarantined = tuple(result.scene_id for result in bad)
    reasons = tuple(dict.fromkeys(result.failures[0].message for result in bad))
    if gave_up or not good:
        return BuildResult(None, None, False, len(good), 0, quarantined, gave_up, reasons)
    content = plan_hash(spec, good, quarantined, work.transfer)
    up_to_date = latest_number(store.root) is not None and open_build(store.root).record.plan_hash == content
    if up_to_date:
        build = open_build(store.root)
    else:
        choice = TransferChoice(
            store, (result.keys for result in good), work.transfer.record(), work.transfer.keep_camera
        )
        info = BuildInfo(
            dataset=spec.dataset.name,
            spec_path=work.spec_path.name,
            spec_text=work.text,
            plan_hash=content,
            description=spec.dataset.description,
            licence=spec.dataset.licence,
            quarantined=quarantined,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            transfer=choice.record,
        )
        pictures = dict.fromkeys((PAINT, key) for result in good for key in result.pictures.values())
        build = write_build(store.root, _outputs(spec, good, choice), info, report_hook(store.root), list(pictures))
    photos = sum(split["photos"] for split in build.record.splits.values())
    told = build.record.transfer.sentence() if build.record.transfer and spec.transfer.use != "off" else ""
    return BuildResult(build.number, build.folder, up_to_date, len(good), photos, quarantined, gave_up, reasons, told)


def plan_hash(
    spec: DatasetSpec, good: Iterable[SceneResult], quarantined: Iterable[str], transfer: TransferPlan
) -> str:
    """Hash of everything that a build's tables and cards are made of; a scene's keys cover all of its SceneSpec."""
    digest = hashlib.sha256(f"{SCHEMA_VERSION}\n".encode())
    about = spec.dataset
    digest.update(f"{canonical_json([about.name, about.description, about.licence, about.keep])}\n".encode())
    digest.update(f"{canonical_json([transfer.use, transfer.keep_camera])}\n".encode())
    for result in good:
        digest.update(f"{result.scene_id} {canonical_json(result.keys)}\n".encode())
    digest.update(canonical_json(sorted(quarantined)).encode())
    return digest.hexdigest()


def report_hook(root: Path) -> Callable[[Path], None]:
    """What writes the report into a build folder before the build becomes visible."""

    def write(folder: Path) -> None:
        from pipeline.report.report import write_report

        write_report(root, folder)

    return write


def _outputs(spec: DatasetSpec, good: Iterable[SceneResult], choice: TransferChoice) -> Iterator[SceneOutputs]:
    """Scenes for the tables; drawn anew one by one, because keeping them would take memory."""
    for result in good:
        scene = draw_scene(spec, result.index)
        columns = {"split": scene.split, "spec_json": canonical_json(to_dict(scene))}
        yield SceneOutputs(result.scene_id, dict(result.keys), columns, choice.changes(result.keys))
