"""The keys of [photos.processing] and [photos.burst], and the check of brackets.

Covers: names, types, defaults, limits. Does not cover: what the records mean (`processing`), drawing them
(`draw_processing`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, get_args

from pydantic import Field

from pipeline import tables
from pipeline.spec.checks import problem
from pipeline.spec.names import OneOf, Weight, sums_to_one
from pipeline.spec.numbers import Counts, Numbers, Section, Within, between, constant
from pipeline.spec.processing import MAX_BRACKET, MAX_BURST, SHUTTER_RANGE_S, Demosaic, Metering, WhiteBalance

MeteringWeights = Annotated[dict[Annotated[str, OneOf(get_args(Metering))], Weight], sums_to_one]
_DemosaicWeights = Annotated[dict[Annotated[str, OneOf(get_args(Demosaic))], Weight], sums_to_one]
_WhiteBalanceWeights = Annotated[dict[Annotated[str, OneOf(get_args(WhiteBalance))], Weight], sums_to_one]

MOST_BRACKET_EV = 10.0
"""Largest step of a bracket to either side, stops."""


class ProcessingSection(Section):
    """[photos.processing]: what the camera's processor does."""

    demosaic: _DemosaicWeights = Field(default={"edge_aware": 1.0}, description="Demosaicking methods, with weights.")
    white_balance: _WhiteBalanceWeights = Field(
        default={"fixed": 1.0},
        description="as_shot = the light mix exactly; fixed = with white_balance_error_k; auto = found in the picture.",
    )
    denoise: Annotated[Numbers, Within(0, 4)] = Field(
        default=constant(0), description="Noise reduction, 0 = none, 1 = a consumer camera's."
    )
    sharpen_amount: Annotated[Numbers, Within(0, 5)] = Field(
        default=constant(0), description="Share of the unsharp mask that is added, 0 = none."
    )
    sharpen_radius_px: Annotated[Numbers, Within(0.3, 10)] = Field(
        default=constant(1), description="Standard deviation of the unsharp mask's Gaussian, pixels."
    )
    jpeg_quality: Annotated[Counts, Within(1, 100)] = Field(
        default=Counts(choices=(95,)), description='Quality of photos with image_format = "jpeg".'
    )


class BurstSection(Section):
    """[photos.burst]: every photo becomes several in a row, while the exposure control settles."""

    length: int = Field(ge=2, le=MAX_BURST, description="Photos of a burst.")
    start_ev: Annotated[Numbers, Within(-8, 8)] = Field(
        default=between(-2, 2), description="Stops by which the first photo is exposed wrongly."
    )
    lag_frames: Annotated[Numbers, Within(0, 100)] = Field(
        default=between(1, 4), description="Time constant of the exposure control, photos."
    )
    delay_frames: Annotated[Counts, Within(1, 8)] = Field(
        default=Counts(min=1, max=2), description="Photos from metering one to the first whose exposure follows it."
    )


def check_bracket(steps: tuple[float, ...], sensors: Iterable[str]) -> None:
    """Raise a validation error unless *steps* (stops) can be the bracket of any of these *sensors* in some light."""
    if not 2 <= len(steps) <= MAX_BRACKET:
        raise problem(f"2 to {MAX_BRACKET} exposures", f"{len(steps)}")
    if any(not abs(step) <= MOST_BRACKET_EV for step in steps):
        raise problem(f"steps of -{MOST_BRACKET_EV:g} to {MOST_BRACKET_EV:g} stops", str(list(steps)))
    if any(second <= first for first, second in pairwise(steps)):
        raise problem("steps that rise, the darkest first", str(list(steps)))
    for sensor in sorted(sensors):
        room = math.log2(SHUTTER_RANGE_S[1] / SHUTTER_RANGE_S[0] * tables.table("sensors")[sensor]["max_gain"])
        if steps[-1] - steps[0] > room:
            raise problem(
                f"a bracket of at most {room:.1f} stops, which shutter and gain of {sensor} give",
                f"one of {steps[-1] - steps[0]:g} stops",
            )
