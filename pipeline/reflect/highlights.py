"""Rows of the highlights table: where a photo shows the direct mirror image of an emitter on a part.

Covers: the definition (docs/truth.md, "Highlights"), components, their measures. Does not cover: which lamp of a group
makes a pixel bright (`lamps`), other reflections (`reflections`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import SceneBundle, load_bundle, read_ids, view_folder
from pipeline.photo_geometry import PhotoGeometry
from pipeline.reflect.components import connected_labels, grouped_median, pixel_solid_angles
from pipeline.reflect.lamps import Emitters, emitters_of, nearest_emitter
from pipeline.reflect.reflections import read_hits
from pipeline.view_light import REC709_LUMINANCE, ViewLight

DIRECT_SHARE: Final = 0.5
"""A pixel is mirrored lamp light when paths lamp -> part -> camera bring more than this share of its luminance."""
BRIGHT_SHARE: Final = 0.5
"""Bright: above this share of the radiance at which white light saturates the sensor ..."""
STANDS_OUT: Final = 4.0
"""... or above this multiple of the median luminance of the same CAD face of the same instance."""
LEAST_AREA_PX: Final = 4
_LEAST_FACE_PX: Final = 64
"""A face with fewer visible pixels is judged by the median of its whole instance."""


class ExposedPhoto(Protocol):
    """What highlights need of a photo; `camera.develop.PhotoResult` has it."""

    @property
    def photo_id(self) -> str:
        """Id of the photo."""
        ...

    @property
    def light(self) -> ViewLight:
        """The light it was developed from."""
        ...

    @property
    def group_gains(self) -> Mapping[str, NDArray[np.float32]]:
        """Light group -> gain in the mix: (3,), or (h, 3) where the photo's rows differ."""
        ...

    @property
    def geometry(self) -> PhotoGeometry:
        """Where the photo shows what its view shows."""
        ...

    @property
    def saturation_radiance(self) -> NDArray[np.float64]:
        """(3,) radiance at which each channel clips."""
        ...

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """(h, w, 3) clipped pixels per channel."""
        ...


@dataclass(frozen=True, eq=False)
class _Layers:
    """What all photos of a view share, in the pixels of its render (h, w)."""

    light: ViewLight
    emitters: Emitters
    instances: NDArray[np.uint16]
    faces: NDArray[np.uint16]
    direct: NDArray[np.bool_]
    """Mirrored lamp light dominates."""
    nearest: list[NDArray[np.int64]]
    """For each group the emitter that a pixel shows if that group lights it: (h, w), or () where it has one."""


@dataclass(frozen=True, eq=False)
class _Surface:
    """What all photos of a view with one geometry share, at the photo's pixels that show parts (n, row by row)."""

    emitters: Emitters
    shape: tuple[int, int]
    y: NDArray[np.int64]
    x: NDArray[np.int64]
    instance: NDArray[np.int64]
    face: NDArray[np.int64]
    """CAD face_id + 1."""
    neighbourhood: NDArray[np.int64]
    """Pixels of equal number are compared with one median: a face of an instance, or the instance."""
    direct: NDArray[np.bool_]
    """Mirrored lamp light dominates."""
    emitter_by_group: NDArray[np.int64]
    """(groups, n) index into the emitters: the one that makes a pixel bright if that group does."""
    solid_angle: NDArray[np.float64]
    light: tuple[NDArray[np.float32], ...]
    """For each group, its radiance (n, 3) at the pixels."""


@dataclass(frozen=True, eq=False)
class _Candidates:
    """The pixels of one photo that belong to highlights: k of them, with the highlight that each belongs to."""

    pixel: NDArray[np.int64]
    """(k,) index into the surface's pixels."""
    emitter: NDArray[np.int64]
    label: NDArray[np.int64]
    """(k,) number of the highlight, from 0."""
    radiance: NDArray[np.float32]
    """(k,) luminance of the emitter's group alone."""


def highlight_rows(bundle: Path, photos: Iterable[ExposedPhoto]) -> list[dict[str, Any]]:
    """One row per highlight of *photos*, which were developed from the bundle in folder *bundle*.

    Masks, boxes and centroids are in the photo's own pixels. Photos of one view should follow each other: what they
    share is then made once. Raises OSError when a layer cannot be read.
    """
    scene_bundle = load_bundle(bundle)
    rows: list[dict[str, Any]] = []
    layers: _Layers | None = None
    surface: _Surface | None = None
    geometry: PhotoGeometry | None = None
    for photo in photos:
        if layers is None or photo.light is not layers.light:
            layers, surface = _layers(bundle, scene_bundle, photo.light), None
        if surface is None or photo.geometry != geometry:
            geometry = photo.geometry
            surface = _surface(layers, geometry)
        rows.extend(_photo_rows(photo, surface))
    return rows


def _layers(folder: Path, bundle: SceneBundle, light: ViewLight) -> _Layers:
    layers = view_folder(folder, light.view.view_index)
    instances, faces = read_ids(layers / "instance.png"), read_ids(layers / "face.png")
    hits = read_hits(folder, bundle, light.view)
    emitters = emitters_of(bundle, light.view)
    nearest = nearest_emitter(emitters, np.where(instances > 0, hits, 0))
    return _Layers(light, emitters, instances, faces, _direct(light, instances), nearest)


