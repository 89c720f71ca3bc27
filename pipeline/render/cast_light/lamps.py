"""The glowing triangles of a view: which of them to draw points from, and how bright a point is.

Does not cover: what is done with the light (`photons`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.layers import REC709_LUMINANCE
from pipeline.light.glow import glow_factor
from pipeline.render.cast_light.stage import Doubles, Floats, Ints, Placed, Triangles
from pipeline.surface.material import EmitterMaterial, Material

_LEAST_CHANCE: Final = 1e-3
"""No lamp that glows is drawn less often than this share of the draws that an even hand would give it."""
_LUMINANCE: Final = REC709_LUMINANCE.astype(np.float64)


@dataclass(frozen=True, eq=False)
class Lamps:
    """The lamps of a view; t glowing triangles."""

    triangle: Ints
    """(t,) triangle of the view."""
    lamp: NDArray[np.uint16]
    """(t,) object index."""
    group: Ints
    """(t,) number of the lamp's light group among the job's."""
    tint: Floats
    """(t, 3) radiance over its luminance."""
    ends: Doubles
    """(t,) cumulative probability of being drawn."""
    area_per_chance: Floats
    """(t,) area over that probability, square metres."""
    material: NDArray[np.int32]
    """(t,)."""
    materials: tuple[Material, ...]
    glows: NDArray[np.bool_]
    """(materials,) whether a material glows."""

    def pick(self, dice: Floats) -> Ints:
        """The triangles (n,), places in `triangle`, that numbers (n,) in [0, 1) draw."""
        place = np.searchsorted(self.ends, dice * self.ends[-1], side="right")
        result: Ints = np.minimum(place, self.triangle.size - 1)
        return result

    def luminance(self, place: Ints, point: Floats) -> Floats:
        """Luminance (n,) that the lamps send out at world *point* (n, 3) of the triangles at *place* (n,)."""
        result = np.zeros(len(point), dtype=np.float32)
        material = self.material[place]
        for number in np.unique(material):
            emitter = self.materials[number]
            assert isinstance(emitter, EmitterMaterial)  # noqa: S101 - only these are in `triangle`
            here = material == number
            brightness = float(np.dot(emitter.radiance, _LUMINANCE))
            even = emitter.stripes is None and emitter.glow is None
            result[here] = brightness if even else brightness * glow_factor(emitter, point[here].astype(np.float64))
        return result


def lamps_of(
    placed: Sequence[Placed],
    triangles: Triangles,
    materials: tuple[Material, ...],
    groups: Sequence[str],
    middle: Doubles,
) -> Lamps:
    """The lamps among what is *placed*; *groups* are the job's, *middle* (3,) is where most of the light is wanted."""
    glows = np.array([isinstance(material, EmitterMaterial) for material in materials], dtype=bool)
    group_of = {one.entry.index: groups.index(one.entry.group) for one in placed if one.entry.group in groups}
    known = np.isin(triangles.object, list(group_of))
    brightness = np.array([_radiance(material) for material in materials]).reshape(-1, 3) @ _LUMINANCE
    bright = brightness[triangles.material] > 0.0
    chosen = np.flatnonzero(known & bright & glows[triangles.material] & (triangles.areas > 0.0))
    lamp = triangles.object[chosen]
    group = np.array([group_of[int(index)] for index in lamp], dtype=np.int64)
    material = triangles.material[chosen]
    radiance = np.array([_radiance(m) for m in materials]).reshape(-1, 3)[material]
    chance = _chances(triangles, chosen, lamp, group, brightness[material], middle)
    return Lamps(
        triangle=chosen,
        lamp=lamp.astype(np.uint16),
        group=group,
        tint=(radiance / brightness[material][:, None]).astype(np.float32),
        ends=np.cumsum(chance),
        area_per_chance=(triangles.areas[chosen] / chance).astype(np.float32),
        material=material,
        materials=materials,
        glows=glows,
    )


def _radiance(material: Material) -> tuple[float, float, float]:
    return material.radiance if isinstance(material, EmitterMaterial) else (0.0, 0.0, 0.0)


def _chances(
    triangles: Triangles, chosen: Ints, lamp: NDArray[np.int32], group: Ints, brightness: Doubles, middle: Doubles
) -> Doubles:
    """Probabilities (t,) of the triangles, 1 in all: half shared evenly among groups, half by light at the middle.

    Within a group by the light that a lamp sends to the *middle*, within a lamp by area.
    """
    if not chosen.size:
        return np.zeros(0)
    areas = triangles.areas[chosen].astype(np.float64)
    way = middle - triangles.vertices[triangles.corners[chosen]].mean(axis=1)
    squared = np.maximum((way**2).sum(axis=1), 1e-9)
    leaving = np.maximum((way * triangles.facing[chosen]).sum(axis=1), 0.0) / np.sqrt(squared)
    sent = brightness * areas * (leaving + _LEAST_CHANCE) / squared
    _, number = np.unique(lamp, return_inverse=True)
    by_lamp = np.bincount(number, weights=sent)
    by_group = np.bincount(group, weights=sent)
    count = np.count_nonzero(by_group)
    of_lamp = by_lamp[number] * (0.5 / (count * by_group[group]) + 0.5 / by_group.sum())
    floor = _LEAST_CHANCE / by_lamp.size
    chance = (of_lamp + floor) * areas / np.bincount(number, weights=areas)[number]
    result: Doubles = chance / chance.sum()
    return result
