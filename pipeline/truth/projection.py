"""Where points and parts lie in a view: projection, pixel boxes, 3-D boxes.

Does not cover: masks (`silhouette`), rows (`instances`). Cameras are OpenCV pinholes; pixel (column i, row j) has its
centre at (i + 0.5, j + 0.5).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera

Box = tuple[int, int, int, int]
"""x, y, width, height in whole pixels; x and y may be negative."""

NEAREST_M: Final = 1e-6
"""Points nearer to the camera's plane than this cannot be projected."""


def transform(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply a rigid 4x4 *matrix* to points (n, 3)."""
    result: NDArray[np.float64] = points @ matrix[:3, :3].T + matrix[:3, 3]
    return result


def project(camera: PlacedCamera, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixel coordinates (n, 2) of camera-frame points (n, 3) in metres; their z must be positive."""
    return np.stack(
        [
            camera.fx * points[:, 0] / points[:, 2] + camera.cx,
            camera.fy * points[:, 1] / points[:, 2] + camera.cy,
        ],
        axis=-1,
    )


def pixel_box(camera: PlacedCamera, points: NDArray[np.float64]) -> Box | None:
    """Box of the pixels whose centres lie within the projected extent of camera-frame *points* (n, 3).

    It ends at the wide canvas (`canvas_box`). None when no pixel centre lies in it, or all points are behind the
    camera; the whole canvas when only some are, for then the extent has no bound.
    """
    seen = points[:, 2] > NEAREST_M
    canvas = canvas_box(camera)
    if not seen.any():
        return None
    if not seen.all():
        return canvas
    pixels = project(camera, points)
    low = np.ceil(pixels.min(axis=0) - 0.5)
    high = np.floor(pixels.max(axis=0) - 0.5)
    return intersection((int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1), canvas)


def canvas_box(camera: PlacedCamera) -> Box:
    """The image and its like on every side: three times as wide and high. Silhouettes are counted on this canvas."""
    return (-camera.width, -camera.height, 3 * camera.width, 3 * camera.height)


def intersection(a: Box, b: Box) -> Box | None:
    """The box that two boxes share; None when they share no pixel."""
    left, top = max(a[0], b[0]), max(a[1], b[1])
    right, bottom = min(a[0] + a[2], b[0] + b[2]), min(a[1] + a[3], b[1] + b[3])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def box_corners(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners (8, 3) of the axis-aligned box of *vertices* (n, 3); z runs fastest, then y, then x, low before high."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    choice = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    return np.asarray(np.where(choice == 1, high, low), dtype=np.float64)
