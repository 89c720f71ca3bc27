"""Keys: one hash for everything that an output depends on.

Covers: the key of an action, the loading of a registry of stages. Does not cover: what is in the fields (`plan`) or
what lies under a key (`pipeline.dataset.store`).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from pipeline.errors import InputError
from pipeline.graph.stage import Input, Stage
from pipeline.records import sha256_json

STAGES_VARIABLE: Final = "GLINT_STAGES"
DEFAULT_STAGES: Final = "pipeline.graph.stages:STAGES"


def action_key(
    stage: Stage, fields: Mapping[str, Any], inputs: Iterable[Input], tools: Mapping[str, str] | None = None
) -> str:
    """64 hex digits: the SHA-256 of the canonical JSON of the stage's name, its version, *fields*, the key of each
    input by its role, and the tools' versions.

    *tools* saves a call of `stage.tools()` where many keys are made. Paths, threads and other settings of a machine
    are no part of a key. Raises ValueError for NaN or infinity in the fields and for a role that occurs twice.
    """
    by_role: dict[str, str] = {}
    for entry in inputs:
        if entry.role in by_role:
            raise ValueError(f"stage {stage.name}: two inputs play the role {entry.role!r}")
        by_role[entry.role] = entry.key
    return sha256_json(
        {
            "stage": stage.name,
            "version": stage.version,
            "fields": fields,
            "inputs": by_role,
            "tools": stage.tools() if tools is None else tools,
        }
    )


def stages_path(chosen: str | None = None) -> str:
    """Where the registry of stages is, as "module:attribute": *chosen*, else $GLINT_STAGES, else the real stages."""
    return chosen or os.environ.get(STAGES_VARIABLE) or DEFAULT_STAGES


@cache
def load_stages(path: str) -> Mapping[str, Stage]:
    """Import the registry (stage name -> Stage) at "module:attribute".

    Raises InputError when there is no such module or attribute.
    """
    module_name, _, attribute = path.partition(":")
    try:
        stages: Mapping[str, Stage] = getattr(importlib.import_module(module_name), attribute)
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise InputError(
            f"expected a registry of stages at {path!r} (module:attribute), found none: {error}; "
            f"correct or unset {STAGES_VARIABLE}"
        ) from error
    return stages


@cache
def tools_of(path: str, stage: str) -> Mapping[str, str]:
    """The tools of one stage of the registry at *path*; asked once per process."""
    return dict(load_stages(path)[stage].tools())
