"""The same surface point in two frames of a clip: through depth, poses and the belt's motion, hidden or not.

Covers: reprojection of pixels and the test of visibility. Does not cover: what mirrors show. A highlight is the mirror
image of a lamp, which moves over the metal as the camera moves: its surface point is found again, but shows something
else there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, matrix

DEPTH_TOLERANCE: Final = 2e-3
"""A point is seen when its depth lies within this share of those at the pixel and its eight neighbours: the nearest
pixel's centre is up to 0.7 pixels away, and surfaces slope."""
_NEAREST_M: Final = 1e-6


class LensMap(Protocol):
    """Where a lens that distorts puts the points of the pinhole render: pixel coordinates (n, 2), x and y."""

    def photo_points(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """From the render to the photo."""
        ...

    def view_points(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """From the photo to the render."""
        ...


@dataclass(frozen=True, eq=False)
class FrameGeometry:
    """What a frame shows where. Layers are those of the pinhole render, rows and columns those of the photo."""

    camera: PlacedCamera
    depth: NDArray[np.float32]
    """(h, w) metres along the camera's axis, 0 = nothing, infinitely far."""
    objects: NDArray[np.uint16]
    """(h, w) object index, 0 = nothing."""
    belt_shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far what rides the belt has moved, world."""
    riding: frozenset[int] = frozenset()
    """Object indices that ride the belt."""
    lens: LensMap | None = None
    """None = the photo has the pixels of the render."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Where n pixels of one frame are in another."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    """(n,) pixels of the other frame, within it also where nothing is seen."""
    seen: NDArray[np.bool_]
    """(n,) whether the other frame shows the same point."""


def match(frame: FrameGeometry, other: FrameGeometry, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Matches:
    """Find the surface points at pixels (*rows*, *columns*), (n,) each, of *frame* in *other*."""
    at = _in_render(frame, np.stack([columns + 0.5, rows + 0.5], axis=-1))
    own = _pixels(frame, at)
    objects = frame.objects[own]
    points, solid = _points(frame, at, frame.depth[own].astype(np.float64))
    riding = np.isin(objects, list(frame.riding))
    points[riding] += np.array(other.belt_shift_m) - np.array(frame.belt_shift_m)
    pose = matrix(other.camera.cam_from_world)
    local = points @ pose[:3, :3].T + np.where(solid[:, None], pose[:3, 3], 0.0)
    there, before = _projected(other.camera, local)
    shown = there if other.lens is None else other.lens.photo_points(there)
    inside = before & _within(other, there) & _within(other, shown)
    pixel = _pixels(other, there)
    near = _same_depth(other.depth, *pixel, local[:, 2]) | ~solid
    return Matches(*_pixels(other, shown), inside & near & (other.objects[pixel] == objects))


def _in_render(frame: FrameGeometry, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Photo coordinates (n, 2) as coordinates of the pinhole render."""
    return points if frame.lens is None else frame.lens.view_points(points)


def _within(frame: FrameGeometry, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether pixel coordinates lie in the picture."""
    height, width = frame.depth.shape
    inside: NDArray[np.bool_] = ((points >= 0) & (points < [width, height])).all(axis=-1)
    return inside


def _pixels(frame: FrameGeometry, points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns (n,) of the pixels at coordinates (n, 2), the nearest ones of the picture."""
    height, width = frame.depth.shape
    column, row = np.floor(np.clip(points, 0, [width - 1, height - 1])).astype(np.int64).T
    return row, column


def _projected(camera: PlacedCamera, local: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pixel coordinates (n, 2) of points (n, 3) in the camera's frame, and whether they lie before it."""
    before = local[:, 2] > _NEAREST_M
    z = np.where(before, local[:, 2], 1.0)
    x = camera.fx * local[:, 0] / z + camera.cx
    y = camera.fy * local[:, 1] / z + camera.cy
    return np.stack([x, y], axis=-1), before


def _points(
    frame: FrameGeometry, at: NDArray[np.float64], depth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """World points (n, 3) at render coordinates (n, 2), metres; where nothing is hit the direction, and False."""
    camera = frame.camera
    solid = depth > 0
    rays = np.ones((len(at), 3))
    rays[:, :2] = (at - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
    pose = matrix(camera.cam_from_world)
    local = rays * np.where(solid, depth, 1.0)[:, None] - np.where(solid[:, None], pose[:3, 3], 0.0)
    return local @ pose[:3, :3], solid


def _same_depth(depth: NDArray[np.float32], row: NDArray[Any], column: NDArray[Any], z: NDArray[Any]) -> Any:
    """(n,) whether depths *z* lie among those at and around the pixels."""
    # Beyond the picture's edge the surface is taken to go on as it slopes.
    wide = np.pad(depth.astype(np.float64), 1, mode="reflect", reflect_type="odd")
    around = np.stack([wide[row + down, column + right] for down in (0, 1, 2) for right in (0, 1, 2)])
    lowest = np.where(around > 0, around, np.inf).min(axis=0)
    margin = DEPTH_TOLERANCE * z
    return (z >= lowest - margin) & (z <= around.max(axis=0) + margin)
