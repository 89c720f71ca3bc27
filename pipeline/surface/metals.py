"""Metals: complex refractive indices per RGB channel, and what a smooth conductor reflects.

Covers: the table assets/tables/metals.json and the exact Fresnel reflectance. Does not cover: roughness (`roughness`),
thin films. Optical constants: refractiveindex.info (CC0; Polyanskiy, Sci. Data 11, 94, 2024), integrated over CIE 1931
and D65 to linear Rec.709, then n and k fitted per channel to the reflectances at 0 and 82 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.surface.material import Rgb
from pipeline.tables import entry

F82_COSINE = 1.0 / 7.0
"""Cosine of the angle of incidence (81.8 degrees) at which `Metal.f82` is given."""


@dataclass(frozen=True)
class Metal:
    """A conductor. All reflectances are linear Rec.709, unpolarised, of a polished surface in air."""

    name: str
    description: str
    role: str
    """"metal", or a note when the entry is a coating, a film or an oxide rather than a bulk metal."""
    ior: Rgb
    """Refractive index n for R, G, B."""
    extinction: Rgb
    """Extinction coefficient k for R, G, B."""
    base_color: Rgb
    """Reflectance at normal incidence, clipped to 1 (gold's red channel lies outside Rec.709)."""
    edge_tint: Rgb
    """Reflectance at `F82_COSINE` over Schlick's, clipped to 1: Blender's Edge Tint."""
    f82: Rgb
    """Reflectance at `F82_COSINE`."""
    source: str
    license: str


def metal(name: str) -> Metal:
    """Look up the metal *name* in assets/tables/metals. Raises InputError for an unknown name."""
    row = entry("metals", name, "metal")
    return Metal(
        name=name,
        description=row["desc"],
        role=row.get("role", "metal"),
        ior=_rgb(row["IOR"]),
        extinction=_rgb(row["Extinction"]),
        base_color=_rgb(row["base_color"]),
        edge_tint=_rgb(row["edge_tint"]),
        f82=_rgb(row["f82"]),
        source=row["source"],
        license=row["license"],
    )


def _rgb(values: list[float]) -> Rgb:
    red, green, blue = (float(v) for v in values)
    return red, green, blue


def conductor_reflectance(ior: ArrayLike, extinction: ArrayLike, cos_theta: ArrayLike) -> NDArray[np.float64]:
    """Unpolarised Fresnel reflectance of a smooth conductor in air.

    *ior*, *extinction*: (3,) n and k per channel; *cos_theta*: any shape (...), cosine of the angle of incidence,
    0..1. Returns (..., 3) float64 in 0..1. Exact Fresnel equations with the complex index n + ik
    (Born and Wolf, Principles of Optics, section 14.2).
    """
    cosine = np.asarray(cos_theta, dtype=np.float64)[..., None]
    index = np.asarray(ior, dtype=np.float64) + 1j * np.asarray(extinction, dtype=np.float64)
    root = np.sqrt(index * index - (1.0 - cosine * cosine))
    s_wave = (cosine - root) / (cosine + root)
    p_wave = (index * index * cosine - root) / (index * index * cosine + root)
    result: NDArray[np.float64] = 0.5 * (np.abs(s_wave) ** 2 + np.abs(p_wave) ** 2)
    return result
