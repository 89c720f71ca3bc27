"""What changed from one build to another: scenes, photos, the spec.

Covers: the comparison of two builds of one dataset by keys and checksums. Does not cover: pixels; a changed checksum
says that a photo is another one, not how.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.build import open_build
from pipeline.dataset.reader import Dataset


@dataclass(frozen=True)
class Changes:
    """Ids that only the second build has, only the first has, or both have with other content; each sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is any change."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class Diff:
    """From build *a* to build *b*."""

    a: str
    b: str
    scenes: Changes
    """A scene has changed when a stage output of it, its split or its spec has."""
    stages: dict[str, int]
    """Stage -> number of scenes, among those in both builds, that have another output of it."""
    photos: Changes
    """By the checksum of the picture."""
    code_versions: tuple[str, str]
    spec: tuple[str, ...]
    """Unified diff of the two specs, without the file header; empty when they are equal."""

    @property
    def same(self) -> bool:
        """Whether both builds hold the same scenes and photos."""
        return not self.scenes and not self.photos


def diff(root: Path, a: str, b: str) -> Diff:
    """Compare builds *a* and *b* (their numbers) of the dataset *root*. Raises InputError when one is missing."""
    old, new = open_build(root, a), open_build(root, b)
    before, after = Dataset(root, old.folder), Dataset(root, new.folder)
    keys = _keys(before), _keys(after)
    return Diff(
        a=old.number,
        b=new.number,
        scenes=_changes(_scenes(before, keys[0]), _scenes(after, keys[1])),
        stages=_stages(*keys),
        photos=_changes(
            _columns(before, "photos", "photo_id", "sha256"), _columns(after, "photos", "photo_id", "sha256")
        ),
        code_versions=(old.record.code_version, new.record.code_version),
        spec=_spec_diff(old.record.spec_text, new.record.spec_text),
    )


def _columns(dataset: Dataset, table: str, key: str, value: str) -> dict[str, str]:
    columns = dataset.table(table)
    return dict(zip(columns.column(key).to_pylist(), columns.column(value).to_pylist(), strict=True))


def _keys(dataset: Dataset) -> dict[str, dict[str, str]]:
    """Scene -> stage -> key."""
    keys: dict[str, dict[str, str]] = {}
    rows = dataset.table("outputs")
    for scene_id, stage, key in zip(*(rows.column(name).to_pylist() for name in rows.column_names), strict=True):
        keys.setdefault(scene_id, {})[stage] = key
    return keys


def _scenes(dataset: Dataset, keys: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[object, ...]]:
    """Scene -> everything that tells it from another scene of the same id."""
    splits, specs = (_columns(dataset, "scenes", "scene_id", name) for name in ("split", "spec_json"))
    return {scene_id: (keys.get(scene_id), splits[scene_id], specs[scene_id]) for scene_id in splits}


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> Changes:
    both = before.keys() & after.keys()
    return Changes(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(name for name in both if before[name] != after[name])),
    )


def _stages(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for scene_id in sorted(before.keys() & after.keys()):
        for stage, key in after[scene_id].items():
            counts[stage] = counts.get(stage, 0) + (before[scene_id].get(stage) != key)
    return counts


def _spec_diff(before: str, after: str) -> tuple[str, ...]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return tuple(lines)[2:]
