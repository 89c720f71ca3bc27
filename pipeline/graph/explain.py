"""Why an action has to run: what changed since the newest build.

Covers: the status of each action of a plan, the difference between what an output was made from and what the plan
asks for. Does not cover: the plan itself (`plan`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.dataset.store import OutputRecord, Store
from pipeline.errors import DamageFound
from pipeline.graph.keeping import serves
from pipeline.graph.keys import tools_of
from pipeline.graph.plan import PART, Catalog, ScenePlan
from pipeline.graph.stage import PART_ROLE, Action

ActionStatus = Literal["reuse", "build"]

NOT_BUILT: Final = "not built yet"
REMOVED: Final = "its output was removed from the store"
FORGOTTEN: Final = "changed, but the record of the old output is gone"
DROPPED: Final = "files of it that are needed were not kept"
_MOST_CHANGES: Final = 6
_MISSING: Final = "nothing"
_LONGEST: Final = 60


@dataclass(frozen=True)
class Status:
    """What a build would do with one action."""

    action: Action
    status: ActionStatus
    reasons: tuple[str, ...]
    """Why it is built; empty for "reuse"."""


class LastBuild:
    """Keys that the newest build of a dataset was made of; empty when there is none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[tuple[str, str], str] = _output_keys(store.root)
        self._parts: dict[str, str] | None = None

    def key(self, stage: str, label: str) -> str | None:
        """Key of the output that plays this role (a stage, and a scene id or part id) in the newest build."""
        return self._part_key(label) if stage == PART else self._keys.get((label, stage))

    def record(self, stage: str, label: str) -> OutputRecord | None:
        """Record of that output; None when there is none, or none any more."""
        key = self.key(stage, label)
        if key is None:
            return None
        try:
            return self._store.record(stage, key)
        except (FileNotFoundError, DamageFound):
            return None

    def _part_key(self, part_id: str) -> str | None:
        """Parts are not in the table of outputs: they are the inputs of renders."""
        if self._parts is None:
            self._parts = {}
            for (label, stage), _ in self._keys.items():
                record = self.record(stage, label) if stage == "render" else None
                for entry in record.inputs if record else ():
                    self._parts.setdefault(entry["role"].removeprefix(PART_ROLE), entry["key"])
        return self._parts.get(part_id)


def status_of(action: Action, plan: ScenePlan, store: Store | None, last: LastBuild | None, catalog: Catalog) -> Status:
    """Whether *action* of *plan* is in the store, and if not, what changed since the newest build (*last*)."""
    if store is not None and serves(plan, action, store):
        return Status(action, "reuse", ())
    if store is not None and store.has(action.stage, action.key):
        return Status(action, "build", (DROPPED,))
    old_key = None if last is None else last.key(action.stage, action.label)
    if last is None or old_key is None:
        return Status(action, "build", (NOT_BUILT,))
    if old_key == action.key:
        return Status(action, "build", (REMOVED,))
    old = last.record(action.stage, action.label)
    if old is None:
        return Status(action, "build", (FORGOTTEN,))
    tools = tools_of(catalog.stages_path, action.stage)
    return Status(action, "build", changes(old, action, catalog.stages[action.stage].version, tools))


def changes(old: OutputRecord, action: Action, version: int, tools: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences such as "render.samples: 64 -> 128", "tool bpy: 5.2.2 -> 5.2.3", "part flange changed"."""
    found = []
    if old.version != version:
        found.append(f"stage version: {old.version} -> {version}")
    found += [f"tool {line}" for line in _differences("", dict(old.tools), dict(tools))]
    found += _differences("", _plain(old.fields), _plain(action.fields))
    old_inputs = {entry["role"]: entry["key"] for entry in old.inputs}
    new_inputs = {entry.role: entry.key for entry in action.inputs}
    for role in sorted(old_inputs.keys() | new_inputs.keys()):
        if old_inputs.get(role) != new_inputs.get(role):
            what = "new" if role not in old_inputs else "no longer used" if role not in new_inputs else "changed"
            found.append(f"input {role.replace(':', ' ')} is {what}")
    left_out = len(found) - _MOST_CHANGES
    return (*found[:_MOST_CHANGES], f"and {left_out} more") if left_out > 0 else tuple(found)


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(
                f"{path}.{name}" if path else name, old.get(name, _MISSING), new.get(name, _MISSING)
            )
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(f"{path}[{place}]", one, other)
    elif isinstance(old, list) and isinstance(new, list):
        yield f"{path}: {len(old)} entries -> {len(new)}"
    elif old != new:
        yield f"{path}: {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _plain(value: Any) -> Any:
    """Tuples as lists, so that what was read from JSON compares with what was not."""
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def _output_keys(root: Path) -> dict[tuple[str, str], str]:
    """(scene id, stage) -> key, from the newest build's table of outputs."""
    from pipeline.dataset.build import latest_number, open_build

    if latest_number(root) is None:
        return {}
    import pyarrow.parquet as pq

    table = pq.read_table(open_build(root).folder / "outputs.parquet")
    rows = zip(*(table.column(name).to_pylist() for name in ("scene_id", "stage", "key")), strict=True)
    return {(scene_id, stage): key for scene_id, stage, key in rows}
