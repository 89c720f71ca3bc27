"""What the cameras see past: does a mesh stand between a camera and the parts?

Covers: view pyramids, ray tests against a mesh. Does not cover: what is done about it (`illuminate`, `domes`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import Arrangement, PlacedCamera, matrix
from pipeline.light.shapes import Mesh, Vector

RAYS_ACROSS = 33
"""Test rays per side of a camera's frame."""


@dataclass(frozen=True, eq=False)
class View:
    """A camera's pyramid of sight in the world."""

    position: Vector
    """(3,) metres."""
    axes: Vector
    """(3, 3): rows right, down, forward; unit."""
    reach: float
    """Metres from the camera to the far side of the arrangement."""
    slopes: tuple[float, float, float, float]
    """x/z of the frame's left and right edge, y/z of its top and bottom edge."""
    camera_index: int = 0

    def contains(self, points: Vector, margin: float) -> NDArray[np.bool_]:
        """Which of (n, 3) points lie before the lens, within reach, and less than *margin* metres outside the frame."""
        x, y, z = self.axes @ (points - self.position).T
        left, right, top, bottom = self.slopes
        inside = (x > left * z - margin) & (x < right * z + margin) & (y > top * z - margin) & (y < bottom * z + margin)
        result: NDArray[np.bool_] = inside & (z > 0.0) & (z < self.reach)
        return result

    def rays(self) -> Vector:
        """(RAYS_ACROSS^2, 3) unit directions over the whole frame, its edges included."""
        left, right, top, bottom = self.slopes
        x, y = np.meshgrid(np.linspace(left, right, RAYS_ACROSS), np.linspace(top, bottom, RAYS_ACROSS))
        directions: Vector = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1) @ self.axes
        return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def views_of(arrangement: Arrangement) -> tuple[View, ...]:
    """The pyramids of sight of all cameras."""
    return tuple(_view(camera, arrangement) for camera in arrangement.cameras)


def _view(camera: PlacedCamera, arrangement: Arrangement) -> View:
    pose = matrix(camera.cam_from_world)
    position = -pose[:3, :3].T @ pose[:3, 3]
    distance = float(np.linalg.norm(np.array(arrangement.centre) - position))
    slopes = (
        -camera.cx / camera.fx,
        (camera.width - camera.cx) / camera.fx,
        -camera.cy / camera.fy,
        (camera.height - camera.cy) / camera.fy,
    )
    return View(position, pose[:3, :3], distance + arrangement.radius_m, slopes, camera.camera_index)


def blocks_a_view(mesh: Mesh, views: Iterable[View]) -> bool:
    """Whether *mesh* hides anything within reach of any of the *views*, on a grid of RAYS_ACROSS rays per side."""
    corners = mesh.vertices[mesh.triangles]
    return any(_hit_within(view, corners[_perhaps_in(view, corners)]) for view in views)


def _perhaps_in(view: View, corners: Vector) -> NDArray[np.bool_]:
    """Which of (t, 3, 3) triangles are not wholly outside one side of the pyramid."""
    x, y, z = np.moveaxis((corners - view.position) @ view.axes.T, 2, 0)
    left, right, top, bottom = view.slopes
    outside = (x < left * z, x > right * z, y < top * z, y > bottom * z, z < 0.0, z > view.reach)
    result: NDArray[np.bool_] = ~np.any([side.all(axis=1) for side in outside], axis=0)
    return result


def _hit_within(view: View, corners: Vector) -> bool:
    """Moeller-Trumbore (1997): the view's rays against (t, 3, 3) triangles, both sides, up to the view's reach.

    Hits below z = 0 do not count: the parts stand above it, on the support.
    """
    directions = view.rays()
    start = view.position - corners[:, 0]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    q = np.cross(start, first)
    for block in np.array_split(directions, 1 + len(directions) * len(corners) // 200_000):
        p = np.cross(block[:, None, :], second[None])
        determinant = (p * first).sum(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):  # triangles seen edge-on: never a hit
            u = (p * start).sum(axis=2) / determinant
            v = (block @ q.T) / determinant
            t = (second * q).sum(axis=1) / determinant
            above = view.position[2] + t * block[:, None, 2] > 1e-6
            inside = (u >= 0.0) & (v >= 0.0) & (u + v <= 1.0)
        if bool((above & inside & (t > 1e-6) & (t < view.reach)).any()):
            return True
    return False
