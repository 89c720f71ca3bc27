"""[glass] of a dataset spec: the pane between camera and parts.

Covers: the keys and their limits. Does not cover: drawing a pane (`draw_glass`), placing it (`arrange.panes`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.spec.names import GlassWeights
from pipeline.spec.numbers import Numbers, Section, Within


class GlassSection(Section):
    """[glass]: a pane between camera and parts, which mirrors what lies on the camera's side."""

    probability: float = Field(
        default=0.0, ge=0, le=1, description="Probability that the cameras of a scene look through a pane."
    )
    kinds: GlassWeights = Field(
        default={"cover_glass": 0.3, "machine_window": 0.4, "display_pane": 0.3},
        description="Kinds of pane, with weights.",
    )
    thickness_mm: Annotated[Numbers, Within(0.05, 100)] | None = Field(
        default=None, description="Thickness, millimetres; the kind's own range if absent."
    )
    refractive_index: Annotated[Numbers, Within(1, 3)] | None = Field(
        default=None, description="Refractive index; the kind's own if absent."
    )
    tilt_deg: Annotated[Numbers, Within(0, 80)] | None = Field(
        default=None,
        description="Angle between the pane's normal and the camera's axis, degrees; the kind's own range if absent.",
    )
    distance_m: Annotated[Numbers, Within(0.002, 100)] | None = Field(
        default=None,
        description="From the lens to the pane along the camera's axis, metres; if absent, the kind's share of the way "
        "to the nearest thing in the frame.",
    )
