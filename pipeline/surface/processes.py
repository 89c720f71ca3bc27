"""Manufacturing processes: which faces one can make, the Ra that it reaches and the traces it leaves.

Covers: the table assets/tables/processes. Does not cover: which face was made how (`finishes`), what Ra means for
light (`roughness`), how the traces become slopes (`relief`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pipeline.parts.part import FaceKind
from pipeline.tables import entry

LayKind = Literal["circular", "axial", "linear", "brush", "thickness", "tool", "feed", "build", "parting", "none"]
"""How the groove direction follows from the face: around its axis or the turning axis; along the profile; along the
longest direction; circular on round faces and linear on others; through the sheet; along the mill's axis; across the
feed of a face mill; level about the part's z (layers; the parting line of a mould); no direction."""
ReliefKind = Literal["cusp", "arc", "streak", "grain", "crater", "striae", "ridge"]


@dataclass(frozen=True)
class Trace:
    """One scale of what a process leaves, as a row of the table's *relief*. `material.Relief` explains the kinds."""

    kind: ReliefKind
    wavelength_m: float | None
    """None for tool marks, whose wavelength is the feed."""
    share: float
    """Of the variance of slopes: of the part with a direction (cusp, arc, streak, striae), of the part without (grain,
    crater), or of all across the lay (streaks with a turn)."""
    stretch: float
    turn_rad: float
    path_radius_m: float
    jitter: float
    slope: float
    """Largest slope of a ridge, which has no share."""


@dataclass(frozen=True)
class Process:
    """A row of assets/tables/processes."""

    name: str
    fits: tuple[FaceKind, ...]
    """Kinds of face that it can make."""
    inside: bool
    """Whether it makes hollow faces only."""
    ra_um: tuple[float, float, float]
    """Low, typical and high arithmetic mean roughness, micrometres."""
    model: Literal["random", "cusp"]
    tau_um: tuple[float, float] | None
    """Random surfaces: correlation lengths across and along the lay, micrometres."""
    nose_radius_mm: float | None
    """Cusps: radius of the tool, millimetres."""
    base_alpha: float
    """GGX alpha of the micro-roughness below the tool marks."""
    lay: str
    """ISO 1302 symbol, "P" for no direction."""
    lay_kind: LayKind
    traces: tuple[Trace, ...]
    """What is coarser than the micro-roughness, scale by scale."""


@cache
def process(name: str) -> Process:
    """Look up the process *name*. Raises InputError for an unknown name."""
    row = entry("processes", name, "process")
    low, typical, high = row["ra_um"]
    tau = row.get("tau_um")
    return Process(
        name=name,
        fits=tuple(row["fits"]),
        inside=row.get("inside", False),
        ra_um=(low, typical, high),
        model=row["model"],
        tau_um=None if tau is None else (tau[0], tau[1]),
        nose_radius_mm=row.get("nose_radius_mm"),
        base_alpha=row["base_alpha"],
        lay=row["lay"],
        lay_kind=row["lay_kind"],
        traces=tuple(_trace(trace) for trace in row.get("relief", ())),
    )


def _trace(row: dict[str, Any]) -> Trace:
    wavelength_um = row.get("wavelength_um")
    return Trace(
        kind=row["kind"],
        wavelength_m=None if wavelength_um is None else wavelength_um * 1e-6,
        share=row.get("share", 0.0),
        stretch=row.get("stretch", 1.0),
        turn_rad=math.radians(row.get("turn_deg", 0.0)),
        path_radius_m=row.get("path_radius_mm", 0.0) * 1e-3,
        jitter=row.get("jitter", 0.0),
        slope=row.get("slope", 0.0),
    )


def ra_at(made_by: Process, quantile: float) -> float:
    """Ra in micrometres at *quantile* (0..1): log-linear from low to typical (0.5) to high."""
    low, typical, high = made_by.ra_um
    if quantile < 0.5:
        return low * math.pow(typical / low, 2.0 * quantile)
    return typical * math.pow(high / typical, 2.0 * quantile - 1.0)
