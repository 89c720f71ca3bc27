"""Checks of transfer: photos, their tries and the limits of the build say the same.

Does not cover: pictures; that a changed photo's file has its checksum is checked like any other's (`check_tables`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from pipeline.dataset.problems import Findings
from pipeline.dataset.transfer_record import TransferRecord


def check_transfer(record: TransferRecord | None, photos: Any, transfers: Any, findings: Findings) -> None:
    """Check the tables photos and transfers against each other and against the limits in *record*."""
    tries: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in transfers.to_pylist(maps_as_pydicts="strict"):
        if row["try_index"] > 0:
            tries[row["photo_id"]].append(row)
    names = ["photo_id", "origin", "image_path", "transfer_strength", "gate_passed", "camera_image_path"]
    for photo in photos.select(names).to_pylist():
        _check_photo(photo, tries[photo["photo_id"]], findings)
    limits = {} if record is None else record.limits
    for own in tries.values():
        for row in own:
            if row["kept"]:
                _check_limits(row, limits, findings)
    if record is not None:
        kept = sum(row["kept"] for own in tries.values() for row in own)
        counts = (sum(bool(own) for own in tries.values()), kept)
        findings.expect(
            counts == (record.tried, record.kept), "transfer", "build.json", counts, (record.tried, record.kept)
        )


def _check_photo(photo: dict[str, Any], tries: list[dict[str, Any]], findings: Findings) -> None:
    where = f"photo {photo['photo_id']}"
    kept = [row for row in tries if row["kept"]]
    passed = bool(kept) if tries else None
    findings.expect(len(kept) <= 1, "transfer", where, "at most one try that is kept", len(kept))
    findings.expect(photo["gate_passed"] == passed, "gate_passed", where, passed, photo["gate_passed"])
    origin = "sd15" if kept else "camera"
    findings.expect(photo["origin"] == origin, "origin", where, origin, photo["origin"])
    for row in kept[:1]:
        path, strength = photo["image_path"], photo["transfer_strength"]
        findings.expect(path == row["picture_path"], "image_path", where, row["picture_path"], path)
        findings.expect(strength == row["strength"], "transfer_strength", where, row["strength"], strength)


def _check_limits(row: dict[str, Any], limits: Any, findings: Findings) -> None:
    """A picture that is kept passes the build's own limits."""
    where = f"photo {row['photo_id']}, try {row['try_index']}"
    for name, value in (row["scores"] or {}).items():
        limit = limits.get(name)
        within = limit is not None and value <= limit
        findings.expect(within, f"gate {name}", where, f"at most {limit}", value)
    for one in json.loads(row["exceeded"] or "[]"):
        value, limit = one["value"], limits.get(one["score"], 0.0)
        findings.expect(value <= limit, f"gate {one['score']}", where, f"at most {limit}", value)
