"""The path of a clip: the camera of every frame, and how far the belt has carried the parts.

A path is kept smooth: where one frame would see nothing, all frames are raised or moved away together. Does not cover:
single cameras (`cameras`), what the path is (`spec.clip`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.arrange.cameras import Subject, attempts, placed_at, sees
from pipeline.arrange.supports import Extent
from pipeline.errors import InputError
from pipeline.spec.clip import ClipPath
from pipeline.spec.scene import CameraSpec


def place_path(cameras: Sequence[CameraSpec], subject: Subject, path: ClipPath) -> tuple[PlacedCamera, ...]:
    """Place the cameras of all frames. Raises InputError when no elevation and distance shows the parts in all."""
    target = subject.centre + subject.radius * np.array(cameras[0].look_at_jitter)
    subjects = [_carried(subject, path.belt_shift_m(frame)) for frame in range(path.frames)]
    for tried in zip(*(attempts(camera, subject.radius) for camera in cameras), strict=True):
        places = [(camera, distance, up) for camera, (distance, up) in zip(cameras, tried, strict=True)]
        if all(sees(placed_at(*place, target)[1], there) for place, there in zip(places, subjects, strict=True)):
            return tuple(placed_at(*place, target)[0] for place in places)
    raise InputError(
        f"expected every frame of the clip's {path.motion} to see the parts, found every place from elevation "
        f"{np.rad2deg(cameras[0].elevation_rad):.0f} degrees upward blocked; raise the camera's elevation or distance"
    )


def longer_belt(extent: Extent, path: ClipPath | None) -> Extent:
    """*extent* with room along x for what the belt does during a clip, so that its ends stay out of the picture."""
    if path is None or path.motion != "part_conveyor":
        return extent
    return replace(extent, half_x=extent.half_x + abs(path.travel) / 2.0)


def _carried(subject: Subject, shift_m: float) -> Subject:
    """*subject* with the parts where the belt has carried them; the camera goes on looking at the middle."""
    if shift_m == 0.0:
        return subject
    return replace(subject, clouds=[cloud + np.array([shift_m, 0.0, 0.0]) for cloud in subject.clouds])
