"""The depth sensor of a scene as a record: where its projectors stand, and what light it can tell apart.

Does not cover: the keys of a spec (`depth_sensor_section`), what fails where (`reflect.depth_sensor`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProjectorSpec:
    """A projector of structured light beside every camera."""

    name: str
    offset_m: tuple[float, float, float]
    """From the camera's centre to the projector's, in the camera's frame (x right, y down, z ahead), metres."""


@dataclass(frozen=True)
class DepthSensorSpec:
    """A structured-light sensor whose camera is the view's."""

    projectors: tuple[ProjectorSpec, ...]
    headroom_stops: float
    """From a white matt surface that faces the projector at the middle distance up to saturation."""
    range_stops: float
    """From saturation down to the weakest pattern that can be read."""
