"""Builds: immutable folders of tables over the store, and the pointer to the newest.

Covers: writing one scene by scene in bounded memory, finding and opening them. Does not cover: rendering the scenes
(`graph`), the pages beside the tables (`card`, `report`), checking (`verify`).

A build is written in the staging area and renamed to DATASET/builds/<number> when `build.json` is in it; then LATEST
is replaced. Nothing in the tables depends on when or where it was written, so two builds of the same content have the
same bytes.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.dataset.card import write_card
from pipeline.dataset.folders import folder_errors
from pipeline.dataset.origin import code_version, environment
from pipeline.dataset.store import ROWS_FILE, OutputRecord, Store, flush, flush_folder
from pipeline.dataset.tables import SCHEMA_VERSION, TABLES
from pipeline.dataset.transfer_record import TransferRecord
from pipeline.dataset.writer import TableWriters
from pipeline.errors import DamageFound, InputError
from pipeline.records import from_dict, read_json, sha256_bytes, sha256_file, write_json

BUILDS: Final = "builds"
BUILD_FILE: Final = "build.json"
LATEST: Final = "LATEST"


@dataclass(frozen=True)
class SceneOutputs:
    """The stage outputs of one scene that go into a build."""

    scene_id: str
    outputs: Mapping[str, str]
    """Stage -> key, for every stage whose rows belong in the tables; "render" must be one of them."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Values that no stage depends on and so cannot know: split (in `scenes` and `photos`) and spec_json."""
    changes: Mapping[str, Mapping[tuple[Any, ...], Mapping[str, Any]]] = field(default_factory=dict)
    """Table -> key of a row -> columns that replace its own; paths in them are below DATASET already."""


@dataclass(frozen=True)
class BuildInfo:
    """What the caller knows about a build."""

    dataset: str
    """Name of the dataset, as in the spec."""
    spec_path: str
    """As the user gave it, or only its name; for people."""
    spec_text: str
    plan_hash: str
    """Hash of everything the plan asks for; equal plans need no new build."""
    quarantined: tuple[str, ...] = ()
    """Ids of scenes that failed and are left out."""
    created: str | None = None
    """When, ISO 8601 in UTC. Kept in build.json alone."""
    description: str = ""
    """For people, as in the spec."""
    licence: str = "not stated"
    """Of the pictures, as in the spec."""
    transfer: TransferRecord | None = None


@dataclass(frozen=True)
class StageSummary:
    """What one stage took, over all scenes of a build; each output is counted with what it took when it was made."""

    outputs: int
    seconds: float
    peak_memory_bytes: int | None


@dataclass(frozen=True)
class TableFile:
    """One table of a build."""

    file: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class BuildRecord:
    """`build.json`."""

    schema_version: str
    dataset: str
    spec_path: str
    spec_sha256: str
    spec_text: str
    plan_hash: str
    code_version: str
    created: str | None
    environment: dict[str, str]
    tables: dict[str, TableFile]
    splits: dict[str, dict[str, int]]
    """Split -> {"scenes", "photos"}."""
    stages: dict[str, StageSummary]
    quarantined: tuple[str, ...]
    description: str = ""
    licence: str = "not stated"
    transfer: TransferRecord | None = None
    """None in builds from before there was transfer."""


@dataclass(frozen=True)
class Build:
    """A finished build."""

    number: str
    """Name of its folder, for example "0003"."""
    folder: Path
    record: BuildRecord


