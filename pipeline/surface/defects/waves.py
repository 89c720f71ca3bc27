"""Defects that are waves: chatter."""

from __future__ import annotations

import math

import numpy as np

from pipeline.defect_patches import Raster
from pipeline.surface.defects.shape import Grid, Shape, grid, noise, ramp, single

CHATTER_ASPECT = 0.5
"""Width of a band of chatter over its length along the cut."""


def chatter(shape: Shape) -> Raster:
    """Waves along x, the direction of the cut, *width_m* apart, that swell and fade; each pass shifts their phase."""
    random = shape.random()
    on = grid(shape.length_m, CHATTER_ASPECT * shape.length_m, 0.4 * shape.width_m)
    line = Grid(on.rows, 1, on.texel_m)
    shift = 0.6 * noise(line, 1.5e-3, random) + random.uniform(-1.0, 1.0) * on.y / (2.0 * shape.width_m)
    drift = 0.25 * noise(on, 0.4 * shape.length_m, random)
    phase = 2.0 * math.pi * on.x / shape.width_m + shift + drift
    # A tool that swings leaves flat valleys and sharper crests.
    wave = 0.8 * np.sin(phase) + 0.2 * np.sin(2.0 * phase + 0.5 * math.pi)
    u = np.abs(on.x) / (0.5 * shape.length_m) + 0.06 * noise(on, 4e-3, random)
    v = np.abs(on.y) / (0.5 * CHATTER_ASPECT * shape.length_m) + 0.06 * noise(on, 4e-3, random)
    swell = (1.0 - ramp(u, 0.6, 0.95)) * (1.0 - ramp(v, 0.75, 0.95))
    swell *= np.clip(0.85 + 0.2 * noise(on, 0.3 * shape.length_m, random), 0.3, 1.1)
    return Raster(on.texel_m, swell > 0.05, single(np.where(swell > 0.05, shape.depth_m * swell * wave, 0.0)))
