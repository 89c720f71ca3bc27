"""Vices and fixtures: what holds a part while it is machined or measured.

A vice's jaws touch two opposite flanks of the part; a fixture has a plate, three locating pins that touch the part's
outline, and two strap clamps on top of it. Does not cover: parts that lie around them (`place`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.arrange.arrangement import SupportMesh
from pipeline.arrange.clamps import strap_clamp
from pipeline.arrange.jaws import jaw_plate
from pipeline.arrange.plates import Plate, Pocket, joined, plate_mesh
from pipeline.arrange.sweep import Mesh, Rectangle, slab, tube
from pipeline.errors import InputError

Floats = NDArray[np.float64]

JAW_LOOK: Final = "ground_steel"
CLAMP_LOOK: Final = "black_oxide_steel"
_TOUCH: Final = 0.001
"""Points within this share of the part's width count as touching a jaw."""
_SMALLEST_PATCH: Final = 0.08
"""The flanks must face each other over this share of the part's size, along the jaw or upright."""


@dataclass(frozen=True)
class Grip:
    """Two opposite flanks of a part that lies on z = 0."""

    angle: float
    """Direction of the jaws' travel, radians from x."""
    low: float
    high: float
    """The flanks' places along that direction, metres."""
    middle: float
    """Middle of where they face each other, across that direction."""
    bottom: float
    top: float
    """Heights between which they face each other."""


def find_grip(points: Floats, name: str) -> Grip:
    """The best two opposite flanks of (n, 3) *points*: planes or cylinder flanks that face each other most.

    Raises InputError when there are none, naming the part.
    """
    hull = np.asarray(shapely.convex_hull(shapely.multipoints(points[:, :2])).exterior.coords)
    ahead = np.diff(hull, axis=0)
    angles = np.mod(np.arctan2(ahead[:, 0], -ahead[:, 1]), np.pi)
    best: tuple[float, Grip] | None = None
    size = float(np.max(np.ptp(points, axis=0)))
    for angle in np.unique(np.round(angles, 4)):
        grip = _grip(points, float(angle))
        if grip is None:
            continue
        across, upright = grip[1], grip[0].top - grip[0].bottom
        if max(across, upright) < _SMALLEST_PATCH * size:
            continue
        score = (across + 0.1 * size) * (upright + 0.02 * size) / (grip[0].high - grip[0].low)
        if best is None or score > best[0]:
            best = (score, grip[0])
    if best is None:
        raise InputError(
            f"expected a part with two opposite flanks for a vice, found none on {name}; "
            "use another part or arrangement.kinds without vice"
        )
    return best[1]


def _grip(points: Floats, angle: float) -> tuple[Grip, float] | None:
    """The grip across *angle*, and how far its flanks overlap along the jaws; None when they pass each other."""
    along = points[:, :2] @ np.array([np.cos(angle), np.sin(angle)])
    across = points[:, :2] @ np.array([-np.sin(angle), np.cos(angle)])
    low, high = float(np.min(along)), float(np.max(along))
    touch = _TOUCH * (high - low)
    first, second = along < low + touch, along > high - touch
    left = max(np.min(across[first]), np.min(across[second]))
    right = min(np.max(across[first]), np.max(across[second]))
    bottom = max(np.min(points[first, 2]), np.min(points[second, 2]))
    top = min(np.max(points[first, 2]), np.max(points[second, 2]))
    if right < left - 1e-6 or top <= bottom:
        return None
    middle = float(left + right) / 2.0
    return Grip(angle, low, high, middle, float(bottom), float(top)), float(right - left)


@dataclass(frozen=True, eq=False)
class Held:
    """A holder and how far it moves the part."""

    meshes: tuple[SupportMesh, ...]
    lift: float
    """Metres that the part is raised above the table."""
    footprint: shapely.Geometry
    """What the holder and the part cover, seen from above."""


def vice(points: Floats, name: str, look: str) -> Held:
    """A machine vice about a part whose (n, 3) *points* lie on z = 0; the table is z = 0 too."""
    grip = find_grip(points, name)
    width = grip.high - grip.low
    length = float(np.ptp(points @ [-np.sin(grip.angle), np.cos(grip.angle), 0.0]))
    jaw_half = max(0.6 * length, 0.5 * width, 0.03)
    into = grip.bottom + 0.55 * (grip.top - grip.bottom)
    jaw_tall = max(1.3 * into, 0.5 * jaw_half)
    bed, deep = 0.45 * jaw_half + 0.01, 0.55 * jaw_half
    lift = bed + jaw_tall - into
    edge = 0.04 * jaw_half
    insert = 0.12 * jaw_half
    back = 1.3 * width + 2.0 * jaw_half

    def block(y0: float, y1: float, half_x: float, low: float, high: float, rounding: float = edge) -> Mesh:
        rectangle = Rectangle(half_x, (y1 - y0) / 2.0, 2.01 * rounding, (0.0, (y0 + y1) / 2.0))
        return slab(rectangle, top=high, thickness=high - low, edge=rounding)

    top = bed + jaw_tall
    body = [
        block(-deep - insert - 0.01, width + back, 1.05 * jaw_half, 0.0, bed),
        block(-0.6 * deep, 0.7 * (width + back), 1.35 * jaw_half, 1e-5, 0.4 * bed, 0.1 * bed),
        block(-deep - insert, -insert, jaw_half, bed + 1e-5, top),
        block(width + insert, width + insert + 1.3 * deep, jaw_half, bed + 1e-5, top),
        block(width + back - deep, width + back, 0.5 * jaw_half, bed + 1e-5, bed + 0.6 * jaw_tall),
    ]
    fixed = jaw_plate(jaw_half, bed + 0.3 * jaw_tall, top, insert)
    plates = [
        fixed,
        _facing_back(fixed, width),
        block(0.06 * width, 0.94 * width, 0.7 * jaw_half, bed + 2e-5, lift, 0.0006),
    ]
    screw_y = np.linspace(width + insert + 1.2 * deep, width + back + 0.3 * jaw_half, 3)
    path = np.column_stack([np.zeros(3), screw_y, np.full(3, bed + 0.32 * jaw_tall)])
    screw = tube(path, min(0.14 * jaw_half, 0.22 * jaw_tall), sides=40, smooth=True)
    handle_y = float(screw_y[-1]) - 0.12 * jaw_half
    bar = np.array([[-0.7 * jaw_half, handle_y, path[0, 2]], [0.7 * jaw_half, handle_y, path[0, 2]]])
    handle = tube(bar, 0.06 * jaw_half, sides=24, smooth=True)
    pieces = (
        ("vice", look, joined(body)),
        ("vice_jaw", JAW_LOOK, joined(plates)),
        ("vice_screw", CLAMP_LOOK, joined([screw, handle])),
    )
    meshes = tuple(_placed(label, own_look, mesh, grip) for label, own_look, mesh in pieces)
    outline = shapely.convex_hull(shapely.multipoints(np.concatenate([m.vertices[:, :2] for m in meshes])))
    return Held(meshes, lift, outline)


