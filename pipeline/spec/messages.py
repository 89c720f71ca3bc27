"""What is wrong with a spec, in one message: the exact TOML path, what was expected, what was found.

Covers: turning pydantic's errors into the project's words. Does not cover: finding the errors (`model`, `numbers`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.spec.checks import PROBLEM, suggestion
from pipeline.spec.model import DatasetSpec

_BARE_KEY = re.compile(r"^[A-Za-z0-9_-]+$")
_LONGEST_VALUE = 100

_EXPECTED: Final[Mapping[str, str]] = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than_equal": "{ge:g} or more",
    "int_type": "a whole number",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
    "missing": "this key, which must be there",
    "model_type": "a table",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_type": "text in quotes",
    "too_long": "{max_length} values",
    "tuple_type": "an array",
}
"""pydantic's error type -> what was expected, with the error's own context filled in."""


def describe(error: ValidationError, raw: Mapping[str, Any]) -> list[str]:
    """One line per problem, in the order of the models; *raw* is the parsed file that was validated."""
    return [_line(details, raw) for details in error.errors()]


def _line(details: ErrorDetails, raw: Mapping[str, Any]) -> str:
    context = details.get("ctx", {})
    path = toml_path(details["loc"], raw)
    if details["type"] == PROBLEM:
        found = context["found"] or _value(details["input"])
        return _sentence(path, context["expected"], found, context["hint"])
    if details["type"] == "extra_forbidden":
        return _unknown_key(path, details["loc"])
    if details["type"] == "missing" and isinstance(details["loc"][-1], int):
        return _sentence(toml_path(details["loc"][:-1], raw), "more values", _value(details["input"]))
    if details["type"] == "missing":
        return _sentence(path, _EXPECTED["missing"], "nothing")
    expected = _EXPECTED.get(details["type"], details["msg"]).format(**context)
    return _sentence(path, expected, _value(details["input"]))


def _sentence(path: str, expected: str, found: str, hint: str = "") -> str:
    return f"{path or 'the spec'}: expected {expected}; found {found}" + (f"; {hint}" if hint else "")


def _unknown_key(path: str, location: tuple[str | int, ...]) -> str:
    keys, key = allowed_keys(location[:-1]), str(location[-1])
    return _sentence(path, f"one of the keys {', '.join(keys)}", f'the unknown key "{key}"', suggestion(key, keys))


def _value(value: Any) -> str:
    """*value* as TOML would write it, nearly: enough to find it in the file."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = json.dumps(value, default=str) if not isinstance(value, BaseModel) else "this table"
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def toml_path(location: Sequence[str | int], raw: Any) -> str:
    """The path as the file spells it: "cameras.fill[1]" also where the model calls that end of a range "max".

    *location* is pydantic's. Short forms of numbers (`numbers`) have no keys of their own: min and max of an array
    are its elements, and the only choice of a constant is the value itself.
    """
    path = ""
    for step in location:
        if step == "[key]":
            continue
        if isinstance(raw, (tuple, list)) and step in ("min", "max"):
            path, raw = path + ("[0]" if step == "min" else "[1]"), None
        elif isinstance(raw, (tuple, list)) and isinstance(step, int):
            path, raw = f"{path}[{step}]", raw[step] if step < len(raw) else None
        elif isinstance(raw, (int, float)):
            break
        else:
            path += f".{_key(step)}" if path else _key(step)
            raw = raw.get(step) if isinstance(raw, Mapping) else None
    return path


def _key(step: str | int) -> str:
    text = str(step)
    return text if _BARE_KEY.match(text) else json.dumps(text)


def allowed_keys(location: Sequence[str | int]) -> list[str]:
    """The keys that the table at *location* may have, in the order of the model."""
    kind: Any = DatasetSpec
    for step in location:
        model = model_in(kind)
        # without a model it is a table of tables: dict[id, section]
        kind = model.model_fields[str(step)].annotation if model is not None else get_args(kind)[1]
    model = model_in(kind)
    return list(model.model_fields) if model is not None else []


def model_in(kind: Any) -> type[BaseModel] | None:
    """The model that *kind* is or that stands in it beside None; None for a table of tables and for plain values."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if hasattr(kind, "__metadata__"):
        return model_in(get_args(kind)[0])
    if type(None) in get_args(kind):
        return next((model for arg in get_args(kind) if (model := model_in(arg)) is not None), None)
    return None
