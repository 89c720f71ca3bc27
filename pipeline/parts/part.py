"""Part: one CAD part as arrays, in metres, with its B-rep faces.

Covers: the record and its form on disk. Does not cover: reading CAD files (`read`), checks (`check`), resting poses
(`resting`), symmetries (`symmetry`). Nothing here imports a CAD kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.records import from_dict, read_json, to_dict, write_json

FaceKind = Literal["plane", "cylinder", "cone", "sphere", "torus", "freeform"]

MESH_FILE = "mesh.npz"
PART_FILE = "part.json"


@dataclass(frozen=True)
class Face:
    """A B-rep face. Geometry is in metres in the part's frame; fields that its kind has not are None."""

    face_id: int
    """0-based; `Part.face_of_triangle` refers to it."""
    solid_id: int
    kind: FaceKind
    area_m2: float
    origin: tuple[float, float, float] | None
    """A point on the axis (cylinder, cone, torus), the centre (sphere) or a point of the plane."""
    axis: tuple[float, float, float] | None
    """Unit axis of a cylinder, cone or torus; outward unit normal of a plane; None for sphere and freeform."""
    radius_m: float | None
    """Cylinder, sphere: radius; cone: mean radius over the face; torus: major radius."""
    minor_radius_m: float | None
    """Torus only."""
    inner: bool | None
    """True for a concave face (a hole's wall, a fillet's hollow); None for planes and freeform faces."""
    name: str | None
    color: tuple[float, float, float] | None
    """Linear RGB 0..1 when the file colours this face or its solid."""


@dataclass(frozen=True)
class Solid:
    """A named body of a part; an assembly has several."""

    solid_id: int
    name: str
    color: tuple[float, float, float] | None
    watertight: bool
    volume_m3: float
    """Signed volume by the divergence theorem; meaningless when not watertight."""


@dataclass(frozen=True)
class RestingPose:
    """A pose in which the part's convex hull lies stably on the plane z = 0."""

    world_from_part: tuple[float, ...]
    """16 row-major numbers: rotation, and the lift that puts the lowest point on z = 0, centred on x and y."""
    probability: float


@dataclass(frozen=True)
class Symmetries:
    """Rigid motions that map the part onto itself (BOP's form), in the part's frame, metres."""

    discrete: tuple[tuple[float, ...], ...]
    """4x4 row-major matrices, identity left out."""
    continuous: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...]
    """(unit axis, offset) pairs: any rotation about that line."""


@dataclass(frozen=True)
class PartInfo:
    """Everything about a part but its arrays; `part.json`."""

    name: str
    source_file: str
    """File name only."""
    source_sha256: str
    file_format: str
    """"step", "iges", "stl", "obj", "ply", "glb" or "3mf"."""
    units: str
    """Length unit of the file, for example "mm"."""
    units_source: str
    """"file", "spec" or "assumed"."""
    solids: tuple[Solid, ...]
    faces: tuple[Face, ...]
    bounds_m: tuple[tuple[float, float, float], tuple[float, float, float]]
    diameter_m: float
    """Largest distance between two vertices of the convex hull."""
    volume_m3: float
    area_m2: float
    watertight: bool
    tolerance_m: float
    """Largest distance between mesh and true surface that was asked of the kernel."""
    exact_normals: bool
    """True when normals come from the B-rep; False when they were estimated from a mesh."""
    skipped: tuple[str, ...]
    """What was left out, one sentence each (free curves, empty nodes)."""
    resting_poses: tuple[RestingPose, ...]
    symmetries: Symmetries


@dataclass(frozen=True, eq=False)
class Part:
    """A part: vertices are split along B-rep face borders, so each vertex has one normal and one face."""

    info: PartInfo
    vertices: NDArray[np.float64]
    """(n, 3) metres, part frame (the CAD file's own origin and axes)."""
    normals: NDArray[np.float32]
    """(n, 3) unit, outward."""
    triangles: NDArray[np.int32]
    """(m, 3) vertex indices, counter-clockwise from outside."""
    face_of_triangle: NDArray[np.int32]
    """(m,) face_id of each triangle."""
    solid_of_triangle: NDArray[np.int32]
    """(m,) solid_id of each triangle."""


def save_part(part: Part, folder: Path) -> None:
    """Write *part* into an existing *folder* as `mesh.npz` and `part.json`; the same part gives the same bytes."""
    np.savez(
        folder / MESH_FILE,
        vertices=part.vertices,
        normals=part.normals,
        triangles=part.triangles,
        face_of_triangle=part.face_of_triangle,
        solid_of_triangle=part.solid_of_triangle,
    )
    write_json(folder / PART_FILE, to_dict(part.info))


def load_part(folder: Path) -> Part:
    """Read what `save_part` wrote. Raises FileNotFoundError when *folder* holds no part."""
    with np.load(folder / MESH_FILE, allow_pickle=False) as arrays:
        return Part(
            info=load_part_info(folder),
            vertices=arrays["vertices"],
            normals=arrays["normals"],
            triangles=arrays["triangles"],
            face_of_triangle=arrays["face_of_triangle"],
            solid_of_triangle=arrays["solid_of_triangle"],
        )


def load_part_info(folder: Path) -> PartInfo:
    """Read `part.json` alone, without the arrays."""
    return from_dict(PartInfo, read_json(folder / PART_FILE))
