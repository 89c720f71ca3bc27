"""Metals: complex refractive indices per RGB channel, and what a smooth conductor reflects.

Covers: the table assets/tables/metals.json, how parts of one metal differ, the exact Fresnel reflectance. Does not
cover: roughness (`roughness`), films (`films`, `thin_film`). Optical constants: refractiveindex.info (CC0; Polyanskiy,
Sci. Data 11, 94, 2024), integrated over CIE 1931 and D65 to linear Rec.709, then n and k fitted per channel to the
reflectances at 0 and 82 degrees. Alloys without open data are proxies: `proxy_of` names what they are mixed of,
`f0_scale` the factor on its reflectance, `derivation` why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.spec.scene import ItemSpec
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
    nk_650_550_450: tuple[tuple[float, float], ...]
    """(n, k) at 650, 550 and 450 nm, which thin films are computed from."""
    f0_spread: tuple[Rgb, Rgb]
    """Reflectance at normal incidence of the darkest and the brightest part of this metal: the spread of the published
    data where there are several, else 0.92 to 1 of it (oxide, handling, alloy)."""
    source: str
    license: str
    proxy_of: tuple[str, ...] = ()
    """Metals that an alloy without open data is mixed of; empty for measured metals."""
    derivation: str = ""
    """How a proxy follows from them."""


PLAIN_SPREAD = (0.92, 1.0)
"""Factors on the reflectance between which parts of a metal lie when its row says nothing else."""


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
        nk_650_550_450=tuple((float(n), float(k)) for n, k in row["nk_650_550_450"]),
        f0_spread=_spread(row),
        source=row["source"],
        license=row["license"],
        proxy_of=tuple(row.get("proxy_of", ())),
        derivation=row.get("derivation", ""),
    )


def metal_of(item: ItemSpec) -> Metal:
    """The metal of *item*, varied by its quantile. Raises InputError for an unknown name."""
    return varied(metal(item.metal), item.metal_quantile)


def varied(of: Metal, quantile: float) -> Metal:
    """*of* at *quantile* (0..1) of the spread of its reflectance: n kept, k fitted again to the wanted F0."""
    dark, bright = of.f0_spread
    return with_reflectance(of, _rgb([a + quantile * (b - a) for a, b in zip(dark, bright, strict=True)]))


def with_reflectance(of: Metal, f0: Rgb) -> Metal:
    """*of* with the reflectance *f0* at normal incidence: its n, and k^2 = (F0 (n + 1)^2 - (n - 1)^2) / (1 - F0).

    Where that is negative (a dielectric) k is 0 and n follows from F0. The indices for thin films take the same factor
    on their reflectance.
    """
    before = _f0(of)
    pairs = [refit(n, wanted) for n, wanted in zip(of.ior, f0, strict=True)]
    factors = [wanted / was for wanted, was in zip(f0, before, strict=True)]
    points = tuple(
        refit(n, factor * _normal_reflectance(n, k)) for (n, k), factor in zip(of.nk_650_550_450, factors, strict=True)
    )
    ior, extinction = _rgb([n for n, _ in pairs]), _rgb([k for _, k in pairs])
    grazing = conductor_reflectance(ior, extinction, F82_COSINE)
    schlick = np.array(f0) + (1.0 - np.array(f0)) * (1.0 - F82_COSINE) ** 5
    return replace(
        of,
        ior=ior,
        extinction=extinction,
        base_color=f0,
        edge_tint=_rgb(np.minimum(grazing / schlick, 1.0).tolist()),
        f82=_rgb(grazing.tolist()),
        nk_650_550_450=points,
    )


def refit(n: float, f0: float) -> tuple[float, float]:
    """(n, k) of reflectance *f0* with the given n where that is possible."""
    f0 = min(f0, 0.995)
    square = (f0 * (n + 1.0) ** 2 - (n - 1.0) ** 2) / (1.0 - f0)
    if square >= 0.0:
        return n, math.sqrt(square)
    root = math.sqrt(f0)
    return (1.0 + root) / (1.0 - root), 0.0


def immersed(n: float, k: float, tint: float, film_ior: float) -> tuple[float, float]:
    """(n, k) of a conductor seen from within a film of index *film_ior*, with the film's *tint* on its reflectance."""
    n, k = n / film_ior, k / film_ior
    return refit(n, tint * _normal_reflectance(n, k))


def _spread(row: dict[str, Any]) -> tuple[Rgb, Rgb]:
    if "f0_between" in row:
        dark, bright = (_reflectance_of(entry("metals", other, "metal")) for other in row["f0_between"])
        return dark, bright
    middle = _reflectance_of(row)
    low, high = row.get("f0_spread", PLAIN_SPREAD)
    return _rgb([low * f for f in middle]), _rgb([high * f for f in middle])


def _reflectance_of(row: dict[str, Any]) -> Rgb:
    return _rgb([_normal_reflectance(n, k) for n, k in zip(row["IOR"], row["Extinction"], strict=True)])


def _f0(of: Metal) -> Rgb:
    return _rgb([_normal_reflectance(n, k) for n, k in zip(of.ior, of.extinction, strict=True)])


def _normal_reflectance(n: float, k: float) -> float:
    return ((n - 1.0) ** 2 + k**2) / ((n + 1.0) ** 2 + k**2)


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
