"""From rays of the rough probe to what each pixel shows mostly: histograms of what the rays meet.

Covers: the arithmetic on decoded rays, without Blender. Does not cover: casting them (`blender.rough_probe`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import FIRST_FAR, ROUGH_CHANNELS, WORLD_INDEX, SceneBundle

_PARTS, _LAMPS, _THINGS, _FAR_LIGHTS, _FAR = range(5)
_COLUMN_OF_CLASS: Final = {
    _PARTS: "part",
    _LAMPS: "lamp",
    _THINGS: "surroundings",
    _FAR_LIGHTS: "far_light",
    _FAR: "far",
}
_LEAST_WEIGHT: Final = 1e-6
"""Rays with less weight point into the surface."""


def thing_classes(bundle: SceneBundle) -> NDArray[np.int8]:
    """(65536,) class of every object index that a ray may meet; -1 for indices that nobody has."""
    table = np.full(WORLD_INDEX + 1, -1, dtype=np.int8)
    for thing in bundle.objects:
        table[thing.index] = {"part": _PARTS, "light": _LAMPS}.get(thing.kind, _THINGS)
    for label in () if bundle.world is None else bundle.world.labels:
        table[FIRST_FAR + label.value] = _FAR_LIGHTS if label.kind == "light" else _FAR
    table[WORLD_INDEX] = _FAR
    return table


def decode_rays(radiance: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """(index, luminance, weight) (..., n) of rays whose radiance (..., n, 3) is weight x (index, luminance, 1).

    The weight is the ray's in the microfacet model, 0 where it points into the surface; *luminance* is that of the
    world, 0 where the ray meets something else.
    """
    weight = radiance[..., 2]
    valid = weight > _LEAST_WEIGHT
    scale = np.divide(1.0, weight, out=np.zeros_like(weight), where=valid)
    index = np.where(valid, np.rint(radiance[..., 0] * scale), 0)
    index = np.clip(index, 0, WORLD_INDEX).astype(np.int32)
    return index, radiance[..., 1] * scale, np.where(valid, weight, np.float32(0))


def rough_channels(
    shown: NDArray[np.uint16],
    first_hit: NDArray[np.uint16],
    radiance: NDArray[np.float32],
    classes: NDArray[np.int8],
) -> dict[str, NDArray[np.float32]]:
    """Channels ROUGH_CHANNELS, (n,) float32 each, of n pixels with m rays each.

    *shown* (n,): object index at each pixel's centre; *first_hit* (n, m): that which each ray leaves; *radiance*
    (n, m, 3): as `decode_rays` takes it; *classes*: `thing_classes`. Only rays that leave the object *shown* count.
    """
    index, luminance, weight = decode_rays(radiance)
    counted = (first_hit == shown[:, None]) & (weight > 0) & (classes[index] >= 0)
    weight = np.where(counted, weight, np.float32(0))
    total = weight.sum(axis=1)
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    shares = weight * scale[:, None]
    kind = classes[index]
    result = {name: np.zeros(len(shown), dtype=np.float32) for name in ROUGH_CHANNELS}
    own = index == shown[:, None]
    for number, name in _COLUMN_OF_CLASS.items():
        result[name] = np.where((kind == number) & ~own, shares, 0).sum(axis=1, dtype=np.float32)
    result["self"] = np.where(own, shares, 0).sum(axis=1, dtype=np.float32)
    result["rays"] = counted.mean(axis=1, dtype=np.float32)
    glow = np.where(kind >= _FAR_LIGHTS, shares * luminance, 0)
    lit, all_far = np.where(kind == _FAR_LIGHTS, glow, 0).sum(axis=1), glow.sum(axis=1)
    result["far_light_radiance"] = np.divide(lit, all_far, out=np.zeros_like(lit), where=all_far > 0)
    _add_histogram(result, index, shares)
    return result


def _add_histogram(
    result: dict[str, NDArray[np.float32]], index: NDArray[np.int32], shares: NDArray[np.float32]
) -> None:
    """Fill object, share and entropy of *result* from what the rays of each pixel meet."""
    pixels, rays = index.shape
    if not pixels:
        return
    things, place = np.unique(index, return_inverse=True)
    bins = np.arange(pixels)[:, None] * things.size + place.reshape(pixels, rays)
    histogram = np.bincount(bins.ravel(), shares.ravel(), minlength=pixels * things.size).reshape(pixels, things.size)
    top = histogram.argmax(axis=1)
    share = histogram[np.arange(pixels), top]
    bits = histogram * np.log2(histogram, out=np.zeros_like(histogram), where=histogram > 0)
    result["object"] = np.where(share > 0, things[top], 0).astype(np.float32)
    result["share"] = share.astype(np.float32)
    result["entropy"] = np.maximum(-bits.sum(axis=1), 0).astype(np.float32)
