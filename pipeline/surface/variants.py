"""Finishes of all parts of a scene; in crowded scenes like parts share a few.

A bin of hundreds of parts would need hundreds of materials and as many meshes with their own lay. So in scenes of more
than CROWD items, sound items of the same part, metal, finish and film take turns with the first VARIANTS of them. What
is recorded of a finish is what is rendered. Does not cover: one part's finish (`finishes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.parts.part import Part
from pipeline.spec.scene import ItemSpec
from pipeline.surface.finishes import finish_part
from pipeline.surface.material import FinishedSurface

CROWD: Final = 24
VARIANTS: Final = 4


def finish_items(items: Sequence[ItemSpec], parts: Mapping[str, Part]) -> dict[int, FinishedSurface]:
    """The finished surface of each item, by instance_id; *parts* is keyed by part_id."""
    model = models(items)
    own = {item.instance_id: item for item in items}
    finished = {i: finish_part(parts[own[i].part_id], own[i]) for i in sorted(set(model.values()))}
    return {item.instance_id: finished[model[item.instance_id]] for item in items}


def models(items: Sequence[ItemSpec]) -> dict[int, int]:
    """The instance_id of the item whose finish each item has, by instance_id; its own unless the scene is crowded."""
    model = {item.instance_id: item.instance_id for item in items}
    if len(items) <= CROWD:
        return model
    alike: dict[tuple[object, ...], list[int]] = {}
    for item in items:
        if item.defects or item.tolerance is not None:
            continue
        like = alike.setdefault((item.part_id, item.metal, item.finish, item.film, item.face_rules), [])
        model[item.instance_id] = like[len(like) % VARIANTS] if len(like) >= VARIANTS else item.instance_id
        like.append(item.instance_id)
    return model
