"""Whether a build transfers photos, and with what: decided once, before anything is planned.

Covers: off, auto and required; what pictures are painted with. Does not cover: the stage
(`transfer_stage`), the limits (`transfer_choice`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.dataset.transfer_record import TransferRecord
from pipeline.errors import EnvironmentProblem
from pipeline.graph.model_identity import Identify, ModelIdentity
from pipeline.graph.plan import PAINT, PHOTOS, TRANSFER
from pipeline.spec.draw_transfer import draw_transfer
from pipeline.transfer.store import ModelMissing

if TYPE_CHECKING:
    from pipeline.spec.model import DatasetSpec


@dataclass(frozen=True)
class TransferPlan:
    """What was decided."""

    use: str
    identity: ModelIdentity | None
    """None: photos stay as the camera took them."""
    reason: str = ""
    """Why, when the spec would have had it otherwise."""
    model: str | None = None
    keep_camera: bool = False
    planned_batch: int | None = None
    """Photos per network call as first planned, where memory ran out for so many."""

    def with_batch(self, batch: int) -> TransferPlan:
        """The same plan with another batch for all photos."""
        if self.identity is None:
            raise ValueError("expected a plan that transfers, found one that does not")
        planned = self.planned_batch or self.identity.batch
        return replace(self, identity=replace(self.identity, batch=batch), planned_batch=planned)

    def record(self) -> TransferRecord:
        """What the build records, before the gate's part is known."""
        found = self.identity
        if found is None:
            return TransferRecord(self.use, False, self.reason, self.model)
        return TransferRecord(
            self.use,
            True,
            model=self.model,
            weights=found.weights,
            licence=found.licence,
            source=found.source,
            device=found.device,
            dtype=found.dtype,
            batch=self.planned_batch or found.batch,
            libraries=found.libraries,
        )


def planned_transfer(spec: DatasetSpec, identify: Identify) -> TransferPlan:
    """Whether *spec* is to be transferred by what *identify* finds.

    "auto" goes without transfer where models, libraries or the device are missing and says why; "required" raises
    EnvironmentProblem there. Raises InputError for settings that are wrong on any machine.
    """
    section = spec.transfer
    if section.use == "off":
        return TransferPlan("off", None)
    if PHOTOS not in spec.dataset.keep:
        return TransferPlan(section.use, None, "the spec keeps no photos", section.model)
    models = draw_transfer(section, spec.dataset.seed, 0, ())
    if models is None:
        raise ValueError("expected a TransferSpec, found none")
    try:
        identity = identify(TRANSFER, models)
    except (ModelMissing, EnvironmentProblem) as error:
        if section.use == "required":
            raise EnvironmentProblem(f'{error} (the spec says transfer.use = "required")') from error
        return TransferPlan(section.use, None, str(error), section.model)
    return TransferPlan(section.use, identity, "", section.model, section.keep_camera)


def planned_painting(spec: DatasetSpec, identify: Identify) -> ModelIdentity | None:
    """What the pictures of *spec* are painted with; None where it asks for none.

    Raises EnvironmentProblem where models, libraries or the device are missing, InputError for wrong settings.
    """
    if not spec.painted.pictures:
        return None
    try:
        return identify(PAINT, spec.painted.request())
    except ModelMissing as error:
        raise EnvironmentProblem(f"{error} (the spec asks for painted.pictures)") from error
