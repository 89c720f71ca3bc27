"""Which films a metal can carry: the key `on` of assets/tables/films.

Covers: restricting weights over films to those that fit a metal. Does not cover: what a film looks like (`surface`).
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from pipeline import tables


def fits(film: str, metal: str) -> bool:
    """Whether *film* can lie on *metal*: one of the shell patterns of its `on` matches, or it has none."""
    patterns = tables.table("films")[film].get("on")
    return patterns is None or any(fnmatchcase(metal, pattern) for pattern in patterns)


def films_on(metal: str, weights: Mapping[str, float]) -> dict[str, float]:
    """The films of *weights* that *metal* can carry, with their weights; empty when none of them has a weight."""
    found = {film: weight for film, weight in weights.items() if fits(film, metal)}
    return found if sum(found.values()) > 0 else {}
