"""Defects that are clear films on the metal: fingerprints and oil."""

from __future__ import annotations

import math

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import distance_transform_edt, gaussian_filter

from pipeline.defect_patches import Raster
from pipeline.surface.defects.shape import Array, Grid, Shape, fractal, grid, noise, ramp, single

GREASE_IOR = 1.47
"""Sebum and mineral oil (n_D 1.46 to 1.48)."""
FINGER_ASPECT = 0.72
"""Width over length of a print."""
DIRECTIONS = 12
PASSES = 7


def fingerprint(shape: Shape) -> Raster:
    """Ridges *width_m* apart that flow around a core, printed with uneven pressure; the grease scatters light.

    The ridges grow out of noise under Gabor filters that follow the orientation field of Sherlock and Monro (1993).
    """
    random = shape.random()
    width = FINGER_ASPECT * shape.length_m
    texel = shape.width_m / 10.0
    on = Grid(math.ceil(width / texel), math.ceil(shape.length_m / texel), texel)
    ridges = _ridges(on, shape, random)
    r = np.hypot(on.x / (0.5 * shape.length_m), on.y / (0.5 * width))
    pressure = (1.0 - ramp(r + 0.05 * noise(on, 4e-3, random), 0.8, 0.97)) * (r < 1.0)
    blotches = 0.3 * fractal(on, 3.5e-3, random)
    pores = 0.2 * noise(on, 2.5e-4, random)
    print_ = pressure * ramp(0.5 * ridges + blotches + pores, 0.05, 0.75) * (r < 0.995)
    film = np.clip(print_ * (0.25 + 0.75 * shape.cover / 0.6), 0.0, 1.0)
    film[film < 0.02] = 0.0
    area = gaussian_filter(film, shape.width_m / texel) > 0.04
    area |= film > 0.0
    return Raster(
        texel,
        area,
        film=single(film),
        film_ior=GREASE_IOR,
        film_roughness=0.45,
        film_alpha=0.28,
        tint=single(0.12 * film),
    )


def _ridges(on: Grid, shape: Shape, random: np.random.Generator) -> Array:
    """(rows, columns) about -1..1."""
    flow = _flow(on, shape, random)
    size = [next_fast_len(n, real=True) for n in on.shape]
    waves = [rfft2(_gabor(on, shape.width_m, k * math.pi / DIRECTIONS, size)) for k in range(DIRECTIONS)]
    sector = np.round(flow * (DIRECTIONS / math.pi)).astype(int) % DIRECTIONS
    field = random.standard_normal(on.shape)
    for _ in range(PASSES):
        spectrum = rfft2(field, size)
        grown = np.zeros(on.shape)
        for k, wave in enumerate(waves):
            own = sector == k
            grown[own] = irfft2(spectrum * wave, size)[: on.rows, : on.columns][own]
        field = np.tanh(2.5 * grown / grown.std())
    return field


def _gabor(on: Grid, period_m: float, direction: float, size: list[int]) -> Array:
    """A cosine of *period_m* across *direction* under a Gaussian, around texel (0, 0) of a wrapped array."""
    y = np.fft.fftfreq(size[0], 1.0 / size[0])[:, None] * on.texel_m
    x = np.fft.fftfreq(size[1], 1.0 / size[1])[None, :] * on.texel_m
    along, across = x * math.cos(direction) + y * math.sin(direction), y * math.cos(direction) - x * math.sin(direction)
    bell = np.exp(-0.5 * ((across / (0.5 * period_m)) ** 2 + (along / (0.7 * period_m)) ** 2))
    wave = bell * np.cos(2.0 * math.pi * across / period_m)
    lift = float(np.sum(wave)) / float(np.sum(bell))  # no answer to what is even
    result: Array = wave - lift * bell
    return result


def _flow(on: Grid, shape: Shape, random: np.random.Generator) -> Array:
    """(rows, columns) direction of the ridges: half the angles about cores less those about deltas."""
    scale = shape.length_m
    core = np.array([random.uniform(-0.02, 0.1), random.uniform(-0.05, 0.05)]) * scale
    gap = random.uniform(0.01, 0.12) * scale  # of the two cores: a spiral when small, a long whorl when large
    beside = np.array([gap / 2, 0.0])
    cores = [core + beside, core - beside]
    deltas = [np.array([-0.42, side * random.uniform(0.3, 0.45)]) * scale for side in (-1.0, 1.0)]
    angle = np.full(on.shape, math.pi)  # ridges run across the finger, whose length is x, far above the core
    for sign, points in ((1.0, cores), (-1.0, deltas)):
        for px, py in points:
            angle = angle + sign * np.arctan2(on.y - py, on.x - px)
    return 0.5 * angle + 0.12 * noise(on, 0.4 * scale, random)


def oil_film(shape: Shape) -> Raster:
    """A puddle of oil in a patch of *length_m*: clear, smooth, with a bulging rim and drops that broke off."""
    random = shape.random()
    on = grid(shape.length_m, shape.length_m, 3e-4)
    r = np.hypot(on.x, on.y) / (0.5 * shape.length_m)
    value = 1.5 * (1.0 - r) + 0.9 * fractal(on, 0.35 * shape.length_m, random, octaves=3)
    value = np.where(r < 0.97, value - 2.0 * ramp(r, 0.75, 0.97), -9.0)
    inside = value > np.quantile(value[r < 0.97], 1.0 - 0.75 * shape.cover)
    depth = distance_transform_edt(inside) * on.texel_m
    # Oil creeps: thin over most of the puddle, thicker where its rim holds it back.
    bulge = ramp(depth, 0.0, 4e-4) * (0.45 + 0.55 * np.exp(-depth / (0.05 * shape.length_m)))
    ripple = 0.12 * fractal(on, 0.2 * shape.length_m, random, octaves=3)
    height = shape.depth_m * gaussian_filter(np.where(inside, bulge + ripple * ramp(depth, 0, 1e-3), 0.0), 1.0)
    return Raster(
        on.texel_m,
        inside,
        single(np.where(inside, height, 0.0)),
        film=single(ramp(depth, 0.0, 1e-4) * inside),
        tint=single((0.12 + 0.3 * shape.severity) * ramp(depth, 0.0, 6e-4) * inside),
        film_ior=GREASE_IOR,
        film_roughness=0.03,
    )
