"""Arrangement: where every part, the support and the cameras of one scene stand.

Covers: the record only. `place` fills the parts and the support, `cameras` the cameras. World frame: z up, the
support's top surface is z = 0, metres; the origin is below the middle of the arrangement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PlacedItem:
    """A part instance in the world."""

    instance_id: int
    part_id: str
    world_from_part: tuple[float, ...]
    """4x4 row-major, rigid (rotation, translation in metres)."""


@dataclass(frozen=True)
class PlacedCamera:
    """A pinhole camera in OpenCV's convention (x right, y down, z forward)."""

    camera_index: int
    cam_from_world: tuple[float, ...]
    """4x4 row-major, metres."""
    fx: float
    fy: float
    cx: float
    cy: float
    """Pixels; the centre of the top left pixel is at (0.5, 0.5)."""
    width: int
    height: int


@dataclass(frozen=True)
class PlacedPane:
    """A pane of glass before one camera: plane, parallel faces, large enough for the camera's frame."""

    kind: str
    """Entry of assets/tables/glass."""
    thickness_m: float
    refractive_index: float
    world_from_pane: tuple[float, ...]
    """4x4 row-major, metres. The front face is the plane z = 0 of the pane's frame, z points at the camera's side, and
    the camera's optical axis meets the front face at the origin."""
    size_m: tuple[float, float]
    """Width (x) and height (y) about the origin that the frame needs."""
    context: PlacedCamera
    """The context camera: at the camera's place, looking where the pane mirrors the camera's axis to."""


@dataclass(frozen=True, eq=False)
class SupportMesh:
    """A piece of the table, belt, tray or bin, with flat or smooth normals."""

    label: str
    """What it is, for the reflection labels: "table", "conveyor_belt", "tray", "bin" ..."""
    look: str
    """Entry of assets/tables/supports."""
    vertices: NDArray[np.float64]
    """(n, 3) metres, world frame."""
    normals: NDArray[np.float32]
    """(n, 3) unit, outward."""
    triangles: NDArray[np.int32]
    """(m, 3)."""


@dataclass(frozen=True, eq=False)
class Arrangement:
    """One scene's geometry."""

    items: tuple[PlacedItem, ...]
    supports: tuple[SupportMesh, ...]
    cameras: tuple[PlacedCamera, ...]
    centre: tuple[float, float, float]
    """Centre of the bounding sphere of all parts, world frame, metres."""
    radius_m: float
    """Radius of that sphere."""
    panes: tuple[PlacedPane, ...] = ()
    """The pane before each camera, in their order; empty where the scene has no glass."""


def matrix(values: tuple[float, ...]) -> NDArray[np.float64]:
    """16 row-major numbers as a (4, 4) float64 matrix."""
    return np.array(values, dtype=np.float64).reshape(4, 4)


def shifted(pose: tuple[float, ...], by: tuple[float, float, float]) -> tuple[float, ...]:
    """A 4x4 row-major *pose* moved by *by*, metres in the world."""
    moved = list(pose)
    for axis in range(3):
        moved[4 * axis + 3] += by[axis]
    return tuple(moved)
