"""The keys of [render] and [photos]: how a scene is path-traced, and how each view is photographed.

Covers: names, types, defaults, limits and the checks between keys. Does not cover: the sections below [photos]
(`light_and_lens`, `processing_section`), drawing them (`draw_photos`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, WrapValidator, field_validator, model_validator

from pipeline.spec.checks import problem
from pipeline.spec.names import LensWeights, SensorWeights, ToneWeights
from pipeline.spec.noise_budget import AUTO_SAMPLES, NoiseBudget, number_or_auto
from pipeline.spec.numbers import Numbers, Probability, Section, Within, between
from pipeline.spec.processing_section import BurstSection, MeteringWeights, ProcessingSection, check_bracket
from pipeline.spec.scene import CCT_RANGE_K, RenderSpec


class RenderSection(Section):
    """[render]: how a scene is path-traced."""

    samples: Annotated[int, Field(ge=1, le=65536), WrapValidator(number_or_auto)] = Field(
        default=64,
        description='Paths per pixel; or `"auto"`: as many as it takes until the rendering error is below the noise of '
        "the sensor in the cleanest planned photo.",
    )
    samples_range: tuple[int, int] = Field(
        default=(16, 1024), description='Fewest and most paths per pixel under `samples = "auto"`.'
    )
    denoise: bool = Field(default=True, description="Denoise the beauty layers; truth layers never are.")
    cast_light: bool = Field(
        default=True, description="Trace the light that metal throws onto its neighbourhood, as layers and masks."
    )

    @field_validator("samples_range")
    @classmethod
    def _range_in_order(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1] <= 65536:
            raise problem("two whole numbers from 1 to 65536, the smaller one first")
        return value

    def spec(self, seed: int, samples: int | None = None) -> RenderSpec:
        """What a scene takes of this section; *seed* is Cycles', *samples* overrules the section's."""
        if samples is not None:
            return RenderSpec(samples, self.denoise, seed, cast_light=self.cast_light)
        if self.samples != AUTO_SAMPLES:
            return RenderSpec(self.samples, self.denoise, seed, cast_light=self.cast_light)
        budget = NoiseBudget(*self.samples_range)
        return RenderSpec(self.samples_range[1], self.denoise, seed, budget, self.cast_light)


class PhotosSection(Section):
    """[photos]: how each view is photographed."""

    per_view: int = Field(default=4, ge=1, le=1000, description="Photos developed from each view.")
    exposure_ev: Annotated[Numbers, Within(-10, 10)] = Field(
        default=between(-1, 1), description="Stops relative to the metered exposure."
    )
    light_weight: Annotated[Numbers, Within(0, 100)] = Field(
        default=Numbers(min=0.25, max=2.0, scale="log"), description="Brightness of each light group, 1 = as rendered."
    )
    light_cct_k: Annotated[Numbers, Within(CCT_RANGE_K[0], 20000)] | None = Field(
        default=None,
        description="Colour temperature of each light group, kelvin; if absent, what assets/tables/rigs.toml says of a "
        "rig's lamps, and 3000, 4000, 5000, 5700 or 6500 for others. Narrow-band lamps keep their colour.",
    )
    group_off_probability: Probability = Field(
        default=0.05, description="Probability that a light group of the rig is switched off; never all of them."
    )
    white_balance_error_k: Annotated[Numbers, Within(-5000, 5000)] = Field(
        default=between(-800, 800), description="Error of the camera's white balance, kelvin."
    )
    sensors: SensorWeights = Field(description="Sensors, with weights.")
    lenses: LensWeights = Field(description="Lenses, with weights.")
    f_number: Annotated[Numbers, Within(0.7, 64)] = Field(
        default=Numbers(choices=(4.0, 5.6, 8.0)), description="Aperture number."
    )
    tone: ToneWeights = Field(default={"filmic": 1.0}, description="Tone curves, with weights.")
    image_format: Literal["png", "jpeg"] = Field(default="png", description="File format of the photos.")
    cameras_per_sensor: int = Field(
        default=4, ge=1, le=1000, description="Cameras of each model, each with pixels of its own by serial number."
    )
    sensor_temperature_c: Annotated[Numbers, Within(-40, 85)] = Field(
        default=between(20, 45), description="Temperature of the sensor, degrees Celsius: dark current, hot pixels."
    )
    raw: bool = Field(default=False, description="Keep a RAW file of every photo: DNG, 16-bit TIFF of mono sensors.")
    metering: MeteringWeights = Field(default={"centre_weighted": 1.0}, description="Metering modes, with weights.")
    bracket_ev: tuple[float, ...] | None = Field(
        default=None, description="Every photo is taken at each of these exposures, stops from the metered one."
    )
    burst: BurstSection | None = Field(default=None, description="Every photo is taken several times in a row.")
    processing: ProcessingSection = Field(default=ProcessingSection(), description="What the processor does.")

    @model_validator(mode="after")
    def _series(self) -> PhotosSection:
        if self.bracket_ev is not None and self.burst is not None:
            raise problem("at most one of bracket_ev and burst", "both")
        return self

    @field_validator("bracket_ev")
    @classmethod
    def _bracket(cls, value: tuple[float, ...] | None, info: ValidationInfo) -> tuple[float, ...] | None:
        if value is not None:
            check_bracket(value, [name for name, weight in info.data.get("sensors", {}).items() if weight > 0])
        return value
