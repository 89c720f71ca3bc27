"""Do the outlines of parts lie where they did? Drift of the edge along its normal, place by place.

Covers: places on the outlines, one-dimensional normalised cross-correlation of grey profiles across them, and what
follows for each part: stretches that moved, edges that are gone. Does not cover: parts as a whole (`align`, `flow`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.truth import GateTruth, Region

Floats = NDArray[np.float64]
Images = NDArray[np.float32]

STEP_PX: Final = 2
"""Distance between places along an outline."""
_SAMPLES_PER_PX: Final = 2
_HALF_WINDOW_PX: Final = 4.0
"""What is looked for: the profile from 4 px inside to 4 px outside."""
REACH_PX: Final = 5.0
"""How far along the normal it is looked for, to either side."""
_LEAST_CONTRAST: Final = 4.0
"""Standard deviation of a profile in codes below which there is no edge to follow."""
_BROADEST_PX: Final = 6.0
_INDEPENDENT: Final = 3.4
"""Window over the correlation length of the smoothed noise: 8 px / 2.4 px."""
_ERRORS: Final = 2.0
"""Standard errors that a drift must exceed to count; they are taken off."""
_NEARNESS_PER_PX: Final = 0.04
"""Correlation that a position must be better by for each pixel that it lies farther off: of the teeth of a gear, which
all look alike, the nearest is meant."""
_LEAST_KEPT: Final = 0.4
"""Share of its contrast that an edge must keep to be found."""
_FOUND: Final = 0.7
"""Correlation below which an edge counts as lost."""
_TANGENT_PX: Final = 3
_LEAST_OUTLINE_PX: Final = 20
_BORDER_PX: Final = 3
"""Places nearer to the frame than this are ends of the photo, not outlines."""
_ALONG: Final = 13
"""Places that a profile is averaged over, Gaussian: 6 px of standard deviation."""
_STRETCH: Final = 7
"""Places in a stretch: 14 px of outline."""
_LEAST_PLACES: Final = 7


@dataclass(frozen=True, eq=False)
class Outlines:
    """Places on the outlines of all parts, in order along each outline."""

    points: Floats
    """(n, 2) x, y in pixels, OpenCV's image coordinates."""
    normals: Floats
    """(n, 2) unit."""
    instance: NDArray[np.int64]
    """(n,) the part."""
    contour: NDArray[np.int64]
    """(n,) number of the line that the place is on."""


@dataclass(frozen=True, eq=False)
class Drift:
    """What became of each place."""

    moved: Floats
    """(n,) pixels along the normal."""
    match: Floats
    """(n,) correlation there, -1..1."""
    contrast: Floats
    """(n,) standard deviation of the profile before, codes."""
    breadth: Floats
    """(n,) standard deviation over rms slope, px, the part of the slope that gain and offset cannot explain: 1 to 3 at
    a step or a line; large on a ramp, which looks alike wherever it is."""

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) whether there was an edge to follow."""
        return np.asarray((self.contrast >= _LEAST_CONTRAST) & (self.breadth <= _BROADEST_PX))

    @property
    def error(self) -> Floats:
        """(n,) standard error of `moved` in pixels: what the unexplained share 1 - match^2 of the profile's variance
        does to the place of the best fit (least squares), with _INDEPENDENT independent samples in the window."""
        noise = np.sqrt(np.maximum(1.0 - self.match**2, 0.0)) / np.maximum(self.match, 0.1)
        return np.asarray(noise * self.breadth / np.sqrt(_INDEPENDENT))

    @property
    def found(self) -> NDArray[np.bool_]:
        """(n,) whether it was found again."""
        return np.asarray(self.usable & (self.match >= _FOUND))


@dataclass(frozen=True)
class PartEdges:
    """What the outline of one part says."""

    drift_px: float
    """Largest median drift of any stretch of 14 px, less twice its standard error."""
    lost: float
    """Share of the outline's contrast that was not found again, 0..1."""


