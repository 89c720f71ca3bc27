"""verify of transfer: what photos say, what their tries say and the limits of the build must agree."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.dataset.check_transfer import check_transfer
from pipeline.dataset.problems import Findings
from pipeline.dataset.tables import rows_to_table
from pipeline.dataset.transfer_record import TransferRecord

PHOTO: dict[str, Any] = {
    "photo_id": "a-p0",
    "view_id": "a-v0",
    "scene_id": "a",
    "split": "train",
    "image_path": "store/transfer/x.png",
    "sha256": "0",
    "width": 8,
    "height": 8,
    "origin": "sd15",
    "transfer_strength": 0.2,
    "gate_passed": True,
}
KEPT: dict[str, Any] = {
    "photo_id": "a-p0",
    "scene_id": "a",
    "try_index": 1,
    "strength": 0.2,
    "kept": True,
    "scores": {"blob": 0.15},
    "exceeded": [{"score": "blob", "value": 0.15, "of": "background"}],
    "picture_path": "store/transfer/x.png",
}
ROUND_TRIP = {**KEPT, "try_index": 0, "strength": 0.0, "kept": False, "picture_path": None}
RECORD = TransferRecord("auto", True, limits={"blob": 0.15}, tried=1, kept=1)


def problems(photo: dict[str, Any] = PHOTO, tries: tuple[dict[str, Any], ...] = (ROUND_TRIP, KEPT), record=RECORD):
    findings = Findings()
    check_transfer(record, rows_to_table("photos", [photo]), rows_to_table("transfers", list(tries)), findings)
    return [problem.what for problem in findings.problems]


def test_tables_that_agree_are_sound() -> None:
    assert problems() == []
    camera = {**PHOTO, "origin": "camera", "image_path": "p.png", "transfer_strength": None, "gate_passed": None}
    assert problems(camera, (), TransferRecord("off", False)) == []
    failed = {**KEPT, "kept": False}
    assert problems({**camera, "gate_passed": False}, (failed,), TransferRecord("auto", True, tried=1)) == []


@pytest.mark.parametrize(
    ("photo", "tries", "check"),
    [
        ({"gate_passed": False}, {}, "gate_passed"),
        ({"origin": "camera"}, {}, "origin"),
        ({"image_path": "store/photos/x.png"}, {}, "image_path"),
        ({"transfer_strength": 0.3}, {}, "transfer_strength"),
        ({}, {"scores": {"blob": 0.151}}, "gate blob"),
        ({}, {"exceeded": [{"score": "chroma", "value": 11.0, "of": "part 1"}]}, "gate chroma"),
    ],
)
def test_what_does_not_agree_is_named(photo: dict[str, Any], tries: dict[str, Any], check: str) -> None:
    assert problems({**PHOTO, **photo}, ({**KEPT, **tries},)) == [check]


def test_two_kept_tries_and_wrong_counts() -> None:
    assert "transfer" in problems(PHOTO, (KEPT, {**KEPT, "try_index": 2}))
    assert problems(record=TransferRecord("auto", True, limits={"blob": 0.15}, tried=2, kept=1)) == ["transfer"]
