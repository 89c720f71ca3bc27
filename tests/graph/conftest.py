"""A small spec and the fake stages, for every test of the graph."""

from __future__ import annotations

import pytest
from support.fake_builds import FAKE_STAGES, write_spec


@pytest.fixture(autouse=True)
def _fake_stages(monkeypatch):
    monkeypatch.setenv("GLINT_STAGES", FAKE_STAGES)
    monkeypatch.delenv("GLINT_FAKE", raising=False)


@pytest.fixture
def spec(tmp_path):
    return write_spec(tmp_path / "spec")
