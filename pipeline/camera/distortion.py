"""Distortion of a lens: the camera that a photo has of its own, and light moved to where the lens puts it.

Covers: coefficients of a lens for a picture, the zoom that keeps the photo within the render, lateral colour. Does not
cover: the formulas of the map and truth layers, which move by the same map (`pipeline.photo_geometry`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.brown_conrady import Distortion, jacobian, undistorted
from pipeline.bundle import BundleView
from pipeline.camera.hardware import Lens
from pipeline.errors import InputError
from pipeline.photo_geometry import PhotoGeometry

_ZOOMS: Final = (0.25, 8.0)
"""Between these the zoom of a photo is sought."""
_FOLD_GRID: Final = 65
"""Points along each side of the render at which the map must not fold over."""


def photo_geometry(lens: Lens, scale: float, view: BundleView) -> PhotoGeometry:
    """The camera of a photo taken with *lens* where a pinhole rendered *view*.

    *scale* multiplies the lens's distortion. The photo's focal length is the view's times the smallest zoom at which
    every pixel of the photo, in every channel, lies within the render: barrel distortion shows a little less of the
    scene than the render does. Raises InputError when the distortion folds the picture over.
    """
    camera = view.camera
    intrinsics = (camera.fx, camera.fy, camera.cx, camera.cy)
    if not any(lens.distortion) or scale == 0.0:
        return PhotoGeometry(camera.width, camera.height, intrinsics, intrinsics)
    return _distorting(lens, scale, camera.width, camera.height, intrinsics)


@lru_cache(maxsize=64)
def _distorting(
    lens: Lens, scale: float, width: int, height: int, view: tuple[float, float, float, float]
) -> PhotoGeometry:
    coefficients = _scaled(lens, scale, float(np.hypot(width, height)) / 2.0 / view[0])
    _refuse_folds(lens, scale, coefficients, width, height, view)
    zoom = _zoom(coefficients, width, height, view, min(1.0, 1.0 + lens.ca_red, 1.0 + lens.ca_blue))
    fx, fy, cx, cy = view
    return PhotoGeometry(width, height, view, (fx * zoom, fy * zoom, cx, cy), coefficients)


def _scaled(lens: Lens, scale: float, corner: float) -> Distortion:
    """Coefficients for coordinates divided by the focal length, of a lens whose table counts in half diagonals.

    *corner*: half the diagonal over the focal length.
    """
    k1, k2, p1, p2, k3 = (
        scale * value / corner**power for value, power in zip(lens.distortion, (2, 4, 1, 1, 6), strict=True)
    )
    return k1, k2, p1, p2, k3


def _refuse_folds(
    lens: Lens,
    scale: float,
    coefficients: Distortion,
    width: int,
    height: int,
    view: tuple[float, float, float, float],
) -> None:
    fx, fy, cx, cy = view
    x, y = np.meshgrid(
        (np.linspace(0.0, width, _FOLD_GRID) - cx) / fx, (np.linspace(0.0, height, _FOLD_GRID) - cy) / fy
    )
    a, b, c, d = jacobian(x, y, coefficients)
    if not ((a > 0.0) & (a * d - b * c > 0.0)).all():
        raise InputError(
            f"lens {lens.name}: expected a distortion that keeps neighbours apart over the whole picture; found "
            f"k1, k2, p1, p2, k3 = {list(lens.distortion)} (at the corner) times distortion_scale {scale:g}, which "
            "folds the picture over; use smaller coefficients or a smaller distortion_scale"
        )


def _zoom(
    coefficients: Distortion, width: int, height: int, view: tuple[float, float, float, float], least_scale: float
) -> float:
    """The smallest zoom at which the photo's border lies within the render, by bisection.

    *least_scale*: size of the smallest channel's image; its pixels reach farthest out.
    """
    fx, fy, cx, cy = view
    across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
    border_x = np.concatenate([across, across, np.full(height, 0.5), np.full(height, width - 0.5)])
    border_y = np.concatenate([np.full(width, 0.5), np.full(width, height - 0.5), down, down])
    dx, dy = (border_x - cx) / (fx * least_scale), (border_y - cy) / (fy * least_scale)

    def within(zoom: float) -> bool:
        try:
            x, y = undistorted(dx / zoom, dy / zoom, coefficients)
        except InputError:  # so far outside that no direction of the render is seen there
            return False
        u, v = fx * x + cx, fy * y + cy
        return bool(np.all((u >= 0.5) & (v >= 0.5) & (u <= width - 0.5) & (v <= height - 0.5)))

    low, high = _ZOOMS
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (low, middle) if within(middle) else (middle, high)
    return high


def moved_light(irradiance: NDArray[np.float32], lens: Lens, geometry: PhotoGeometry) -> NDArray[np.float32]:
    """*irradiance* (h, w, 3) of the render's pixels in the photo's, bilinear; red and blue with their own scale.

    Green moves exactly as the truth layers do. Radiance is kept, not flux: a flat field stays flat.
    """
    scales = (1.0 + lens.ca_red, 1.0, 1.0 + lens.ca_blue)
    if geometry.is_pinhole and scales == (1.0, 1.0, 1.0):
        return irradiance
    if scales == (1.0, 1.0, 1.0):
        return _remapped(irradiance, geometry, 1.0)
    channels = [
        np.ascontiguousarray(irradiance[..., i])
        if geometry.is_pinhole and scale == 1.0
        else _remapped(np.ascontiguousarray(irradiance[..., i]), geometry, scale)
        for i, scale in enumerate(scales)
    ]
    return np.asarray(cv2.merge(channels), dtype=np.float32)


def _remapped(image: NDArray[np.float32], geometry: PhotoGeometry, scale: float) -> NDArray[np.float32]:
    x, y = geometry.source(scale)
    moved = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)
