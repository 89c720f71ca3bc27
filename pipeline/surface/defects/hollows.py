"""Defects that are hollows: dents, corrosion pits and pores."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from pipeline.defect_patches import Raster
from pipeline.surface.defects.shape import Array, Grid, Shape, fractal, grid, noise, ramp, single

RIM_REACH: float = 1.3
"""Where the raised rim of a dent ends, in radii of its cap."""
RIM: float = 0.06
"""Height of that rim over the dent's depth."""
RUST_HALO = (0.16, 0.055, 0.02)


def dent(shape: Shape) -> Raster:
    """A spherical cap of diameter *length_m* and depth *depth_m*, and the rim that was pushed up around it.

    Below the surface h(r) = (R - d) - sqrt(R^2 - r^2), R = (a^2 + d^2) / (2 d), a = length_m / 2.
    """
    a, d = 0.5 * shape.length_m, shape.depth_m
    ball = (a * a + d * d) / (2.0 * d)
    on = grid(2.0 * RIM_REACH * a + 4e-5, 2.0 * RIM_REACH * a + 4e-5, a / 8)
    r = np.hypot(on.x, on.y)
    cap = (ball - d) - np.sqrt(np.clip(ball * ball - r * r, 0.0, None))
    rim = RIM * d * np.sin(np.pi * np.clip((r / a - 1.0) / (RIM_REACH - 1.0), 0.0, 1.0)) ** 2
    height = np.where(r < a, np.minimum(cap, 0.0), rim)
    return Raster(on.texel_m, r <= RIM_REACH * a, single(height))


def pit(shape: Shape) -> Raster:
    """A few ragged pits within a patch of *length_m*, brown within and about."""
    random = shape.random()
    on = grid(shape.length_m, shape.length_m, 0.5 * shape.width_m)
    number = 1 + random.poisson(1.0 + 5.0 * shape.severity)
    field = _holes(on, _scatter(on, number, shape, random), shape, random)
    inside = field > 0.0
    height = -shape.depth_m * np.sqrt(np.clip(field, 0.0, 1.0))
    halo = np.clip(gaussian_filter(inside.astype(float), 0.25 * shape.width_m / on.texel_m) * 1.4, 0.0, 1.0)
    rough = np.clip(0.6 + 0.4 * fractal(on, 0.4 * shape.width_m, random), 0.0, 1.0)
    deposit = np.maximum(0.55 * shape.severity * halo * rough, 0.5 * inside)
    deposit[deposit < 0.06] = 0.0
    color = np.broadcast_to(np.array(RUST_HALO), (*on.shape, 3)) * (0.5 + 0.5 * rough)[..., None]
    return Raster(
        on.texel_m,
        inside | (deposit > 0.0),
        single(height),
        cavity=single(0.75 * ramp(field, 0.1, 0.7)),
        deposit=single(deposit),
        deposit_rgb=single(color),
    )


def porosity(shape: Shape) -> Raster:
    """Pores of many sizes, crowded towards the middle of a patch of *length_m*: round, dark, with sharp rims."""
    random = shape.random()
    on = grid(shape.length_m, shape.length_m, 0.3 * shape.width_m)
    mean_area = math.pi * (0.27 * shape.width_m) ** 2
    number = max(int(shape.cover * math.pi / 4 * shape.length_m**2 / mean_area), 4)
    field = _holes(on, _scatter(on, number, shape, random), shape, random)
    inside = field > 0.0
    height = -shape.depth_m * np.sqrt(np.clip(field, 0.0, 1.0))
    cavity = np.where(inside, 0.45 + 0.5 * ramp(field, 0.0, 0.5), 0.0)
    return Raster(on.texel_m, inside, single(height), cavity=single(cavity))


def _scatter(on: Grid, number: int, shape: Shape, random: np.random.Generator) -> Array:
    """(number, 3): x, y and radius of holes; the middle is more crowded, small ones are more frequent."""
    spread = np.sqrt(random.random(number)) * random.random(number) ** 0.3
    angle = random.uniform(0.0, 2.0 * math.pi, number)
    radius = 0.5 * shape.width_m * np.exp(random.normal(-0.6, 0.45, number)).clip(0.2, 1.0)
    radius = np.minimum(radius, 0.2 * shape.length_m)
    reach = 0.5 * shape.length_m - 1.5 * radius
    return np.stack([reach * spread * np.cos(angle), reach * spread * np.sin(angle), radius], axis=1)


def _holes(on: Grid, holes: Array, shape: Shape, random: np.random.Generator) -> Array:
    """(rows, columns) 1 - (r / radius)^2 of the hole that a texel lies deepest in, 0 between them; ragged outlines."""
    wobble = 0.12 * noise(on, 0.8 * shape.width_m, random) + 0.03 * noise(on, 0.3 * shape.width_m, random)
    field = np.zeros(on.shape)
    x, y = on.x[0], on.y[:, 0]
    for cx, cy, radius in holes:
        left, right = np.searchsorted(x, [cx - 1.6 * radius, cx + 1.6 * radius])
        low, high = np.searchsorted(y, [cy - 1.6 * radius, cy + 1.6 * radius])
        r = np.hypot(x[None, left:right] - cx, y[low:high, None] - cy) / radius
        part = 1.0 - np.square(np.clip(r * (1.0 + wobble[low:high, left:right]), 0.0, 2.0))
        # Depth follows size: a small pore is not as deep as the largest.
        part = np.clip(part, 0.0, None) * min(2.0 * radius / shape.width_m, 1.0)
        field[low:high, left:right] = np.maximum(field[low:high, left:right], part)
    return field
