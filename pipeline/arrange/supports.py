"""Supports: the table, conveyor, tray, pocket tray or bin under an arrangement, sized to it.

Every support's surface under the parts is z = 0. Edges are rounded by one to a few millimetres, as real ones are, so
that they catch light. Does not cover: vices and fixtures (`holders`), what the surfaces look like (`surface`), the
floor and walls of the room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import shapely

from pipeline.arrange.arrangement import SupportMesh
from pipeline.arrange.bins import DRAFT, FOOT_M, LIP_M, bin_mesh
from pipeline.arrange.conveyor import PROFILE_TOP_M, conveyor, half_width
from pipeline.arrange.plates import Plate, Pocket, plate_mesh
from pipeline.arrange.sweep import Corner, Mesh, Rectangle, slab, sweep
from pipeline.spec.scene import ArrangementSpec

UNDERLAY_LOOK: Final = "grey_painted_table"
"""Look of the table below a tray or bin."""

POCKET_CLEARANCE_M: Final = 0.0015
"""Between a part's outline and the wall of its pocket."""
FIXTURE_PLATE_M: Final = 0.02
_TABLE_M: Final = (1.2, 0.8)
_TABLE_RADII: Final = 6.0
"""A table's short side measures at least this many radii of the arrangement."""


@dataclass(frozen=True)
class Extent:
    """How much room the parts take: half sizes about the origin, tallest point and bounding radius, metres."""

    half_x: float
    half_y: float
    height: float
    radius: float


@dataclass(frozen=True)
class Enclosure:
    """The upper edge of a rim, wall or rail: a view of the parts must pass above it. Metres."""

    half_x: float
    half_y: float
    height: float


@dataclass(frozen=True)
class Support:
    """All pieces of a support, the main one first, and what may hide the parts from a camera."""

    meshes: tuple[SupportMesh, ...]
    enclosure: Enclosure | None


def build_support(
    spec: ArrangementSpec,
    extent: Extent,
    footprints: Sequence[shapely.Geometry] = (),
    inner: tuple[float, float, float] | None = None,
) -> Support:
    """The support that *spec* names under parts of *extent*; its main piece has the look `spec.surface`.

    *footprints* of the parts shape a pocket tray; *inner* is a bin's length, width and height.
    """
    if spec.kind in {"table", "pile", "stack"}:
        return Support((_table("table", spec.surface, extent, top=0.0),), None)
    if spec.kind in {"vice", "fixture"}:
        top = 0.0 if spec.kind == "vice" else -FIXTURE_PLATE_M - 1e-5
        return Support((_table("table", UNDERLAY_LOOK, extent, top=top),), None)
    if spec.kind == "conveyor":
        return _conveyor(spec, extent)
    if spec.kind == "pocket_tray":
        return _pocket_tray(spec, extent, footprints)
    if inner is not None:
        return _bin(spec, extent, inner)
    rim = min(max(0.12 * extent.radius, 0.008), 0.025)
    return _container(spec, extent, wall=rim, thickness=0.003)


def _bin(spec: ArrangementSpec, extent: Extent, inner: tuple[float, float, float]) -> Support:
    """A stacking bin on a table."""
    length, width, wall = inner
    meshes = (
        _mesh(spec.kind, spec.surface, bin_mesh(length, width, wall)),
        _table("table", UNDERLAY_LOOK, extent, top=-FOOT_M - 1e-5),
    )
    out = LIP_M + DRAFT * wall
    return Support(meshes, Enclosure(length / 2.0 + out, width / 2.0 + out, wall))


def _pocket_tray(spec: ArrangementSpec, extent: Extent, footprints: Sequence[shapely.Geometry]) -> Support:
    """A tray with a pocket about every part, on a table."""
    depth = pocket_depth(extent)
    half_x, half_y, low = extent.half_x + 0.02, extent.half_y + 0.02, -0.004
    pockets = [Pocket(footprint, POCKET_CLEARANCE_M) for footprint in footprints]
    outside = Rectangle(half_x, half_y, 0.012)
    plate = Plate(outside, pockets, top=depth, floor=0.0, low=low, edge=0.0008, draft=0.03 * depth)
    meshes = (
        _mesh(spec.kind, spec.surface, plate_mesh(plate)),
        _table("table", UNDERLAY_LOOK, extent, top=low - 1e-5),
    )
    return Support(meshes, Enclosure(half_x, half_y, depth))


def pocket_depth(extent: Extent) -> float:
    """Depth of a tray's pockets, metres: a part stands out of them."""
    return min(max(0.3 * extent.height, 0.004), 0.02)


def _mesh(label: str, look: str, mesh: Mesh) -> SupportMesh:
    vertices, normals, triangles = mesh
    return SupportMesh(label, look, vertices, normals, triangles)


def _table(label: str, look: str, extent: Extent, *, top: float) -> SupportMesh:
    scale = max(1.0, _TABLE_RADII * extent.radius / _TABLE_M[1])
    rectangle = Rectangle(scale * _TABLE_M[0] / 2.0, scale * _TABLE_M[1] / 2.0, 0.02)
    return _mesh(label, look, slab(rectangle, top=top, thickness=0.03, edge=0.003))


def _conveyor(spec: ArrangementSpec, extent: Extent) -> Support:
    """A belt along x between two profiles."""
    half_x = max(0.6, extent.half_x + 4.0 * extent.radius)
    half_y = extent.half_y + max(0.04, 0.3 * extent.radius)
    return Support(conveyor(spec.surface, half_x, half_y), Enclosure(half_x, half_width(half_y), PROFILE_TOP_M))


def _container(spec: ArrangementSpec, extent: Extent, *, wall: float, thickness: float) -> Support:
    """A tray with drafted walls of height *wall*, on a table."""
    fillet = min(0.006, wall / 2.0)
    # The corner radius is twice the margin, which leaves 0.58 margins, more than fillet + gap, at a square's corner.
    margin = max(2.0 * (fillet + spec.gap_m), 0.1 * extent.radius, 0.01)
    inner = Rectangle(extent.half_x + margin, extent.half_y + margin, 2.0 * margin)
    draft, floor = 0.06 * wall, 0.004
    outside, edge = draft + thickness, 0.45 * thickness
    profile = [
        Corner(-2.0 * fillet, 0.0),
        Corner(0.0, 0.0, fillet),
        Corner(draft, wall, edge),
        Corner(outside, wall, edge),
        Corner(thickness, -floor, edge),
        Corner(-2.0 * fillet, -floor),
    ]
    meshes = (
        _mesh(spec.kind, spec.surface, sweep(inner, profile)),
        _table("table", UNDERLAY_LOOK, extent, top=-floor - 1e-5),
    )
    return Support(meshes, Enclosure(inner.half_x + outside, inner.half_y + outside, wall))
