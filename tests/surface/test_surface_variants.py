"""In crowded scenes like parts share a few finishes."""

from __future__ import annotations

import dataclasses

from pipeline.spec.scene import DefectSpec, ItemSpec
from pipeline.surface.variants import CROWD, VARIANTS, models

ITEM = ItemSpec(1, "nut", "nut.step", None, "nut", "zinc", "machined", 0.5, 1.0, 0.5, 0.0)


def _items(count: int) -> list[ItemSpec]:
    return [dataclasses.replace(ITEM, instance_id=k + 1) for k in range(count)]


def test_every_part_of_a_sparse_scene_has_its_own_finish() -> None:
    assert models(_items(CROWD)) == {k: k for k in range(1, CROWD + 1)}


def test_like_parts_of_a_crowd_take_turns_with_a_few() -> None:
    shared = models(_items(CROWD + 1))
    assert set(shared.values()) == set(range(1, VARIANTS + 1))
    assert all(shared[model] == model for model in shared.values())


def test_other_metals_and_parts_with_defects_keep_theirs() -> None:
    items = _items(CROWD + 1)
    items[10] = dataclasses.replace(items[10], metal="copper")
    items[20] = dataclasses.replace(items[20], defects=(DefectSpec(1, "scratch", 0.5, 0.5, 1.0, 0.5, 1),))
    shared = models(items)
    assert (shared[11], shared[21]) == (11, 21)
