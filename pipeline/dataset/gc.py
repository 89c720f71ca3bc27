"""Garbage collection: old builds, and stage outputs that no kept build is made of.

Covers: planning what could go, and removing it. Never runs by itself. Does not cover: leftovers of dead processes,
which `Store.clean_staging` removes at every build.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.dataset.build import BUILDS, builds, latest_number, open_build
from pipeline.dataset.folders import folder_errors
from pipeline.dataset.reader import Dataset
from pipeline.dataset.store import RECORD_FILE, Store
from pipeline.errors import DamageFound, InputError

DAY_S: Final = 86400.0

Output = tuple[str, str]
"""(stage, key)."""


@dataclass(frozen=True)
class GcPlan:
    """What `collect` would remove."""

    builds: tuple[str, ...]
    outputs: tuple[Output, ...]
    bytes: int
    kept_builds: tuple[str, ...]
    kept_outputs: int


def plan_gc(root: Path, keep_builds: int, spare_s: float = DAY_S) -> GcPlan:
    """Say what is not needed by the newest *keep_builds* builds (LATEST is always among them).

    Outputs younger than *spare_s* seconds stay: a build that was interrupted, or whose scenes wait in quarantine, goes
    on from them. Raises InputError when *keep_builds* is below 1 or there is no build, DamageFound when a kept build
    cannot be read.
    """
    if keep_builds < 1:
        raise InputError(f"expected to keep at least 1 build, found {keep_builds}")
    newest = open_build(root).number
    numbers = builds(root)
    kept = tuple(sorted({*numbers[-keep_builds:], newest}, key=int))
    store = Store(root)
    needed = _reachable(store, _outputs_of(root, kept))
    oldest = time.time() - spare_s
    present = list(store.outputs())
    unused = tuple(entry for entry in present if entry not in needed and _made_at(store, entry) <= oldest)
    return GcPlan(
        builds=tuple(number for number in numbers if number not in kept),
        outputs=unused,
        bytes=sum(_size(store.folder(*entry)) for entry in unused),
        kept_builds=kept,
        kept_outputs=len(present) - len(unused),
    )


def collect(root: Path, plan: GcPlan) -> None:
    """Remove what *plan* says: builds first, so that no build ever lacks an output.

    Raises InputError while a build is running, which may be using what the plan calls unused.
    """
    store = Store(root)
    if store.is_busy():
        raise InputError(f"expected no build to be running in {root}, found one at work; wait for its end")
    if latest_number(root) in plan.builds:
        raise InputError(f"expected to keep the newest build of {root}, found it in the plan; plan again")
    with folder_errors(store.root):
        for number in plan.builds:
            with store.staging_folder() as folder:
                (store.root / BUILDS / number).rename(folder / number)
        for stage, key in plan.outputs:
            store.remove(stage, key)


def _outputs_of(root: Path, numbers: Iterable[str]) -> set[Output]:
    found: set[Output] = set()
    for number in numbers:
        table = Dataset(root, open_build(root, number).folder).table("outputs")
        found.update(zip(table.column("stage").to_pylist(), table.column("key").to_pylist(), strict=True))
    return found


def _reachable(store: Store, start: set[Output]) -> set[Output]:
    """*start* and everything that it was made from. An unreadable record stops the collection rather than lose data."""
    reached, waiting = set(start), list(start)
    while waiting:
        stage, key = waiting.pop()
        try:
            record = store.record(stage, key)
        except FileNotFoundError:
            raise DamageFound(f"expected the output {stage}/{key} of a kept build, found none; build again") from None
        for entry in record.inputs:
            made_from = (entry["stage"], entry["key"])
            # An input may be gone: what was made from it is whole without it.
            if made_from not in reached and store.has(*made_from):
                reached.add(made_from)
                waiting.append(made_from)
    return reached


def _made_at(store: Store, output: Output) -> float:
    """Seconds since the epoch."""
    return (store.folder(*output) / RECORD_FILE).stat().st_mtime


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
