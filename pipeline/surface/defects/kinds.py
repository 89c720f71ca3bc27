"""Kinds of defect and their sizes: the table assets/tables/defects, and a drawn `DefectSpec` in metres.

Does not cover: where a defect lies (`places`, `edges`), what it looks like (`drawings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pipeline.spec.scene import DefectSpec
from pipeline.surface.defects.shape import Shape
from pipeline.tables import entry

Where = Literal["any", "cut", "cast_first", "broad", "cut_edge", "convex_edge", "hole"]


@dataclass(frozen=True)
class Kind:
    """A row of assets/tables/defects."""

    name: str
    carrier: Literal["patch", "mesh"]
    on: Where
    size_m: tuple[float, float]
    width_m: tuple[float, float]
    depth_m: tuple[float, float]
    cover: tuple[float, float]


def kind(name: str) -> Kind:
    """Look up the kind *name*. Raises InputError that lists what there is."""
    row = entry("defects", name, "kind of defect")
    return Kind(
        name=name,
        carrier=row["carrier"],
        on=row["on"],
        size_m=_pair(row["size_mm"], 1e-3),
        width_m=_pair(row.get("width_um", (0.0, 0.0)), 1e-6),
        depth_m=_pair(row.get("depth_um", (0.0, 0.0)), 1e-6),
        cover=_pair(row.get("cover", (0.0, 0.0)), 1.0),
    )


def shape_of(spec: DefectSpec) -> Shape:
    """The sizes of *spec*: length by its quantile on a log scale, times the scale; the rest by severity.

    Width grows with severity as depth does. No hollow is deeper than a sixth of its diameter: metal would tear.
    """
    row = kind(spec.kind)
    length = _log_between(row.size_m, spec.size_quantile) * spec.size_scale
    depth = _log_between(row.depth_m, spec.severity)
    if spec.kind == "dent":
        depth = min(depth, length / 6.0)
    return Shape(
        length_m=length,
        width_m=_log_between(row.width_m, spec.severity),
        depth_m=depth,
        cover=row.cover[0] + (row.cover[1] - row.cover[0]) * spec.severity,
        severity=spec.severity,
        seed=spec.seed,
    )


def _pair(values: Any, unit: float) -> tuple[float, float]:
    low, high = values
    return float(low) * unit, float(high) * unit


def _log_between(limits: tuple[float, float], t: float) -> float:
    low, high = limits
    return float(low * (high / low) ** t) if low > 0.0 else 0.0
