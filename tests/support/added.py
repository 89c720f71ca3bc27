"""Marks painted onto a photo where no label knows them: a pit, a scratch, a rim about a part.

Covers: functions like those of `planted`. A mark that is there and labelled nowhere is as wrong as one that is gone.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.transfer.gate.benign import to_codes
from pipeline.transfer.gate.truth import GateTruth
from support.planted import Photo, Plant, chosen_part, grown, whole

DARKER = 0.4
"""What is left of the light within a mark."""
PIT_RADIUS_PX = 3
SCRATCH_PX = 24
"""Length of the scratch, which is 2 px wide."""
LEAST_CODES = 80.0
"""Mean of the photo where a mark goes: on darker metal a dark mark is hardly seen."""
RIM_PX = 4


def pit_invented(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    def draw(canvas: np.ndarray, at: tuple[int, int]) -> None:
        cv2.circle(canvas, at, PIT_RADIUS_PX, 1.0, -1)

    return _darkened(photo, truth, rng, PIT_RADIUS_PX + 3, draw)


def scratch_invented(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    angle = rng.uniform(0.0, np.pi)
    half = 0.5 * SCRATCH_PX * np.array([np.cos(angle), np.sin(angle)])

    def draw(canvas: np.ndarray, at: tuple[int, int]) -> None:
        ends = [np.rint(np.array(at) + side * half).astype(int).tolist() for side in (-1, 1)]
        cv2.line(canvas, *ends, 1.0, 2)

    return _darkened(photo, truth, rng, SCRATCH_PX // 2 + 2, draw)


def _darkened(photo: Photo, truth: GateTruth, rng: np.random.Generator, room_px: int, draw) -> Photo | None:
    """The photo with a mark on bright metal, *room_px* away from the part's outline; None where there is no such."""
    part = chosen_part(truth, rng)
    if part is None:
        return None
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (0, 0), 2.0)
    inside = np.pad(whole(part, truth.shape), 1)
    room = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero((room > room_px) & (grey >= LEAST_CODES))
    if not rows.size:
        return None
    at = int(rng.integers(rows.size))
    canvas = np.zeros(truth.shape, np.float32)
    draw(canvas, (int(columns[at]), int(rows[at])))
    soft = cv2.GaussianBlur(canvas, (0, 0), 0.7)[..., None]
    return to_codes(photo * (1.0 - (1.0 - DARKER) * soft))


def rim_painted(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    """A saturated rim beside a part's outline: the part looks larger than its mask, and nothing else changes."""
    part = chosen_part(truth, rng)
    if part is None:
        return None
    mask = whole(part, truth.shape)
    rim = (grown(mask, RIM_PX) > 0) & (mask == 0) & truth.background
    if np.count_nonzero(rim) < 0.5 * RIM_PX * np.sqrt(part.area):
        return None
    changed = photo.copy()
    changed[rim] = (255, 40, 40)
    return changed


ADDED: dict[str, Plant] = {
    "pit invented": pit_invented,
    "scratch invented": scratch_invented,
    "rim painted": rim_painted,
}
