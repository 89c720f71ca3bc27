"""[clips]: scenes that are filmed instead of photographed, as a spec writes them.

Covers: the model of the section. Does not cover: drawing a clip (`draw_clips`), its record (`clip`).
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from pipeline.spec.clip import ClipMotion, LightChangeKind
from pipeline.spec.names import OneOf, Weight, sums_to_one
from pipeline.spec.numbers import Counts, Numbers, Section, Within, between

MotionWeights = Annotated[dict[Annotated[str, OneOf(get_args(ClipMotion))], Weight], sums_to_one]
ChangeWeights = Annotated[dict[Annotated[str, OneOf(get_args(LightChangeKind))], Weight], sums_to_one]


class ClipsSection(Section):
    """[clips]: scenes that are filmed: every camera frame is a view, every take of the light a clip of photos."""

    probability: float = Field(default=0.0, ge=0, le=1, description="Probability that a scene is a clip.")
    frames: Annotated[Counts, Within(2, 240)] = Field(default=Counts(choices=(12,)), description="Frames of a clip.")
    frame_rate_hz: Annotated[Numbers, Within(1, 1000)] = Field(
        default=Numbers(choices=(30.0,)), description="Frames per second; no exposure is longer than a frame."
    )
    samples: int | None = Field(
        default=None, ge=1, le=65536, description="Paths per pixel of a clip's frames; as [render] says if absent."
    )
    motion: MotionWeights = Field(
        default={"camera_orbit": 0.5, "camera_dolly": 0.5},
        description="What moves, with weights; part_conveyor is drawn only for scenes on a conveyor.",
    )
    orbit_deg: Annotated[Numbers, Within(-180, 180)] = Field(
        default=between(-30, 30), description="How far the camera goes round the parts during the clip, degrees."
    )
    dolly: Annotated[Numbers, Within(-0.8, 4)] = Field(
        default=between(-0.3, 0.3), description="Change of the camera's distance during the clip, as a share of it."
    )
    belt_mm_s: Annotated[Numbers, Within(-5000, 5000)] = Field(
        default=between(50, 400), description="Speed of the belt and what lies on it, along +x, millimetres per second."
    )
    light_change: ChangeWeights = Field(
        default={"none": 0.2, "ramp": 0.4, "switch": 0.4},
        description="How the light changes during a clip: not at all, gradually, or within one frame.",
    )
    light_change_stops: Annotated[Numbers, Within(-12, 12)] = Field(
        default=between(-4, 4), description="By how many stops the light gets brighter (above 0) or darker."
    )
    all_lights_probability: float = Field(
        default=0.5, ge=0, le=1, description="Probability that all light groups change, not a single one."
    )
    change_at: Annotated[Numbers, Within(0, 1)] = Field(
        default=between(0.15, 0.6), description="When the change begins, as a share of the clip."
    )
    ramp_s: Annotated[Numbers, Within(0.001, 60)] = Field(
        default=between(0.05, 0.2), description="How long a gradual change takes, seconds."
    )
    exposure_lag_s: Annotated[Numbers, Within(0, 60)] = Field(
        default=between(0.05, 0.3), description="Time constant of the auto-exposure, seconds; 0 follows at once."
    )
    exposure_delay_frames: Annotated[Counts, Within(1, 30)] = Field(
        default=Counts(min=1, max=3), description="Frames from metering a picture to the first that it affects."
    )
