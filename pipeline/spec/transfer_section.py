"""[transfer] of a dataset spec: whether and how photos are moved towards real photographs.

Covers: the keys and their limits. Does not cover: drawing photos (`draw_transfer`), which weights a machine has
(`transfer.store`), devices and batches, which are settings of the machine.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, model_validator

from pipeline.spec.checks import problem
from pipeline.spec.names import ProcessName
from pipeline.spec.numbers import Probability, Section
from pipeline.spec.prompt_template import DEFAULT_TEMPLATE, template_problem
from pipeline.spec.sampling import calls_problem
from pipeline.spec.transfer import (
    DEFAULT_STRENGTH,
    LADDER,
    NEGATIVE_PROMPT,
    ControlKind,
    ControlSpec,
    Method,
    Protected,
    ResidualSpec,
    SchedulerName,
    TilesSpec,
    TransferUse,
    strengths_from,
)

SMALLEST_PX: Final = 64
"""Shortest side of a photo that the networks can take."""
_MODEL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_STEP_PX: Final = 64


def _check_model(value: str) -> str:
    if not _MODEL_NAME.fullmatch(value):
        raise problem("the name of a model, as `glint models list` shows it; never a path", f'"{value}"')
    return value


def _check_template(value: str) -> str:
    expected = template_problem(value)
    if expected is not None:
        raise problem(expected, f'"{value}"')
    return value


def _check_ladder(value: tuple[float, ...]) -> tuple[float, ...]:
    falling = all(first > second for first, second in pairwise(value))
    if not falling or not all(0.0 < step <= 1.0 for step in value):
        raise problem("strengths above 0 and up to 1, each lower than the one before", str(list(value)))
    return value


ModelName = Annotated[str, AfterValidator(_check_model)]
Template = Annotated[str, AfterValidator(_check_template)]


class ControlSection(Section):
    """[[transfer.controls]]: a ControlNet, fed with a truth layer."""

    kind: ControlKind = Field(description="Which layer it takes.")
    model: ModelName = Field(description="Name of the ControlNet among the models of the machine.")
    scale: float = Field(default=0.6, ge=0, le=2, description="Weight; 0.4 to 0.8 is usual.")
    end: float = Field(default=0.8, ge=0, le=1, description="Share of the UNet calls in which it takes part.")


def _check_controls(value: tuple[ControlSection, ...]) -> tuple[ControlSection, ...]:
    kinds = [control.kind for control in value]
    if len(set(kinds)) < len(kinds):
        raise problem("each kind of control once", ", ".join(kinds))
    return value


class ResidualSection(Section):
    """[transfer.residual]: how the change is put onto the photo."""

    sigma_part_px: float = Field(default=3.0, ge=0, le=64, description="Low pass inside parts, pixels; 0 = none.")
    sigma_background_px: float = Field(default=1.0, ge=0, le=64, description="The same elsewhere.")
    silhouette_px: float = Field(default=3.0, ge=0, le=64, description="Nearer to a silhouette nothing changes.")
    ramp_px: float = Field(default=3.0, ge=0, le=64, description="Over which the change then fades in, pixels.")
    gain: float = Field(default=1.0, ge=0, le=2, description="Multiplier on the change.")


class TilesSection(Section):
    """[transfer.tiles]: how large photos are cut for the networks."""

    whole_px: int = Field(default=768, ge=64, le=4096, description="Photos with a longer side are done in tiles.")
    tile_px: int = Field(default=512, ge=64, le=4096, description="Side of a tile, a multiple of 64.")
    overlap_px: int = Field(default=128, ge=16, le=2048, description="Least overlap of neighbours, a multiple of 8.")

    @model_validator(mode="after")
    def _multiples(self) -> TilesSection:
        if self.whole_px % _STEP_PX or self.tile_px % _STEP_PX or self.overlap_px % 8:
            raise problem("whole_px and tile_px as multiples of 64, overlap_px as one of 8")
        if 2 * self.overlap_px > self.tile_px:
            raise problem("overlap_px of at most half of tile_px", f"{self.overlap_px} and {self.tile_px}")
        return self


class TransferSection(Section):
    """[transfer]: Stable Diffusion 1.5 moves photos towards real photographs. `transfer = "auto"` sets `use` alone."""

    use: TransferUse = Field(
        default="off",
        description='"off"; "auto": where the machine has the model; "required": the build stops where it has not.',
    )
    model: ModelName = Field(default="cyberrealistic_v9", description="Checkpoint, by its name among the models.")
    loras: dict[ModelName, Annotated[float, Field(ge=-4, le=4)]] = Field(
        default={}, description="LoRAs by name, with their scale."
    )
    negative_embedding: ModelName | None = Field(default=None, description="Textual inversion for what is not wanted.")
    controls: Annotated[tuple[ControlSection, ...], AfterValidator(_check_controls)] = Field(
        default=(), description="ControlNets that take part, at most one of each kind."
    )
    probability: Probability = Field(default=1.0, description="Probability that a photo is transferred.")
    prompts: tuple[Template, ...] = Field(
        default=(DEFAULT_TEMPLATE,), min_length=1, description="Templates of prompts; every photo takes one of them."
    )
    negative_prompt: str = Field(default=NEGATIVE_PROMPT, description="What the picture should not be.")
    strength: float = Field(default=DEFAULT_STRENGTH, gt=0, le=1, description="Share of the noise schedule.")
    ladder: Annotated[tuple[float, ...], AfterValidator(_check_ladder)] = Field(
        default=LADDER, description="A photo whose labels do not hold is tried at the steps below its strength."
    )
    unet_calls: int = Field(default=5, ge=1, le=200, description="Denoising steps that are really made.")
    guidance: float = Field(default=3.0, ge=0, le=20, description="Classifier-free guidance; 1 = no negative prompt.")
    scheduler: SchedulerName = Field(default="ddim", description="Sampler.")
    method: Method = Field(default="residual", description="How the result becomes the photo: residual or plain.")
    residual: ResidualSection = Field(default=ResidualSection(), description="The residual's bandwidth and borders.")
    tiles: TilesSection = Field(default=TilesSection(), description="How large photos are cut.")
    protect: tuple[Protected, ...] = Field(
        default=("defects",), description="Labelled regions that keep their bytes: defects, highlights."
    )
    protect_processes: tuple[ProcessName, ...] = Field(
        default=(), description="Faces made by these processes keep their bytes too, for example engraved codes."
    )
    keep_camera: bool = Field(
        default=False, description="Tables name the camera's photo beside the transferred one (camera_image_path)."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        return {"use": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _calls(self) -> TransferSection:
        for strength in strengths_from(self.strength, self.ladder):
            found = calls_problem(self.scheduler, self.unet_calls, strength)
            if found is not None:
                step = "" if strength == self.strength else f" ({strength:g} is a step of ladder)"
                raise problem(found.expected, f"unet_calls = {found.found}", found.remedy + step)
        return self

    def control_specs(self) -> tuple[ControlSpec, ...]:
        """The ControlNets as records."""
        return tuple(ControlSpec(control.kind, control.model, control.scale, control.end) for control in self.controls)

    def residual_spec(self) -> ResidualSpec:
        """The record of [transfer.residual]."""
        return ResidualSpec(**self.residual.model_dump())

    def tiles_spec(self) -> TilesSpec:
        """The record of [transfer.tiles]."""
        return TilesSpec(**self.tiles.model_dump())
