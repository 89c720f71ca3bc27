"""What stands in a view, as one set of triangles in the world frame, and the rays that are cast at it.

Covers: which objects of a render job a view has, their poses and vertex attributes, closest hits and shadows (Embree).
Does not cover: light (`photons`), what surfaces do with it (`lobes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import matrix, shifted
from pipeline.bundle import BundleView, rides_the_belt
from pipeline.render.job import MeshJob, RenderJob

Floats = NDArray[np.float32]
"""Single precision, as Embree has it: 1e-8 m near the origin, where the parts are."""
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_LIFT_M: Final = 2e-6
"""Rays start this far above the surface that they leave: a hundred times the rounding of float32 at 0.1 m."""
_LIFT_SHARE: Final = 1e-6
"""More of it for what is far from the origin, as a share of the coordinates."""
_DIRECTIONS: Final = ("lay", "lay_axis")
_POINTS: Final = ("lay_origin",)
_NUMBERS: Final = ("groove",)


@dataclass(frozen=True)
class Placed:
    """One object as it is in a view. Equal ones are the same to light."""

    entry: MeshJob
    mesh_file: str
    first_material: int
    world_from_object: tuple[float, ...]


def placed_in(job: RenderJob, view: BundleView) -> tuple[Placed, ...]:
    """The objects of *view*, as `blender.stage.Stage` shows them.

    Of the two meshes of a polarised lamp only that which metal mirrors is there: it is what metal throws. The body of a
    camera that is in its own views alone (of a clip whose camera moves) is left out, so that frames share their light.
    """
    riding = {entry.index for entry in job.bundle.objects if rides_the_belt(entry)}
    found = []
    for entry in job.objects:
        in_rig = entry.rigs is None or view.rig_index in entry.rigs
        at_camera = entry.camera is None or entry.camera == view.camera.camera_index
        own_body = entry.body_of is not None and entry.camera is not None
        if not (in_rig and at_camera) or own_body or entry.lights == "diffusers":
            continue
        pose = entry.world_from_object
        if entry.index in riding and any(view.belt_shift_m):
            pose = shifted(pose, view.belt_shift_m)
        clean = entry.clean_mesh_file is not None and not view.defects
        file = (entry.clean_mesh_file if clean else entry.mesh_file) or ""
        found.append(Placed(entry, file, entry.clean_first_material if clean else entry.first_material, pose))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Triangles:
    """All triangles of a view in the world frame, metres."""

    vertices: Floats
    """(v, 3)."""
    corners: Ints
    """(t, 3) into the vertices."""
    normals: Floats
    """(v, 3) unit shading normals; zero where an object is shaded flat."""
    attributes: dict[str, Floats]
    """`lay`, `lay_axis`, `lay_origin`, `groove` (v, 3) as in `FinishedSurface`, turned into the world; zero without."""
    object: NDArray[np.int32]
    """(t,) object index, the value in object.png."""
    material: NDArray[np.int32]
    """(t,) index into the job's materials."""
    areas: Floats
    """(t,) square metres."""
    facing: Floats
    """(t, 3) unit geometric normals, to the front."""


def triangles_of(placed: Sequence[Placed], folder: Path) -> Triangles:
    """The triangles of what is *placed*; its mesh files lie in *folder*."""
    meshes = {file: _load(folder / file) for file in dict.fromkeys(one.mesh_file for one in placed)}
    vertices, corners, normals, objects, materials = [], [], [], [], []
    attributes: dict[str, list[NDArray[Any]]] = {name: [] for name in (*_DIRECTIONS, *_POINTS, *_NUMBERS)}
    start = 0
    for one in placed:
        mesh, pose = meshes[one.mesh_file], matrix(one.world_from_object)
        rotation, count = pose[:3, :3], len(mesh["vertices"])
        vertices.append(mesh["vertices"] @ rotation.T + pose[:3, 3])
        corners.append(mesh["triangles"].astype(np.int64) + start)
        nothing = np.zeros((count, 3), dtype=np.float32)
        normals.append(mesh["normals"] @ rotation.T if "normals" in mesh else nothing)
        for name, values in attributes.items():
            values.append(_placed_attribute(mesh[name], name, pose) if name in mesh else nothing)
        objects.append(np.full(len(mesh["triangles"]), one.entry.index, dtype=np.int32))
        materials.append((mesh["slot"] + one.first_material).astype(np.int32))
        start += count
    points, ends = np.concatenate(vertices), np.concatenate(corners)
    cross = np.cross(points[ends[:, 1]] - points[ends[:, 0]], points[ends[:, 2]] - points[ends[:, 0]])
    doubled = np.linalg.norm(cross, axis=1)
    return Triangles(
        vertices=points.astype(np.float32),
        corners=ends,
        normals=np.concatenate(normals).astype(np.float32),
        attributes={name: np.concatenate(values).astype(np.float32) for name, values in attributes.items()},
        object=np.concatenate(objects),
        material=np.concatenate(materials),
        areas=(0.5 * doubled).astype(np.float32),
        facing=(cross / np.maximum(doubled, 1e-30)[:, None]).astype(np.float32),
    )


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _placed_attribute(values: NDArray[Any], name: str, pose: Doubles) -> NDArray[Any]:
    if name in _NUMBERS:
        return values
    turned: NDArray[Any] = values @ pose[:3, :3].T
    return turned + pose[:3, 3] if name in _POINTS else turned


@dataclass(frozen=True, eq=False)
class Hits:
    """What n rays met first."""

    triangle: Ints
    """(n,), -1 = nothing."""
    point: Floats
    """(n, 3); meaningless where nothing was met."""
    weights: Floats
    """(n, 2) of the triangle's first two corners."""


class Caster:
    """Rays against the triangles of a view."""

    def __init__(self, triangles: Triangles) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        self._scene: Any = EmbreeScene()
        TriangleMesh(
            self._scene,
            np.ascontiguousarray(triangles.vertices),
            np.ascontiguousarray(triangles.corners, dtype=np.int32),
        )

    def first(self, start: Floats, direction: Floats) -> Hits:
        """What rays from (n, 3) *start* along (n, 3) unit *direction* meet first."""
        found = self._scene.run(_compact(start), _compact(direction), output=1)
        u, v = found["u"], found["v"]
        point = start + found["tfar"][:, None] * direction
        return Hits(found["primID"].astype(np.int64), point, np.stack([1.0 - u - v, u], axis=1))

    def reaches(self, start: Floats, direction: Floats, length: Floats) -> NDArray[np.bool_]:
        """Whether nothing stands within *length* (n,) metres of (n, 3) *start* along unit *direction*."""
        met = self._scene.run(_compact(start), _compact(direction), _compact(length), query="OCCLUDED")
        result: NDArray[np.bool_] = met == -1
        return result


def lifted(point: Floats, normal: Floats) -> Floats:
    """Points (n, 3) a little way off their surface along (n, 3) *normal*, so that rays from there leave it."""
    lift = _LIFT_M + _LIFT_SHARE * np.abs(point).max(axis=1, initial=0.0)
    result: Floats = point + lift[:, None].astype(np.float32) * normal
    return result


def dot(first: Floats, second: Floats) -> Floats:
    """Scalar products (n,) of vectors (n, 3)."""
    result: Floats = np.einsum("ni,ni->n", first, second)
    return result


def length_of(vectors: Floats) -> Floats:
    """Lengths (n,) of *vectors* (n, 3)."""
    result: Floats = np.sqrt(dot(vectors, vectors))
    return result


def _compact(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)
