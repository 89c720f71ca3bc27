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
from pipeline.errors import InputError
from pipeline.spec.scene import ArrangementSpec

UNDERLAY_LOOK: Final = "grey_painted_table"
"""Look of the table below a tray or bin."""

POCKET_CLEARANCE_M: Final = 0.0015
"""Between a part's outline and the wall of its pocket."""
FIXTURE_PLATE_M: Final = 0.02
_LOWEST_RIM_M: Final = 0.005
"""No tray's wall is lower."""
_TABLE_M: Final = (1.2, 0.8)
_TABLE_MARGIN_M: Final = 0.1
"""It reaches this far beyond a tray or bin on it."""
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

    *footprints* of the parts shape a pocket tray; *inner* is a bin's length, width and height. Raises InputError when
    a tray of a given size (`spec.container_m`) cannot hold the parts.
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
    return _container(spec, extent, thickness=0.003)


def _bin(spec: ArrangementSpec, extent: Extent, inner: tuple[float, float, float]) -> Support:
    """A stacking bin on a table."""
    length, width, wall = inner
    meshes = (
        _mesh(spec.kind, spec.surface, bin_mesh(length, width, wall)),
        _table("table", UNDERLAY_LOOK, extent, top=-FOOT_M - 1e-5, under=(length / 2.0, width / 2.0)),
    )
    out = LIP_M + DRAFT * wall
    return Support(meshes, Enclosure(length / 2.0 + out, width / 2.0 + out, wall))


def _pocket_tray(spec: ArrangementSpec, extent: Extent, footprints: Sequence[shapely.Geometry]) -> Support:
    """A tray with a pocket about every part, on a table. A given size is that of its flat top, and its height."""
    depth, low, margin = pocket_depth(extent), -0.004, 0.02
    half_x, half_y = extent.half_x + margin, extent.half_y + margin
    if spec.container_m is not None:
        half_x, half_y = _given_half(spec, extent, POCKET_CLEARANCE_M + 0.006, "pockets")
        if spec.container_m[2] < depth - low:
            raise InputError(_too_flat(spec, "pocket tray", 1e3 * (depth - low)))
        low = depth - spec.container_m[2]
    pockets = [Pocket(footprint, POCKET_CLEARANCE_M) for footprint in footprints]
    outside = Rectangle(half_x, half_y, 0.012)
    plate = Plate(outside, pockets, top=depth, floor=0.0, low=low, edge=0.0008, draft=0.03 * depth)
    meshes = (
        _mesh(spec.kind, spec.surface, plate_mesh(plate)),
        _table("table", UNDERLAY_LOOK, extent, top=low - 1e-5, under=(half_x, half_y)),
    )
    return Support(meshes, Enclosure(half_x, half_y, depth))


def _given_half(spec: ArrangementSpec, extent: Extent, margin: float, of: str) -> tuple[float, float]:
    """Half the given length and width of a tray. Raises InputError when parts, *margin* included, reach beyond."""
    length, width, _ = spec.container_m or (0.0, 0.0, 0.0)
    needed_x, needed_y = 2.0 * (extent.half_x + margin), 2.0 * (extent.half_y + margin)
    if needed_x > length or needed_y > width:
        raise InputError(
            f"expected a {spec.kind} that holds its parts side by side, found that they and their {of} need "
            f"{1e3 * needed_x:.0f} x {1e3 * needed_y:.0f} mm: arrangement.container_mm = {1e3 * length:.0f} x "
            f"{1e3 * width:.0f} mm; use fewer parts (items.count), a smaller arrangement.gap_mm, a larger "
            "container_mm, or leave it out"
        )
    return length / 2.0, width / 2.0


def _too_flat(spec: ArrangementSpec, what: str, needed_mm: float) -> str:
    height = 1e3 * (spec.container_m or (0.0, 0.0, 0.0))[2]
    return (
        f"expected a {what} at least {needed_mm:.1f} mm high, found arrangement.container_mm with a height of "
        f"{height:g} mm; use a higher container_mm or leave it out"
    )


def pocket_depth(extent: Extent) -> float:
    """Depth of a tray's pockets, metres: a part stands out of them."""
    return min(max(0.3 * extent.height, 0.004), 0.02)


def _mesh(label: str, look: str, mesh: Mesh) -> SupportMesh:
    vertices, normals, triangles = mesh
    return SupportMesh(label, look, vertices, normals, triangles)


def _table(
    label: str, look: str, extent: Extent, *, top: float, under: tuple[float, float] = (0.0, 0.0)
) -> SupportMesh:
    """A table of at least the usual size that reaches beyond the half sizes *under* of what stands on it."""
    scale = max(1.0, _TABLE_RADII * extent.radius / _TABLE_M[1])
    half_x, half_y = (
        max(scale * usual / 2.0, half + _TABLE_MARGIN_M) for usual, half in zip(_TABLE_M, under, strict=True)
    )
    rectangle = Rectangle(half_x, half_y, 0.02)
    return _mesh(label, look, slab(rectangle, top=top, thickness=0.03, edge=0.003))


def _conveyor(spec: ArrangementSpec, extent: Extent) -> Support:
    """A belt along x between two profiles."""
    half_x = max(0.6, extent.half_x + 4.0 * extent.radius)
    half_y = extent.half_y + max(0.04, 0.3 * extent.radius)
    return Support(conveyor(spec.surface, half_x, half_y), Enclosure(half_x, half_width(half_y), PROFILE_TOP_M))


def _container(spec: ArrangementSpec, extent: Extent, *, thickness: float) -> Support:
    """A tray with drafted walls and a rolled rim, on a table; its inner size at the floor is the given one, or fits."""
    wall = min(max(0.12 * extent.radius, 0.008), 0.025) if spec.container_m is None else spec.container_m[2]
    if wall < _LOWEST_RIM_M:
        raise InputError(_too_flat(spec, "tray", 1e3 * _LOWEST_RIM_M))
    fillet = min(0.006, wall / 2.0)
    # The corner radius is twice the margin, which leaves 0.58 margins, more than fillet + gap, at a square's corner.
    margin = max(2.0 * (fillet + spec.gap_m), 0.1 * extent.radius, 0.01)
    half_x, half_y, radius = extent.half_x + margin, extent.half_y + margin, 2.0 * margin
    if spec.container_m is not None:
        half_x, half_y = _given_half(spec, extent, 1.2 * fillet, "fillets")
        radius = 2.0 * min(half_x - extent.half_x, half_y - extent.half_y, 0.02)
    draft, floor = 0.06 * wall, 0.004
    edge, out = 0.45 * thickness, min(0.006, 0.4 * wall)
    profile = [
        Corner(-0.9 * min(radius, 2.0 * fillet), 0.0),
        Corner(0.0, 0.0, 0.9 * fillet),
        Corner(draft, wall, edge),
        Corner(draft + out, wall, edge),
        Corner(draft + out, wall - 0.45 * out - 0.001, 0.3 * edge),
        Corner(draft + thickness, wall - 0.45 * out - 0.001, 0.3 * edge),
        Corner(thickness, -floor, edge),
        Corner(-0.9 * min(radius, 2.0 * fillet), -floor),
    ]
    meshes = (
        _mesh(spec.kind, spec.surface, sweep(Rectangle(half_x, half_y, radius), profile)),
        _table("table", UNDERLAY_LOOK, extent, top=-floor - 1e-5, under=(half_x, half_y)),
    )
    return Support(meshes, Enclosure(half_x + draft + out, half_y + draft + out, wall))
