"""[flicker] and [optics] of a dataset spec: how lamps are driven, and what lenses add.

Covers: the keys and their limits. Does not cover: drawing (`draw_light_and_lens`).
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from pipeline.spec.names import DriverWeights
from pipeline.spec.numbers import Counts, Numbers, Section, Within, between, constant

_ROOM_DRIVERS: Final = {
    "led_electronic": 0.45,
    "led_ripple": 0.2,
    "fluorescent_electronic": 0.15,
    "fluorescent_magnetic": 0.1,
    "metal_halide_magnetic": 0.1,
}


class FlickerSection(Section):
    """[flicker]: how the lamps' light varies over time. Photo 0 of a view is taken in steady light."""

    mains_hz: Annotated[Numbers, Within(40, 70)] = Field(
        default=Numbers(choices=(50.0, 60.0)), description="Mains frequency; the light varies twice as fast."
    )
    rig_drivers: DriverWeights = Field(
        default={"dc": 1.0}, description="How a rig's lamps are driven, all alike, with weights."
    )
    room_drivers: DriverWeights = Field(
        default=_ROOM_DRIVERS,
        description="How each light group of the surroundings is driven, with weights; windows and skies are daylight.",
    )
    strobe_s: Annotated[Numbers, Within(1e-6, 0.1)] = Field(
        default=Numbers(min=0.0002, max=0.002, scale="log"),
        description="Length of the flash of rigs driven as strobe, seconds. Not for rolling shutters: dc instead.",
    )


class OpticsSection(Section):
    """[optics]: what a lens has in a photo beyond its design. Photo 0 of a view has a clean lens in focus."""

    defocus_px: Annotated[Numbers, Within(0, 60)] = Field(
        default=between(0, 1), description="Diameter of the circle of confusion, pixels."
    )
    distortion_scale: Annotated[Numbers, Within(-20, 20)] = Field(
        default=constant(1),
        description="Multiplier on the lens's distortion; 0 = none, below 0 = inverted.",
    )
    dirt_probability: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.1, description="Probability that a camera is dirty; in a scene a camera keeps its dirt."
    )
    dust_spots: Annotated[Counts, Within(0, 1000)] = Field(
        default=Counts(min=1, max=15), description="Grains of dust on the sensor of a dirty camera."
    )
    smear: Annotated[Numbers, Within(0, 0.5)] = Field(
        default=between(0, 0.06), description="Share of light that the worst place of a dirty front lens scatters."
    )
