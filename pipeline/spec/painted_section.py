"""[painted] of a dataset spec: surface plates and backdrops that Stable Diffusion 1.5 paints for the scenes.

Covers: the keys and their limits. Does not cover: drawing them for a scene (`draw_painted`), painting.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from pipeline.spec.checks import problem
from pipeline.spec.numbers import Probability, Section
from pipeline.spec.painted import PaintedKind, PaintingSpec, PaintRequest
from pipeline.spec.sampling import calls_problem
from pipeline.spec.transfer import NEGATIVE_PROMPT, SchedulerName
from pipeline.spec.transfer_section import ModelName

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,30}")
_STEP_PX: Final = 64
WIDTH_M: Final[dict[PaintedKind, float]] = {"surface": 0.3, "backdrop": 2.5}
"""Metres that a picture's width spans unless the spec says otherwise: a bench close by, a room across it."""


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise problem("1 to 31 of the characters a-z, 0-9 and _, the first a letter or digit", f'"{value}"')
    return value


def _check_prompt(value: str) -> str:
    if not value.strip():
        raise problem("a prompt that is not empty")
    return value


def _check_side(value: int) -> int:
    if value % _STEP_PX or not 64 <= value <= 1024:
        raise problem(f"a multiple of {_STEP_PX} from 64 to 1024 pixels", str(value))
    return value


class PictureSection(Section):
    """[[painted.pictures]]: pictures of one kind and prompt."""

    name: Annotated[str, AfterValidator(_check_name)] = Field(description="What the tables call them.")
    kind: PaintedKind = Field(description="surface: lies on the table; backdrop: stands behind the parts.")
    prompt: Annotated[str, AfterValidator(_check_prompt)] = Field(description="What is painted.")
    count: int = Field(default=4, ge=1, le=10000, description="How many are painted, each with a seed of its own.")
    width_m: float | None = Field(
        default=None, gt=0, le=100, description="Metres that the width spans; surface 0.3, backdrop 2.5 if absent."
    )

    @property
    def span_m(self) -> float:
        """Metres that the picture's width spans."""
        return WIDTH_M[self.kind] if self.width_m is None else self.width_m


Side = Annotated[int, AfterValidator(_check_side)]


def _check_pictures(value: tuple[PictureSection, ...]) -> tuple[PictureSection, ...]:
    names = [picture.name for picture in value]
    if len(set(names)) < len(names):
        raise problem("a name of its own for each of painted.pictures", ", ".join(names))
    return value


class PaintedSection(Section):
    """[painted]: pictures that a model paints once and scenes share."""

    model: ModelName = Field(default="cyberrealistic_v9", description="Checkpoint, by its name among the models.")
    surface_probability: Probability = Field(
        default=0.5, description="Probability that a table shows one of the surfaces in place of its look."
    )
    backdrop_probability: Probability = Field(
        default=0.5, description="Probability that one of the backdrops stands behind the parts."
    )
    width: Side = Field(default=512, description="Width of the pictures, a multiple of 64 pixels.")
    height: Side = Field(default=512, description="Height.")
    steps: int = Field(default=25, ge=1, le=200, description="UNet calls per picture.")
    guidance: float = Field(default=5.0, ge=0, le=20, description="Classifier-free guidance.")
    scheduler: SchedulerName = Field(default="dpmpp_2m_karras", description="Sampler.")
    negative_prompt: str = Field(default=NEGATIVE_PROMPT, description="What the pictures should not be.")
    pictures: Annotated[tuple[PictureSection, ...], AfterValidator(_check_pictures)] = Field(
        default=(), description="What is painted; the model must be on the machine as soon as there is one."
    )

    @model_validator(mode="after")
    def _calls(self) -> PaintedSection:
        found = calls_problem(self.scheduler, self.steps, 1.0)
        if found is not None:
            raise problem(found.expected, f"steps = {found.found}", "lower steps, or take another scheduler")
        return self

    def painting(self) -> PaintingSpec:
        """The record of how pictures are painted."""
        return PaintingSpec(
            self.model, self.negative_prompt, self.width, self.height, self.steps, self.guidance, self.scheduler
        )

    def request(self) -> PaintRequest:
        """How they are painted, and every prompt."""
        return PaintRequest(self.painting(), {picture.name: picture.prompt for picture in self.pictures})
