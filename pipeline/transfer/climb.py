"""Photos down the ladder of strengths: each is tried until it passes whatever limits the dataset will have.

Covers: tries of several photos at once, their records, the pictures that may be kept. Does not cover: computing
(`batcher`, `engine`), the decision (`gate.tries.choose`), which is made when all photos of a dataset are known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.camera_photos import CameraPhoto
from pipeline.transfer.gate.measure import Camera, prepare
from pipeline.transfer.gate.tries import TryRecord, measured
from pipeline.transfer.photos import Encoded

Photo = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Attempt:
    """What the networks made of one photo at one strength."""

    picture: Photo
    """(h, w, 3) sRGB."""
    encoded: Encoded
    """What the VAE makes of the photo (n = 1), at any strength."""
    problem: str | None
    """Why *picture* is none."""
    batch: int
    """Photos per network call that were really used."""


AttemptAll = Callable[[Sequence[CameraPhoto], float], Sequence[Attempt]]


@dataclass(eq=False)
class Climbed:
    """Everything that was tried with one photo."""

    photo: CameraPhoto
    round_trip: TryRecord | None = None
    """What the autoencoder alone changes; limits are calibrated on it. None where it gave no picture."""
    tries: list[TryRecord] = field(default_factory=list)
    pictures: list[Photo | None] = field(default_factory=list)
    """Of each try; None where it cannot be kept."""
    batch: int = 0


def climb(photos: Sequence[CameraPhoto], attempt: AttemptAll, strengths: Sequence[float]) -> list[Climbed]:
    """Try each of *photos* at falling *strengths* until it passes for certain; in their order."""
    climbed = [Climbed(photo) for photo in photos]
    cameras = [prepare(photo.pixels, photo.truth) for photo in photos]
    ready, left = list(photos), list(range(len(photos)))
    for strength in strengths:
        if not left:
            break
        results = attempt([ready[index] for index in left], strength)
        for index, result in zip(left, results, strict=True):
            ready[index] = replace(ready[index], encoded=result.encoded)
            _take(climbed[index], cameras[index], result, strength)
        left = [index for index in left if climbed[index].tries[-1].certainty != "passes"]
    return climbed


def refused(photo: CameraPhoto, strength: float, problem: str) -> Climbed:
    """A photo that was never given to the networks, and why."""
    return Climbed(photo, tries=[TryRecord(strength, {}, fault=problem)], pictures=[None])


def _take(climbed: Climbed, camera: Camera, result: Attempt, strength: float) -> None:
    if climbed.round_trip is None and result.problem is None:
        round_trip = climbed.photo.as_taken(_codes(result.encoded.round_trip[0]))
        climbed.round_trip = measured(camera, round_trip, 0.0)
    picture = climbed.photo.as_taken(result.picture)
    record = measured(camera, picture, strength, result.problem)
    climbed.tries.append(record)
    climbed.pictures.append(None if record.certainty == "fails" else picture)
    climbed.batch = result.batch if not climbed.batch else min(climbed.batch, result.batch)


def _codes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """0..1 to the nearest 8-bit codes; what is not finite becomes 0."""
    return np.rint(255.0 * np.clip(np.nan_to_num(values), 0.0, 1.0)).astype(np.uint8)
