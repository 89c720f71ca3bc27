"""Light from lamps by way of metal: photons that start on the metal, and where they land.

Covers: sending light from points of the lamps to points of the metal, mirroring it there and on further metal, the
landings. Does not cover: what a camera sees of it (`gather`), lobes (`lobes`). Light of the world (environments) is not
followed, nor is light that met a diffuse surface before the metal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.render.cast_light.frames import Surface, frames_at, points_on, surface_at
from pipeline.render.cast_light.lamps import Lamps
from pipeline.render.cast_light.lobes import Lobes, facets, unshadowed
from pipeline.render.cast_light.stage import Caster, Floats, Ints, Triangles, dot, length_of, lifted

CANDIDATES: Final = 2
"""Pairs of a point on a lamp and one on metal for every photon; those that carry more light are taken more often."""
MIRRORINGS: Final = 3
"""A photon is followed over at most so many pieces of metal."""
_BLOCK: Final = 1 << 16
"""Photons traced at once; bounds the memory."""
_STEEPEST: Final = 4.0
"""Largest correction for shading normals, which near the rim of coarse meshes stray far from the true ones."""


@dataclass(frozen=True, eq=False)
class Landings:
    """Where light that metal threw has landed; n landings."""

    point: Floats
    """(n, 3) metres, world."""
    normal: Floats
    """(n, 3) unit geometric normal of the surface there, to the side that the light came from."""
    flux: Floats
    """(n, 3) W, relative, linear Rec.709."""
    receiver: NDArray[np.uint16]
    """(n,) object index of what it landed on."""
    thrower: NDArray[np.uint16]
    """(n,) instance_id of the part whose metal it left last."""
    lamp: NDArray[np.uint16]
    """(n,) object index of the lamp."""

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Landings:
        """Some of the landings."""
        return Landings(*(getattr(self, field.name)[which] for field in fields(self)))

    @staticmethod
    def joined(several: Sequence[Landings]) -> Landings:
        """All landings of *several*, which may be none."""
        everything = [_NOTHING, *several]
        return Landings(*(np.concatenate([getattr(one, f.name) for one in everything]) for f in fields(Landings)))


_NO_VECTORS: Final = np.zeros((0, 3), dtype=np.float32)
_NO_IDS: Final = np.zeros(0, dtype=np.uint16)
_NOTHING: Final = Landings(_NO_VECTORS, _NO_VECTORS, _NO_VECTORS, _NO_IDS, _NO_IDS, _NO_IDS)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """n pairs of a point on metal and a point on a lamp."""

    metal: Ints
    """(n,) triangle."""
    metal_weights: Floats
    """(n, 2) of its first two corners."""
    lamp: Ints
    """(n,) place in `Lamps.triangle`."""
    lamp_weights: Floats
    flux: Floats
    """(n,) luminous flux that the pair stands for, times the strength of the metal."""

    def chosen(self, which: Ints) -> _Pairs:
        return _Pairs(*(getattr(self, field.name)[which] for field in fields(self)))

    @staticmethod
    def joined(several: Iterable[_Pairs]) -> _Pairs:
        everything = list(several)
        return _Pairs(*(np.concatenate([getattr(one, f.name) for one in everything]) for f in fields(_Pairs)))


@dataclass(frozen=True, eq=False)
class Lighting:
    """What light can do in a view: the things that stand there, the lamps among them, and what metal does."""

    triangles: Triangles
    caster: Caster
    lamps: Lamps
    lobes: Lobes
    last_part: int
    """Largest object index of a part."""
    threads: int = 1


def trace(lighting: Lighting, seed: int, photons: int) -> Landings:
    """Where what the metal of parts throws of the lamps' light lands. Same *seed*, same landings.

    Empty without lamps or metal, and where no lamp shines on any. Landings on the thrower itself, on bare metal and on
    lamps are left out: neither has a diffuse share.
    """
    triangles, lobes = lighting.triangles, lighting.lobes
    on_part = triangles.object <= lighting.last_part
    metal = np.flatnonzero(on_part & (lobes.strength[triangles.material] > 0.0) & (triangles.areas > 0.0))
    if not (metal.size and lighting.lamps.triangle.size):
        return _NOTHING
    with ThreadPoolExecutor(lighting.threads) as pool:
        pairs = _Pairs.joined(pool.map(lambda job: _pairs(lighting, metal, *job), _jobs(seed, 0, CANDIDATES * photons)))
        blocks = _blocks(lighting.lamps.group[pairs.lamp], pairs.flux, photons)
        jobs = zip(blocks, _jobs(seed, 1, len(blocks) * _BLOCK), strict=True)
        followed = pool.map(lambda job: _follow(lighting, pairs.chosen(job[0][0]), job[0][1], job[1][1]), jobs)
        return Landings.joined(tuple(followed))


def _jobs(seed: int, stage: int, count: int) -> Iterator[tuple[float, np.random.Generator]]:
    """For every block of *count* things its share of them, and a generator of its own: threads change nothing."""
    for block in range(-(-count // _BLOCK)):
        words = np.random.SeedSequence([seed, stage, block])
        yield _BLOCK / count, np.random.Generator(np.random.PCG64(words))


def _pairs(lighting: Lighting, metal: Ints, share: float, random: np.random.Generator) -> _Pairs:
    """A block of pairs, which stands for *share* of the light; those that carry none are left out."""
    triangles, lamps = lighting.triangles, lighting.lamps
    ends = np.cumsum(triangles.areas[metal], dtype=np.float64)
    dice = random.random((_BLOCK, 6), dtype=np.float32)
    strata = (np.arange(_BLOCK) + dice[:, 0]) / _BLOCK * ends[-1]
    triangle = metal[np.minimum(np.searchsorted(ends, strata, side="right"), metal.size - 1)]
    weights, lamp_weights = _uniform_weights(dice[:, 1:3]), _uniform_weights(dice[:, 4:6])
    pairs = _Pairs(triangle, weights, lamps.pick(dice[:, 3]), lamp_weights, dice[:, 0])
    flux = _sent(lighting, pairs) * np.float32(ends[-1] * share / _BLOCK)
    return replace(pairs, flux=flux).chosen(np.flatnonzero(flux > 0.0))


def _uniform_weights(dice: Floats) -> Floats:
    """Weights (n, 2) of the first two corners of points spread evenly over triangles."""
    root = np.sqrt(dice[:, 0])
    return np.stack([1.0 - root, root * (1.0 - dice[:, 1])], axis=1)


def _sent(lighting: Lighting, pairs: _Pairs) -> Floats:
    """(n,) luminous flux per area of metal that reaches the pairs' metal, were nothing in between, times its strength.

    Radiance x cos x cos / d^2 over the probability per area with which the lamp's point was chosen.
    """
    lamps, triangles = lighting.lamps, lighting.triangles
    surface = surface_at(triangles, pairs.metal, pairs.metal_weights)
    source = points_on(triangles, lamps.triangle[pairs.lamp], pairs.lamp_weights)
    way = source - surface.point
    squared = np.maximum(dot(way, way), np.float32(1e-12))
    way /= np.sqrt(squared)[:, None]
    falling = np.maximum(dot(way, surface.normal), np.float32(0.0))
    falling[dot(way, triangles.facing[pairs.metal]) <= 0.0] = 0.0
    leaving = np.maximum(-dot(way, triangles.facing[lamps.triangle[pairs.lamp]]), np.float32(0.0))
    sent = falling * leaving / squared * lamps.area_per_chance[pairs.lamp] * lamps.luminance(pairs.lamp, source)
    return np.asarray(sent * lighting.lobes.strength[triangles.material[pairs.metal]], dtype=np.float32)


def _blocks(group: Ints, flux: Floats, photons: int) -> list[tuple[Ints, float]]:
    """The pairs that become photons, in blocks, each with the luminous flux of one of its photons.

    Of each light group pairs are taken more often the more flux they have. Half of the photons are shared out evenly to
    the groups, which a photo may dim or brighten, half by their flux.
    """
    total = np.bincount(group, weights=flux)
    lit = np.flatnonzero(total > 0.0)
    blocks = []
    for number in lit:
        members = np.flatnonzero(group == number)
        count = max(1, round(photons * (0.5 / lit.size + 0.5 * total[number] / total.sum())))
        ends = np.cumsum(flux[members], dtype=np.float64)
        places = (np.arange(count) + 0.5) / count * ends[-1]
        taken = members[np.minimum(np.searchsorted(ends, places, side="right"), members.size - 1)]
        blocks += [(taken[start : start + _BLOCK], float(ends[-1]) / count) for start in range(0, count, _BLOCK)]
    return blocks


def _follow(lighting: Lighting, pairs: _Pairs, flux: float, random: np.random.Generator) -> Landings:
    """The landings of one photon of luminous *flux* for each pair."""
    triangles, lamps, lobes = lighting.triangles, lighting.lamps, lighting.lobes
    surface = surface_at(triangles, pairs.metal, pairs.metal_weights)
    way = points_on(triangles, lamps.triangle[pairs.lamp], pairs.lamp_weights) - surface.point
    length = length_of(way)
    way /= length[:, None]
    start = lifted(surface.point, triangles.facing[pairs.metal])
    free = np.flatnonzero(lighting.caster.reaches(start, way, length * np.float32(1.0 - 1e-4)))
    photons = _Photons(
        surface.chosen(free),
        way[free],
        np.float32(flux)
        * lamps.tint[pairs.lamp[free]]
        / lobes.strength[triangles.material[pairs.metal[free]]][:, None],
        lamps.lamp[pairs.lamp[free]],
    )
    landings = []
    for _ in range(MIRRORINGS):
        landed, photons = _mirror_once(lighting, photons, random)
        landings.append(landed)
        if not photons.lamp.size:
            break
    return Landings.joined(landings)


@dataclass(frozen=True, eq=False)
class _Photons:
    """Photons that have arrived at metal."""

    surface: Surface
    back: Floats
    """(n, 3) unit, to where they came from."""
    flux: Floats
    """(n, 3)."""
    lamp: NDArray[np.uint16]


def _mirror_once(lighting: Lighting, photons: _Photons, random: np.random.Generator) -> tuple[Landings, _Photons]:
    """What lands after one more mirroring, and what has met metal again."""
    triangles = lighting.triangles
    direction, flux = _mirrored(lighting, photons, random)
    on = np.flatnonzero(flux.sum(axis=1) > 0.0)
    surface, direction, flux, lamp = photons.surface.chosen(on), direction[on], flux[on], photons.lamp[on]
    hits = lighting.caster.first(lifted(surface.point, triangles.facing[surface.triangle]), direction)
    met, thrower = hits.triangle, triangles.object[surface.triangle]
    material = np.where(met >= 0, triangles.material[met], -1)
    other = (met >= 0) & (triangles.object[met] != thrower)
    down = np.flatnonzero(other & lighting.lobes.hidden[material] & ~lighting.lamps.glows[material])
    facing = triangles.facing[met[down]]
    facing = np.where(dot(facing, direction[down])[:, None] > 0.0, -facing, facing)
    landed = Landings(
        hits.point[down],
        facing,
        flux[down],
        triangles.object[met[down]].astype(np.uint16),
        thrower[down].astype(np.uint16),
        lamp[down],
    )
    metal = (met >= 0) & (lighting.lobes.strength[material] > 0.0) & (triangles.object[met] <= lighting.last_part)
    again = np.flatnonzero(metal & (dot(triangles.facing[met], direction) < 0.0))
    reached = surface_at(triangles, met[again], hits.weights[again])
    return landed, _Photons(reached, -direction[again], flux[again], lamp[again])


def _mirrored(lighting: Lighting, photons: _Photons, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Directions (n, 3) into which metal throws photons, and their flux (n, 3) from there on; 0 for those it keeps.

    The last factor is that of shading normals in light that is traced from the lamps (Veach, thesis, section 5.3).
    """
    lobes, surface, back = lighting.lobes, photons.surface, photons.back
    material = lighting.triangles.material[surface.triangle].astype(np.int64)
    dice = random.random((len(back), 3), dtype=np.float32)
    lobe = lobes.pick(material, dice[:, 0])
    alphas = lobes.alphas[lobe]
    frame = frames_at(lighting.triangles, surface, lobes.arc_radius[material])
    incoming = np.einsum("nij,nj->ni", frame, back)
    facet = facets(incoming, alphas, dice[:, 1:])
    cosine = dot(incoming, facet)
    outgoing = 2.0 * cosine[:, None] * facet - incoming
    direction = np.einsum("nij,ni->nj", frame, outgoing)
    away = dot(direction, lighting.triangles.facing[surface.triangle])
    tilt = np.clip(away / np.maximum(outgoing[:, 2], 1e-9), 0.0, _STEEPEST)
    kept = np.where((incoming[:, 2] > 0.0) & (away > 0.0), unshadowed(incoming, outgoing, alphas) * tilt, 0.0)
    flux = photons.flux * lobes.share(lobe, cosine) * lobes.scattered_again(lobe, incoming[:, 2]) * kept[:, None]
    return direction, flux
