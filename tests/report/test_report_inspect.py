"""Inspect: finds every kind of id, says what the tables say, names near misses."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.dataset.build import Build
from pipeline.errors import DamageFound, InputError
from pipeline.report import write_report
from pipeline.report.inspect import inspect_id


@pytest.mark.parametrize(
    ("wanted", "panels", "words"),
    [
        ("balls-000001-v1-p0", 9, ("highlights of this photo", "key_panel", "exposure_ev          -0.5 stops")),
        ("balls-000001-v1", 10, ("view balls-000001-v1", "balls-000001-v1-p1", "fx                   90 px")),
        ("balls-000001", 18, ("scene balls-000001", "arrangement.surface = wood", "balls-000001-v0-p1")),
    ],
)
def test_every_kind_of_id(balls: Build, tmp_path: Path, wanted: str, panels: int, words: tuple[str, ...]) -> None:
    text, path = inspect_id(balls.folder.parents[1], wanted, tmp_path)
    for word in (*words, "surroundings", "iron", "what was drawn"):
        assert word in text
    picture = cv2.imread(str(path))
    assert path.parent == tmp_path
    assert picture.shape == (-(-panels // 3) * (360 + 24), 3 * 480, 3)
    assert np.std(picture) > 20


def test_unknown_id_names_close_ones(balls: Build, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean .*balls-000002-v1-p1"):
        inspect_id(balls.folder.parents[1], "balls-000002-v1-p9", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_dataset_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="glint build"):
        inspect_id(tmp_path / "none", "x", tmp_path)


@pytest.mark.parametrize("damage", [b"", b"not Parquet", None])
def test_a_damaged_table_is_damage_that_names_it(balls: Build, tmp_path: Path, damage: bytes | None) -> None:
    root = tmp_path / "copy"
    shutil.copytree(balls.folder.parents[1], root)
    table = root / "builds" / "0001" / "photos.parquet"
    table.unlink() if damage is None else table.write_bytes(damage)
    with pytest.raises(DamageFound, match=r"photos\.parquet: expected a readable Parquet table"):
        inspect_id(root, "balls-000000", tmp_path)
    with pytest.raises(DamageFound, match=r"photos\.parquet: expected a readable Parquet table"):
        write_report(root, root / "builds" / "0001")


def test_damaged_files_are_named_not_fatal(balls: Build, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(balls.folder.parents[1], root)
    for depth in root.glob("store/render/*/*/views/*/depth.exr"):
        depth.write_bytes(b"gone")
    for layers in root.glob("store/render/*/*/views/*/light.exr"):
        layers.unlink()
    html = write_report(root, root / "builds" / "0001").read_text()
    assert re.search(r"<b>Depth</b> cannot be drawn", html)
    assert re.search(r"<b>Light groups</b> cannot be drawn", html)
    text, _ = inspect_id(root, "balls-000000-v0", tmp_path)
    assert "view balls-000000-v0" in text
    shutil.rmtree(root / "store")
    text, path = inspect_id(root, "balls-000000-v0-p0", tmp_path)
    assert "key_panel" in text
    assert cv2.imread(str(path)).shape == (360 + 24, 480, 3)  # the map drawn from the table's masks is left
