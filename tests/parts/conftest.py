"""What the tests of `pipeline.parts` share: the fixture files, and readings of them made once."""

from functools import cache
from pathlib import Path

import pytest

from pipeline.parts.child import Job, read_here
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.part import Part

DATA = Path(__file__).parent / "data"


@cache
def _read(name: str) -> Part:
    return read_here(Job(str(DATA / name), None, Tolerance(), Limits(), ""))


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA


@pytest.fixture(scope="session")
def part_of():
    """Read a fixture file by name; the same file is read only once."""
    return _read
