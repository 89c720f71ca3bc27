"""Checks of a build's tables: files as promised, schemas, keys, splits, paths, and numbers that must agree.

Covers: everything that needs no pixels. Does not cover: layers and masks (`check_views`), the store (`check_store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from pipeline.dataset.build import BuildRecord
from pipeline.dataset.check_transfer import check_transfer
from pipeline.dataset.columns import SCHEMA_VERSION
from pipeline.dataset.problems import Findings
from pipeline.dataset.store import OutputRecord
from pipeline.dataset.tables import TABLES
from pipeline.records import sha256_file

PARENTS: Final = {
    "views": {"scene_id": "scenes"},
    "photos": {"scene_id": "scenes", "view_id": "views"},
    "instances": {"view_id": "views"},
    "reflections": {"view_id": "views"},
    "mirror_images": {"view_id": "views", "scene_id": "scenes"},
    "reflection_layers": {"view_id": "views", "scene_id": "scenes"},
    "cast_light": {"view_id": "views"},
    "defects": {"view_id": "views"},
    "highlights": {"photo_id": "photos"},
    "glass": {"photo_id": "photos", "view_id": "views"},
    "overexposed": {"photo_id": "photos", "view_id": "views", "scene_id": "scenes"},
    "transfers": {"photo_id": "photos", "scene_id": "scenes"},
    "outputs": {"scene_id": "scenes"},
}
"""Table -> column -> table whose key it must name."""

Records = Mapping[tuple[str, str], OutputRecord]


def check_tables(root: Path, folder: Path, record: BuildRecord, records: Records, findings: Findings) -> dict[str, Any]:
    """Check the tables of the build in *folder*; returns those that could be read, by name."""
    tables = {}
    for name in TABLES:
        table = _read_table(root, folder, record, name, findings)
        if table is not None:
            tables[name] = table
            _check_unique(name, table, findings)
            _check_paths(name, table, records, findings)
    for name, columns in PARENTS.items():
        for column, parent in columns.items():
            if name in tables and parent in tables:
                _check_parents(name, column, tables[name], parent, tables[parent], findings)
    if "scenes" in tables and "photos" in tables:
        _check_splits(record, tables["scenes"], tables["photos"], findings)
    if "photos" in tables:
        _check_photos(tables["photos"], records, findings)
    if "photos" in tables and "highlights" in tables:
        _check_clipping(tables["photos"], tables["highlights"], findings)
    if "photos" in tables and "transfers" in tables:
        check_transfer(record.transfer, tables["photos"], tables["transfers"], findings)
    return tables


def _read_table(root: Path, folder: Path, record: BuildRecord, name: str, findings: Findings) -> Any:
    where = f"{folder.relative_to(root).as_posix()}/{name}.parquet"
    promised = record.tables.get(name)
    if not findings.expect(promised is not None, "tables", where, "an entry in build.json", "none") or promised is None:
        return None
    path = folder / promised.file
    try:
        digest = sha256_file(path)
        findings.expect(digest == promised.sha256, "checksum", where, promised.sha256, digest)
        table = pq.read_table(path)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        findings.expect(False, "table", where, "a readable Parquet file", error)
        return None
    findings.count("rows", table.num_rows)
    findings.expect(table.num_rows == promised.rows, "rows", where, promised.rows, table.num_rows)
    found = (table.schema.metadata or {}).get(b"schema_version", b"none").decode()
    findings.expect(found == SCHEMA_VERSION, "schema version", where, SCHEMA_VERSION, found)
    same = table.schema.equals(TABLES[name].arrow())
    return table if findings.expect(same, "schema", where, "the columns of the contract", table.schema.names) else None


def _check_unique(name: str, table: Any, findings: Findings) -> None:
    seen = set()
    for key in zip(*(table.column(column).to_pylist() for column in TABLES[name].key), strict=True):
        where = f"{name} {'/'.join(map(str, key))}"
        findings.expect(key not in seen, "key", where, "one row", "another row of the same key")
        seen.add(key)


def _check_paths(name: str, table: Any, records: Records, findings: Findings) -> None:
    for column in TABLES[name].paths():
        for row, path in enumerate(table.column(column).to_pylist()):
            if path is not None:
                holds = _recorded(path, records) is not None or _dropped(path, records)
                findings.expect(holds, column, f"{name} row {row}", "a file that an output record lists", path)


def _recorded(path: str, records: Records) -> str | None:
    """The recorded checksum of a file given by its *path* below DATASET; None when no record lists it."""
    parts = path.split("/", 4)
    if len(parts) < 5 or parts[0] != "store":
        return None
    record = records.get((parts[1], parts[3]))
    if record is None or parts[4] not in record.files:
        return None
    return record.files[parts[4]].sha256


def _dropped(path: str, records: Records) -> bool:
    """Whether a record says that the file was dropped, as a later build did that keeps less."""
    parts = path.split("/", 4)
    record = records.get((parts[1], parts[3])) if len(parts) == 5 else None
    return record is not None and parts[4] in record.dropped


def _check_parents(name: str, column: str, table: Any, parent: str, parents: Any, findings: Findings) -> None:
    known = set(parents.column(column).to_pylist())
    for value in dict.fromkeys(table.column(column).to_pylist()):
        findings.expect(value in known, "foreign key", f"{name}.{column}", f"a row of {parent}", value)


def _check_splits(record: BuildRecord, scenes: Any, photos: Any, findings: Findings) -> None:
    split_of = dict(zip(scenes.column("scene_id").to_pylist(), scenes.column("split").to_pylist(), strict=True))
    counts: dict[str, dict[str, int]] = {}
    for split in split_of.values():
        counts.setdefault(split, {"scenes": 0, "photos": 0})["scenes"] += 1
    columns = (photos.column(name).to_pylist() for name in ("photo_id", "scene_id", "split"))
    for photo_id, scene_id, split in zip(*columns, strict=True):
        counts.setdefault(split, {"scenes": 0, "photos": 0})["photos"] += 1
        expected = split_of.get(scene_id)
        findings.expect(split == expected, "split", f"photo {photo_id}", f"its scene's split, {expected}", split)
    findings.expect(counts == record.splits, "splits", "build.json", counts, record.splits)


def _check_photos(photos: Any, records: Records, findings: Findings) -> None:
    columns = (photos.column(name).to_pylist() for name in ("photo_id", "image_path", "sha256", "clipped_fraction"))
    for photo_id, path, digest, clipped in zip(*columns, strict=True):
        recorded = _recorded(path, records)
        findings.expect(recorded in {digest, None}, "photo checksum", f"photo {photo_id}", recorded, digest)
        share = clipped is None or 0.0 <= clipped <= 1.0
        findings.expect(share, "clipped_fraction", f"photo {photo_id}", "a share from 0 to 1", clipped)


def _check_clipping(photos: Any, highlights: Any, findings: Findings) -> None:
    """No highlight has more clipped pixels than it has pixels, or than its whole photo has."""
    names = ("photo_id", "clipped_fraction", "width", "height")
    limits = {
        photo_id: (1.0 if share is None else share) * width * height
        for photo_id, share, width, height in zip(*(photos.column(name).to_pylist() for name in names), strict=True)
    }
    names = ("photo_id", "highlight_id", "clipped_px", "area_px")
    for photo_id, number, clipped, area in zip(*(highlights.column(name).to_pylist() for name in names), strict=True):
        most = max(clipped or [0])
        limit = min(area, round(limits.get(photo_id, area)))
        where = f"photo {photo_id}, highlight {number}"
        findings.expect(most <= limit, "clipped pixels", where, f"at most {limit}", most)
