"""Defects that are lines: scratches, cracks and the marks of a tool that dwelt or dug in."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import distance_transform_edt

from pipeline.defect_patches import Raster
from pipeline.surface.defects.shape import Array, Grid, Shape, grid, noise, ramp, single

SHOULDER: float = 0.25
"""Height of the metal that a scratch throws up at its sides, over its depth."""
SHOULDER_REACH: float = 1.9
"""Where the shoulders end, in half widths from the middle."""


def scratch(shape: Shape) -> Raster:
    """A groove along x: slightly bent, its width and depth following the pressure, shoulders beside it."""
    random = shape.random()
    sag = random.uniform(-0.03, 0.03) * shape.length_m
    on = grid(shape.length_m, abs(sag) + 5.0 * shape.width_m, shape.width_m)
    middle = sag * ((2.0 * on.x / shape.length_m) ** 2 - 0.5)
    bend = np.hypot(1.0, 8.0 * sag * on.x / shape.length_m**2)
    line = Grid(1, on.columns, on.texel_m)
    pressure = np.clip(0.85 + 0.15 * noise(line, shape.length_m / 4, random), 0.4, 1.1)
    pressure *= np.clip(1.0 + 0.12 * noise(line, 4 * shape.width_m, random), 0.6, 1.3)
    along = on.x / shape.length_m + 0.5
    pressure *= ramp(along, 0.0, 0.03) * np.sqrt(np.clip((1.0 - along) / 0.35, 0.0, 1.0))
    half = np.maximum(0.5 * shape.width_m * pressure, 1e-9)
    across = (on.y - middle) / bend
    r = np.abs(across) / half
    groove = -np.clip(1.0 - r**1.6, 0.0, None)
    ridge = SHOULDER * np.where(r > 1.0, np.sin(np.pi * np.clip((r - 1.0) / (SHOULDER_REACH - 1.0), 0.0, 1.0)) ** 2, 0)
    # The tip of what scratched is rough: fine lines run along the groove, and throw its glint across it.
    teeth = np.interp(across / half, np.linspace(-1, 1, 24), 0.08 * random.standard_normal(24), 0.0, 0.0)
    height = shape.depth_m * pressure * (groove + ridge + teeth * (r < 1.0))
    mask = (r <= SHOULDER_REACH) & (pressure > 0.02)
    fresh = np.where(r <= 1.0, 1.0, 0.35 * (r < 1.5)) * (pressure > 0.02)
    return Raster(on.texel_m, mask, single(height), fresh=single(fresh), fresh_alpha=0.07)


def tool_mark(shape: Shape) -> Raster:
    """An arc of a cutter's edge: a step that is steep on the outside and runs out inwards, with lines along it."""
    random = shape.random()
    radius = random.uniform(0.7, 2.0) * shape.length_m
    rise = radius - math.sqrt(radius**2 - (0.5 * shape.length_m) ** 2)
    on = grid(shape.length_m, rise + 2.5 * shape.width_m, shape.width_m)
    centre_y = 0.5 * rise - radius
    r = np.hypot(on.x, on.y - centre_y)
    s = (radius - r) / shape.width_m  # 0 at the outer edge, 1 where it has run out
    along = np.arctan2(on.x, on.y - centre_y) / math.asin(0.5 * shape.length_m / radius)
    fade = 1.0 - ramp(np.abs(along), 0.75, 1.0)
    step = np.where(s < 0.0, 0.0, np.clip(s / 0.08, 0.0, 1.0) * np.clip(1.0 - s, 0.0, 1.0))
    lip = 0.2 * np.exp(-((s / 0.05) ** 2)) * (s > -0.12) * (s < 0.12)
    lines = np.interp(s, np.linspace(0, 1, 40), 0.05 * random.standard_normal(40), 0.0, 0.0)
    height = shape.depth_m * fade * (-step + lip + lines)
    mask = (s > -0.12) & (s < 1.0) & (fade > 0.02)
    fresh = 0.8 * fade * mask * (1.0 - ramp(s, 0.5, 1.0))
    return Raster(on.texel_m, mask, single(height), fresh=single(fresh), fresh_alpha=0.12)


def crack(shape: Shape) -> Raster:
    """A jagged line along x that forks: open in the middle, closing towards its tips, and dark."""
    random = shape.random()
    on = grid(shape.length_m, 0.5 * shape.length_m, 2.0 * shape.width_m)
    points, widths = _walks(shape, random)
    opening = np.zeros(on.shape)
    column = np.round(points[:, 0] / on.texel_m + on.columns / 2 - 0.5).astype(int)
    row = np.round(points[:, 1] / on.texel_m + on.rows / 2 - 0.5).astype(int)
    inside = (column >= 0) & (column < on.columns) & (row >= 0) & (row < on.rows)
    np.maximum.at(opening, (row[inside], column[inside]), widths[inside])
    distance, nearest = distance_transform_edt(opening == 0.0, sampling=on.texel_m, return_indices=True)
    half = 0.5 * np.maximum(opening[tuple(nearest)], on.texel_m)
    half *= np.clip(1.0 + 0.25 * noise(on, 6 * shape.width_m, random), 0.4, 1.6)
    mask = distance <= half
    edge = 1.0 - ramp(distance / half, 0.6, 1.0)
    height = -shape.depth_m * 0.1 * (1.0 - ramp(distance / half, 0.5, 1.6))
    halo = distance <= 1.6 * half
    return Raster(
        on.texel_m, mask | halo, single(height * halo), cavity=single(0.97 * np.where(mask, np.maximum(edge, 0.7), 0.0))
    )


def _walks(shape: Shape, random: np.random.Generator) -> tuple[Array, Array]:
    """Points (n, 2) of a crack and its branches, close together, and the opening (n,) at each."""
    step = 0.25 * shape.width_m
    stack = [(np.array([-0.48 * shape.length_m, 0.0]), 0.0, 0.96 * shape.length_m, shape.width_m, 0)]
    points, widths = [], []
    while stack:
        at, heading, left, width, order = stack.pop()
        count = max(int(left / step), 2)
        # The direction turns at grain borders, every few tenths of a millimetre, and comes back to the main one.
        grain = max(int(random.uniform(0.15e-3, 0.35e-3) / step), 1)
        turns = np.repeat(random.normal(0.0, 0.55, count // grain + 1), grain)[:count]
        angles = heading + turns + 0.15 * np.sin(np.linspace(0.0, random.uniform(3, 9), count))
        path = at + np.cumsum(step * np.stack([np.cos(angles), np.sin(angles)], axis=1), axis=0)
        t = np.linspace(0.0, 1.0, count)
        start = np.minimum(1.0, t / 0.1) if order == 0 else np.ones(count)
        points.append(path)
        widths.append(width * np.maximum(start * (1.0 - t) ** 0.6, 0.15))
        if order < 2:
            for _ in range(random.poisson(2.5 if order == 0 else 0.7)):
                k = int(random.uniform(0.2, 0.85) * count)
                side = random.choice([-1.0, 1.0]) * random.uniform(0.35, 0.9)
                stack.append((path[k], heading + side, left * random.uniform(0.12, 0.35), 0.55 * width, order + 1))
    return np.concatenate(points), np.concatenate(widths)
