"""The meshes of all part instances as a view shows them: placed, within their tolerance, with what defects changed.

Does not cover: supports and surroundings, whose meshes a bundle does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import matrix
from pipeline.bundle import BundleView, SceneBundle, item_in
from pipeline.parts.part import Part
from pipeline.parts.variation import varied_part
from pipeline.spec.scene import SceneSpec
from pipeline.truth.projection import transform

Mesh = tuple[NDArray[np.float64], NDArray[np.int32]]
"""Vertices (n, 3), metres, and triangles (m, 3)."""


class PartMeshes:
    """The meshes of one scene."""

    def __init__(self, folder: Path, bundle: SceneBundle, parts: Mapping[str, Part], scene: SceneSpec) -> None:
        """*folder*: the bundle's; *parts*: by part_id. Raises OSError when a changed mesh cannot be read."""
        tolerances = {item.instance_id: item.tolerance for item in scene.items}
        copies = {
            item.instance_id: varied_part(parts[item.part_id], tolerances[item.instance_id]) for item in bundle.items
        }
        self._items = bundle.items
        self._sound: dict[int, Mesh] = {key: (part.vertices, part.triangles) for key, part in copies.items()}
        self._changed = {entry.instance_id: _load(folder / entry.file) for entry in bundle.changed_meshes}

    def in_camera(self, view: BundleView) -> list[Mesh]:
        """Every instance in the camera frame of *view*, seen or not."""
        own = self._sound | (self._changed if view.defects else {})
        pose = matrix(view.camera.cam_from_world)
        return [
            (transform(pose @ matrix(item_in(view, item).world_from_part), vertices), triangles)
            for item in self._items
            for vertices, triangles in (own[item.instance_id],)
        ]


def _load(path: Path) -> Mesh:
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["vertices"], arrays["triangles"]
