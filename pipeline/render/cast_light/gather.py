"""What a camera sees of landings: flux to radiance, by light group, and who threw it.

The irradiance of a pixel is a kernel density estimate on the surface that the pixel shows: flux over area, both
weighted by the same Gaussian in the image, within one object and pixels that face about the same way. The Gaussian is
the narrowest of a row of widths that holds enough photons for a small error (`density`). Nothing else smooths it.
Does not cover: light transport (`photons`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, matrix
from pipeline.layers import REC709_LUMINANCE
from pipeline.render.cast_light.density import MARGIN_PX, Density, leader
from pipeline.render.cast_light.photons import Landings

Floats = NDArray[np.float32]

_OFF_PLANE_PX: Final = 0.6
"""A landing is what its pixel shows when it lies less than so many pixels' widths off the surface in the pixel."""
_STEEPEST: Final = 0.02
"""Least cosine between a surface and the ray to it that areas are computed with."""
_FEW_PIXELS: Final = 4
"""Patches of fewer pixels get no estimate."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the gathering needs to know of a view; (h, w) pixels."""

    camera: PlacedCamera
    position: Floats
    """(h, w, 3) metres, world."""
    object: NDArray[np.uint16]
    """(h, w) object index, 0 = nothing."""
    albedo: Floats
    """(h, w, 3) diffuse colour."""


@dataclass(frozen=True, eq=False)
class CastLight:
    """Cast light of one view."""

    radiance: dict[str, Floats]
    """Light group -> (h, w, 3)."""
    error: Floats
    """(h, w) standard error of the luminance of their sum."""
    thrower: NDArray[np.uint16]
    """(h, w) instance_id of the part that throws most of it, 0 where there is none."""
    lamp: NDArray[np.uint16]
    """(h, w) object index of the lamp that most of it comes from, 0 where there is none."""


def gather(seen: Seen, landings: Landings, group_of_lamp: Mapping[int, str], groups: Sequence[str]) -> CastLight:
    """The cast light that the camera of *seen* sees of *landings*; *group_of_lamp* by object index."""
    height, width = seen.object.shape
    result = CastLight(
        {group: np.zeros((height, width, 3), dtype=np.float32) for group in groups},
        np.zeros((height, width), dtype=np.float32),
        np.zeros((height, width), dtype=np.uint16),
        np.zeros((height, width), dtype=np.uint16),
    )
    visible, pixel = _visible(seen, landings)
    if not visible.lamp.size:
        return result
    facing, area = _pixel_surfaces(seen)
    place = {group: number for number, group in enumerate(groups)}
    group_of = np.full(int(np.max(visible.lamp)) + 1, -1, dtype=np.int64)
    for index, group in group_of_lamp.items():
        if index < group_of.size:
            group_of[index] = place.get(group, -1)
    for patch in _patches(seen, facing, pixel):
        _fill(result, patch, seen, area, visible, pixel, group_of[visible.lamp])
    dark = ~np.any([image.any(axis=-1) for image in result.radiance.values()], axis=0)
    result.thrower[dark] = result.lamp[dark] = 0
    return result


def _visible(seen: Seen, landings: Landings) -> tuple[Landings, NDArray[np.int64]]:
    """The landings that the camera sees, and the pixel (n,) of each, row by row."""
    height, width = seen.object.shape
    pose, camera = matrix(seen.camera.cam_from_world), seen.camera
    local = landings.point @ pose[:3, :3].T.astype(np.float32) + pose[:3, 3].astype(np.float32)
    depth = np.maximum(local[:, 2], np.float32(1e-6))
    column = np.floor(local[:, 0] / depth * camera.fx + camera.cx)
    row = np.floor(local[:, 1] / depth * camera.fy + camera.cy)
    inside = np.flatnonzero((local[:, 2] > 1e-6) & (column >= 0) & (column < width) & (row >= 0) & (row < height))
    pixel = (row[inside] * width + column[inside]).astype(np.int64)
    found = landings.chosen(inside)
    same = found.receiver == seen.object.ravel()[pixel]
    off = ((found.point - seen.position.reshape(-1, 3)[pixel]) * found.normal).sum(axis=1)
    near = np.abs(off) < _OFF_PLANE_PX * depth[inside] / camera.fx
    eye = (-pose[:3, :3].T @ pose[:3, 3]).astype(np.float32)
    towards = ((eye - found.point) * found.normal).sum(axis=1) > 0.0
    kept = np.flatnonzero(same & near & towards)
    return found.chosen(kept), pixel[kept]


