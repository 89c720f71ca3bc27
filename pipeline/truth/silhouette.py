"""The whole silhouette of a part, as if nothing stood before it: rays through pixel centres against its mesh (Embree).

Does not cover: visible masks (the renderer draws those), rows (`instances`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.truth.projection import Box

_BLOCK_ROWS: Final = 256
"""Rows of pixels cast at once; bounds the memory for rays."""


class PartCaster:
    """Casts rays against one part. Build one per part, use it for all its instances and views."""

    def __init__(self, vertices: NDArray[np.float64], triangles: NDArray[np.int32]) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        # Embree computes in float32: centred on the part and scaled to about 1 its rounding is far below a pixel.
        self._centre = (vertices.min(axis=0) + vertices.max(axis=0)) / 2.0
        self._scale = 1.0 / max(*np.ptp(vertices, axis=0).tolist(), 1e-12)
        scaled = np.ascontiguousarray((vertices - self._centre) * self._scale, dtype=np.float32)
        self._scene: Any = EmbreeScene()
        TriangleMesh(self._scene, scaled, np.ascontiguousarray(triangles, dtype=np.int32))

    def silhouette(self, camera: PlacedCamera, camera_from_part: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
        """Mask (h, w) of the pixels of *box* (x, y, w, h; may reach beyond the image) whose centre ray hits the part.

        *camera_from_part* is a rigid 4x4 matrix, metres.
        """
        x, y, width, height = box
        mask = np.zeros((height, width), dtype=bool)
        for top in range(0, height, _BLOCK_ROWS):
            rows = min(_BLOCK_ROWS, height - top)
            rays = pixel_rays(camera, (x, y + top, width, rows)).reshape(-1, 3)
            mask[top : top + rows] = self._hits(rays, camera_from_part).reshape(rows, width)
        return mask

    def _hits(self, rays: NDArray[np.float64], camera_from_part: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether rays (n, 3) from the camera's centre, in its frame, hit the part."""
        rotation, shift = camera_from_part[:3, :3], camera_from_part[:3, 3]
        origin = (-rotation.T @ shift - self._centre) * self._scale
        origins = np.ascontiguousarray(np.broadcast_to(origin, rays.shape), dtype=np.float32)
        directions = np.ascontiguousarray(rays @ rotation, dtype=np.float32)
        hits: NDArray[np.bool_] = self._scene.run(origins, directions, query="OCCLUDED") != -1
        return hits


def pixel_rays(camera: PlacedCamera, box: Box) -> NDArray[np.float64]:
    """Unit directions (h, w, 3) in the camera's frame through the pixel centres of *box*."""
    x, y, width, height = box
    rays = np.ones((height, width, 3))
    rays[..., 0] = ((np.arange(x, x + width) + 0.5 - camera.cx) / camera.fx)[None, :]
    rays[..., 1] = ((np.arange(y, y + height) + 0.5 - camera.cy) / camera.fy)[:, None]
    result: NDArray[np.float64] = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return result
