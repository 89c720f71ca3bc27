"""Which pixels' points a place in space can see: rays (Embree) against whole part meshes and all else the camera sees.

Supports, bins and walls hide things too, but a bundle holds their pixels, not their meshes: their visible surface is
made a mesh of triangles between pixels. Does not cover: what hides from the camera and is no part.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera

Floats = NDArray[np.float32]
Mesh = tuple[NDArray[np.float64], NDArray[np.int32]]

STRIDE_PX: Final = 3
"""Pixels between the vertices of the visible surface: a ninth of the triangles, borders to two pixels."""
STEEPEST: Final = 10.0
"""A triangle whose depths differ by more than so many pixel footprints a pixel would be a curtain before a gap."""
LIFT_PX: Final = 2.0
"""Rays start so many pixel footprints above their surface, which its own triangles may otherwise hide."""


class Occluders:
    """Everything that may stand between a point and a projector, in the camera's frame."""

    def __init__(self, meshes: Iterable[Mesh]) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        self._scene: Any = EmbreeScene()
        self._empty = True
        for vertices, triangles in meshes:
            if len(triangles):
                self._empty = False
                corners = np.ascontiguousarray(vertices, dtype=np.float32)
                TriangleMesh(self._scene, corners, np.ascontiguousarray(triangles, dtype=np.int32))

    def hidden(self, points: Floats, place: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether something stands between *points* (n, 3) and the *place* (3,), metres."""
        if self._empty or not len(points):
            return np.zeros(len(points), dtype=np.bool_)
        towards = np.asarray(place, dtype=np.float32) - points
        length = np.linalg.norm(towards, axis=1).astype(np.float32)
        directions = np.ascontiguousarray(towards / np.maximum(length, 1e-12)[:, None], dtype=np.float32)
        origins = np.ascontiguousarray(points, dtype=np.float32)
        return np.asarray(self._scene.run(origins, directions, dists=length, query="OCCLUDED") != -1, dtype=np.bool_)


def visible_mesh(camera: PlacedCamera, depth: Floats, objects: NDArray[np.uint16], skip: NDArray[np.bool_]) -> Mesh:
    """The surface that the camera sees as a mesh in its frame, without the pixels of *skip* (h, w).

    *depth* (h, w) metres along the axis, 0 = nothing. Triangles join pixels of one object only.
    """
    rows, columns = np.arange(0, depth.shape[0], STRIDE_PX), np.arange(0, depth.shape[1], STRIDE_PX)
    z = depth[::STRIDE_PX, ::STRIDE_PX].astype(np.float64)
    x = (columns + 0.5 - camera.cx) / camera.fx * z
    y = (rows + 0.5 - camera.cy)[:, None] / camera.fy * z
    ids = np.where(skip, 0, objects)[::STRIDE_PX, ::STRIDE_PX]
    near, far = _corners(z, np.minimum), _corners(z, np.maximum)
    whole = (_corners(ids, np.minimum) == _corners(ids, np.maximum)) & (ids[:-1, :-1] > 0) & (near > 0)
    whole &= far - near < STEEPEST * STRIDE_PX / min(camera.fx, camera.fy) * near
    first = (np.arange(z.size).reshape(z.shape)[:-1, :-1])[whole]
    below = first + z.shape[1]
    triangles = np.concatenate(
        [np.stack([first, below, first + 1], axis=-1), np.stack([first + 1, below, below + 1], axis=-1)]
    )
    return np.stack([x, y, z], axis=-1).reshape(-1, 3), triangles.astype(np.int32)


def _corners(values: NDArray[Any], combine: Any) -> NDArray[Any]:
    """*combine* of the four corners (h - 1, w - 1) of every square of *values* (h, w)."""
    across = combine(values[:, :-1], values[:, 1:])
    return np.asarray(combine(across[:-1], across[1:]))
