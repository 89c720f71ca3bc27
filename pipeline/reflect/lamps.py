"""Which emitter a bright pixel shows: the lamps of each light group, and the one whose mirror image is nearest.

Covers: emitters of a bundle, the nearest one per pixel and group. Does not cover: which pixels are bright
(`highlights`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import FIRST_FAR, WORLD_INDEX, BundleView, SceneBundle
from pipeline.reflect.reflections import WORLD_ID

SURROUNDINGS_KIND: Final = "surroundings"
"""light_kind of a world without labels: it has bright places, but no lamp with an id."""


@dataclass(frozen=True)
class Emitter:
    """A lamp, or the world."""

    index: int
    """Object index that the mirror probe reports."""
    light_id: str
    kind: str
    group: str


@dataclass(frozen=True)
class Emitters:
    """All emitters of a scene."""

    groups: tuple[str, ...]
    all: tuple[Emitter, ...]
    by_group: tuple[tuple[int, ...], ...]
    """For each group, the places of its emitters in *all*; never empty."""


def emitters_of(bundle: SceneBundle, view: BundleView) -> Emitters:
    """The lamps of *view* by light group; a group without a lamp is the world's, or that of its painted lamps."""
    found: list[Emitter] = []
    by_group: list[tuple[int, ...]] = []
    for group in view.groups:
        members = [
            Emitter(thing.index, thing.id, thing.label, group)
            for thing in bundle.objects
            if thing.kind == "light" and thing.group == group and thing.rig_index in (None, view.rig_index)
        ] or _far_emitters(bundle, group)
        by_group.append(tuple(range(len(found), len(found) + len(members))))
        found.extend(members)
    return Emitters(view.groups, tuple(found), tuple(by_group))


def _far_emitters(bundle: SceneBundle, group: str) -> list[Emitter]:
    """The painted lamps of a far environment that lights *group*, or else the world as a whole."""
    world = bundle.world
    painted = () if world is None or world.group != group else world.labels
    found = [
        Emitter(FIRST_FAR + entry.value, entry.id, entry.label, group) for entry in painted if entry.kind == "light"
    ]
    return found or [Emitter(WORLD_INDEX, WORLD_ID, SURROUNDINGS_KIND, group)]


def nearest_emitter(emitters: Emitters, hits: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """For each group, the emitter (place in `Emitters.all`) that each pixel shows if this group lights it.

    *hits* (h, w) is the object that the mirror ray of each pixel reaches, 0 off the parts. A pixel whose own ray
    misses the group's lamps (rough metal spreads the image of a lamp) takes the lamp of the nearest pixel that hits
    one; the group's first lamp when no pixel does. Arrays are (h, w), or () where the group has one emitter.
    """
    return [_nearest_of_group(emitters, members, hits) for members in emitters.by_group]


def _nearest_of_group(emitters: Emitters, members: tuple[int, ...], hits: NDArray[np.int32]) -> NDArray[np.int64]:
    if len(members) == 1:
        return np.array(members[0])
    place_of_index = np.full(WORLD_INDEX + 1, -1, dtype=np.int64)
    place_of_index[[emitters.all[place].index for place in members]] = members
    place = place_of_index[np.clip(hits, 0, WORLD_INDEX)]
    if not (place >= 0).any():
        return np.array(members[0])
    _, label = cv2.distanceTransformWithLabels(
        (place < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place_of_label = np.zeros(int(label.max()) + 1, dtype=np.int64)
    seeds = place >= 0
    place_of_label[label[seeds]] = place[seeds]
    result: NDArray[np.int64] = place_of_label[label]
    return result
