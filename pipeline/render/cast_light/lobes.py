"""What metal mirrors, and into which directions: the lobes of a job's materials as arrays, and sampling them.

Covers: conductor Fresnel, films as lobes of their own, anisotropic GGX by its visible normals. As in the shader for
rays that left a diffuse surface, relief widens the lobe and tilts no normal. Does not cover: defects drawn on the
metal, the variation of a film over the part. Sources: Heitz, "Sampling the GGX Distribution of Visible Normals", JCGT
7(4), 2018; Heitz, "Understanding the Masking-Shadowing Function", JCGT 3(2), 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.render.cast_light.stage import Doubles, Floats, Ints, dot, length_of
from pipeline.surface.material import Film, Material, MetalMaterial
from pipeline.surface.metals import conductor_reflectance, immersed
from pipeline.surface.roughness import LARGEST_RATIO
from pipeline.surface.thin_film import film_reflectance

_COSINES: Final = 129
"""Angles of incidence at which reflectances are tabulated, evenly spaced in their cosine."""
_FILM_COSINES: Final = 17
"""Fewer for interference films, whose Airy sum over the spectrum takes longer."""
_TABLE: Final = 17
_FACETS: Final = 16
"""Size of the table of what rough metal loses at the first mirroring; facets per side of the grid behind a value."""
_SMOOTHEST: Final = 1e-4
"""GGX alpha of what counts as perfectly smooth."""


@dataclass(frozen=True, eq=False)
class _Lobe:
    alphas: tuple[float, float]
    """GGX alpha across and along the lay."""
    reflectance: Doubles
    """(_COSINES, 3) by the cosine of incidence from 0 to 1, the share of the surface that it covers multiplied in."""


@dataclass(frozen=True, eq=False)
class Lobes:
    """The lobes of all materials of a job; l lobes, m materials."""

    first: Ints
    """(m,) number of a material's first lobe."""
    count: Ints
    """(m,) 0 for what is no metal."""
    alphas: Floats
    """(l, 2) GGX alpha across and along the lay."""
    reflectance: Floats
    """(l, _COSINES, 3)."""
    chance: Floats
    """(l,) probability with which a photon takes this lobe of its material."""
    strength: Floats
    """(m,) mean reflectance at normal incidence of all lobes of a material."""
    hidden: NDArray[np.bool_]
    """(m,) whether there is a diffuse surface over the metal (paint, phosphate), or the material is no metal at all."""
    arc_radius: Floats
    """(m,) metres, of the cutter's path where tool marks are arcs; 0 without."""

    def pick(self, material: Ints, dice: Floats) -> Ints:
        """The lobe (n,) that each photon on *material* (n,) takes, by one number in [0, 1) of *dice* (n,)."""
        lobe = self.first[material]
        left = dice - self.chance[lobe]
        last = lobe + self.count[material] - 1
        while bool(((left >= 0.0) & (lobe < last)).any()):
            on = (left >= 0.0) & (lobe < last)
            lobe = np.where(on, lobe + 1, lobe)
            left = np.where(on, left - self.chance[lobe], left)
        return lobe

    def share(self, lobe: Ints, cosine: Floats) -> Floats:
        """What *lobe* (n,) mirrors of light at *cosine* (n,) of incidence on a facet, over its chance: (n, 3)."""
        place = np.clip(cosine, 0.0, 1.0) * (_COSINES - 1)
        below = np.minimum(place.astype(np.int64), _COSINES - 2)
        part = (place - below.astype(np.float32))[:, None]
        table = self.reflectance
        value = table[lobe, below] * (1.0 - part) + table[lobe, below + 1] * part
        result: Floats = value / np.maximum(self.chance[lobe], 1e-12)[:, None]
        return result

    def scattered_again(self, lobe: Ints, cosine: Floats) -> Floats:
        """Factor (n, 3) for light that one facet throws onto the next: rough metal does not lose it.

        Kulla and Conty, "Revisiting Physically Based Shading at Imageworks", SIGGRAPH 2017 courses, as in Cycles.
        """
        lost = 1.0 - _kept(np.sqrt(self.alphas[lobe, 0] * self.alphas[lobe, 1]), cosine)[:, None]
        mirrored = self.reflectance[lobe, -1] * lost
        result: Floats = 1.0 + mirrored / (1.0 - mirrored)
        return result


