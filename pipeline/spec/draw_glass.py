"""Draw the pane of a scene: whether there is one, its kind, thickness, index, tilt and place.

Covers: the numbers of a GlassSpec. Does not cover: where it stands in the world (`arrange.panes`).
"""

from __future__ import annotations

import math
from typing import Any

from pipeline import tables
from pipeline.spec.glass_section import GlassSection
from pipeline.spec.numbers import Numbers, between, constant, round_drawn
from pipeline.spec.scene import GlassSpec
from pipeline.spec.seeds import Stream


def draw_glass(section: GlassSection, dataset_seed: int, index: int) -> GlassSpec | None:
    """The pane of scene *index*, None where it has none: a pure function of the section, the seed and the table."""
    draw = Stream(dataset_seed, index, "glass")
    if not draw.below(section.probability):
        return None
    kind = draw.name(section.kinds)
    row = tables.table("glass")[kind]
    thickness = draw.number(section.thickness_mm or _range(row, "thickness_mm"))
    refractive = draw.number(section.refractive_index or constant(row["refractive_index"]))
    tilt, azimuth = draw.radians(section.tilt_deg or _range(row, "tilt_deg")), round_drawn(math.tau * draw.u())
    distance, share = draw.u(), draw.number(_range(row, "share"))
    return GlassSpec(
        kind=kind,
        thickness_m=round_drawn(thickness / 1000.0),
        refractive_index=refractive,
        tilt_rad=tilt,
        tilt_azimuth_rad=azimuth,
        distance_m=None if section.distance_m is None else section.distance_m.value(distance),
        share=share,
    )


def _range(row: dict[str, Any], name: str) -> Numbers:
    low, high = row[name]
    return between(low, high)