def _facing_back(mesh: Mesh, width: float) -> Mesh:
    """A jaw plate at y = 0 turned half round, its face at y = *width*."""
    vertices, normals, triangles = mesh
    turn = np.array([-1.0, -1.0, 1.0])
    return vertices * turn + np.array([0.0, width, 0.0]), (normals * turn).astype(np.float32), triangles


def _placed(label: str, look: str, mesh: Mesh, grip: Grip) -> SupportMesh:
    """A piece of the vice, drawn with y along the jaws' travel from the lower flank, turned and moved to the part."""
    turn = grip.angle - np.pi / 2.0
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0.0], [np.sin(turn), np.cos(turn), 0.0], [0.0, 0.0, 1.0]])
    travel = np.array([np.cos(grip.angle), np.sin(grip.angle), 0.0])
    sideways = np.array([-np.sin(grip.angle), np.cos(grip.angle), 0.0])
    vertices, normals, triangles = mesh
    moved = vertices @ rotation.T + grip.low * travel + grip.middle * sideways
    return SupportMesh(label, look, moved, (normals @ rotation.T).astype(np.float32), triangles)


def fixture(points: Floats, look: str) -> Held:
    """A plate with a grid of holes, three locating pins and two strap clamps about (n, 3) *points* on z = 0."""
    outline = shapely.convex_hull(shapely.multipoints(points[:, :2]))
    size = float(np.max(np.ptp(points, axis=0)[:2]))
    tall = float(np.max(points[:, 2]))
    pin = max(0.05 * size, 0.003)
    pins = [_pin(points, angle, pin, min(0.6 * tall, 6.0 * pin)) for angle in (np.pi, 1.25 * np.pi, 1.75 * np.pi)]
    clamps = [mesh for side in (-1.0, 1.0) for mesh in strap_clamp(points, side, size)]
    half = 0.5 * size + 0.75 * size + 0.03
    around = shapely.buffer(outline, 0.02 * size)
    pitch = max(0.025, half / 5.0)
    count = int((half - 0.4 * pitch) / pitch)
    holes = [
        Pocket(shapely.box(x * pitch - 1e-4, y * pitch - 1e-4, x * pitch + 1e-4, y * pitch + 1e-4), 0.0035, segments=5)
        for x in range(-count, count + 1)
        for y in range(-count, count + 1)
        if not around.intersects(shapely.Point(x * pitch, y * pitch).buffer(0.006))
    ]
    plate = Plate(Rectangle(half, half, 0.008), holes, top=0.0, floor=-0.014, low=-0.02, edge=0.0006)
    meshes = (
        _support("fixture_plate", look, plate_mesh(plate)),
        _support("fixture_pin", JAW_LOOK, joined(pins)),
        _support("fixture_clamp", CLAMP_LOOK, joined(clamps)),
    )
    return Held(meshes, 0.0, shapely.box(-half, -half, half, half))


def _support(label: str, look: str, mesh: Mesh) -> SupportMesh:
    return SupportMesh(label, look, *mesh)


def _pin(points: Floats, angle: float, radius: float, tall: float) -> Mesh:
    """An upright pin that touches the outline of what is below its top, seen from the middle along *angle*."""
    low = points[points[:, 2] <= tall]
    outline = shapely.convex_hull(shapely.multipoints((low if len(low) > 3 else points)[:, :2]))
    ahead = np.array([np.cos(angle), np.sin(angle)])
    near, far = 0.0, float(np.max(np.linalg.norm(points[:, :2], axis=1))) + 2.0 * radius
    for _ in range(60):
        at = (near + far) / 2.0
        touching = shapely.distance(outline, shapely.Point(*(at * ahead))) < radius + 2e-6
        near, far = (at, far) if touching else (near, at)
    x, y = (float(v) for v in far * ahead)
    return slab(Rectangle(radius, radius, 0.999 * radius, (x, y)), top=tall, thickness=tall + 1e-3, edge=0.15 * radius)
