"""What each stage reads of a scene, as plain JSON: the part of a store key that comes from the spec.

A field that a stage does not read is not here, so that a changed exposure range develops photos anew and renders
nothing. Does not cover: versions and input files (`graph` adds them to the keys).
"""

from __future__ import annotations

import math
from typing import Any, Final

from pipeline.errors import InputError
from pipeline.records import from_dict, to_dict
from pipeline.spec.model import CamerasSection, DatasetSpec
from pipeline.spec.scene import SceneSpec

TOLERANCE_PX: Final = 0.25
"""Largest distance between a mesh and the true surface, in pixels of the nearest camera."""

ANGULAR_RAD: Final = 0.1
"""Largest angle between the normals of neighbouring triangles; shading normals are exact whatever it is."""

_FILE_HASH: Final = "sha256"
_RENDER_FIELDS = ("schema_version", "dataset", "index", "scene_id", "seed")
_RENDERED = ("items", "arrangement", "rigs", "surroundings", "cameras", "twins", "glass", "render")


def render_fields(scene: SceneSpec, world_sha256: str | None = None) -> dict[str, Any]:
    """What the render stage reads: everything but the split and the photos.

    *world_sha256*: hash of the user's environment image, for scenes that have one.
    """
    fields = {name: to_dict(getattr(scene, name)) for name in _RENDER_FIELDS + _RENDERED}
    if scene.clip is not None:  # absent otherwise: scenes without clips keep their keys
        fields["clip"] = {"path": to_dict(scene.clip.path), "takes": []}
    if scene.painted is not None:
        fields["painted"] = to_dict(scene.painted)
    return fields if world_sha256 is None else {**fields, _FILE_HASH: world_sha256}


def scene_of_render_fields(fields: dict[str, Any]) -> SceneSpec:
    """The SceneSpec that a render stage works with: no photos, and the split it must not look at set to "train"."""
    drawn = {name: value for name, value in fields.items() if name != _FILE_HASH}
    return from_dict(SceneSpec, {**drawn, "split": "train", "photos": ()})


def photo_fields(scene: SceneSpec) -> dict[str, Any]:
    """What the photos stage reads beside the bundle: the ids and split that its rows carry, and the photos."""
    fields = {
        "schema_version": scene.schema_version,
        "scene_id": scene.scene_id,
        "split": scene.split,
        "photos": to_dict(scene.photos),
    }
    return fields if scene.clip is None else {**fields, "clip": to_dict(scene.clip)}


def truth_fields(scene: SceneSpec) -> dict[str, Any]:
    """What the truth stage reads beside the bundle: the instances' parts, classes, finishes; the depth sensor."""
    names = ("instance_id", "part_id", "category", "metal", "finish", "film", "defects", "tolerance")
    items = [{name: to_dict(item)[name] for name in names} for item in scene.items]
    fields = {"schema_version": scene.schema_version, "scene_id": scene.scene_id, "items": items}
    return fields if scene.depth_sensor is None else {**fields, "depth_sensor": to_dict(scene.depth_sensor)}


def part_tolerance(spec: DatasetSpec, part_id: str) -> dict[str, Any]:
    """Meshing tolerance of a part, from the pixel footprint of the nearest camera the spec allows.

    Returns {"linear_m": metres or None, "relative_to_diameter": share of the part's diameter or None, "angular_rad":
    radians}: linear_m when the spec gives distances, relative_to_diameter when it gives fills. Both are rounded down
    to powers of two, so that specs with similar cameras share their meshes. Raises InputError for an unknown part.
    """
    if part_id not in spec.parts:
        raise InputError(f'expected a part of the spec ({", ".join(spec.parts)}), found "{part_id}"')
    return {
        "linear_m": _footprint_tolerance(spec.cameras),
        "relative_to_diameter": _fill_tolerance(spec.cameras),
        "angular_rad": ANGULAR_RAD,
    }


def _footprint_tolerance(cameras: CamerasSection) -> float | None:
    """Metres that TOLERANCE_PX covers at the nearest distance: pixel pitch x distance / focal length."""
    if cameras.distance_m is None:
        return None
    pitch_mm = cameras.sensor_width_mm / cameras.resolution[0]
    return _power_of_two(TOLERANCE_PX * pitch_mm * cameras.distance_m.lowest / cameras.focal_mm.highest)


def _fill_tolerance(cameras: CamerasSection) -> float | None:
    """TOLERANCE_PX as a share of a part as large as the arrangement, which spans fill x short side pixels."""
    if cameras.fill is None:
        return None
    return _power_of_two(TOLERANCE_PX / (cameras.fill.highest * min(cameras.resolution)))


def _power_of_two(value: float) -> float:
    """The largest power of two that is not above *value* (> 0)."""
    return math.ldexp(1.0, math.frexp(value)[1] - 1)
