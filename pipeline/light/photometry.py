"""How much light glowing meshes send to a point: the exact form factor of polygons.

Covers: irradiance of Lambertian, one-sided, unoccluded emitters, even or patterned. Does not cover: light that bounces
(Cycles does).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.light.glow import finest_m, glow_factor, mean_factor, patches, without_cells
from pipeline.light.lamps import LampMesh
from pipeline.light.shapes import Mesh, Vector, unit
from pipeline.surface.material import Glow, Rgb

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Rec.709 luminance of linear R, G, B."""
WHITE_IRRADIANCE = np.pi
"""Irradiance under which a white Lambertian reflector has radiance 1."""


def luminance(rgb: Rgb) -> float:
    """Rec.709 luminance of a linear colour."""
    return sum(weight * value for weight, value in zip(LUMINANCE, rgb, strict=True))


def horizontal_irradiance(lamps: Iterable[LampMesh]) -> float:
    """Luminance-weighted irradiance that *lamps* give an upward-facing receiver at the world's origin, unoccluded."""
    return irradiance(lamps, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))


def irradiance(lamps: Iterable[LampMesh], point: ArrayLike, normal: ArrayLike) -> float:
    """Luminance-weighted irradiance that *lamps* give a receiver at *point* with *normal*, unoccluded.

    A striped lamp counts with the mean over its period, so that its phases are calibrated alike.
    """
    return sum(luminance(lamp.material.radiance) * _form_factor_of(lamp, point, normal) for lamp in lamps)


def _form_factor_of(lamp: LampMesh, point: ArrayLike, normal: ArrayLike) -> float:
    material = lamp.material
    if material.glow is not None:
        return _patterned(lamp, material.glow, point, normal)
    even = 1.0 if material.stripes is None else mean_factor(material.stripes)
    return even * form_factor(lamp.vertices, lamp.triangles, point, normal)


def _patterned(lamp: LampMesh, glow: Glow, point: ArrayLike, normal: ArrayLike) -> float:
    """The form factor weighted by the glow: patch by patch, each so small that it is even."""
    even, share = without_cells(glow)
    mesh = patches(Mesh(lamp.vertices, lamp.triangles), finest_m(even))
    weights = glow_factor(replace(lamp.material, glow=even), mesh.vertices[mesh.triangles].mean(axis=1))
    return share * float(weights @ _form_factors(mesh.vertices, mesh.triangles, point, normal))


def form_factor(vertices: Vector, triangles: NDArray[np.int32], point: ArrayLike, normal: ArrayLike) -> float:
    """Irradiance at *point* of a receiver with *normal* when every triangle's front side has radiance 1.

    Lambert's formula for polygons (1760; Arvo, Analytic Methods for Simulated Light Transport, 1995, eq. 2.6), each
    triangle clipped at the receiver's horizon. Between 0 and pi. Exact without occlusion.
    """
    return float(_form_factors(vertices, triangles, point, normal).sum())


def _form_factors(vertices: Vector, triangles: NDArray[np.int32], point: ArrayLike, normal: ArrayLike) -> Vector:
    """What each triangle adds to the form factor, (m,)."""
    facing = unit(normal)
    corners = vertices[triangles] - np.asarray(point, dtype=np.float64)
    plane_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    shown = (plane_normals * corners[:, 0]).sum(axis=1) < 0.0
    heights = corners @ facing
    whole = shown & (heights >= 0.0).all(axis=1)
    shares = np.zeros(len(corners))
    shares[whole] = _polygons(corners[whole], facing)
    for i in np.flatnonzero(shown & ~whole):
        clipped = _above_horizon(corners[i], heights[i])
        if len(clipped) >= 3:
            shares[i] = _polygons(clipped[None], facing)[0]
    return shares


def _polygons(corners: Vector, facing: Vector) -> Vector:
    """Form factors (p,) of (p, k, 3) polygons, counter-clockwise seen from the receiver at the origin."""
    following = np.roll(corners, -1, axis=1)
    crosses = np.cross(corners, following)
    lengths = np.linalg.norm(crosses, axis=2)
    angles = np.arctan2(lengths, (corners * following).sum(axis=2))
    shares = (crosses @ facing) / np.maximum(lengths, 1e-300)
    result: Vector = 0.5 * np.abs((angles * shares).sum(axis=1))
    return result


def _above_horizon(triangle: Vector, heights: Vector) -> Vector:
    """Sutherland-Hodgman: the part of one triangle with positive height, (k, 3), k = 0, 3 or 4."""
    kept = []
    for i in range(3):
        j = (i + 1) % 3
        if heights[i] > 0.0:
            kept.append(triangle[i])
        if (heights[i] > 0.0) != (heights[j] > 0.0):
            share = heights[i] / (heights[i] - heights[j])
            kept.append(triangle[i] + share * (triangle[j] - triangle[i]))
    return np.array(kept).reshape(-1, 3)
