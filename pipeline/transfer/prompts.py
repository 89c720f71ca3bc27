"""Prompts out of scenes: the spec's template, filled with words for metals, finishes, surroundings and light.

Words stand in assets/tables/prompt_words; names without one are used as they are. Does not cover: the 77-token limit
(`tokenizer`), encoding (`text`).
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import InputError
from pipeline.spec.prompt_template import template_problem
from pipeline.spec.scene import SceneSpec
from pipeline.tables import table

MOST_NAMED = 3
"""A prompt names at most this many metals, categories or finishes: more would not fit into 77 tokens."""


def scene_prompt(template: str, scene: SceneSpec, rig_index: int) -> str:
    """*template* filled for the views of *scene* under its rig number *rig_index*. Raises InputError for a bad one."""
    expected = template_problem(template)
    if expected is not None:
        raise InputError(f"expected {expected}; found {template!r}")
    return template.format(
        categories=_joined(item.category.replace("_", " ") for item in scene.items),
        metals=_joined(word("metals", item.metal) for item in scene.items),
        finishes=_joined(word("finishes", item.finish) for item in scene.items),
        supports=word("supports", scene.arrangement.surface),
        surroundings=word("surroundings", scene.surroundings.name),
        rig=word("rigs", scene.rigs[rig_index].name),
    )


def word(kind: str, name: str) -> str:
    """Words for entry *name* of table *kind* ("metals", "finishes", "surroundings", "rigs", "supports")."""
    words: dict[str, str] = table("prompt_words").get(kind, {})
    return words.get(name, name.replace("_", " "))


def _joined(words: Iterable[str]) -> str:
    """ "steel", "steel and brass" or "steel, brass and copper": each word once, in the order of the instances."""
    distinct = list(dict.fromkeys(words))[:MOST_NAMED]
    return " and ".join(filter(None, [", ".join(distinct[:-1]), distinct[-1]]))
