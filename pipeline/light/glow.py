"""How a lamp's face glows from point to point: stripes, fall-off, LEDs and seams, as a factor on its radiance.

Covers: the factor in numpy, for calibration. `render.blender.emitters` builds the same from nodes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.light.shapes import Mesh, Vector, upright_frame
from pipeline.surface.material import EmitterMaterial, Glow, Stripes

SEAM_DEPTH: Final = 0.7
"""Share of the radiance that is lost along the middle of a seam."""


def glow_factor(material: EmitterMaterial, points: Vector) -> NDArray[np.float64]:
    """(n,) factor in 0..1 on the radiance of *material* at (n, 3) *points* of the world, metres."""
    factor = np.ones(len(points))
    if material.stripes is not None:
        factor *= _stripes(material.stripes, points)
    if material.glow is not None:
        factor *= _glow(material.glow, points)
    return factor


def mean_factor(stripes: Stripes) -> float:
    """Mean of the factor over a whole period, and over four phases a quarter period apart: 1 / (1 + contrast)."""
    return 1.0 / (1.0 + stripes.contrast)


def _stripes(stripes: Stripes, points: Vector) -> NDArray[np.float64]:
    along = (points - np.array(stripes.origin)) @ np.array(stripes.direction)
    wave = np.cos(2.0 * np.pi * along / stripes.period_m + stripes.phase_rad)
    result: NDArray[np.float64] = (1.0 + stripes.contrast * wave) / (1.0 + stripes.contrast)
    return result


def _glow(glow: Glow, points: Vector) -> NDArray[np.float64]:
    factor = np.ones(len(points))
    squares = np.zeros(len(points))
    for axis, size, cells, fields in zip((glow.right, glow.up), glow.size_m, glow.cells, glow.fields, strict=True):
        share = (points - np.array(glow.centre)) @ np.array(axis) / size + 0.5  # 0 at one edge, 1 at the other
        squares += (2.0 * share - 1.0) ** 2
        if cells > 0:
            factor *= 1.0 - glow.cell_contrast * (0.5 + 0.5 * np.cos(2.0 * np.pi * cells * share))
        if fields > 0:
            to_seam = np.abs((fields * share + 0.5) % 1.0 - 0.5) * size / fields
            factor *= 1.0 - SEAM_DEPTH * np.clip(1.0 - to_seam / glow.seam_m, 0.0, 1.0)
    result: NDArray[np.float64] = factor * (1.0 - 0.5 * glow.falloff * squares)
    return result


def glow_of(
    centre: Vector, normal: Vector, size_m: tuple[float, float], scale: float, row: dict[str, Any]
) -> Glow | None:
    """The glow that a table row {falloff, cells, cell_contrast, fields, seam_mm} gives a rectangle; None for no row.

    *scale*: what the rig's millimetres are multiplied by.
    """
    if not row:
        return None
    right, up = upright_frame(normal)
    return Glow(
        centre=vec3(centre),
        right=vec3(right),
        up=vec3(up),
        size_m=size_m,
        falloff=row.get("falloff", 0.0),
        cells=tuple(row.get("cells", (0, 0))),
        cell_contrast=row.get("cell_contrast", 0.0),
        fields=tuple(row.get("fields", (0, 0))),
        seam_m=1e-3 * scale * row.get("seam_mm", 0.0),
    )


def finest_m(glow: Glow) -> float:
    """Metres over which *glow* may be taken as even, its LEDs apart."""
    return min(0.2 * min(glow.size_m), *([2.0 * glow.seam_m] if any(glow.fields) else [math.inf]))


def without_cells(glow: Glow) -> tuple[Glow, float]:
    """*glow* with its LEDs evened out, and what that leaves of the radiance: whole periods average exactly."""
    axes = sum(cells > 0 for cells in glow.cells)
    return replace(glow, cells=(0, 0)), float((1.0 - 0.5 * glow.cell_contrast) ** axes)


def vec3(vector: Vector) -> tuple[float, float, float]:
    """A (3,) array as a tuple."""
    return float(vector[0]), float(vector[1]), float(vector[2])


def patches(mesh: Mesh, largest_m: float) -> Mesh:
    """*mesh* with every triangle split in four until no edge is longer than *largest_m*."""
    corners = mesh.vertices[mesh.triangles]
    while bool((np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2) > largest_m).any()):
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        corners = np.concatenate([np.stack(part, axis=1) for part in parts])
    return Mesh(corners.reshape(-1, 3), np.arange(3 * len(corners), dtype=np.int32).reshape(-1, 3))
