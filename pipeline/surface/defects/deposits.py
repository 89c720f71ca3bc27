"""Defects that lie on the metal or grow out of it: rust and stains."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from pipeline.defect_patches import Raster
from pipeline.surface.defects.shape import Array, Flags, Grid, Shape, fractal, grid, noise, ramp, single

RUST_COLORS = np.array([[0.42, 0.15, 0.035], [0.30, 0.095, 0.024], [0.17, 0.055, 0.018], [0.08, 0.03, 0.014]])
"""Linear reflectance from young, thin rust (lepidocrocite, goethite) to old, thick rust (haematite, magnetite)."""
SCALE = (0.34, 0.31, 0.27)
"""Linear reflectance of what a dried drop leaves: salts and emulsifier."""
FINEST_M = 2e-4
"""Smallest grain that is drawn; it sets the texels."""


def rust(shape: Shape) -> Raster:
    """Rust in a patch of *length_m*: dark and thick inside, orange towards a frayed edge, specks beyond it."""
    random = shape.random()
    on = grid(shape.length_m, shape.length_m, FINEST_M)
    inside = _blob(on, shape, random)
    specks = _specks(on, shape, random) & ~inside
    depth = distance_transform_edt(inside) * on.texel_m
    grain = fractal(on, 6e-4, random)
    fine = noise(on, 1.5e-4, random)
    age = np.clip(depth / (0.14 * shape.length_m) + 0.16 * grain + 0.15 * fractal(on, 4e-3, random), 0.0, 1.0)
    color = _along(RUST_COLORS, age) * np.clip(1.0 + 0.16 * fine, 0.5, 1.5)[..., None]
    solid = ramp(depth, 0.0, 1.2e-4) * np.clip(1.02 + 0.12 * grain, 0.55, 1.0)
    stained = gaussian_filter((inside | specks).astype(float), 3e-4 / on.texel_m)
    veil = np.clip(0.85 * stained * np.clip(0.7 + 0.5 * grain, 0, 1.2), 0.0, 0.6)
    veil[veil < 0.04] = 0.0
    deposit = np.maximum(np.maximum(solid * inside, 0.95 * specks), 0.5 * veil * (shape.severity + 0.2))
    thickness = np.where(inside, ramp(depth, 0.0, 5e-4) * (0.5 + 0.25 * grain + 0.12 * fine), 0.05 * specks)
    return Raster(
        on.texel_m,
        deposit >= 0.05,
        single(shape.depth_m * np.clip(thickness, 0.0, 1.5)),
        deposit=single(np.where(deposit >= 0.05, deposit, 0.0)),
        deposit_rgb=single(color),
        deposit_roughness=0.92,
    )


def stain(shape: Shape) -> Raster:
    """What a drop left that dried: a pale, sharp rim, fainter rims of its retreat within, and a brownish veil."""
    random = shape.random()
    on = grid(shape.length_m, shape.length_m, FINEST_M)
    inside = _drops(on, shape, random)
    depth = distance_transform_edt(inside) * on.texel_m
    rim = 1.1e-4 + 0.012 * shape.length_m
    wobble = fractal(on, 0.15 * shape.length_m, random)
    uneven = np.clip(0.7 + 0.3 * wobble, 0.15, 1.0)
    rings = np.exp(-(((depth - 0.6 * rim) / (0.5 * rim)) ** 2))
    for share in random.uniform(0.12, 0.5, 2):
        at = share * shape.length_m * (1.0 + 0.1 * wobble)
        rings = np.maximum(rings, 0.4 * np.exp(-(((depth - at) / (0.4 * rim)) ** 2)))
    grains = np.clip(0.8 + 0.4 * noise(on, 1.6e-4, random), 0.2, 1.2)
    deposit = np.where(inside, np.clip((0.25 + 0.6 * shape.severity) * rings * uneven * grains, 0.0, 0.95), 0.0)
    veil = np.where(inside, shape.cover * (0.3 + 0.2 * wobble + 0.4 * np.exp(-depth / (3 * rim))), 0.0)
    color = np.broadcast_to(np.array(SCALE), (*on.shape, 3)) * np.clip(0.85 + 0.2 * wobble, 0.4, 1.2)[..., None]
    return Raster(
        on.texel_m,
        inside,
        single(shape.depth_m * deposit),
        deposit=single(deposit),
        deposit_rgb=single(color),
        tint=single(np.clip(veil, 0.0, 0.9)),
        deposit_roughness=0.7,
    )


def _blob(on: Grid, shape: Shape, random: np.random.Generator) -> Flags:
    """(rows, columns) bool: a frayed patch that covers *cover* of the disc of *length_m*."""
    r = np.hypot(on.x, on.y) / (0.5 * shape.length_m)
    value = 1.6 * (1.0 - r) + 0.85 * fractal(on, 0.3 * shape.length_m, random, octaves=6)
    value = np.where(r < 0.97, value - 2.0 * ramp(r, 0.7, 0.97), -np.inf)
    disc = value[np.isfinite(value)]
    result: Flags = value > np.quantile(disc, 1.0 - min(max(shape.cover, 0.02), 0.95))
    return result


def _specks(on: Grid, shape: Shape, random: np.random.Generator) -> Flags:
    """(rows, columns) bool: rust that has only begun, around the patch."""
    r = np.hypot(on.x, on.y) / (0.5 * shape.length_m)
    likely = noise(on, 2.5e-4, random) + 0.7 * noise(on, 0.25 * shape.length_m, random)
    result: Flags = (likely > 2.0 - 0.7 * shape.severity) & (r < 0.98)
    return result


def _drops(on: Grid, shape: Shape, random: np.random.Generator) -> Flags:
    """(rows, columns) bool: one to three drops that ran into each other."""
    wobble = 0.08 * noise(on, 0.3 * shape.length_m, random) + 0.015 * noise(on, 0.08 * shape.length_m, random)
    inside: Flags = np.zeros(on.shape, dtype=bool)
    for k in range(random.integers(1, 4)):
        radius = shape.length_m * (0.36 if k == 0 else random.uniform(0.1, 0.2))
        away = 0.0 if k == 0 else 0.46 * shape.length_m - radius
        angle = random.uniform(0.0, 2.0 * np.pi)
        r = np.hypot(on.x - away * np.cos(angle), on.y - away * np.sin(angle)) / radius
        inside |= r * (1.0 + wobble) < 1.0
    inside &= np.hypot(on.x, on.y) < 0.5 * shape.length_m - on.texel_m
    return inside


def _along(colors: Array, t: Array) -> Array:
    """Colours (..., 3) at *t* (0..1) of a row of colours (n, 3)."""
    at = np.linspace(0.0, 1.0, len(colors))
    return np.stack([np.interp(t, at, colors[:, channel]) for channel in range(3)], axis=-1)
