"""Verify a dataset: store, tables, and with `deep` every picture and mask.

Covers: which checks run on what. Does not cover: the checks (`check_store`, `check_tables`, `check_views`) and mending:
`glint gc` or removing a damaged output by hand, then `glint build`, makes it again.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.dataset.build import Build, builds, latest_number, open_build
from pipeline.dataset.check_clips import check_clip
from pipeline.dataset.check_store import check_store
from pipeline.dataset.check_tables import check_tables
from pipeline.dataset.check_views import check_photo, check_view
from pipeline.dataset.problems import Findings, Problem, Progress, Report, no_progress
from pipeline.dataset.reader import Dataset
from pipeline.dataset.store import Store
from pipeline.errors import DamageFound, InputError

__all__ = ["Problem", "Report", "verify"]


def verify(root: Path, build: str | None = None, deep: bool = True, progress: Progress = no_progress) -> Report:
    """Check the dataset folder *root*: all of its store, and the tables of one build (None: the newest).

    Without *deep* no picture is decoded; checksums and tables are still checked in full. Raises InputError when there
    is no dataset or no build of that number; everything else that is wrong is in the report.
    """
    root = root.absolute()
    findings = Findings()
    opened = _open(root, build, findings)
    records = check_store(Store(root), findings, progress)
    if opened is not None:
        tables = check_tables(root, opened.folder, opened.record, records, findings)
        # Looking further into tables of another form would only repeat that they are damaged.
        if (
            deep
            and {"views", "photos", "instances", "highlights", "reflections", "defects", "overexposed"} <= tables.keys()
        ):
            _check_pictures(Dataset(root, opened.folder), findings, progress)
    return Report(opened.number if opened else None, findings.checked, tuple(findings.problems))


def _open(root: Path, number: str | None, findings: Findings) -> Build | None:
    if not root.is_dir() or not (builds(root) or latest_number(root) or (root / "store").is_dir()):
        raise InputError(f"expected a dataset folder at {root}, found none; `glint build SPEC --out {root}` makes one")
    if number is None and latest_number(root) is None:
        return None
    try:
        return open_build(root, number)
    except DamageFound as error:
        findings.expect(False, "build", number or "LATEST", "a build that can be opened", error)
        return None


def _check_pictures(dataset: Dataset, findings: Findings, progress: Progress) -> None:
    view_ids = dataset.views.column("view_id").to_pylist()
    for done, view_id in enumerate(view_ids):
        progress("views", done, len(view_ids))
        check_view(dataset, dataset.view(view_id), findings)
    photo_ids = dataset.photo_ids()
    for done, photo_id in enumerate(photo_ids):
        progress("photos", done, len(photo_ids))
        check_photo(dataset, dataset.photo(photo_id), findings)
    progress("photos", len(photo_ids), len(photo_ids))
    for clip_id in dataset.clip_ids():
        check_clip(dataset, clip_id, findings)
