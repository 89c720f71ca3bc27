"""Distributions as a spec writes them: numbers and whole numbers.

Covers: the TOML forms, their checks, and the map from a uniform number to a drawn value. Does not cover: where the
uniform numbers come from (`seeds`), what is drawn with them (`draw`).

A number may be written in four ways:

    x = 0.7                                         always 0.7
    x = [0.5, 0.9]                                  uniform between the two
    x = { min = 0.1, max = 10.0, scale = "log" }    uniform in log(x)
    x = { choices = [2.8, 4.0], weights = [0.7, 0.3] }   one of these; weights may be left out
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from pipeline.spec.checks import Check, check_sum, problem

Probability = Annotated[float, Field(ge=0, le=1)]


def round_drawn(value: float) -> float:
    """Round to 9 significant digits, so that the last bits of a maths library never reach a key."""
    return float(f"{value:.9g}")


def pick(weights: Sequence[float], u: float) -> int:
    """Index drawn with probability proportional to *weights* (sum > 0) by the uniform number *u* in [0, 1)."""
    sums = list(accumulate(weights))
    return min(bisect_right(sums, u * sums[-1]), _last_positive(weights))


def _last_positive(weights: Sequence[float]) -> int:
    return max(i for i, weight in enumerate(weights) if weight > 0)


def pick_name(weights: Mapping[str, float], u: float) -> str:
    """A name drawn by its weight; the order of the names in the file does not matter."""
    ordered = sorted(weights)
    return ordered[pick([weights[name] for name in ordered], u)]


class Section(BaseModel):
    """Base of every table of a spec: immutable, no unknown keys, no silent conversion, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Numbers(Section):
    """A distribution over numbers: a range (min, max, scale) or a list of choices; a constant is one choice."""

    min: float | None = Field(default=None, description="Lowest value of a range.")
    max: float | None = Field(default=None, description="Highest value of a range.")
    scale: Literal["linear", "log"] = Field(default="linear", description="Uniform in x or in log(x).")
    choices: tuple[float, ...] | None = Field(default=None, description="The values to choose from.")
    weights: tuple[float, ...] | None = Field(default=None, description="Probability of each choice; equal if absent.")

    @model_validator(mode="before")
    @classmethod
    def _read_short_forms(cls, value: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return {"choices": (value,)}
        if isinstance(value, (tuple, list)) and len(value) == 2:
            return {"min": value[0], "max": value[1]}
        if isinstance(value, (dict, Numbers)):
            return value
        raise problem("a number, a range [lowest, highest], or a table with min and max or with choices")

    @model_validator(mode="after")
    def _check(self) -> Numbers:
        if self.choices is None:
            self._check_range()
        else:
            self._check_choices(self.choices)
        return self

    def _check_range(self) -> None:
        if self.min is None or self.max is None:
            raise problem("both min and max, or choices")
        if self.weights is not None:
            raise problem("weights only together with choices", "weights beside min and max")
        if self.min > self.max:
            raise problem("a range whose first number is not above its second", f"{self.min} > {self.max}")
        if self.scale == "log" and self.min <= 0:
            raise problem('a lowest value above 0 for scale = "log"', str(self.min))

    def _check_choices(self, choices: tuple[float, ...]) -> None:
        if self.min is not None or self.max is not None or self.scale != "linear":
            raise problem("either min, max and scale or choices", "both")
        if not choices:
            raise problem("at least one choice", "none")
        if self.weights is None:
            return
        if len(self.weights) != len(choices):
            raise problem("one weight for each choice", f"{len(self.weights)} weights for {len(choices)} choices")
        if any(weight < 0 for weight in self.weights):
            raise problem("weights that are not negative", str(list(self.weights)))
        check_sum(self.weights)

    @property
    def lowest(self) -> float:
        """The smallest value that can be drawn."""
        return self.min if self.min is not None else min(self.choices or ())

    @property
    def highest(self) -> float:
        """The largest value that can be drawn."""
        return self.max if self.max is not None else max(self.choices or ())

    def value(self, u: float) -> float:
        """The drawn value for a uniform number *u* in [0, 1): the quantile function, 9 significant digits."""
        if self.choices is not None:
            return float(self.choices[pick(self.weights or [1.0] * len(self.choices), u)])
        low, high = float(self.lowest), float(self.highest)
        drawn = low * math.exp(u * math.log(high / low)) if self.scale == "log" else low + u * (high - low)
        return min(max(round_drawn(drawn), low), high)


class Counts(Numbers):
    """A distribution over whole numbers; both ends of a range are included."""

    min: int | None = Field(default=None, description="Lowest count of a range.")
    max: int | None = Field(default=None, description="Highest count of a range.")
    scale: Literal["linear"] = Field(default="linear", description="Counts of a range are equally likely.")
    choices: tuple[int, ...] | None = Field(default=None, description="The counts to choose from.")

    def count(self, u: float) -> int:
        """The drawn count for a uniform number *u* in [0, 1)."""
        if self.choices is not None:
            return int(self.value(u))
        low, high = int(self.lowest), int(self.highest)
        return min(low + int(u * (high - low + 1)), high)


def between(low: float, high: float) -> Numbers:
    """A uniform range, for defaults."""
    return Numbers(min=float(low), max=float(high))


def constant(value: float) -> Numbers:
    """A number that is always the same, for defaults."""
    return Numbers(choices=(float(value),))


@dataclass(frozen=True)
class Within(Check):
    """Validator: every value that a distribution can give lies in [low, high]; errors name the offending end."""

    low: float
    high: float

    def check(self, numbers: Numbers) -> Numbers:
        """Return *numbers* or raise."""
        named: list[tuple[tuple[str | int, ...], float | None]] = [(("min",), numbers.min), (("max",), numbers.max)]
        named += [(("choices", i), value) for i, value in enumerate(numbers.choices or ())]
        wrong = [
            InitErrorDetails(type=problem(f"{self.low:g} to {self.high:g}"), loc=where, input=value)
            for where, value in named
            if value is not None and not self.low <= value <= self.high
        ]
        if wrong:
            raise ValidationError.from_exception_data("range", wrong)
        return numbers
