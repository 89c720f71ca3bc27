"""Which scenes and photos a report shows: few, and as unlike each other as the build allows.

Covers: the choice alone, deterministic for a given build. Does not cover: reading and drawing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.report.data import BuildTables, Row

SCENE_TRAITS: Final = ("rig", "surroundings", "arrangement", "split")
PHOTO_COLUMNS: Final = (
    "photo_id",
    "view_id",
    "scene_id",
    "photo_index",
    "split",
    "image_path",
    "width",
    "height",
    "origin",
    "exposure_ev",
    "clipped_fraction",
    "white_balance_k",
    "sensor",
    "lens",
    "tone",
    "light_weights",
    "stops_above_path",
)


def unlike_scenes(scenes: Sequence[Row], count: int) -> list[Row]:
    """At most *count* scenes, each bringing as many traits not shown yet as possible; ties go to even spacing."""
    chosen: list[Row] = []
    seen: dict[tuple[str, object], int] = {}
    # Even spacing first: of two scenes that bring as much, the one that comes earlier in this order wins.
    rest = [scenes[i] for i in _even_order(len(scenes))]
    while rest and len(chosen) < count:
        best = min(rest, key=lambda scene: sum(seen.get((trait, scene[trait]), 0) for trait in SCENE_TRAITS))
        rest.remove(best)
        chosen.append(best)
        for trait in SCENE_TRAITS:
            seen[trait, best[trait]] = seen.get((trait, best[trait]), 0) + 1
    return sorted(chosen, key=lambda scene: str(scene["scene_id"]))


def contact_photos(tables: BuildTables, scenes: Sequence[Row], count: int) -> list[Row]:
    """At most *count* photos that cover *scenes* evenly, in scene order, well-exposed ones first within a scene."""
    photos = tables.rows("photos", PHOTO_COLUMNS, ("scene_id", [scene["scene_id"] for scene in scenes]))
    queues: dict[str, list[Row]] = {str(scene["scene_id"]): [] for scene in scenes}
    for photo in photos:
        queues[str(photo["scene_id"])].append(photo)
    for scene_id, queue in queues.items():
        queues[scene_id] = _views_in_turn(queue)
    chosen: list[Row] = []
    for turn in range(max((len(queue) for queue in queues.values()), default=0)):
        chosen += [queue[turn] for queue in queues.values() if turn < len(queue)]
    order = {scene_id: place for place, scene_id in enumerate(queues)}
    return sorted(chosen[:count], key=lambda photo: (order[str(photo["scene_id"])], str(photo["photo_id"])))


def clearest(photos: Sequence[Row]) -> Row:
    """The photo whose exposure is nearest to the metered one, with little clipped."""
    return min(photos, key=_faults)


def _faults(photo: Row) -> tuple[float, str]:
    clipped = float(photo["clipped_fraction"] or 0.0)
    return abs(float(photo["exposure_ev"] or 0.0)) + 4.0 * clipped, str(photo["photo_id"])


def _views_in_turn(photos: list[Row]) -> list[Row]:
    """The clearest photo of each view, then the second of each view, and so on."""
    by_view: dict[str, list[Row]] = {}
    for photo in sorted(photos, key=_faults):
        by_view.setdefault(str(photo["view_id"]), []).append(photo)
    ranked = [(rank, view, photo) for view, queue in by_view.items() for rank, photo in enumerate(queue)]
    return [photo for _, _, photo in sorted(ranked, key=lambda entry: entry[:2])]


def _even_order(count: int) -> list[int]:
    """0..count-1 so that every beginning of the list is spread over the whole (van der Corput sequence)."""
    bits = max(1, (count - 1).bit_length())
    return sorted(range(count), key=lambda i: int(f"{i:0{bits}b}"[::-1], 2))
