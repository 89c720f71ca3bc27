"""Checks of the store: every output is whole, every file has the bytes that its record promises.

Does not cover: what the files mean (`check_views`), what tables say of them (`check_tables`).
"""

from __future__ import annotations

from pathlib import Path

from pipeline.dataset.problems import Findings, Progress
from pipeline.dataset.store import RECORD_FILE, STORE, FileRecord, OutputRecord, Store
from pipeline.errors import DamageFound
from pipeline.records import sha256_file


def check_store(store: Store, findings: Findings, progress: Progress) -> dict[tuple[str, str], OutputRecord]:
    """Check every output of *store*; returns the records that could be read, by (stage, key)."""
    folders = sorted(path for path in (store.root / STORE).glob("*/*/*") if path.is_dir())
    records = {}
    for done, folder in enumerate(folders):
        progress("store", done, len(folders))
        record = _read_record(store, folder, findings)
        if record is not None:
            records[record.stage, record.key] = record
            check_output(store, folder, record, findings)
    progress("store", len(folders), len(folders))
    return records


def check_output(store: Store, folder: Path, record: OutputRecord, findings: Findings) -> None:
    """Compare the files in *folder* with *record*: presence, size, checksum, and nothing else lying about."""
    findings.count("outputs")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for extra in sorted(present - set(record.files) - {RECORD_FILE}):
        findings.expect(False, "unknown file", store.relative(folder / extra), "only files of the record", "this one")
    for name, promised in record.files.items():
        findings.count("files")
        _check_file(store, folder / name, promised, findings)


def _check_file(store: Store, path: Path, promised: FileRecord, findings: Findings) -> None:
    where = store.relative(path)
    try:
        size = path.stat().st_size
        if findings.expect(size == promised.bytes, "size", where, f"{promised.bytes} bytes", f"{size} bytes"):
            digest = sha256_file(path)
            findings.expect(digest == promised.sha256, "checksum", where, promised.sha256, digest)
    except OSError as error:
        findings.expect(False, "file", where, f"a readable file of {promised.bytes} bytes", error.strerror)


def _read_record(store: Store, folder: Path, findings: Findings) -> OutputRecord | None:
    stage, key = folder.parts[-3], folder.name
    where = store.relative(folder / RECORD_FILE)
    try:
        record = store.record(stage, key)
    except (OSError, DamageFound, ValueError) as error:
        findings.expect(False, "output record", where, "a readable record", error)
        return None
    holds = (record.stage, record.key) == (stage, key) and folder.parts[-2] == key[:2]
    findings.expect(holds, "output record", where, f"{stage}/{key}", f"{record.stage}/{record.key}")
    return record if holds else None
