"""A part and its finish as one body whose mesh can be cut and added to.

Covers: adding triangles with their attributes, taking triangles away. Does not cover: booleans (`cutting`), which
triangles (`burr`, `chip`, `holes`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Part
from pipeline.surface.material import FinishedSurface, MetalMaterial

NO_FACE: Final = -1
"""face_id of triangles that belong to no CAD face: fractures and burrs."""


@dataclass(frozen=True, eq=False)
class Body:
    """A part with its finish."""

    part: Part
    surface: FinishedSurface


@dataclass(frozen=True, eq=False)
class Addition:
    """Triangles to add to a body. Groove attributes that are None are zero: no direction."""

    vertices: NDArray[np.float64]
    """(n, 3) metres."""
    normals: NDArray[np.float64]
    """(n, 3) unit."""
    triangles: NDArray[np.int64]
    """(m, 3) indices into *vertices*."""
    face: NDArray[np.int32]
    """(m,) face_id."""
    solid: NDArray[np.int32]
    """(m,) solid_id."""
    material: NDArray[np.int32]
    """(m,) index into the surface's materials."""
    lay: NDArray[np.floating[Any]] | None = None
    lay_axis: NDArray[np.floating[Any]] | None = None
    lay_origin: NDArray[np.floating[Any]] | None = None
    groove: NDArray[np.floating[Any]] | None = None


def with_material(surface: FinishedSurface, material: MetalMaterial) -> tuple[FinishedSurface, int]:
    """*surface* with *material* added, and its index."""
    return replace(surface, materials=(*surface.materials, material)), len(surface.materials)


def without_triangles(body: Body, keep: NDArray[np.bool_]) -> Body:
    """*body* with only the triangles *keep* (m,) bool; vertices stay, so that every kept triangle keeps its bits."""
    part, surface = body.part, body.surface
    return Body(
        replace(
            part,
            triangles=part.triangles[keep],
            face_of_triangle=part.face_of_triangle[keep],
            solid_of_triangle=part.solid_of_triangle[keep],
        ),
        replace(surface, material_of_triangle=surface.material_of_triangle[keep]),
    )


def with_triangles(body: Body, new: Addition) -> Body:
    """*body* with the triangles of *new* behind its own."""
    part, surface = body.part, body.surface
    first = len(part.vertices)
    count = len(new.vertices)

    def longer(name: str) -> Any:
        own, added = getattr(surface, name), getattr(new, name)
        if own is None:
            return None
        tail = np.zeros((count, 3), dtype=own.dtype) if added is None else np.asarray(added, dtype=own.dtype)
        return np.concatenate([own, tail])

    return Body(
        replace(
            part,
            vertices=np.concatenate([part.vertices, new.vertices]),
            normals=np.concatenate([part.normals, new.normals.astype(np.float32)]),
            triangles=np.concatenate([part.triangles, (new.triangles + first).astype(np.int32)]),
            face_of_triangle=np.concatenate([part.face_of_triangle, new.face.astype(np.int32)]),
            solid_of_triangle=np.concatenate([part.solid_of_triangle, new.solid.astype(np.int32)]),
        ),
        replace(
            surface,
            material_of_triangle=np.concatenate([surface.material_of_triangle, new.material.astype(np.int32)]),
            lay=longer("lay"),
            lay_axis=longer("lay_axis"),
            lay_origin=longer("lay_origin"),
            groove=longer("groove"),
        ),
    )


def bare_metal(body: Body, name: str, process: str, alpha: float) -> MetalMaterial:
    """Metal of the body, fresh and without a film or a lay: of fractures and burrs."""
    own = body.surface.materials[0]
    return MetalMaterial(name, own.metal, own.ior, own.extinction, process, 0.0, alpha, alpha, "P")
