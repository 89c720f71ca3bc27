"""What `verify` finds: problems, one line each, and the report of a whole check.

Does not cover: the checks themselves (`verify`, `check_store`, `check_tables`, `check_views`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Progress = Callable[[str, int, int], None]
"""Called with (what is checked, how many are done, how many there are)."""


@dataclass(frozen=True)
class Problem:
    """Something that does not hold."""

    what: str
    """The rule, in few words: "checksum", "foreign key", "sum of light groups" ..."""
    where: str
    """File or row, relative to the dataset folder."""
    expected: str
    found: str

    def __str__(self) -> str:
        """The problem in one line."""
        return f"{self.where}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Report:
    """The outcome of a check."""

    build: str | None
    """Number of the build that was checked; None when the dataset has none."""
    checked: dict[str, int]
    """How many of what were looked at: outputs, files, rows, views, photos."""
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.problems


class Findings:
    """Collects problems while checks run."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.checked: dict[str, int] = {}

    def expect(self, holds: bool, what: str, where: str, expected: Any, found: Any) -> bool:
        """Note a problem unless *holds*; returns *holds*."""
        if not holds:
            self.problems.append(Problem(what, where, str(expected), str(found)))
        return holds

    def count(self, what: str, number: int = 1) -> None:
        """Add to the number of *what* that was looked at."""
        self.checked[what] = self.checked.get(what, 0) + number


def no_progress(what: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""