def outlines_of(truth: GateTruth) -> Outlines:
    """Places every 2 px along the outer and inner outlines of the visible mask of every part."""
    found: list[tuple[Floats, Floats, int]] = []
    for part in truth.parts:
        # one pixel of margin, so that outlines on the border of the box are closed
        mask = np.pad(part.mask.astype(np.uint8), 1)
        corner = np.array([part.left - 1, part.top - 1], dtype=np.float64)
        for line in cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]:
            if len(line) >= _LEAST_OUTLINE_PX:
                points = _smoothed(line[:, 0, :].astype(np.float64) + corner)
                found.append((points, _normals(points), part.instance_id))
    picked = [piece for line in found for piece in _inner_places(*line, truth.shape)]
    sizes = [len(points) for points, *_ in picked]
    empty = np.zeros((0, 2))
    return Outlines(
        np.concatenate([empty, *(points for points, *_ in picked)]),
        np.concatenate([empty, *(normals for _, normals, _ in picked)]),
        np.repeat(np.array([part for *_, part in picked], dtype=np.int64), sizes),
        np.repeat(np.arange(len(picked), dtype=np.int64), sizes),
    )


def profiles(grey: Images, outlines: Outlines) -> Images:
    """(n, m) grey levels across each place, from inside to outside, two per pixel, REACH_PX more than the window.

    Each is the mean of its neighbours along the outline (Gaussian, 6 px): noise and texture go, the edge stays.
    """
    reach = int((_HALF_WINDOW_PX + REACH_PX) * _SAMPLES_PER_PX)
    offsets = np.arange(-reach, reach + 1) / _SAMPLES_PER_PX
    x, y = (outlines.points[:, axis, None] + outlines.normals[:, axis, None] * offsets for axis in (0, 1))
    if not len(x):
        return np.zeros((0, offsets.size), dtype=np.float32)
    sampled = cv2.remap(
        grey, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    for first, last in _lines(outlines.contour):
        sampled[first:last] = cv2.GaussianBlur(sampled[first:last], (1, _ALONG), 0, sigmaY=_ALONG / 4)
    return np.asarray(sampled, dtype=np.float32)


def _lines(contour: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last + 1 of each run of places on one line."""
    borders = np.flatnonzero(np.diff(contour, prepend=-1, append=-1))
    return list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))


def drift(before: Images, after: Images) -> Drift:
    """Where the middle of each profile of *before* is found in *after*, both (n, m) of `profiles`.

    Zero-mean normalised cross-correlation: gain and offset do not matter, a parabola through the best three positions
    gives the fraction of a sample.
    """
    half = int(_HALF_WINDOW_PX * _SAMPLES_PER_PX)
    reach = int(REACH_PX * _SAMPLES_PER_PX)
    pattern = before[:, reach : reach + 2 * half + 1]
    windows = np.lib.stride_tricks.sliding_window_view(after, 2 * half + 1, axis=1)
    pattern = pattern - pattern.mean(axis=1, keepdims=True)
    size = np.sqrt((pattern**2).sum(axis=1))
    breadth = _breadth(pattern, size)
    total = windows.sum(axis=2)
    spread = np.sqrt(np.maximum((windows**2).sum(axis=2) - total**2 / (2 * half + 1), 1e-6))
    score = np.einsum("nsk,nk->ns", windows, pattern) / (spread * np.maximum(size, 1e-3)[:, None])
    # an edge that lost most of its contrast is not found: its remains correlate with anything
    score = np.where(spread < _LEAST_KEPT * size[:, None], 0.0, score)
    distance = np.abs(np.arange(-reach, reach + 1)) / _SAMPLES_PER_PX
    around = np.pad(score, ((0, 0), (1, 1)), constant_values=-2.0)
    top = (score >= around[:, :-2]) & (score >= around[:, 2:])
    best = np.where(top, score - _NEARNESS_PER_PX * distance, -3.0).argmax(axis=1)
    moved = (best - reach + _peak(score, best)) / _SAMPLES_PER_PX
    match = np.take_along_axis(score, best[:, None], axis=1)[:, 0] if len(score) else np.zeros(0)
    contrast = size / np.sqrt(2 * half + 1)
    return Drift(moved.astype(np.float64), match.astype(np.float64), contrast.astype(np.float64), breadth)


def _breadth(pattern: Images, size: Images) -> Floats:
    """(n,) see `Drift`; *pattern* (n, m) without its mean, *size* (n,) its length."""
    slope = np.gradient(pattern, 1.0 / _SAMPLES_PER_PX, axis=1)
    slope = slope - slope.mean(axis=1, keepdims=True)
    along = pattern / np.maximum(size, 1e-3)[:, None]
    slope = slope - (slope * along).sum(axis=1, keepdims=True) * along
    return np.asarray(size / np.maximum(np.sqrt((slope**2).sum(axis=1)), 1e-3), dtype=np.float64)


def without_clipped(found: Drift, outlines: Outlines, clipped: NDArray[np.bool_]) -> Drift:
    """*found* with no contrast at places within 4 px of *clipped* (h, w): where light has newly clipped, an edge's
    profile changes its shape by channel, which looks like motion."""
    side = 2 * int(_HALF_WINDOW_PX) + 1
    near = cv2.dilate(clipped.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    columns, rows = np.rint(outlines.points).astype(np.intp).T
    return replace(found, contrast=np.where(near[rows, columns], 0.0, found.contrast))


def part_edges(outlines: Outlines, found: Drift, part: Region) -> PartEdges | None:
    """What the drift says of *part*; None where too little of its outline can be seen."""
    own = outlines.instance == part.instance_id
    usable = own & found.usable
    if np.count_nonzero(usable) < _LEAST_PLACES:
        return None
    weight = found.contrast[usable]
    lost = float((weight * ~found.found[usable]).sum() / weight.sum())
    return PartEdges(_largest_drift(outlines, found, own), lost)


def _largest_drift(outlines: Outlines, found: Drift, own: NDArray[np.bool_]) -> float:
    """Largest absolute median drift of any stretch of a part's outlines in which most places were found."""
    largest = 0.0
    beyond = np.sign(found.moved) * np.maximum(np.abs(found.moved) - _ERRORS * found.error, 0.0)
    values_of = np.where(found.found, beyond, np.nan)
    for first, last in _lines(outlines.contour):
        if not own[first] or last - first < _STRETCH:
            continue
        values = values_of[first:last]
        stretches = np.lib.stride_tricks.sliding_window_view(values, _STRETCH)
        full = stretches[np.isfinite(stretches).sum(axis=1) >= _STRETCH - 2]
        if full.size:
            largest = max(largest, float(np.abs(np.nanmedian(full, axis=1)).max()))
    return largest


def _peak(score: Images, best: NDArray[np.intp]) -> Floats:
    """Offset (n,) in samples, -0.5..0.5, of the top of the parabola through the best score and its neighbours."""
    last = score.shape[1] - 1
    inside = (best > 0) & (best < last)
    left, middle, right = (
        np.take_along_axis(score, np.clip(best + step, 0, last)[:, None], axis=1)[:, 0] for step in (-1, 0, 1)
    )
    bow = left - 2.0 * middle + right
    offset = np.where(bow < -1e-9, 0.5 * (left - right) / np.where(bow < -1e-9, bow, -1.0), 0.0)
    return np.asarray(np.where(inside, np.clip(offset, -0.5, 0.5), 0.0), dtype=np.float64)


def _smoothed(line: Floats) -> Floats:
    """A closed line of pixel centres without its stairs: mean of five neighbours."""
    return np.asarray(np.mean([np.roll(line, step, axis=0) for step in range(-2, 3)], axis=0), dtype=np.float64)


def _normals(line: Floats) -> Floats:
    tangent = np.roll(line, -_TANGENT_PX, axis=0) - np.roll(line, _TANGENT_PX, axis=0)
    length = np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    return np.asarray(np.stack([tangent[:, 1], -tangent[:, 0]], axis=1) / length, dtype=np.float64)


def _inner_places(
    points: Floats, normals: Floats, part: int, shape: tuple[int, int]
) -> list[tuple[Floats, Floats, int]]:
    """Every second place that is not at the frame; one piece for each stretch that the frame leaves."""
    limit = np.array([shape[1] - 1, shape[0] - 1]) - _BORDER_PX
    kept = np.flatnonzero(((points >= _BORDER_PX) & (points <= limit)).all(axis=1))
    pieces = np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1)
    return [(points[at[::STEP_PX]], normals[at[::STEP_PX]], part) for at in pieces if at.size >= _LEAST_OUTLINE_PX]