def lobes_of(materials: Sequence[Material]) -> Lobes:
    """The lobes of a job's *materials*; only metals, bare or under a film, have any."""
    each = [_of(material) if isinstance(material, MetalMaterial) else [] for material in materials]
    flat = [lobe for lobes in each for lobe in lobes]
    counts = np.array([len(lobes) for lobes in each], dtype=np.int64)
    strength = np.array([float(lobe.reflectance[-1].mean()) for lobe in flat])
    total = np.array([sum(float(lobe.reflectance[-1].mean()) for lobe in lobes) for lobes in each])
    return Lobes(
        first=np.cumsum(counts) - counts,
        count=counts,
        alphas=np.array([lobe.alphas for lobe in flat], dtype=np.float32).reshape(-1, 2),
        reflectance=np.array([lobe.reflectance for lobe in flat], dtype=np.float32).reshape(-1, _COSINES, 3),
        chance=(strength / np.maximum(np.repeat(total, counts), 1e-30)).astype(np.float32),
        strength=total.astype(np.float32),
        hidden=np.array([not isinstance(m, MetalMaterial) or _painted(m.film) for m in materials], dtype=bool),
        arc_radius=np.array([_arc_radius(material) for material in materials], dtype=np.float32),
    )


def _painted(film: Film | None) -> bool:
    return film is not None and film.kind == "opaque"


def _arc_radius(material: Material) -> float:
    relief = material.relief if isinstance(material, MetalMaterial) else ()
    return next((abs(one.path_radius_m) for one in relief if one.kind == "arc"), 0.0)


def _of(material: MetalMaterial) -> list[_Lobe]:
    """The lobes of a metal: that of the conductor, and that of the surface of a film over it."""
    cosines = np.maximum(np.linspace(0.0, 1.0, _COSINES), 1e-6)  # at 0 an index of 1 would divide 0 by 0
    alphas = _bounded(material.alpha_across, material.alpha_along)
    bare = conductor_reflectance(material.ior, material.extinction, cosines)
    film = material.film
    if film is None:
        return [_Lobe(alphas, bare)]
    if film.kind == "interference":
        return [_Lobe(alphas, _interference(material, film, cosines))]
    own = conductor_reflectance((film.ior,) * 3, (0.0,) * 3, cosines)
    covered = np.zeros_like(bare) if film.kind == "opaque" else (1.0 - own) * _below(material, film, cosines)
    mixed = film.coverage * covered + (1.0 - film.coverage) * bare
    surface = _Lobe(_bounded(film.roughness**2, film.roughness**2), film.coverage * own)
    return [_Lobe(alphas, mixed), surface] if mixed.any() else [surface]


def _bounded(across: float, along: float) -> tuple[float, float]:
    across = max(across, _SMOOTHEST)
    return across, min(across, max(along, across / LARGEST_RATIO))


def _below(material: MetalMaterial, film: Film, cosines: Doubles) -> Doubles:
    """Reflectance (c, 3) of the conductor in a clear film, its tint multiplied in."""
    pairs = zip(material.ior, material.extinction, film.color, strict=True)
    ior, extinction = zip(*(immersed(n, k, tint, film.ior) for n, k, tint in pairs), strict=True)
    return conductor_reflectance(ior, extinction, cosines)


def _interference(material: MetalMaterial, film: Film, cosines: Doubles) -> Doubles:
    """Reflectance (c, 3) of the conductor under the film's thickness away from its seam."""
    indices = tuple(zip(material.ior, material.extinction, strict=True))
    few = np.linspace(0.02, 1.0, _FILM_COSINES)
    colors = np.array([film_reflectance(film.thickness_nm, film.ior, indices, float(c)) for c in few])
    channels = [np.interp(cosines, few, colors[:, channel]) for channel in range(3)]
    result: Doubles = np.clip(np.stack(channels, axis=1), 0.0, 1.0)
    return result


