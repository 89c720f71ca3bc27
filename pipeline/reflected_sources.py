"""What every pixel of a view mirrors, and where it lies: the mirror probe with the view's geometry put to it.

The probe stores what the mirrored ray hits and how far away; surface point and normal are stored beside it. Together
they give the ray's direction and the point that it meets. Covers: reading that from a light bundle. Does not cover:
the probe itself (`render.blender.probe`), rows per part (`reflect.reflections`), rough metal (`rough_reflection.exr`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, matrix
from pipeline.bundle import (
    FIRST_FAR,
    WORLD_INDEX,
    WORLD_LABELS_FILE,
    BundleView,
    SceneBundle,
    load_bundle,
    read_exr,
    read_ids,
    read_xyz,
    view_folder,
    world_texels,
)

KINDS: Final = ("self", "part", "light", "surroundings")
"""What a reflected thing is to the part that shows it; pixels of `ReflectedSources.kind` hold the place + 1."""
SELF, PART, LIGHT, SURROUNDINGS = range(1, len(KINDS) + 1)

_KIND_OF_OBJECT: Final = {"part": PART, "light": LIGHT, "support": SURROUNDINGS, "surroundings": SURROUNDINGS}


@dataclass(frozen=True, eq=False)
class ReflectedSources:
    """What the mirrored ray through each pixel's centre meets, in the pixels of a view (h, w), world frame.

    The ray is that of a polished surface at the shading normal. Where the pixel shows nothing, or the ray points into
    the surface, `object` is 0 and so is all else.
    """

    object: NDArray[np.int32]
    """(h, w) object index; FIRST_FAR + label for a direction into a labelled far environment, WORLD_INDEX into any
    other world."""
    kind: NDArray[np.uint8]
    """(h, w) SELF, PART, LIGHT or SURROUNDINGS: the place in KINDS + 1. `self` is the object that the pixel shows,
    whatever it is."""
    face: NDArray[np.uint16]
    """(h, w) CAD face_id + 1 of the point that is met, 0 if it is on no part."""
    distance: NDArray[np.float32]
    """(h, w) metres from the surface to that point; 0 into the world."""
    direction: NDArray[np.float32]
    """(h, w, 3) unit direction of the mirrored ray."""
    point: NDArray[np.float32]
    """(h, w, 3) metres: the point that is met; 0 into the world, which has no place."""


def reflected_sources(folder: Path, view_id: str) -> ReflectedSources:
    """The sources of view *view_id* of the bundle in *folder*.

    Raises KeyError when the bundle has no such view, FileNotFoundError without a bundle, OSError when a layer cannot
    be read.
    """
    bundle = load_bundle(folder)
    views = {view.view_id: view for view in bundle.views}
    if view_id not in views:
        raise KeyError(f"expected a view of scene {bundle.scene_id} ({', '.join(views)}), found {view_id!r}")
    view = views[view_id]
    layers = view_folder(folder, view.view_index)
    probe = read_exr(layers / "reflection.exr", ("distance", "face"))
    hits = read_hits(folder, bundle, view)
    position, normal = (read_xyz(layers / f"{name}.exr") for name in ("position", "normal"))
    direction = mirrored_directions(view.camera, position, normal)
    reached = (hits > 0)[..., None]
    near = reached & (hits < FIRST_FAR)[..., None]
    direction = np.where(reached, direction, np.float32(0))
    point = np.where(near, position + probe["distance"][..., None] * direction, np.float32(0))
    kind = kinds_of(bundle, hits, read_ids(layers / "object.png"))
    return ReflectedSources(hits, kind, np.rint(probe["face"]).astype(np.uint16), probe["distance"], direction, point)


def read_hits(folder: Path, bundle: SceneBundle, view: BundleView, file: str = "reflection.exr") -> NDArray[np.int32]:
    """What the mirror ray of each pixel of *view* reaches, (h, w): an object index, 0 = nothing.

    A direction into a labelled far environment has FIRST_FAR + the label there, into any other world WORLD_INDEX.
    *file*: "reflection2.exr" for the second bounce. Raises OSError when a layer cannot be read.
    """
    path = view_folder(folder, view.view_index) / file
    hits = np.rint(read_exr(path, ("object",))["object"]).astype(np.int32)
    if bundle.world is None:
        return hits
    y, x = np.nonzero(hits == WORLD_INDEX)
    channels = read_exr(path, ("direction.",))
    directions = np.stack([channels[f"direction.{axis}"][y, x] for axis in "XYZ"], axis=-1)
    labels = read_ids(folder / WORLD_LABELS_FILE)
    hits[y, x] = FIRST_FAR + labels[world_texels(directions, labels.shape, bundle.world.yaw_rad)].astype(np.int32)
    return hits


def mirrored_directions(
    camera: PlacedCamera, position: NDArray[np.float32], normal: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Unit directions (h, w, 3), world frame, of the view rays mirrored at the surface: d - 2 (d . n) n.

    *position* (h, w, 3): surface points, world frame, metres; *normal* (h, w, 3): unit normals in the camera frame, as
    the bundle has both. Where there is no surface the result has no meaning.
    """
    rotation = matrix(camera.cam_from_world)[:3, :3]
    origin = -rotation.T @ matrix(camera.cam_from_world)[:3, 3]
    ray = position.astype(np.float64) - origin
    ray /= np.maximum(np.linalg.norm(ray, axis=-1, keepdims=True), np.finfo(np.float64).tiny)
    axis = normal.astype(np.float64) @ rotation
    mirrored = ray - 2.0 * np.sum(ray * axis, axis=-1, keepdims=True) * axis
    return np.asarray(mirrored / np.linalg.norm(mirrored, axis=-1, keepdims=True), dtype=np.float32)


def kinds_of(bundle: SceneBundle, hits: NDArray[np.int32], shown: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Kinds (h, w) of what *hits* (h, w) names, for the objects *shown* (h, w) that mirror it; 0 where hits are 0."""
    kind = kind_table(bundle)[hits]
    return np.where((hits > 0) & (hits == shown), np.uint8(SELF), kind)


def kind_table(bundle: SceneBundle) -> NDArray[np.uint8]:
    """(65536,) kind of every object index of *bundle*, far labels and the world included; 0 for no object."""
    table = np.zeros(WORLD_INDEX + 1, dtype=np.uint8)
    for thing in bundle.objects:
        table[thing.index] = _KIND_OF_OBJECT[thing.kind]
    for label in () if bundle.world is None else bundle.world.labels:
        table[FIRST_FAR + label.value] = LIGHT if label.kind == "light" else SURROUNDINGS
    table[WORLD_INDEX] = SURROUNDINGS
    return table
