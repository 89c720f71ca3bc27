"""Choices among names, as a spec writes them: tables from name to probability, with the names that are allowed.

Covers: the types of such tables. Does not cover: what the names stand for (`surface`, `light`, `camera`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, get_args

from pydantic import AfterValidator, Field

from pipeline import tables
from pipeline.spec.checks import Check, check_sum, problem, suggestion
from pipeline.spec.scene import ArrangementKind, Tone


def _sum_of_table(weights: dict[str, float]) -> dict[str, float]:
    check_sum(list(weights.values()))
    return weights


@dataclass(frozen=True)
class InTable(Check):
    """Validator: a word is an entry of a table of the assets folder, which is read only when a spec is."""

    table: str

    @property
    def words(self) -> Sequence[str]:
        """The allowed words."""
        return tables.names(self.table)

    def check(self, word: str) -> str:
        """Return *word* or raise."""
        return _known(word, self.words)


@dataclass(frozen=True)
class OneOf(Check):
    """Validator: a word is one of a fixed few."""

    words: Sequence[str]

    def check(self, word: str) -> str:
        """Return *word* or raise."""
        return _known(word, self.words)


def _known(word: str, words: Sequence[str]) -> str:
    if word not in words:
        raise problem(f"one of {', '.join(sorted(words))}", f'"{word}"', suggestion(word, words))
    return word


Weight = Annotated[float, Field(ge=0)]
sums_to_one = AfterValidator(_sum_of_table)
"""Validator of a table of weights."""

MetalWeights = Annotated[dict[Annotated[str, InTable("metals")], Weight], sums_to_one]
FilmWeights = Annotated[dict[Annotated[str, InTable("films")], Weight], sums_to_one]
DefectWeights = Annotated[dict[Annotated[str, InTable("defects")], Weight], sums_to_one]
ProcessName = Annotated[str, InTable("processes")]
RigName = Annotated[str, InTable("rigs")]
TaskName = Annotated[str, InTable("illuminance")]
FinishWeights = Annotated[dict[Annotated[str, InTable("finishes")], Weight], sums_to_one]
RigWeights = Annotated[dict[Annotated[str, InTable("rigs")], Weight], sums_to_one]
SupportWeights = Annotated[dict[Annotated[str, InTable("supports")], Weight], sums_to_one]
SensorWeights = Annotated[dict[Annotated[str, InTable("sensors")], Weight], sums_to_one]
LensWeights = Annotated[dict[Annotated[str, InTable("lenses")], Weight], sums_to_one]
DriverWeights = Annotated[dict[Annotated[str, InTable("drivers")], Weight], sums_to_one]
ToneWeights = Annotated[dict[Annotated[str, OneOf(get_args(Tone))], Weight], sums_to_one]
GlassWeights = Annotated[dict[Annotated[str, InTable("glass")], Weight], sums_to_one]
KindWeights = Annotated[dict[Annotated[str, OneOf(get_args(ArrangementKind))], Weight], sums_to_one]
KindSurfaces = dict[Annotated[str, OneOf(get_args(ArrangementKind))], SupportWeights]