def _pixel_surfaces(seen: Seen) -> tuple[Floats, Floats]:
    """The geometric normal (h, w, 3) of what each pixel shows, towards the camera, and its area (h, w), square metres.

    From the steps of position to the neighbours, the shorter of the two along each axis: at edges the other one leaves
    the surface. The area is the pixel's solid angle x distance^2 / cosine.
    """
    camera = seen.camera
    pose = matrix(camera.cam_from_world)
    across, down = (_shorter_step(seen.position, axis) for axis in (1, 0))
    normal = np.cross(across, down)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-30))
    way = (-pose[:3, :3].T @ pose[:3, 3]).astype(np.float32) - seen.position
    squared = np.maximum((way**2).sum(axis=-1), np.float32(1e-12))
    cosine = (normal * way).sum(axis=-1) / np.sqrt(squared)
    normal = np.where(cosine[..., None] < 0.0, -normal, normal)
    height, width = seen.object.shape
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5 - camera.cx)) / np.float32(camera.fx)
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5 - camera.cy)) / np.float32(camera.fy)
    solid_angle = (1.0 + x[None, :] ** 2 + y[:, None] ** 2) ** np.float32(-1.5) / np.float32(camera.fx * camera.fy)
    area = solid_angle * squared / np.maximum(np.abs(cosine), np.float32(_STEEPEST))
    return normal.astype(np.float32), np.where(seen.object > 0, area, 0.0).astype(np.float32)


def _shorter_step(position: Floats, axis: int) -> Floats:
    """The shorter of the steps (h, w, 3) to the two neighbours along *axis*, in the direction of growing index."""
    step = np.diff(position, axis=axis)
    length = (step**2).sum(axis=-1)
    edge = [(0, 0), (0, 0)]
    edge[axis] = (1, 0)
    before = np.pad(length, edge, constant_values=np.inf)
    edge[axis] = (0, 1)
    after = np.pad(length, edge, constant_values=np.inf)
    first = np.pad(step, [*((1, 0) if a == axis else (0, 0) for a in range(2)), (0, 0)])
    second = np.pad(step, [*((0, 1) if a == axis else (0, 0) for a in range(2)), (0, 0)])
    return np.where((before < after)[..., None], first, second)


@dataclass(frozen=True, eq=False)
class _Patch:
    """Pixels of one object that face about the same way, within a box."""

    top: int
    left: int
    mask: NDArray[np.bool_]
    """(h, w) of the box."""


def _patches(seen: Seen, facing: Floats, pixel: NDArray[np.int64]) -> Iterator[_Patch]:
    """The patches with diffuse colour on which landings lie: one for each of 26 directions of each object."""
    direction = np.rint(facing * np.float32(1.0 / np.sqrt(0.5))).astype(np.int32) + 1
    code = (direction[..., 0] * 3 + direction[..., 1]) * 3 + direction[..., 2]
    key = np.where((seen.albedo > 0.0).any(axis=-1), seen.object.astype(np.int32) * 27 + code, 0)
    landed = np.zeros(seen.object.shape, dtype=bool)
    landed.ravel()[pixel] = True
    for number in np.unique(key[landed]):
        if number == 0:
            continue
        mask = key == number
        lit = mask & landed
        rows, columns = (np.flatnonzero(lit.any(axis=axis)) for axis in (1, 0))
        top, left = max(0, int(rows[0]) - MARGIN_PX), max(0, int(columns[0]) - MARGIN_PX)
        box = mask[top : int(rows[-1]) + 1 + MARGIN_PX, left : int(columns[-1]) + 1 + MARGIN_PX]
        if np.count_nonzero(box) >= _FEW_PIXELS:
            yield _Patch(top, left, box)


def _fill(
    result: CastLight,
    patch: _Patch,
    seen: Seen,
    area: Floats,
    visible: Landings,
    pixel: NDArray[np.int64],
    group: NDArray[np.int64],
) -> None:
    """Write the cast light of one *patch* into *result*."""
    width = seen.object.shape[1]
    box = (slice(patch.top, patch.top + patch.mask.shape[0]), slice(patch.left, patch.left + patch.mask.shape[1]))
    row, column = pixel // width - patch.top, pixel % width - patch.left
    inside = (row >= 0) & (row < patch.mask.shape[0]) & (column >= 0) & (column < patch.mask.shape[1])
    inside[inside] = patch.mask[row[inside], column[inside]]
    chosen = np.flatnonzero(inside)
    place = row[chosen] * patch.mask.shape[1] + column[chosen]
    areas = np.where(patch.mask, area[box], np.float32(0.0))
    reflecting = np.where(patch.mask[..., None], seen.albedo[box] / np.float32(np.pi), np.float32(0.0))
    variance = np.zeros(patch.mask.shape, dtype=np.float32)
    density = Density(areas)
    flux = visible.flux[chosen]
    for number, radiance in enumerate(result.radiance.values()):
        of_group = np.flatnonzero(group[chosen] == number)
        if of_group.size:
            found = density.estimate(place[of_group], flux[of_group])
            radiance[box] += found.irradiance * reflecting
            variance += (found.error * (reflecting @ REC709_LUMINANCE)) ** 2
    result.error[box] += np.sqrt(variance)
    brightness = flux @ REC709_LUMINANCE
    for labels, image in ((visible.thrower, result.thrower), (visible.lamp, result.lamp)):
        image[box] += leader(place, brightness, labels[chosen], patch.mask)
