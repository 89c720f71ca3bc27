"""What the checks of a spec have in common: errors in the project's words, and validators that can be asked.

Covers: the error type that carries `expected`, `found` and `hint`, sums of probabilities, the base of validators. Does
not cover: what is checked (`numbers`, `names`, `files`, `model`), the wording of a message (`messages`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

PROBLEM: Final = "glint"
"""Type of the validation errors that carry their own `expected`, `found` and `hint`."""

SUM_TOLERANCE: Final = 1e-6
"""How far a set of probabilities may be from 1."""


def problem(expected: str, found: str | None = None, hint: str = "") -> PydanticCustomError:
    """A validation error in the project's words; without *found*, the offending value itself is printed."""
    return PydanticCustomError(PROBLEM, "{expected}", {"expected": expected, "found": found, "hint": hint})


def suggestion(word: str, allowed: Sequence[str]) -> str:
    """ "did you mean ...?" when something in *allowed* is close to *word*, else an empty string."""
    near = get_close_matches(word, allowed, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""


def check_sum(weights: Sequence[float]) -> None:
    """Raise a validation error unless *weights* sum to 1 within SUM_TOLERANCE."""
    total = math.fsum(weights)
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise problem("weights that sum to 1", f"a sum of {total:.9g}")


class Check:
    """Base of validators that run after pydantic's own; metadata of a field, so that the reference can show them."""

    def check(self, value: Any) -> Any:
        """Return *value* or raise the error of `problem`."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Tell pydantic to call `check`."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))
