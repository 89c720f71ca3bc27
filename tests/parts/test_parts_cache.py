"""Parts that were read before."""

from __future__ import annotations

import numpy as np
import pytest
from support.synthetic_bundle import ball

from pipeline.errors import InputError
from pipeline.parts import cache
from pipeline.parts.part import MESH_FILE, save_part

KEY = "ab" * 32


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GLINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "parts" / "ab" / KEY


def fail():
    raise InputError("this part must not be read again")


def test_a_part_is_read_once_and_comes_back_with_the_same_bytes(folder, tmp_path):
    part = ball()
    assert cache.remembered(KEY, lambda: part) is part
    again = cache.remembered(KEY, fail)
    for number, found in enumerate((part, again)):
        (tmp_path / str(number)).mkdir()
        save_part(found, tmp_path / str(number))
    for name in ("mesh.npz", "part.json"):
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()


def test_a_damaged_entry_is_read_anew_and_replaced(folder):
    cache.remembered(KEY, ball)
    data = bytearray((folder / MESH_FILE).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (folder / MESH_FILE).write_bytes(data)
    assert np.array_equal(cache.remembered(KEY, ball).vertices, ball().vertices)
    assert np.array_equal(cache.remembered(KEY, fail).vertices, ball().vertices)


def test_a_failure_is_not_remembered_and_leaves_nothing(folder):
    with pytest.raises(InputError):
        cache.remembered(KEY, fail)
    assert not folder.exists()


def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GLINT_CACHE", str(tmp_path / "file"))
    assert len(cache.remembered(KEY, ball).vertices) == len(ball().vertices)
