"""Running one action: the only place where a stage's errors are caught.

Covers: inputs found, output staged and committed, errors turned into records. Runs in the driver's process or on a
Dask worker, and takes plain text and numbers only. Does not cover: when an action runs (`schedule`).
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipeline.dataset.folders import full_disk_errors
from pipeline.dataset.store import ActionRecord, Store, translate_os_error
from pipeline.errors import EXIT_PARTLY_FAILED, BatchTooLarge, EnvironmentProblem, GlintError, InputError
from pipeline.graph.keys import action_key, load_stages, tools_of
from pipeline.graph.stage import Action, Machine, Stage
from pipeline.records import from_dict, sha256_file, to_dict

OutcomeStatus = Literal["built", "reused", "failed"]


@dataclass(frozen=True)
class Failure:
    """Why an action failed; what a quarantined scene says."""

    stage: str
    key: str
    label: str
    error: str
    """Class of the error, for example "InputError"."""
    message: str
    exit_code: int = EXIT_PARTLY_FAILED
    """What the error would mean if it were the whole command's; 3 stops the build."""
    detail: str = ""
    """Traceback, for errors that are not a message to the user."""
    smaller_batch: int | None = None
    """Photos per network call to go on with, when memory ran out for more; the build plans again."""


@dataclass(frozen=True)
class Outcome:
    """How one action ended."""

    stage: str
    key: str
    label: str
    status: OutcomeStatus
    seconds: float
    failure: Failure | None = None


@dataclass(frozen=True)
class Workplace:
    """What an action needs besides itself, the same for the whole build."""

    stages: str
    """Registry of stages, "module:attribute"."""
    root: str
    """The DATASET folder."""
    machine: Machine


def run_action(action: Action, workplace: Workplace) -> Outcome:
    """Make the output of *action*, or find it made. Running it twice, even at once, leaves one output.

    Every error ends in the outcome, none is raised; KeyboardInterrupt passes through.
    """
    store = Store(Path(workplace.root))
    if store.is_whole(action.stage, action.key):
        return Outcome(action.stage, action.key, action.label, "reused", 0.0)
    try:
        seconds = _make(action, workplace, store)
    except Exception as error:
        return Outcome(action.stage, action.key, action.label, "failed", 0.0, _failure(action, store, error))
    return Outcome(action.stage, action.key, action.label, "built", seconds)


def run_as_json(action: dict[str, Any], workplace: dict[str, Any]) -> dict[str, Any]:
    """`run_action` with plain JSON values on both sides: what is sent to a Dask worker."""
    outcome = run_action(action_from_dict(action), from_dict(Workplace, workplace))
    result: dict[str, Any] = to_dict(outcome)
    return result


def action_from_dict(values: dict[str, Any]) -> Action:
    """Rebuild an Action from `to_dict`'s plain values."""
    return from_dict(Action, values)


def usable_cpus() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _make(action: Action, workplace: Workplace, store: Store) -> float:
    """Run the stage and commit its output; returns the seconds it took."""
    stage = load_stages(workplace.stages)[action.stage]
    tools = tools_of(workplace.stages, action.stage)
    _check_key(action, stage, tools)
    inputs = _input_folders(action, store)
    machine = workplace.machine
    if machine.threads < 1:
        machine = replace(machine, threads=usable_cpus())
    record = ActionRecord(
        stage=action.stage,
        version=stage.version,
        key=action.key,
        label=action.label,
        fields=action.fields,
        inputs=tuple(to_dict(entry) for entry in action.inputs),
        tools=tools,
    )
    with store.stage_output(record) as staged:
        with full_disk_errors(store.root):
            report = stage.run(action.fields, inputs, staged.folder, machine)
        staged.numbers = dict(report.numbers)
        staged.notes = report.notes
        peak = report.numbers.get("peak_memory_bytes")
        staged.peak_memory_bytes = None if peak is None else int(peak)
    return staged.seconds or 0.0


def _check_key(action: Action, stage: Stage, tools: Mapping[str, str]) -> None:
    """A worker with other tools than the driver's would put another output under this key."""
    if action_key(stage, action.fields, action.inputs, tools) != action.key:
        raise EnvironmentProblem(
            f"expected this worker to have the driver's version of stage {action.stage!r} and of its tools, found "
            f"version {stage.version} with {dict(tools)}; install the same release of the project on every machine"
        )


def _input_folders(action: Action, store: Store) -> dict[str, Path]:
    inputs = {entry.role: store.folder(entry.stage, entry.key) for entry in action.inputs}
    for entry in action.inputs:
        if not store.has(entry.stage, entry.key):
            raise EnvironmentProblem(
                f"expected the output {entry.stage}/{entry.key[:12]} in {store.root}, found none; a remote worker must "
                f"see the dataset folder at the same path as the driver"
            )
    for role, path in action.files.items():
        inputs[role] = _unchanged(Path(path), str(action.fields["sha256"]))
    return inputs


def _unchanged(path: Path, sha256: str) -> Path:
    try:
        found = sha256_file(path)
    except OSError as error:
        raise InputError(f"expected the file {path}, found {error.strerror or error}; put it back and rerun") from error
    if found != sha256:
        raise InputError(
            f"expected {path} as it was when the build began, found it changed; run the same command again"
        )
    return path


def _failure(action: Action, store: Store, error: Exception) -> Failure:
    if isinstance(error, OSError) and not isinstance(error, GlintError):
        error = translate_os_error(error, store.root) or error
    known = isinstance(error, GlintError)
    return Failure(
        stage=action.stage,
        key=action.key,
        label=action.label,
        error=type(error).__name__,
        message=str(error) or type(error).__name__,
        exit_code=error.exit_code if isinstance(error, GlintError) else EXIT_PARTLY_FAILED,
        detail="" if known else "".join(traceback.format_exception(error)),
        smaller_batch=error.smaller if isinstance(error, BatchTooLarge) else None,
    )
