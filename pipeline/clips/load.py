"""Clips of a dataset as the selector and its judge take them.

Does not cover: the tables (`dataset`), scores (`evaluate`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import SceneBundle, load_bundle, rides_the_belt
from pipeline.clips.correspond import FrameGeometry
from pipeline.clips.frames import Clip, Frame, Observation
from pipeline.clips.light import range_share
from pipeline.dataset.clips import ClipFrame
from pipeline.dataset.reader import Dataset, Row
from pipeline.photo_geometry import PhotoGeometry, geometry_of_rows


def load_clips(dataset: Dataset, split: str | None = None) -> Iterator[Clip]:
    """The clips of *split* ("train", "val", "test"), or all, one at a time."""
    for clip_id in dataset.clip_ids(split):
        yield load_clip(dataset, clip_id)


def load_clip(dataset: Dataset, clip_id: str) -> Clip:
    """One clip. Raises InputError for an unknown id, DamageFound when a file cannot be read."""
    return Clip(clip_id, tuple(_frame(dataset, frame) for frame in dataset.clip(clip_id)))


def _frame(dataset: Dataset, frame: ClipFrame) -> Frame:
    photo = frame.photo
    exposure = math.log2(max(photo["exposure_scale"]))
    radiance = frame.radiance()
    view = dataset.view(photo["view_id"])
    bundle = load_bundle((dataset.root / view["bundle_path"]).parent)
    return Frame(
        Observation(frame.index, frame.image(), exposure),
        radiance,
        range_share(radiance, frame.signal_from_radiance),
        _geometry(dataset, view, bundle, geometry_of_rows(view, photo)),
    )


def _geometry(dataset: Dataset, view: Row, bundle: SceneBundle, lens: PhotoGeometry) -> FrameGeometry:
    numbers = {name: view[name] for name in ("fx", "fy", "cx", "cy", "width", "height")}
    camera = PlacedCamera(view["camera_index"] or 0, tuple(view["cam_from_world"]), **numbers)
    x, y, z = view["belt_shift_m"] or (0.0, 0.0, 0.0)
    riding = frozenset(entry.index for entry in bundle.objects if rides_the_belt(entry))
    objects = dataset.object_ids(view["view_id"])
    return FrameGeometry(camera, dataset.depth(view["view_id"]), objects, (x, y, z), riding, lens)
