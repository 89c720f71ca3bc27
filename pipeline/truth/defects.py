"""Rows of the defects table: what is seen of every defect in every view with defects.

Covers: masks of drawn defects, from the rasters that the renderer drew and the position layer; masks of defects that
changed the mesh, from the material layer. Does not cover: drawing them (`surface.defects`). docs/truth.md defines
each value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.arrange.arrangement import PlacedCamera, PlacedItem, matrix
from pipeline.bundle import (
    BundleView,
    PlacedDefect,
    SceneBundle,
    item_in,
    load_bundle,
    read_ids,
    read_xyz,
    view_folder,
)
from pipeline.defect_patches import WITH, Raster, chart, load_raster, sample_mask
from pipeline.truth.projection import NEAREST_M, project, transform
from pipeline.truth.silhouette import pixel_rays

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]

SUBSAMPLES: Final = (4, 16)
"""Fewest and most sample points along a pixel's side; as many as texels lie there, within these limits."""
BLOCK: Final = 4096
"""Pixels whose sample points are looked up at once; bounds the memory."""


@dataclass(frozen=True, eq=False)
class ViewLayers:
    """What masks are made from: layers of one view, each (h, w) or (h, w, 3)."""

    instance: NDArray[np.uint16]
    face: NDArray[np.uint16]
    material: NDArray[np.uint16]
    position: NDArray[np.float32]
    """World frame, metres."""
    normal: NDArray[np.float32]
    """Camera frame."""


def defect_rows(bundle: Path) -> list[dict[str, Any]]:
    """One row per view with defects and defect of the bundle in folder *bundle*, unseen ones too.

    Raises OSError when a layer or a raster cannot be read.
    """
    scene = load_bundle(bundle)
    if not scene.defects:
        return []
    rasters = {d.file: load_raster(bundle / d.file) for d in scene.defects if d.file is not None}
    items = {item.instance_id: item for item in scene.items}
    rows = []
    for view in scene.views:
        if not view.defects:
            continue
        layers = load_layers(bundle, view)
        for defect in scene.defects:
            item = item_in(view, items[defect.instance_id])
            if defect.file is not None:
                cover = drawn_cover(defect, rasters[defect.file], item, view.camera, layers)
            else:
                cover = mesh_cover(defect, scene, layers)
            rows.append(_row(scene, view, defect, item, cover))
    return rows


def load_layers(bundle: Path, view: BundleView) -> ViewLayers:
    """The layers of *view* that masks of defects need."""
    folder = view_folder(bundle, view.view_index)
    return ViewLayers(
        read_ids(folder / "instance.png"),
        read_ids(folder / "face.png"),
        read_ids(folder / "material.png"),
        read_xyz(folder / "position.exr"),
        read_xyz(folder / "normal.exr"),
    )


def mesh_cover(defect: PlacedDefect, scene: SceneBundle, layers: ViewLayers) -> Vector:
    """(h, w) 1 where the triangles of a defect that changed the mesh are seen, else 0."""
    # What closes a missing hole may itself carry drawn defects: then its material's name goes on.
    names = {defect.material, *(m.name for m in scene.materials if m.name.startswith(f"{defect.material}{WITH}"))}
    numbers = [k + 1 for k, material in enumerate(scene.materials) if material.name in names]
    seen = (layers.instance == defect.instance_id) & np.isin(layers.material, numbers)
    return np.where(seen, 1.0, 0.0)


def drawn_cover(
    defect: PlacedDefect, raster: Raster, item: PlacedItem, camera: PlacedCamera, layers: ViewLayers
) -> Vector:
    """(h, w) share of each pixel's square that a drawn defect covers.

    Only pixels whose centre shows a face that carries it count. Within a pixel the surface is taken as the plane
    through the point at its centre; its sample points are looked up in the raster's mask.
    """
    cover = np.zeros(layers.instance.shape)
    carried = (layers.instance == defect.instance_id) & np.isin(layers.face, np.array(defect.face_ids) + 1)
    rows, columns = np.nonzero(carried)
    if defect.pose is None or len(rows) == 0:
        return cover
    world_from_part = matrix(item.world_from_part)
    centre = layers.position[rows, columns].astype(np.float64)
    xy, _ = chart(defect.pose, transform(np.linalg.inv(world_from_part), centre))
    footprint = _footprint(camera, layers, rows, columns)
    near = (np.abs(xy) <= 0.5 * np.array(defect.pose.size_m) + footprint[:, None]).all(axis=1)
    rows, columns = rows[near], columns[near]
    if len(rows) == 0:
        return cover
    across = float(np.max(camera_pixel(camera, layers, rows, columns)))
    side = int(np.clip(math.ceil(across / raster.texel_m), *SUBSAMPLES))
    part_from_camera = np.linalg.inv(matrix(camera.cam_from_world) @ world_from_part)
    for first in range(0, len(rows), BLOCK):
        own = slice(first, first + BLOCK)
        points = _sample_points(camera, layers, rows[own], columns[own], side)
        xy, in_reach = chart(defect.pose, transform(part_from_camera, points.reshape(-1, 3)))
        hit = sample_mask(raster.mask, raster.texel_m, xy) & in_reach
        cover[rows[own], columns[own]] = hit.reshape(-1, side * side).mean(axis=1)
    return cover


