"""Templates of prompts: text with {fields} that a scene fills.

Covers: which fields there are, and checking a template. Does not cover: filling it (`transfer.prompts`).
"""

from __future__ import annotations

import string
from typing import Final

FIELDS: Final = {
    "categories": 'what the parts are, "flange and bracket"',
    "metals": 'their metals, "stainless steel and brass"',
    "finishes": 'how they are finished, "ground"',
    "supports": 'what they stand on, "grey painted table"',
    "surroundings": 'where, "a workshop"',
    "rig": 'the light of the photo\'s view, "softbox light"',
}
"""Field -> what it stands for."""

DEFAULT_TEMPLATE: Final = (
    "photo of {categories}, {finishes} {metals}, on {supports}, in {surroundings}, {rig}, sharp focus, real photograph"
)


def template_problem(template: str) -> str | None:
    """What a template should have been, None when it is right."""
    expected = "a prompt in which {...} holds " + ", ".join(FIELDS)
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return f"{expected}; every {{ needs its }}"
    plain = all(not spec and not conversion for _, field, spec, conversion in parts if field is not None)
    if not plain or any(field is not None and field not in FIELDS for _, field, _, _ in parts):
        return expected
    return None if template.strip() else "a prompt that is not empty"
