"""The table of every key of a spec, generated from the models, as docs/spec.md prints it.

Covers: key, type, allowed values, default and meaning, as Markdown. Does not cover: the prose around the table.
`python -m pipeline.spec.reference` renews the table in docs/spec.md; a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.spec.checks import Check
from pipeline.spec.messages import model_in
from pipeline.spec.model import DatasetSpec
from pipeline.spec.names import InTable, OneOf
from pipeline.spec.numbers import Counts, Numbers, Within

BEGIN: Final = "<!-- keys: begin, written by python -m pipeline.spec.reference -->"
END: Final = "<!-- keys: end -->"

_PLAIN: Final = {str: "text", bool: "true or false", int: "whole number", float: "number"}


def key_reference() -> str:
    """One Markdown table per section: key, value, default, meaning."""
    lines: list[str] = []
    top = [(name, field) for name, field in DatasetSpec.model_fields.items() if _section(field) is None]
    lines += ["### At the top", "", *_table(top, "")]
    for name, field in DatasetSpec.model_fields.items():
        section = _section(field)
        if section is None:
            continue
        title = f"{name}.<id>" if name == "parts" else name
        lines += ["", f"### [{title}]", "", field.description or "", ""]
        lines += _table(list(section.model_fields.items()), f"{title}.")
        for inner, part in section.model_fields.items():
            below, heading = _list_of_tables(part.annotation), f"[[{title}.{inner}]]"
            if below is None and _inner_section(part.annotation):
                below, heading = model_in(part.annotation), f"[{title}.{inner}]"
            if below is not None:
                lines += ["", f"### {heading}", "", part.description or "", ""]
                lines += _table(list(below.model_fields.items()), f"{title}.{inner}.")
    return "\n".join(lines) + "\n"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a table of the file, also of one below a free id."""
    if get_origin(field.annotation) is dict:
        return model_in(get_args(field.annotation)[1])
    return model_in(field.annotation)


def _inner_section(kind: Any) -> bool:
    """Whether *kind* is a table of its own within a section; distributions are values."""
    model = model_in(kind)
    return model is not None and not issubclass(model, Numbers)


def _list_of_tables(kind: Any) -> type[BaseModel] | None:
    """The model of an array of tables."""
    return model_in(get_args(kind)[0]) if get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis else None


def _table(fields: list[tuple[str, FieldInfo]], prefix: str) -> list[str]:
    rows = [
        (f"`{prefix}{name}`", value_words(field.annotation, field.metadata), _default(field), field.description or "")
        for name, field in fields
    ]
    return ["| key | value | default | meaning |", "|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]


def value_words(kind: Any, metadata: list[Any]) -> str:
    """Type and allowed values of a key in words."""
    if type(None) in get_args(kind):
        return value_words(next(arg for arg in get_args(kind) if arg is not type(None)), metadata)
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        return value_words(inner, [*metadata, *more])
    if get_origin(kind) in _COMPOSED:
        return _COMPOSED[get_origin(kind)](*get_args(kind))
    if _inner_section(kind):
        return "table, see below"
    if isinstance(kind, type) and issubclass(kind, Numbers):
        return ("count distribution" if issubclass(kind, Counts) else "distribution") + _limits_words(metadata)
    return _PLAIN[kind] + _limits_words(metadata)


def _weights_words(key: Any, value: Any) -> str:
    if not any(isinstance(item, Check) for item in get_args(key)):
        return "names of your own = text" if value is str else "weights over names"
    if get_origin(value) is Annotated and get_origin(get_args(value)[0]) is dict:
        return f"for each of {_words_of(key)}: {value_words(value, [])}"
    return f"weights over {_words_of(key)}"


def _literal_words(*values: Any) -> str:
    return ", ".join(f"`{json.dumps(value)}`" for value in values)


def _array_words(*kinds: Any) -> str:
    if kinds[-1] is Ellipsis:
        return "list of tables, see below" if model_in(kinds[0]) else f"list of {_items_words(kinds[0])}"
    return "[" + ", ".join(_PLAIN[kind] for kind in kinds) + "]"


_COMPOSED: Final[dict[Any, Callable[..., str]]] = {Literal: _literal_words, dict: _weights_words, tuple: _array_words}


def _items_words(kind: Any) -> str:
    return _words_of(kind) if any(isinstance(item, Check) for item in get_args(kind)) else f"{value_words(kind, [])}s"


def _words_of(key: Any) -> str:
    check = next(item for item in get_args(key) if isinstance(item, Check))
    if isinstance(check, InTable):
        return f"the names of `assets/tables/{check.table}`"
    return ", ".join(f"`{word}`" for word in check.words) if isinstance(check, OneOf) else ""


def _limits_words(metadata: list[Any]) -> str:
    for item in metadata:
        if isinstance(item, Within):
            return f", {item.low:g} to {item.high:g}"
    low, high = _bound(metadata, "ge"), _bound(metadata, "le")
    if low is not None:
        return f", {low} to {high}" if high is not None else f", {low} or more"
    return ""


def _bound(metadata: list[Any], name: str) -> float | None:
    return next((getattr(item, name) for item in _flat(metadata) if getattr(item, name, None) is not None), None)


def _flat(metadata: list[Any]) -> Iterator[Any]:
    """Metadata with the constraints that hide in a nested pydantic Field."""
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel) and not isinstance(field.default, Numbers):
        return "see below"
    return "none" if field.default is None else f"`{toml_value(field.default)}`"


def toml_value(value: Any) -> str:
    """*value* as a spec would write it, in its shortest form."""
    if isinstance(value, Numbers):
        return _toml_numbers(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value)


def _toml_numbers(value: Numbers) -> str:
    if value.choices is not None and len(value.choices) == 1:
        return toml_value(value.choices[0])
    if value.scale == "linear" and value.choices is None:
        return toml_value((value.min, value.max))
    return toml_value(value.model_dump(exclude_defaults=True))


def with_reference(text: str) -> str:
    """A document's *text* with what stands between its two markers replaced by the current reference.

    Raises ValueError when a marker is missing.
    """
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:start]}\n\n{key_reference()}\n{text[end:]}"


def main() -> None:
    """Renew docs/spec.md of this checkout."""
    page = Path(__file__).parent.parent.parent / "docs" / "spec.md"
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
