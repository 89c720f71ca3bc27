"""Manufacturing processes: the Ra that one reaches and the lay it leaves.

Covers: the table assets/tables/processes. Does not cover: which face was made how (`finishes`), what Ra means for
light (`roughness`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pipeline.tables import table

LayKind = Literal["circular", "axial", "linear", "brush", "thickness", "none"]
"""How the groove direction follows from the face: around its axis or the turning axis; along the axis; along the
longest direction; circular on round faces and linear on others; through the sheet; no direction."""


@dataclass(frozen=True)
class Process:
    """A row of assets/tables/processes."""

    name: str
    ra_um: tuple[float, float, float]
    """Low, typical and high arithmetic mean roughness, micrometres."""
    model: Literal["random", "cusp"]
    tau_um: tuple[float, float] | None
    """Random surfaces: correlation lengths across and along the lay, micrometres."""
    nose_radius_mm: float | None
    """Cusps: nose radius of the tool, millimetres."""
    base_alpha: float
    """GGX alpha of the micro-roughness below the tool marks."""
    lay: str
    """ISO 1302 symbol, "P" for no direction."""
    lay_kind: LayKind


def process(name: str) -> Process:
    """Look up the process *name*. Raises KeyError for an unknown name: users name schemes, never processes."""
    row = table("processes")[name]
    low, typical, high = row["ra_um"]
    tau = row.get("tau_um")
    return Process(
        name=name,
        ra_um=(low, typical, high),
        model=row["model"],
        tau_um=None if tau is None else (tau[0], tau[1]),
        nose_radius_mm=row.get("nose_radius_mm"),
        base_alpha=row["base_alpha"],
        lay=row["lay"],
        lay_kind=row["lay_kind"],
    )


def ra_at(made_by: Process, quantile: float) -> float:
    """Ra in micrometres at *quantile* (0..1): log-linear from low to typical (0.5) to high."""
    low, typical, high = made_by.ra_um
    if quantile < 0.5:
        return low * math.pow(typical / low, 2.0 * quantile)
    return typical * math.pow(high / typical, 2.0 * quantile - 1.0)