@dataclass
class _Tally:
    """What is counted while scenes go by."""

    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    stages: dict[str, StageSummary] = field(default_factory=dict)

    def add_output(self, record: OutputRecord) -> None:
        """Count one stage output."""
        old = self.stages.get(record.stage, StageSummary(0, 0.0, None))
        peaks = [peak for peak in (old.peak_memory_bytes, record.peak_memory_bytes) if peak is not None]
        self.stages[record.stage] = StageSummary(
            old.outputs + 1, old.seconds + record.seconds, max(peaks) if peaks else None
        )

    def add_rows(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Count scenes and photos by split."""
        if table in {"scenes", "photos"}:
            for row in rows:
                counts = self.splits.setdefault(str(row.get("split")), {"scenes": 0, "photos": 0})
                counts[table] += 1


def write_build(
    root: Path,
    scenes: Iterable[SceneOutputs],
    info: BuildInfo,
    finish: Callable[[Path], None] | None = None,
    shared: Iterable[tuple[str, str]] = (),
) -> Build:
    """Write a new build of *scenes*, in their order, and make it the newest.

    *scenes* is consumed one at a time; memory does not grow with their number. *finish* is called with the finished
    but still invisible build folder (for the report). *shared*: (stage, key) of outputs that several scenes use and
    whose rows are in the tables once. Raises DamageFound when an output is missing, names a file it
    does not have, or has rows that break the contract; EnvironmentProblem when the folder cannot be written.
    """
    store = Store(root)
    with folder_errors(store.root), store.staging_folder() as staging:
        folder = staging / "build"
        folder.mkdir()
        tally = _Tally()
        with TableWriters(folder) as writers:
            for scene in scenes:
                for table, rows in _scene_rows(store, scene, tally):
                    tally.add_rows(table, rows)
                    writers.add(table, rows)
            for stage, key in shared:
                for table, rows in _output_rows(store, stage, key, "shared", tally):
                    writers.add(table, rows)
        record = _build_record(folder, info, tally)
        write_json(folder / BUILD_FILE, record)
        write_card(folder, record)
        if finish is not None:
            finish(folder)
        flush(folder)
        number = _move_into_place(folder, store.root / BUILDS)
        _point_latest(store.root, staging, number)
    return Build(number, store.root / BUILDS / number, record)


def builds(root: Path) -> tuple[str, ...]:
    """Numbers of all complete builds, oldest first."""
    found = [record.parent.name for record in (root / BUILDS).glob(f"*/{BUILD_FILE}")]
    return tuple(sorted((name for name in found if name.isdigit()), key=int))


def latest_number(root: Path) -> str | None:
    """Number of the newest complete build; None when there is none."""
    try:
        return (root / LATEST).read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None


def open_build(root: Path, number: str | None = None) -> Build:
    """The build called *number*, or the newest. Raises InputError when there is none, DamageFound when unreadable."""
    if not root.is_dir():
        raise InputError(f"expected a dataset folder at {root}, found none; `glint build SPEC --out {root}` makes one")
    wanted = latest_number(root) if number is None else number
    if wanted is None:
        raise InputError(f"expected a build in {root}, found none yet; run `glint build SPEC --out {root}`")
    folder = root / BUILDS / wanted
    if (folder / BUILD_FILE).is_file():
        return Build(wanted, folder, read_build_record(folder))
    found = ", ".join(builds(root)) or "no builds"
    if number is None:
        raise DamageFound(
            f"{root / LATEST}: expected the number of a build, found {wanted!r}; there are: {found}; remove the file "
            f"and run the build again, which writes a new build from the store"
        )
    raise InputError(f"expected one of the builds of {root} ({found}), found {number!r}")


def read_build_record(folder: Path) -> BuildRecord:
    """`build.json` of a build's *folder*. Raises DamageFound when it is missing or not a build's record."""
    path = folder / BUILD_FILE
    try:
        return from_dict(BuildRecord, read_json(path))
    except (OSError, ValueError) as error:
        raise DamageFound(
            f"{path}: expected the record of a build, found {error}; remove the folder {folder.name}, and {LATEST} if "
            f"it names it, and run the build again, which writes a new build from the store"
        ) from error


def _scene_rows(store: Store, scene: SceneOutputs, tally: _Tally) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(table, rows) of one scene, with paths relative to DATASET."""
    for stage, key in scene.outputs.items():
        for table, rows in _output_rows(store, stage, key, f"scene {scene.scene_id}", tally):
            yield table, [_finished(scene, table, row) for row in rows]
    yield "outputs", [{"scene_id": scene.scene_id, "stage": stage, "key": key} for stage, key in scene.outputs.items()]


def _output_rows(
    store: Store, stage: str, key: str, whose: str, tally: _Tally
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(table, rows) of one output, with paths relative to DATASET."""
    try:
        record = store.record(stage, key)
    except FileNotFoundError:
        raise DamageFound(f"{whose}: expected the output {stage}/{key} in the store") from None
    tally.add_output(record)
    folder = store.folder(stage, key)
    if ROWS_FILE not in record.files:
        return
    for table, rows in read_json(folder / ROWS_FILE).items():
        if table not in TABLES:
            raise DamageFound(f"{store.relative(folder)}: expected known tables in {ROWS_FILE}, found {table!r}")
        yield table, [_placed(store, record, table, row) for row in rows]


def _finished(scene: SceneOutputs, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """*row* with what only the caller knows."""
    key = tuple(row[name] for name in TABLES[table].key)
    return {**row, **_given(scene, table), **scene.changes.get(table, {}).get(key, {})}


def _given(scene: SceneOutputs, table: str) -> dict[str, Any]:
    """Those of the scene's given columns that *table* has."""
    if table not in {"scenes", "photos"}:
        return {}
    known = {column.name for column in TABLES[table].columns}
    return {name: value for name, value in scene.columns.items() if name in known}


def _placed(store: Store, record: OutputRecord, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """*row* with its paths below DATASET, and for a scene the values that only the store knows."""
    prefix = store.relative(store.folder(record.stage, record.key))
    placed = dict(row)
    for name in TABLES[table].paths():
        path = placed.get(name)
        if path is None:
            continue
        if path in record.dropped:
            placed[name] = None
            continue
        if path not in record.files:
            raise DamageFound(f"{prefix}: {ROWS_FILE}, table {table}, {name}: expected a file of it, found {path!r}")
        placed[name] = f"{prefix}/{path}"
    if table == "scenes":
        placed["scene_key"] = record.key
        placed["render_seconds"] = record.numbers.get("render_seconds", record.seconds)
    return placed


def _build_record(folder: Path, info: BuildInfo, tally: _Tally) -> BuildRecord:
    import pyarrow.parquet as pq

    files = {name: folder / f"{name}.parquet" for name in TABLES}
    return BuildRecord(
        schema_version=SCHEMA_VERSION,
        dataset=info.dataset,
        spec_path=info.spec_path,
        spec_sha256=sha256_bytes(info.spec_text.encode()),
        spec_text=info.spec_text,
        plan_hash=info.plan_hash,
        code_version=code_version(),
        created=info.created,
        environment=environment(),
        tables={
            name: TableFile(path.name, pq.read_metadata(path).num_rows, path.stat().st_size, sha256_file(path))
            for name, path in files.items()
        },
        splits={name: tally.splits[name] for name in sorted(tally.splits)},
        stages=tally.stages,
        quarantined=tuple(sorted(info.quarantined)),
        description=info.description,
        licence=info.licence,
        transfer=info.transfer,
    )


def _move_into_place(folder: Path, builds_folder: Path) -> str:
    """Rename *folder* to the next free number."""
    builds_folder.mkdir(exist_ok=True)
    taken = [int(entry.name) for entry in builds_folder.iterdir() if entry.name.isdigit()]
    number = max(taken, default=0) + 1
    while True:
        try:
            folder.rename(builds_folder / f"{number:04d}")
        except OSError as error:  # another build of the same dataset took the number
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            number += 1
        else:
            flush_folder(builds_folder)
            return f"{number:04d}"


def _point_latest(root: Path, staging: Path, number: str) -> None:
    pointer = staging / LATEST
    pointer.write_text(f"{number}\n", encoding="ascii")
    pointer.replace(root / LATEST)
    flush_folder(root)