def _kept(alpha: Floats, cosine: Floats) -> Floats:
    """Share (n,) of light at *cosine* (n,) of incidence that leaves GGX facets of *alpha* (n,) after one mirroring."""
    table = _kept_table()
    steps = len(table) - 1
    a, c = np.clip(alpha, 0.0, 1.0) * steps, np.clip(cosine, 0.0, 1.0) * steps
    i, j = (np.minimum(place.astype(np.int64), steps - 1) for place in (a, c))
    s, t = a - i.astype(np.float32), c - j.astype(np.float32)
    low = table[i, j] * (1.0 - t) + table[i, j + 1] * t
    high = table[i + 1, j] * (1.0 - t) + table[i + 1, j + 1] * t
    result: Floats = low * (1.0 - s) + high * s
    return result


@cache
def _kept_table() -> Floats:
    """(_TABLE, _TABLE) of `_kept`: alpha down, cosine across, from 0 to 1; means over a grid of facets."""
    grid = (np.arange(_FACETS) + 0.5) / _FACETS
    dice = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2).astype(np.float32)
    values = np.linspace(0.0, 1.0, _TABLE)
    table = np.empty((_TABLE, _TABLE), dtype=np.float32)
    for row, alpha in enumerate(np.maximum(values, _SMOOTHEST)):
        for column, cosine in enumerate(np.maximum(values, 1e-3)):
            incoming = np.tile(np.array([np.sqrt(1.0 - cosine**2), 0.0, cosine], np.float32), (len(dice), 1))
            alphas = np.full((len(dice), 2), alpha, dtype=np.float32)
            facet = facets(incoming, alphas, dice)
            outgoing = 2.0 * dot(incoming, facet)[:, None] * facet - incoming
            table[row, column] = unshadowed(incoming, outgoing, alphas).mean()
    return table


def facets(incoming: Floats, alphas: Floats, dice: Floats) -> Floats:
    """Normals (n, 3) of the facets that light from *incoming* (n, 3) meets, in the local frame (across, along, normal).

    *incoming*: unit, towards the light, z > 0; *alphas* (n, 2); *dice* (n, 2) in [0, 1). Heitz 2018, listing 1.
    """
    stretched = incoming.copy()
    stretched[:, :2] *= alphas
    stretched /= length_of(stretched)[:, None]
    x, y, z = stretched.T
    flat = np.hypot(x, y)
    upright = flat < 1e-12
    safe = np.where(upright, 1.0, flat)
    first = np.stack([np.where(upright, 1.0, -y / safe), np.where(upright, 0.0, x / safe), 0.0 * z], axis=1)
    second = np.stack([-z * first[:, 1], z * first[:, 0], x * first[:, 1] - y * first[:, 0]], axis=1)
    radius, turn = np.sqrt(dice[:, 0]), np.float32(2.0 * np.pi) * dice[:, 1]
    a, b = radius * np.cos(turn), radius * np.sin(turn)
    share = 0.5 * (1.0 + z)
    b = (1.0 - share) * np.sqrt(np.maximum(0.0, 1.0 - a * a)) + share * b
    c = np.sqrt(np.maximum(0.0, 1.0 - a * a - b * b))
    normal = a[:, None] * first + b[:, None] * second + c[:, None] * stretched
    normal[:, :2] *= alphas
    normal[:, 2] = np.maximum(normal[:, 2], 1e-9)
    result: Floats = normal / length_of(normal)[:, None]
    return result


def unshadowed(incoming: Floats, outgoing: Floats, alphas: Floats) -> Floats:
    """G2 / G1 (n,): share of facets seen from *incoming* that *outgoing* sees too, local frame, 0 below the surface.

    Height-correlated Smith masking and shadowing (Heitz 2014, equation 99).
    """
    one, other = _smith(incoming, alphas), _smith(outgoing, alphas)
    result: Floats = np.where(outgoing[:, 2] > 0.0, (1.0 + one) / (1.0 + one + other), 0.0)
    return result


def _smith(direction: Floats, alphas: Floats) -> Floats:
    squares = (direction[:, 0] * alphas[:, 0]) ** 2 + (direction[:, 1] * alphas[:, 1]) ** 2
    tangent = squares / np.maximum(direction[:, 2] ** 2, np.float32(1e-12))
    result: Floats = np.float32(0.5) * (np.sqrt(np.float32(1.0) + tangent) - np.float32(1.0))
    return result