def camera_pixel(camera: PlacedCamera, layers: ViewLayers, rows: NDArray[Any], columns: NDArray[Any]) -> Vector:
    """(k,) metres that a pixel's side covers at right angles to the view."""
    depth = transform(matrix(camera.cam_from_world), layers.position[rows, columns].astype(np.float64))[:, 2]
    result: Vector = depth / min(camera.fx, camera.fy)
    return result


def _footprint(camera: PlacedCamera, layers: ViewLayers, rows: NDArray[Any], columns: NDArray[Any]) -> Vector:
    """(k,) metres: reach of a pixel on the surface that it shows, stretched where that is seen at a slant."""
    rays = pixel_rays(camera, (0, 0, camera.width, camera.height))[rows, columns]
    slant = np.abs((rays * layers.normal[rows, columns]).sum(axis=-1))
    result: Vector = camera_pixel(camera, layers, rows, columns) / np.maximum(slant, 0.02)
    return result


def _sample_points(
    camera: PlacedCamera, layers: ViewLayers, rows: NDArray[Any], columns: NDArray[Any], side: int
) -> Vector:
    """(k, side^2, 3) camera-frame points of the tangent planes at pixels' centres, on a grid over each pixel."""
    pose = matrix(camera.cam_from_world)
    centre = transform(pose, layers.position[rows, columns].astype(np.float64))
    normal = layers.normal[rows, columns].astype(np.float64)
    steps = (np.arange(side) + 0.5) / side
    u, v = (grid.ravel() for grid in np.meshgrid(steps, steps))
    rays = np.ones((len(rows), side * side, 3))
    rays[..., 0] = (columns[:, None] + u - camera.cx) / camera.fx
    rays[..., 1] = (rows[:, None] + v - camera.cy) / camera.fy
    towards = np.einsum("kij,kj->ki", rays, normal)
    offset = (centre * normal).sum(axis=1)[:, None]
    # At the very rim of a round face a ray may pass the tangent plane by: it keeps the depth of the pixel's centre.
    slant = np.abs(towards) > 0.02 * np.linalg.norm(rays, axis=-1)
    along = np.where(slant, offset / np.where(slant, towards, 1.0), centre[:, 2:3])
    result: Vector = rays * along[..., None]
    return result


def _row(scene: SceneBundle, view: BundleView, defect: PlacedDefect, item: PlacedItem, cover: Vector) -> dict[str, Any]:
    mask = cover > 0.0
    pose = matrix(view.camera.cam_from_world) @ matrix(item.world_from_part)
    centre = transform(pose, np.array([defect.centre_m]))
    in_front = bool(centre[0, 2] > NEAREST_M)
    box = masks.box_of(mask)
    return {
        "view_id": view.view_id,
        "scene_id": scene.scene_id,
        "instance_id": defect.instance_id,
        "defect_id": defect.defect_id,
        "kind": defect.kind,
        "severity": defect.severity,
        "size_mm": [1e3 * value for value in defect.size_m],
        "depth_um": 1e6 * defect.depth_m,
        "face_ids": list(defect.face_ids),
        "position": [float(v) for v in centre[0]],
        "centre_px": [float(v) for v in project(view.camera, centre)[0]] if in_front else None,
        "visible": bool(mask.any()),
        "bbox": None if box is None else list(box),
        "area_px": int(np.count_nonzero(mask)),
        "covered_px": float(cover.sum()),
        "mask_rle": masks.encode(mask),
    }
