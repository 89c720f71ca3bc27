"""Arrange a scene: parts in resting poses on a support, and cameras that see them.

Covers: the order in which `place`, `supports` and `cameras` do their work. A pure function of the SceneSpec and the
parts: same input, same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.arrange.arrangement import Arrangement
from pipeline.arrange.bounds import bounding_sphere, extreme_points
from pipeline.arrange.cameras import Subject, place_camera
from pipeline.arrange.place import Standing, place_parts
from pipeline.arrange.supports import Extent, build_support
from pipeline.errors import InputError
from pipeline.parts.part import Part
from pipeline.spec.scene import SceneSpec


def arrange(scene: SceneSpec, parts: Mapping[str, Part]) -> Arrangement:
    """Arrange *scene*; *parts* maps each item's part_id to its Part.

    Raises InputError when the scene has no items, a part is missing, the parts find no room, or a camera cannot see
    them.
    """
    if not scene.items:
        raise InputError(f"expected at least one part in scene {scene.scene_id}, found none; raise the item count")
    standing = place_parts(scene, parts)
    centre, radius = bounding_sphere([stand.points for stand in standing])
    support = build_support(scene.arrangement, _extent(standing, radius))
    clouds = [extreme_points(stand.points) for stand in standing]
    subject = Subject(centre, radius, clouds, support.enclosure)
    return Arrangement(
        items=tuple(stand.item for stand in standing),
        supports=support.meshes,
        cameras=tuple(place_camera(camera, subject) for camera in scene.cameras),
        centre=(float(centre[0]), float(centre[1]), float(centre[2])),
        radius_m=radius,
    )


def _extent(standing: Sequence[Standing], radius: float) -> Extent:
    low = np.min([stand.points.min(axis=0) for stand in standing], axis=0)
    high = np.max([stand.points.max(axis=0) for stand in standing], axis=0)
    half = np.maximum(np.abs(low), np.abs(high))
    return Extent(float(half[0]), float(half[1]), float(high[2]), radius)
