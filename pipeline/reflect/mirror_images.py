"""Rows of the mirror_images table: where a surface shows a part that lies elsewhere, as a mask and a box of its own.

A detector takes the image of a nut in a polished plate for a nut. Covers: which pixels show which part, how clearly,
connected regions. Does not cover: shares of all that a part shows (`reflections`), images of lamps (`highlights`), a
part that mirrors itself. docs/truth.md defines each value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import (
    FIRST_SUPPORT,
    ROUGH_FILE,
    BundleView,
    SceneBundle,
    load_bundle,
    read_exr,
    read_ids,
    view_folder,
)
from pipeline.layers import LIGHT_FILE, REC709_LUMINANCE, TERMS_FILE, read_parts
from pipeline.reflect.components import connected_labels
from pipeline.reflected_sources import read_hits

LEAST_CLARITY: Final = 0.1
"""A pixel belongs to a mirror image when at least this share of its light comes mirrored from the part."""
LEAST_AREA_PX: Final = 16
_AROUND_PX: Final = 5
"""Side of the square over which radiances are averaged before they are divided: single samples are noisy."""


def mirror_image_rows(bundle: Path) -> list[dict[str, Any]]:
    """One row per view, mirror, part and connected region, for the bundle in folder *bundle*.

    Raises OSError when a layer cannot be read.
    """
    scene_bundle = load_bundle(bundle)
    return [row for view in scene_bundle.views for row in _view_rows(bundle, scene_bundle, view)]


def _view_rows(folder: Path, bundle: SceneBundle, view: BundleView) -> Iterator[dict[str, Any]]:
    """The rows of one view, in the order of mirrors, parts and first pixels."""
    layers = view_folder(folder, view.view_index)
    shown, hits = read_ids(layers / "object.png"), read_hits(folder, bundle, view)
    candidate = (hits > 0) & (hits < FIRST_SUPPORT) & (shown > 0) & (hits != shown)
    if not candidate.any():
        return
    clarity = _mirrored_share(layers) * _sharpness(layers, hits)
    y, x = np.nonzero(candidate & (clarity >= LEAST_CLARITY))
    probe = read_exr(layers / "reflection.exr", ("distance", "face"))
    distance, face = probe["distance"][y, x], np.rint(probe["face"][y, x]).astype(np.int64)
    pair = shown[y, x].astype(np.int64) * FIRST_SUPPORT + hits[y, x]
    label = connected_labels(y, x, pair, shown.shape)
    order = np.argsort(label, kind="stable")
    runs = np.split(order, np.cumsum(np.bincount(label))[:-1]) if order.size else []
    runs = sorted((run for run in runs if run.size >= LEAST_AREA_PX), key=lambda run: (pair[run[0]], run[0]))
    categories = {thing.index: thing.label for thing in bundle.objects if thing.kind == "part"}
    for number, run in enumerate(runs):
        mirror, instance = divmod(int(pair[run[0]]), FIRST_SUPPORT)
        kind, name = _mirror(bundle, mirror)
        yield {
            "view_id": view.view_id,
            "scene_id": bundle.scene_id,
            "mirror_image_id": number,
            "instance_id": instance,
            "category": categories[instance],
            "mirror_kind": kind,
            "mirror_id": name,
            "mask_rle": masks.encode_pixels(y[run], x[run], shown.shape),
            "bbox": list(masks.box_of_pixels(y[run], x[run])),
            "area_px": int(run.size),
            "clarity": float(clarity[y[run], x[run]].mean(dtype=np.float64)),
            "mean_distance_m": float(distance[run].mean(dtype=np.float64)),
            "face_ids": [int(value) - 1 for value in np.unique(face[run]) if value > 0],
        }


def _mirrored_share(layers: Path) -> NDArray[np.float32]:
    """(h, w) share of the untouched luminance that a pixel's surface mirrors from other surfaces than lamps."""
    mirrored = _mean(_part(layers / TERMS_FILE, "glossy_indirect") @ REC709_LUMINANCE)
    total = _mean(_part(layers / LIGHT_FILE, "noisy")[..., 0])
    share = np.divide(mirrored, total, out=np.zeros_like(total), where=total > 0)
    return np.minimum(share, np.float32(1))


def _part(path: Path, name: str) -> NDArray[np.float32]:
    return read_parts(path, lambda part: part == name)[name]


def _mean(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(luminance, (_AROUND_PX, _AROUND_PX), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def _sharpness(layers: Path, hits: NDArray[np.int32]) -> NDArray[np.float32]:
    """(h, w) share of the rays, mirrored with the surface's real roughness, that meet what the mirror ray meets.

    1 where no such rays were followed: in scenes without them.
    """
    if not (layers / ROUGH_FILE).exists():
        return np.ones(hits.shape, dtype=np.float32)
    rough = read_exr(layers / ROUGH_FILE, ("object", "share", "rays"))
    same = np.rint(rough["object"]).astype(np.int32) == hits
    return np.where(rough["rays"] > 0, np.where(same, rough["share"], 0), 1).astype(np.float32)


def _mirror(bundle: SceneBundle, index: int) -> tuple[str, str]:
    """Kind and id of the object that mirrors: of a part its instance_id."""
    thing = next(thing for thing in bundle.objects if thing.index == index)
    return thing.kind, str(index) if thing.kind == "part" else thing.id
