"""The Brown-Conrady model of lens distortion, as OpenCV writes it: forward, its derivatives, and its inverse.

Covers: directions divided by their depth, before and behind the lens. Does not cover: pixels (`photo_geometry`).
Source: D. C. Brown, Close-range camera calibration, Photogrammetric Engineering 37 (1971); OpenCV, module calib3d.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError

Floats = NDArray[np.float64]
Distortion = tuple[float, float, float, float, float]
"""k1, k2, p1, p2, k3 in the order of OpenCV, for coordinates divided by the focal length."""

_NEWTON_STEPS: Final = 20
_CONVERGED: Final = 1e-9
"""Largest residual of an inversion, in corner distances."""


def distorted(x: Floats, y: Floats, distortion: Distortion) -> tuple[Floats, Floats]:
    """Brown-Conrady as OpenCV's calib3d writes it: where a lens puts the directions (x, y, 1)."""
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return (
        x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
        y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
    )


def jacobian(x: Floats, y: Floats, distortion: Distortion) -> tuple[Floats, Floats, Floats, Floats]:
    """Derivatives of `distorted`: dx'/dx, dx'/dy, dy'/dx, dy'/dy. A map folds over where their determinant is <= 0."""
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3))  # d radial / d r2, times 2
    cross = slope * x * y + 2.0 * p1 * x + 2.0 * p2 * y
    return (
        radial + slope * x * x + 2.0 * p1 * y + 6.0 * p2 * x,
        cross,
        cross,
        radial + slope * y * y + 6.0 * p1 * y + 2.0 * p2 * x,
    )


def undistorted(x: Floats, y: Floats, distortion: Distortion) -> tuple[Floats, Floats]:
    """The inverse of `distorted`, by Newton's method from the distorted place. Raises InputError where it has none."""
    if not any(distortion):
        return x, y
    u, v = x.copy(), y.copy()
    limit = _CONVERGED * max(float(np.abs(x).max()), float(np.abs(y).max()), 1e-12)
    with np.errstate(all="ignore"):  # a map without an inverse may run away; it is named below
        for _ in range(_NEWTON_STEPS):
            at_x, at_y = distorted(u, v, distortion)
            dx, dy = at_x - x, at_y - y
            if max(float(np.abs(dx).max()), float(np.abs(dy).max())) < limit:
                return u, v
            a, b, c, d = jacobian(u, v, distortion)
            determinant = a * d - b * c
            u, v = u - (d * dx - b * dy) / determinant, v - (a * dy - c * dx) / determinant
    raise InputError(
        f"expected a lens distortion that can be undone, found k1, k2, p1, p2, k3 = {list(distortion)}, which folds "
        "the picture over; use smaller coefficients"
    )
