"""Which try each photo of a build is kept from, once every photo of the dataset has been measured.

Covers: limits from the round trips of all photos of a build, the columns that follow for photos and tries. Does not
cover: trying (`transfer_stage`), the decision about one photo (`transfer.gate.tries`).

Limits belong to a build, not to a key: a photo's tries are the same whatever dataset it is in, so that a scene made by
itself has the same bytes, and a dataset that grows measures nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.dataset.store import ROWS_FILE, Store
from pipeline.dataset.transfer_record import TransferRecord
from pipeline.graph.plan import PHOTOS, TRANSFER
from pipeline.records import from_dict, read_json

if TYPE_CHECKING:
    from pipeline.transfer.gate.limits import Limits
    from pipeline.transfer.gate.tries import TryRecord

Row = dict[str, Any]
Changes = dict[str, dict[tuple[Any, ...], Row]]
"""Table -> key of a row -> columns that are only known now."""


class TransferChoice:
    """The limits of one build, and what they make of its scenes. Raises DamageFound as the store does."""

    def __init__(self, store: Store, keys: Iterable[Mapping[str, str]], record: TransferRecord, keep_camera: bool):
        from pipeline.transfer.gate.tries import limits_of_round_trips

        own = [stages[TRANSFER] for stages in keys if TRANSFER in stages]
        self._store = store
        self._keep_camera = keep_camera
        trips, smallest = [], 0
        for key in own:
            for row in self._rows(key):
                if row["try_index"] == 0:
                    trips.append(row["scores"])
                if row["batch"]:
                    smallest = min(smallest or row["batch"], row["batch"])
        self.limits: Limits = limits_of_round_trips(trips, "round trips of this dataset's photos")
        chosen = [kept for key in own for kept in self._chosen(key)]
        self.record = replace(
            record,
            limits=dict(self.limits.limits),
            limits_source=self.limits.source,
            limits_samples=self.limits.samples,
            tried=len(chosen),
            kept=sum(chosen),
            smallest_batch=smallest,
        )

    def changes(self, keys: Mapping[str, str]) -> Changes:
        """What the limits decide about the photos of one scene and their tries."""
        if TRANSFER not in keys:
            return {}
        key = keys[TRANSFER]
        taken = self._camera_columns(keys[PHOTOS]) if self._keep_camera else {}
        tried: dict[tuple[Any, ...], Row] = {
            (row["photo_id"], row["try_index"]): {"kept": False} for row in self._rows(key)
        }
        photos: dict[tuple[Any, ...], Row] = {}
        for photo_id, tries in self._by_photo(key).items():
            choice = self._choose(tries)
            photos[(photo_id,)] = {
                "gate_passed": choice.kept is not None,
                "gate_scores": dict(choice.scores),
                "gate_reason": choice.reason or None,
            }
            if choice.kept is not None:
                kept = tries[choice.kept]
                tried[photo_id, kept["try_index"]] = {"kept": True}
                photos[(photo_id,)] |= self._kept_columns(kept, key) | taken.get(photo_id, {})
        return {"photos": photos, "transfers": tried}

    def _kept_columns(self, kept: Row, key: str) -> Row:
        return {
            "image_path": self._place(TRANSFER, key, kept["picture_path"]),
            "sha256": kept["sha256"],
            "origin": "sd15",
            "transfer_model": self.record.model,
            "transfer_strength": kept["strength"],
        }

    def _camera_columns(self, key: str) -> dict[str, Row]:
        """Photo id -> where the camera's photo is."""
        rows = read_json(self._store.folder(PHOTOS, key) / ROWS_FILE)["photos"]
        return {
            row["photo_id"]: {
                "camera_image_path": self._place(PHOTOS, key, row["image_path"]),
                "camera_sha256": row["sha256"],
            }
            for row in rows
        }

    def _place(self, stage: str, key: str, path: str) -> str:
        """A file of an output as tables name it."""
        return f"{self._store.relative(self._store.folder(stage, key))}/{path}"

    def _chosen(self, key: str) -> Iterator[bool]:
        for tries in self._by_photo(key).values():
            yield self._choose(tries).kept is not None

    def _choose(self, tries: list[Row]) -> Any:
        from pipeline.transfer.gate.tries import choose

        return choose([_record(row) for row in tries], self.limits)

    def _by_photo(self, key: str) -> dict[str, list[Row]]:
        """The tries of each photo, in order; without its round trip."""
        tries: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._rows(key):
            if row["try_index"] > 0:
                tries[row["photo_id"]].append(row)
        return dict(tries)

    def _rows(self, key: str) -> list[Row]:
        rows: list[Row] = read_json(self._store.folder(TRANSFER, key) / ROWS_FILE)["transfers"]
        return rows


def _record(row: Row) -> TryRecord:
    from pipeline.transfer.gate.tries import TryRecord

    return from_dict(
        TryRecord,
        {
            "strength": row["strength"],
            "scores": row["scores"],
            "exceeded": row["exceeded"],
            "fault": row["problem"] or "",
        },
    )
