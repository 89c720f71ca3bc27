"""Looks of tables, belts, trays and bins.

Covers: the table assets/tables/supports, and which way the lay of metal ones runs. Does not cover: their shapes
(`arrange`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.surface.material import MetalMaterial, PlainMaterial, Relief, Rgb
from pipeline.surface.metals import metal
from pipeline.surface.processes import process
from pipeline.surface.relief import relief_of
from pipeline.surface.roughness import alpha_pair
from pipeline.tables import entry

PATTERN_SPREAD_M: Final = 8.0
"""Two scenes lie up to so far apart in the endless pattern; farther out, single precision would show."""
BANDS: Final = Relief(
    "streak", wavelength_m=2.5e-3, slope_across=0.012, slope_along=0.012 / 40, stretch=40.0, jitter=0.3
)
"""Bands along the lay of a sheet that was brushed, rolled or ground in passes: wide enough to be seen from where a
camera sees a whole part, as the process's own traces are not. An estimate."""
_STEEP: Final = 0.999


def support_material(look: str, seed: int = 0) -> PlainMaterial | MetalMaterial:
    """The material called *look* in assets/tables/supports; *seed* chooses the place in its pattern.

    Raises InputError for an unknown name.
    """
    row = entry("supports", look, "support")
    return _metal(look, row, seed) if "metal" in row else _plain(look, row, seed)


def _plain(look: str, row: dict[str, Any], seed: int) -> PlainMaterial:
    shift = np.random.default_rng(np.random.SeedSequence([seed, 0x70A77])).uniform(0.0, PATTERN_SPREAD_M, 2)
    return PlainMaterial(
        name=look,
        base_color=_rgb(row["base_color"]),
        roughness=row["roughness"],
        ior=row["ior"],
        mottle=row["mottle"],
        mottle_scale_m=row["mottle_scale_mm"] * 1e-3,
        pattern=row["pattern"],
        pattern_m=row.get("pattern_mm", 1.0) * 1e-3,
        bump_m=row.get("bump_um", 0.0) * 1e-6,
        accent=_rgb(row["accent"]) if "accent" in row else None,
        roughness_spread=row.get("roughness_spread", 0.0),
        wear=row.get("wear", 0.0),
        bare=_rgb(row["bare"]) if "bare" in row else None,
        origin_m=(round(float(shift[0]), 4), round(float(shift[1]), 4)),
    )


def _metal(look: str, row: dict[str, Any], seed: int) -> MetalMaterial:
    made_of, made_by, ra_um = metal(row["metal"]), process(row["process"]), row["ra_um"]
    across, along = alpha_pair(made_by, ra_um, 1.0)
    micro_alpha, relief = relief_of(made_by, ra_um, (across, along), seed)
    bands = replace(BANDS, seed=seed & 0x7FFFFFFF)
    across, along = (
        math.sqrt(alpha**2 + 2 * slope**2)
        for alpha, slope in ((across, bands.slope_across), (along, bands.slope_along))
    )
    return MetalMaterial(
        name=look,
        metal=made_of.name,
        ior=made_of.ior,
        extinction=made_of.extinction,
        process=made_by.name,
        ra_um=ra_um,
        alpha_across=across,
        alpha_along=along,
        lay=made_by.lay,
        micro_alpha=micro_alpha,
        relief=(*relief, bands),
    )


def _rgb(values: list[float]) -> Rgb:
    red, green, blue = (float(v) for v in values)
    return red, green, blue


def straight_lay(vertices: NDArray[np.float64], normals: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The vertex arrays of a lay along x, as sheet comes from the mill: `lay`, `lay_axis`, `lay_origin` and `groove`.

    *vertices* (n, 3) metres and unit *normals* (n, 3). Where the surface faces along x, the lay runs along y. Groove
    coordinates are linear on planes, as they have to be; see `FinishedSurface`.
    """
    facing = normals.astype(np.float64)
    steep = np.abs(facing[:, :1]) > _STEEP
    along = np.where(steep, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0])
    along = along - np.sum(along * facing, axis=1, keepdims=True) * facing
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(facing, along)
    u, v = np.sum(vertices * across, axis=1), np.sum(vertices * along, axis=1)
    nowhere = np.zeros(vertices.shape, dtype=np.float32)
    return {
        "lay": along.astype(np.float32),
        "lay_axis": nowhere,
        "lay_origin": nowhere,
        "groove": np.column_stack([u, v, np.zeros(len(u))]).astype(np.float32),
    }
