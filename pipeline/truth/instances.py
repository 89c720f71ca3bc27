"""Rows of the instances table: what is true of every part instance in every view of a light bundle.

Covers: masks, boxes, poses, visibility, finishes, symmetries. Does not cover: how pixels are drawn (`render`),
reflections (`reflect`). docs/truth.md defines each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.arrange.arrangement import PlacedCamera, PlacedItem, matrix
from pipeline.bundle import BundleView, SceneBundle, item_in, load_bundle, read_ids, view_folder
from pipeline.errors import InputError
from pipeline.parts.part import Part
from pipeline.parts.variation import varied_part
from pipeline.records import canonical_json
from pipeline.spec.scene import ItemSpec, SceneSpec
from pipeline.truth.projection import Box, box_corners, intersection, pixel_box, transform
from pipeline.truth.silhouette import PartCaster


@dataclass(frozen=True, eq=False)
class FullMask:
    """A silhouette with nothing before it."""

    in_frame: NDArray[np.bool_]
    """(h, w) its part within the image."""
    px_full: int
    """Its pixels on the wide canvas."""
    truncated: bool
    """Whether it reaches beyond the image."""


@dataclass(frozen=True, eq=False)
class _Outline:
    """The shape whose silhouette counts: that of the part, or of an instance that defects changed."""

    vertices: NDArray[np.float64]
    caster: PartCaster

    @classmethod
    def of(cls, vertices: NDArray[np.float64], triangles: NDArray[np.int32]) -> _Outline:
        return cls(vertices[np.unique(triangles)], PartCaster(vertices, triangles))


def instance_rows(bundle: Path, parts: Mapping[str, Part], scene: SceneSpec) -> list[dict[str, Any]]:
    """One row per view and part instance of the bundle in folder *bundle*, invisible instances too.

    *parts* holds the parts by part_id. Raises InputError when a part is missing, OSError when a layer cannot be read.
    """
    scene_bundle = load_bundle(bundle)
    missing = sorted({item.part_id for item in scene_bundle.items} - set(parts))
    if missing:
        raise InputError(f"scene {scene.scene_id}: expected the parts {missing}, found {sorted(parts)}")
    copies = {item.instance_id: _copy_of(item, parts, scene) for item in scene_bundle.items}
    sound = _outlines(copies)
    changed = {mesh.instance_id: _changed_outline(bundle / mesh.file) for mesh in scene_bundle.changed_meshes}
    constant = {item.instance_id: _scene_columns(item, parts, scene, scene_bundle) for item in scene_bundle.items}
    rows = []
    for view in scene_bundle.views:
        ids = read_ids(view_folder(bundle, view.view_index) / "instance.png")
        for item in scene_bundle.items:
            outline = changed.get(item.instance_id) if view.defects else None
            visible = ids == item.instance_id
            copy = copies[item.instance_id]
            seen = _view_columns(view, item, copy, outline or sound[item.instance_id], visible)
            rows.append({"view_id": view.view_id, **constant[item.instance_id], **seen})
    return rows


def _copy_of(item: PlacedItem, parts: Mapping[str, Part], scene: SceneSpec) -> Part:
    """The part as this instance was made: nominal, or within its tolerance."""
    return varied_part(parts[item.part_id], _item_spec(scene, item.instance_id).tolerance)


def _outlines(copies: Mapping[int, Part]) -> dict[int, _Outline]:
    """The outline of each instance; instances of nominal dimensions share theirs."""
    shared: dict[int, _Outline] = {}
    for part in copies.values():
        if id(part) not in shared:
            shared[id(part)] = _Outline.of(part.vertices, part.triangles)
    return {instance_id: shared[id(part)] for instance_id, part in copies.items()}


def full_mask(
    camera: PlacedCamera, camera_from_part: NDArray[np.float64], caster: PartCaster, box: Box | None
) -> FullMask:
    """Silhouette of a part whose projected extent is *box* (from `projection.pixel_box`; None = nowhere)."""
    in_frame = np.zeros((camera.height, camera.width), dtype=bool)
    if box is None:
        return FullMask(in_frame, 0, False)
    wide = caster.silhouette(camera, camera_from_part, box)
    shared = intersection(box, (0, 0, camera.width, camera.height))
    if shared is not None:
        x, y, width, height = shared
        left, top = x - box[0], y - box[1]
        in_frame[y : y + height, x : x + width] = wide[top : top + height, left : left + width]
    px_full = int(np.count_nonzero(wide))
    return FullMask(in_frame, px_full, px_full > int(np.count_nonzero(in_frame)))


def _changed_outline(path: Path) -> _Outline:
    with np.load(path, allow_pickle=False) as arrays:
        return _Outline.of(arrays["vertices"], arrays["triangles"])


def _scene_columns(
    item: PlacedItem, parts: Mapping[str, Part], scene: SceneSpec, bundle: SceneBundle
) -> dict[str, Any]:
    """Columns that are the same in every view."""
    spec = _item_spec(scene, item.instance_id)
    info = parts[item.part_id].info
    finishes = [finish for finish in bundle.finishes if finish.instance_id == item.instance_id]
    return {
        "scene_id": scene.scene_id,
        "instance_id": item.instance_id,
        "part_id": item.part_id,
        "category": spec.category,
        "metal": spec.metal,
        "finish": spec.finish,
        "finishes": {str(finish.face_id): finish.process for finish in finishes},
        "ra_um": {str(finish.face_id): finish.ra_um for finish in finishes},
        "diameter_m": info.diameter_m,
        "symmetries": canonical_json(info.symmetries),
    }


def _item_spec(scene: SceneSpec, instance_id: int) -> ItemSpec:
    for spec in scene.items:
        if spec.instance_id == instance_id:
            return spec
    raise InputError(f"scene {scene.scene_id}: expected an item with instance_id {instance_id}, found none in its spec")


def _view_columns(
    view: BundleView, item: PlacedItem, part: Part, outline: _Outline, visible: NDArray[np.bool_]
) -> dict[str, Any]:
    """Columns of one instance, whose visible mask is *visible* (h, w), in one view."""
    camera = view.camera
    camera_from_part = matrix(camera.cam_from_world) @ matrix(item_in(view, item).world_from_part)
    box = pixel_box(camera, transform(camera_from_part, outline.vertices))
    full = full_mask(camera, camera_from_part, outline.caster, box)
    # A ray that grazes the silhouette may hit in one renderer and miss in the other: what is seen is part of the whole.
    in_frame = full.in_frame | visible
    px_visible = int(np.count_nonzero(visible))
    px_full = full.px_full + int(np.count_nonzero(visible & ~full.in_frame))
    corners = transform(camera_from_part, box_corners(part.vertices))
    bbox_visible = masks.box_of(visible)
    return {
        "model_to_camera": [float(v) for v in camera_from_part.ravel()],
        "bbox_visible": None if bbox_visible is None else list(bbox_visible),
        "bbox_full": None if box is None else list(box),
        "box3d_corners": [float(v) for v in corners.ravel()],
        "distance_m": float(np.linalg.norm(corners.mean(axis=0))),
        "px_visible": px_visible,
        "px_full": px_full,
        "visible_fraction": px_visible / px_full if px_full else 0.0,
        "mask_rle": masks.encode(visible),
        "mask_full_rle": masks.encode(in_frame),
        "truncated": full.truncated,
    }
