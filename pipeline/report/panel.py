"""A panel: one picture of a view with its title, its note and its legend.

Does not cover: what is shown (`panels`, `reflection_panels`), pages (`page`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.report.draw import Color, Picture


@dataclass(frozen=True)
class Legend:
    """A colour and what it stands for."""

    color: Color
    text: str


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of a view."""

    title: str
    note: str
    """One short line: a range, a count, or why there is no picture."""
    picture: Picture | None
    legend: tuple[Legend, ...] = ()


def guarded(title: str, make: Callable[[], Panel]) -> Panel:
    """The panel, or one that says why it cannot be drawn: a report must come out when one layer is damaged."""
    try:
        return make()
    except (OSError, KeyError, ValueError, TypeError) as error:
        return Panel(title, f"cannot be drawn: {error}", None)
