"""What of a machine decides about what a model makes, and who is asked for it.

Covers: the record that goes into keys and tables. Does not cover: stages that have one (`transfer_stage`,
`paint_stage`), asking the workers of a scheduler (`remote`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.graph.keys import load_stages
from pipeline.graph.stage import Machine, Resource
from pipeline.records import to_dict
from pipeline.spec.painted import PaintRequest
from pipeline.spec.transfer import TransferSpec

ModelSpec = TransferSpec | PaintRequest
MODEL_SPECS: Final[dict[str, type[ModelSpec]]] = {"transfer": TransferSpec, "paint": PaintRequest}
"""Stage -> what names its models and holds the prompts that every scene has."""


@dataclass(frozen=True)
class ModelIdentity:
    """A model on a machine, as far as its results depend on it, and what a reader wants to know about it."""

    weights: Mapping[str, str]
    """What they are used for -> SHA-256."""
    device: str
    """Class of the device."""
    dtype: str
    libraries: Mapping[str, str]
    batch: int
    resource: Resource
    """What an action occupies: "gpu", or "render" where all cores of a worker are needed."""
    licence: str
    """Of the checkpoint."""
    source: str
    gpus: int = 0
    """Graphics cards of the machine."""

    def key_fields(self) -> dict[str, Any]:
        """The part of it that belongs into keys."""
        values: dict[str, Any] = to_dict(self)
        return {name: values[name] for name in ("weights", "device", "dtype", "libraries", "batch")}


Identify = Callable[[str, ModelSpec], ModelIdentity]
"""(stage, its models) -> what it would run with. Raises ModelMissing for a model that is not there, EnvironmentProblem
for missing libraries or devices, InputError for settings that are wrong wherever it runs."""


def identify_here(stages: str, machine: Machine) -> Identify:
    """Ask the stages of the registry at *stages* what this machine would run them with."""
    from pipeline.transfer.place import expect_machine

    def identify(stage: str, models: ModelSpec) -> ModelIdentity:
        expect_machine(machine.device, machine.dtype)
        found: ModelIdentity = load_stages(stages)[stage].identify(models, machine)  # type: ignore[attr-defined]
        return found

    return identify
