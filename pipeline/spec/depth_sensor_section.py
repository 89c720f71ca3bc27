"""[depth_sensor] of a dataset spec: the projectors for which it is told where depth would fail.

Covers: the keys and their limits. Does not cover: what fails where (`reflect.depth_sensor`).
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from pipeline.spec.checks import problem
from pipeline.spec.depth_sensor import DepthSensorSpec, ProjectorSpec
from pipeline.spec.numbers import Section, round_drawn

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,30}")
MOST_PROJECTORS: Final = 8


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise problem("1 to 31 of the characters a-z, 0-9 and _, the first a letter or digit", f'"{value}"')
    return value


def _check_projectors(value: tuple[ProjectorSection, ...]) -> tuple[ProjectorSection, ...]:
    names = [projector.name for projector in value]
    if len(names) > MOST_PROJECTORS or len(set(names)) < len(names):
        raise problem(f"at most {MOST_PROJECTORS} projectors, each with a name of its own", ", ".join(names))
    return value


class ProjectorSection(Section):
    """[[depth_sensor.projectors]]: a projector of structured light that is fixed to every camera."""

    name: Annotated[str, AfterValidator(_check_name)] = Field(description="Its name in the layers.")
    baseline_m: float = Field(ge=0, le=10, description="From the camera to the projector, across the optical axis, m.")
    direction_deg: float = Field(
        default=0, ge=-360, le=360, description="Where it stands as the picture shows it: 0 = right, 90 = below."
    )
    ahead_m: float = Field(
        default=0, ge=-10, le=10, description="How far it stands before (behind if negative) the camera, metres."
    )

    def spec(self) -> ProjectorSpec:
        """The record of this projector."""
        turn = math.radians(self.direction_deg)
        across, down = self.baseline_m * math.cos(turn), self.baseline_m * math.sin(turn)
        return ProjectorSpec(self.name, (round_drawn(across), round_drawn(down), self.ahead_m))


class DepthSensorSection(Section):
    """[depth_sensor]: where a structured-light sensor with the view's camera would fail."""

    projectors: Annotated[tuple[ProjectorSection, ...], AfterValidator(_check_projectors)] = Field(
        default=(), description="Its projectors; without any, nothing is made."
    )
    headroom_stops: float = Field(
        default=1.0,
        ge=-8,
        le=8,
        description="Saturation above a white matt surface that faces the projector at the middle distance, stops.",
    )
    range_stops: float = Field(
        default=7.0, ge=1, le=20, description="From saturation down to the weakest pattern that can be read, stops."
    )

    def spec(self) -> DepthSensorSpec | None:
        """The record of this section; None without projectors."""
        if not self.projectors:
            return None
        projectors = tuple(projector.spec() for projector in self.projectors)
        return DepthSensorSpec(projectors, self.headroom_stops, self.range_stops)
