"""Rows of the reflections table: what each part shows, as a mirror ray through every pixel tells.

The probe follows one ray per pixel, mirrored at the shading normal as if the part were polished. Covers: which object
it hits, how much of the part shows it, how far away it is; rays that leave the scene are looked up in the label map of
a far environment. Does not cover: highlights, which are light (`highlights`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import (
    FIRST_FAR,
    WORLD_INDEX,
    WORLD_LABELS_FILE,
    BundleView,
    SceneBundle,
    WorldLabel,
    load_bundle,
    read_exr,
    read_ids,
    view_folder,
)
from pipeline.reflected_sources import KINDS, read_hits

__all__ = ["KINDS", "WORLD_ID", "Pixels", "Shown", "read_hits", "reflection_rows", "shown_of"]

WORLD_ID: Final = "world"
"""reflected_id of what lies infinitely far away."""

Shown = tuple[str, str]
"""(reflected_kind, reflected_id)."""
Pixels = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(rows, columns), each (n,)."""


def reflection_rows(bundle: Path) -> list[dict[str, Any]]:
    """One row per view, part instance and thing that it shows, for the bundle in folder *bundle*.

    Pieces of one name (four walls called "wall") make one row. Raises OSError when a layer cannot be read.
    """
    scene_bundle = load_bundle(bundle)
    return [row for view in scene_bundle.views for row in _view_rows(bundle, scene_bundle, view)]


def _view_rows(folder: Path, bundle: SceneBundle, view: BundleView) -> list[dict[str, Any]]:
    """The rows of one view, sorted by instance, kind and id."""
    layers = view_folder(folder, view.view_index)
    distance = read_exr(layers / "reflection.exr", ("distance",))["distance"]
    instances = read_ids(layers / "instance.png")
    visible = np.bincount(instances.ravel())
    rows = []
    for instance_id, (kind, name), (y, x), far in _shown_pixels(bundle, instances, read_hits(folder, bundle, view)):
        rows.append(
            {
                "view_id": view.view_id,
                "instance_id": instance_id,
                "reflected_kind": kind,
                "reflected_id": name,
                "area_px": int(y.size),
                "share": y.size / int(visible[instance_id]),
                "mean_distance_m": None if far else float(distance[y, x].mean(dtype=np.float64)),
                "mask_rle": masks.encode_pixels(y, x, instances.shape),
            }
        )
    return rows


def shown_of(bundle: SceneBundle, instance_id: int, index: int) -> Shown:
    """What object *index* is when part *instance_id* shows it. Raises ValueError for an index that nobody has."""
    if index == WORLD_INDEX:
        return "surroundings", WORLD_ID
    if index >= FIRST_FAR:
        there = _far_label(bundle, index - FIRST_FAR)
        return there.kind, there.id
    for thing in bundle.objects:
        if thing.index == index:
            break
    else:
        raise ValueError(
            f"scene {bundle.scene_id}: the mirror probe hit object {index}, which bundle.json does not list"
        )
    if thing.kind == "part":
        return ("self" if index == instance_id else "part"), str(index)
    if thing.kind == "light":
        return "light", thing.id
    return "surroundings", thing.id


def _far_label(bundle: SceneBundle, value: int) -> WorldLabel:
    for label in () if bundle.world is None else bundle.world.labels:
        if label.value == value:
            return label
    raise ValueError(f"scene {bundle.scene_id}: {WORLD_LABELS_FILE} holds {value}, which bundle.json does not list")


def _shown_pixels(
    bundle: SceneBundle, instances: NDArray[np.uint16], hits: NDArray[np.int32]
) -> Iterator[tuple[int, Shown, Pixels, bool]]:
    """(instance_id, shown, its pixels, whether it is infinitely far), sorted by instance, kind and id."""
    y, x = np.nonzero((instances > 0) & (hits > 0))
    if not y.size:
        return
    pairs, pair_of_pixel = np.unique(instances[y, x].astype(np.int64) * 65536 + hits[y, x], return_inverse=True)
    order = np.argsort(pair_of_pixel, kind="stable")
    runs = np.split(order, np.cumsum(np.bincount(pair_of_pixel, minlength=pairs.size))[:-1])
    found: dict[tuple[int, int, str, bool], list[NDArray[np.int64]]] = {}
    for pair, pixels in zip(pairs.tolist(), runs, strict=True):
        instance_id, index = divmod(pair, 65536)
        kind, name = shown_of(bundle, instance_id, index)
        found.setdefault((instance_id, KINDS.index(kind), name, index >= FIRST_FAR), []).append(pixels)
    for (instance_id, kind_rank, name, far), several in sorted(found.items()):
        chosen = np.concatenate(several)
        yield instance_id, (KINDS[kind_rank], name), (y[chosen], x[chosen]), far
