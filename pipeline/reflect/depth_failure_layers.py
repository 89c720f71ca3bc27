"""depth_failure.exr of a view: where a depth sensor would fail, for every projector of the spec.

Covers: gathering surfaces from a bundle, the layer. Does not cover: the formulas (`depth_sensor`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import FIRST_LAMP, BundleView, SceneBundle, read_exr, read_ids, view_folder, write_exr
from pipeline.layers import COLORS, REC709_LUMINANCE
from pipeline.reflect.depth_sensor import CAUSES, FAILURE, Reading, Surfaces, depth_failure
from pipeline.reflect.line_of_sight import LIFT_PX, Mesh, Occluders, visible_mesh
from pipeline.reflect.lobes import pixel_alpha
from pipeline.reflect.terms import read_terms
from pipeline.spec.depth_sensor import DepthSensorSpec

Floats = NDArray[np.float32]
Pixels = tuple[NDArray[np.int64], NDArray[np.int64]]

DEPTH_FAILURE_FILE: Final = "depth_failure.exr"
DEPTH_FAILURE_CHANNELS: Final = (FAILURE, *CAUSES)
"""Priors 0..1 of each projector, channels `<projector>.<name>`; all 0 where the camera sees nothing."""


@dataclass(frozen=True, eq=False)
class _View:
    """The layers of a view that line of sight needs."""

    surfaces: Surfaces
    occluders: Occluders
    lift_m: Floats
    """(n,) how far above its surface a ray starts."""


def write_depth_failure(
    folder: Path, bundle: SceneBundle, view: BundleView, sensor: DepthSensorSpec, parts: Sequence[Mesh], out: Path
) -> None:
    """Write DEPTH_FAILURE_FILE of *view* of the *bundle* in *folder* into the existing folder *out*.

    *parts*: the meshes of all part instances in the camera's frame, metres. Raises OSError when a layer cannot be read
    or written.
    """
    channels = depth_failures(folder, bundle, view, sensor, parts)
    write_exr(out / DEPTH_FAILURE_FILE, {name: values.astype(np.float16) for name, values in channels.items()})


def depth_failures(
    folder: Path, bundle: SceneBundle, view: BundleView, sensor: DepthSensorSpec, parts: Sequence[Mesh]
) -> dict[str, Floats]:
    """The channels (h, w) of DEPTH_FAILURE_FILE; arguments as in `write_depth_failure`."""
    seen = _seen(view_folder(folder, view.view_index), bundle, view, parts)
    reading = Reading(sensor.headroom_stops, sensor.headroom_stops - sensor.range_stops)
    start = seen.surfaces.point + seen.lift_m[:, None] * seen.surfaces.normal
    channels: dict[str, Floats] = {}
    for projector in sensor.projectors:
        place = np.array(projector.offset_m, dtype=np.float32)
        priors = depth_failure(seen.surfaces, place, seen.occluders.hidden(start, place), reading)
        for name in DEPTH_FAILURE_CHANNELS:
            layer = np.zeros((view.camera.height, view.camera.width), dtype=np.float32)
            layer[seen.surfaces.rows, seen.surfaces.columns] = priors[name]
            channels[f"{projector.name}.{name}"] = layer
    return channels


def _seen(layers: Path, bundle: SceneBundle, view: BundleView, parts: Sequence[Mesh]) -> _View:
    camera = view.camera
    objects, depth = read_ids(layers / "object.png"), read_exr(layers / "depth.exr")["Z"]
    rows, columns = np.nonzero((objects > 0) & (depth > 0))
    at = rows.astype(np.int64), columns.astype(np.int64)
    z = depth[at]
    x, y = (columns + 0.5 - camera.cx) / camera.fx * z, (rows + 0.5 - camera.cy) / camera.fy * z
    point = np.stack([x, y, z], axis=-1).astype(np.float32)
    colors = read_terms(layers, COLORS)
    alpha = pixel_alpha(bundle, read_ids(layers / "material.png"))[at]
    surfaces = Surfaces(
        camera=camera,
        rows=at[0],
        columns=at[1],
        point=point,
        normal=_facing(read_exr(layers / "normal.exr"), at, point),
        diffuse=colors["diffuse_color"][at] @ REC709_LUMINANCE,
        glossy=colors["glossy_color"][at] @ REC709_LUMINANCE,
        alpha=np.sqrt(alpha[:, 0] * alpha[:, 1]),  # the lay's direction is not in the bundle
        mirrored_m=_mirrored(layers, at),
    )
    visible = visible_mesh(camera, depth, objects, read_ids(layers / "instance.png") > 0)
    return _View(surfaces, Occluders([*parts, visible]), LIFT_PX * z / np.float32(min(camera.fx, camera.fy)))


def _facing(channels: dict[str, Floats], at: Pixels, point: Floats) -> Floats:
    """Unit normals (n, 3) of the side that the camera sees."""
    normal = np.stack([channels[axis][at] for axis in "XYZ"], axis=-1)
    away = (normal * point).sum(axis=1) > 0.0
    return np.asarray(np.where(away[:, None], -normal, normal), dtype=np.float32)


def _mirrored(layers: Path, at: Pixels) -> Floats:
    """Metres (n,) that the mirrored ray goes to a part, a support or the surroundings; 0 to lamps and the world."""
    probe = read_exr(layers / "reflection.exr", ("object", "distance"))
    hit = probe["object"][at]
    return np.asarray(np.where((hit > 0) & (hit < FIRST_LAMP), probe["distance"][at], 0.0), dtype=np.float32)
