"""What the tests of `pipeline.parts` share: the fixture files, and readings of them made once."""

from functools import cache
from pathlib import Path

import pytest

from pipeline.parts.part import Part
from pipeline.parts.read import Limits, Tolerance, read_part

DATA = Path(__file__).parent / "data"


@cache
def _read(name: str) -> Part:
    return read_part(DATA / name, units=None, tolerance=Tolerance(), limits=Limits())


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA


@pytest.fixture(scope="session")
def part_of():
    """Read a fixture file by name; the same file is read only once."""
    return _read