def _surface(layers: _Layers, geometry: PhotoGeometry) -> _Surface:
    """The pixels of a photo of this *geometry* that show parts, each with the layers' values where it looks."""
    if geometry.is_pinhole:
        y, x = at = np.nonzero(layers.instances)
        solid_angle = pixel_solid_angles(layers.light.view.camera, y, x)
    else:
        rows, columns = geometry.shown(layers.instances, layers.faces)
        y, x = np.nonzero(layers.instances[rows, columns])
        at = rows[y, x], columns[y, x]
        solid_angle = pixel_solid_angles(layers.light.view.camera, *at) * geometry.source_area(y, x)
    instance, face = layers.instances[at].astype(np.int64), layers.faces[at].astype(np.int64)
    return _Surface(
        emitters=layers.emitters,
        shape=layers.instances.shape,
        y=y,
        x=x,
        instance=instance,
        face=face,
        neighbourhood=_neighbourhoods(instance, face),
        direct=layers.direct[at],
        emitter_by_group=np.stack([np.broadcast_to(near, layers.instances.shape)[at] for near in layers.nearest]),
        solid_angle=solid_angle,
        light=tuple(layers.light.groups[group][at] for group in layers.emitters.groups),
    )


def _direct(light: ViewLight, instances: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Pixels (h, w) where mirrored lamp light dominates, judged on 3 x 3 means over parts: single samples are noisy."""
    on_part = (instances > 0).astype(np.float32)
    direct = cv2.blur(light.glossy_direct * on_part, (3, 3))
    total = cv2.blur(light.noisy * on_part, (3, 3))
    result: NDArray[np.bool_] = (direct > DIRECT_SHARE * total) & (instances > 0)
    return result


def _neighbourhoods(instance: NDArray[np.int64], face: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers (n,) of the pixel sets whose median tells how bright a pixel's surroundings are."""
    _, number, sizes = np.unique(instance * 65536 + face, return_inverse=True, return_counts=True)
    by_instance = instance * 65536
    by_face = instance * 65536 + face
    _, dense = np.unique(np.where(sizes[number] >= _LEAST_FACE_PX, by_face, by_instance), return_inverse=True)
    return dense.astype(np.int64)


def _photo_rows(photo: ExposedPhoto, surface: _Surface) -> list[dict[str, Any]]:
    """The highlights of one photo, ordered by instance, emitter and first pixel."""
    if surface.y.size == 0:
        return []
    found = _candidates(photo, surface)
    order = np.argsort(found.label, kind="stable")
    runs = np.split(order, np.cumsum(np.bincount(found.label))[:-1]) if order.size else []
    runs = [run for run in runs if run.size >= LEAST_AREA_PX]
    runs.sort(key=lambda run: (surface.instance[found.pixel[run[0]]], found.emitter[run[0]], found.pixel[run[0]]))
    return [_row(photo, surface, found, run, number) for number, run in enumerate(runs)]


def _candidates(photo: ExposedPhoto, surface: _Surface) -> _Candidates:
    """Pixels that are directly lit, bright in this photo, and which emitter and connected region they belong to."""
    by_group = np.stack(
        [
            _luminance(radiance, photo.group_gains[group], surface.y)
            for group, radiance in zip(surface.emitters.groups, surface.light, strict=True)
        ]
    )
    total = by_group.sum(axis=0)
    median = grouped_median(total, surface.neighbourhood)
    bright = (total > BRIGHT_SHARE * np.min(photo.saturation_radiance)) | (total > STANDS_OUT * median)
    pixel = np.flatnonzero(surface.direct & bright & (total > 0))
    group = by_group[:, pixel].argmax(axis=0)
    emitter = surface.emitter_by_group[group, pixel]
    key = surface.instance[pixel] * 65536 + emitter
    label = connected_labels(surface.y[pixel], surface.x[pixel], key, surface.shape)
    return _Candidates(pixel, emitter, label, by_group[group, pixel])


def _luminance(radiance: NDArray[np.float32], gain: NDArray[np.float32], row: NDArray[np.int64]) -> NDArray[np.float32]:
    """Luminance (n,) of *radiance* (n, 3) times a group's *gain*: (3,), or (h, 3) by the photo's *row* (n,)."""
    weights = gain * REC709_LUMINANCE
    if weights.ndim == 1:
        return np.asarray(radiance @ weights, dtype=np.float32)
    return np.asarray(np.einsum("nc,nc->n", radiance, weights[row]), dtype=np.float32)


def _row(
    photo: ExposedPhoto, surface: _Surface, found: _Candidates, run: NDArray[np.int64], number: int
) -> dict[str, Any]:
    """The row of one highlight: the candidates *run*."""
    pixel, radiance = found.pixel[run], found.radiance[run].astype(np.float64)
    y, x = surface.y[pixel], surface.x[pixel]
    emitter = surface.emitters.all[int(found.emitter[run[0]])]
    return {
        "photo_id": photo.photo_id,
        "view_id": photo.light.view.view_id,
        "highlight_id": number,
        "instance_id": int(surface.instance[pixel[0]]),
        "light_id": emitter.light_id,
        "light_kind": emitter.kind,
        "light_group": emitter.group,
        "mask_rle": masks.encode_pixels(y, x, surface.shape),
        "bbox": list(masks.box_of_pixels(y, x)),
        "area_px": int(run.size),
        "centroid": [float(np.average(x + 0.5, weights=radiance)), float(np.average(y + 0.5, weights=radiance))],
        "peak_radiance": float(np.max(radiance)),
        "energy": float(radiance @ surface.solid_angle[pixel]),
        "clipped_px": [int(n) for n in photo.clipped[y, x].sum(axis=0)],
        "face_ids": [int(face) - 1 for face in np.unique(surface.face[pixel]) if face > 0],
    }
