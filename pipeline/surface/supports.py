"""Looks of tables, belts, trays and bins.

Covers: the table assets/tables/supports. Does not cover: their shapes (`arrange`).
"""

from __future__ import annotations

from pipeline.surface.material import PlainMaterial
from pipeline.tables import entry


def support_material(look: str) -> PlainMaterial:
    """The dielectric called *look* in assets/tables/supports. Raises InputError for an unknown name."""
    row = entry("supports", look, "support")
    red, green, blue = row["base_color"]
    return PlainMaterial(
        name=look,
        base_color=(red, green, blue),
        roughness=row["roughness"],
        ior=row["ior"],
        mottle=row["mottle"],
        mottle_scale_m=row["mottle_scale_mm"] * 1e-3,
        pattern=row["pattern"],
    )
