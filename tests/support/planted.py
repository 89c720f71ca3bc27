"""Corruptions that make a label wrong, planted into photos: what the gate has to catch.

Covers: the eight of them, each a function of a photo (h, w, 3) uint8, its truth and a generator; None where the photo
has nothing that it could be done to. Which parts, scratches and highlights count is said at the constants. None of
this uses what the gate measures with. Does not cover: pictures of a generator gone wild (tests paint those).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from pipeline.transfer.gate.benign import to_codes, to_display, to_linear
from pipeline.transfer.gate.truth import GateTruth, Region

SHIFT_PX = 3.0
SCALE = 0.02
LEAST_SCALED_PX = 1257.0
"""Area of a disc of 20 px radius: two per cent move the outline of a smaller part by less than 0.4 px."""
BEND_PX = 4.0
BEND_SIGMA_PX = 12.0
"""Along and across the edge; a bend of the outline about as long as 25 px."""
LEAST_PART = 0.004
"""Share of the photo that a part must cover to be planted into; slivers between other parts do not count."""
LEAST_EDGE_CODES = 12.0
"""Contrast across the outline where it is bent: bending an edge that nobody sees changes nothing."""
LEAST_SCRATCH_CODES = 8.0
LEAST_SCRATCH_ENERGY = 100.0
"""Rms, and root of the summed squares, of the change that erasing a scratch makes; fainter ones are hard to see."""
LEAST_HIGHLIGHT_CODES = 30.0
"""A highlight's mean above its surroundings."""
LEAST_HIGHLIGHT_PX = 16

BRASS_OVER_STEEL = np.array([1.30, 1.0, 0.60], dtype=np.float32)
"""Ratio of the reflectances at normal incidence in linear Rec.709, green at 1 (assets/tables/metals.json, rounded)."""

Photo = np.ndarray
Plant = Callable[[Photo, GateTruth, np.random.Generator], "Photo | None"]


def chosen_part(truth: GateTruth, rng: np.random.Generator, least_px: float = 0.0) -> Region | None:
    """A part that is large enough, away from the frame's border where there is one."""
    height, width = truth.shape
    large = [part for part in truth.parts if part.area >= max(least_px, LEAST_PART * height * width)]
    inner = [part for part in large if not touches_border(part, truth.shape)]
    candidates = inner or large
    return candidates[int(rng.integers(len(candidates)))] if candidates else None


def touches_border(part: Region, shape: tuple[int, int]) -> bool:
    height, width = part.mask.shape
    return part.left == 0 or part.top == 0 or part.left + width == shape[1] or part.top + height == shape[0]


def whole(region: Region, shape: tuple[int, int]) -> np.ndarray:
    """The mask (h, w) uint8 in the photo."""
    return region.within((slice(0, shape[0]), slice(0, shape[1]))).astype(np.uint8)


def grown(mask: np.ndarray, by: int) -> np.ndarray:
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1)))


def filled(photo: Photo, hole: np.ndarray) -> Photo:
    """The photo with *hole* (h, w) painted over from around it."""
    return cv2.inpaint(photo, hole, 3, cv2.INPAINT_TELEA)


def moved_by(photo: Photo, mask: np.ndarray, matrix: np.ndarray) -> Photo:
    """The pixels of *mask* moved by *matrix* (2, 3); what they leave is painted over."""
    size = (mask.shape[1], mask.shape[0])
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)
    alpha = cv2.warpAffine(soft, matrix, size, flags=cv2.INTER_LINEAR)[..., None]
    picture = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    left = grown(mask, 2) & (alpha[..., 0] < 0.99).astype(np.uint8)
    return to_codes(alpha * picture + (1.0 - alpha) * filled(photo, left))


def part_shifted(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    part = chosen_part(truth, rng)
    if part is None:
        return None
    angle = rng.uniform(0.0, 2.0 * np.pi)
    matrix = np.array([[1.0, 0.0, SHIFT_PX * np.cos(angle)], [0.0, 1.0, SHIFT_PX * np.sin(angle)]])
    return moved_by(photo, whole(part, truth.shape), matrix)


def part_scaled(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    part = chosen_part(truth, rng, LEAST_SCALED_PX)
    if part is None:
        return None
    mask = whole(part, truth.shape)
    rows, columns = np.nonzero(mask)
    middle = np.array([columns.mean(), rows.mean()])
    scale = 1.0 + SCALE * rng.choice([-1.0, 1.0])
    matrix = np.array([[scale, 0.0, (1 - scale) * middle[0]], [0.0, scale, (1 - scale) * middle[1]]])
    return moved_by(photo, mask, matrix)


def part_erased(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    part = chosen_part(truth, rng)
    if part is None:
        return None
    mask = grown(whole(part, truth.shape), 2)
    small = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    hole = (cv2.resize(mask, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    smooth = cv2.resize(filled(small, grown(hole, 1)), (photo.shape[1], photo.shape[0]), interpolation=cv2.INTER_LINEAR)
    grain = rng.normal(0.0, 2.0, photo.shape)
    return np.where(mask[..., None] > 0, to_codes(smooth + grain), photo)


def part_invented(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    """A copy of a part, smaller where it must be, in the free part of the background."""
    part = chosen_part(truth, rng)
    if part is None:
        return None
    free = np.pad(truth.background.astype(np.uint8), 1)
    room = cv2.distanceTransform(free, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(room.argmax()), room.shape)
    height, width = part.mask.shape
    scale = min(1.0, 1.8 * (room[y, x] - 3.0) / np.hypot(height, width))
    if scale * np.sqrt(part.area) < np.sqrt(LEAST_PART * photo.shape[0] * photo.shape[1]):
        return None
    middle = (part.left + width / 2.0, part.top + height / 2.0)
    matrix = np.array([[scale, 0.0, x - scale * middle[0]], [0.0, scale, y - scale * middle[1]]])
    size = (photo.shape[1], photo.shape[0])
    soft = cv2.GaussianBlur(whole(part, truth.shape).astype(np.float32), (0, 0), 0.7)
    alpha = cv2.warpAffine(soft, matrix, size, flags=cv2.INTER_AREA)[..., None]
    return to_codes(alpha * cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_AREA) + (1.0 - alpha) * photo)


def edge_bent(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    """A smooth warp about one visible place of a part's outline, along the outline's normal."""
    part = chosen_part(truth, rng)
    if part is None:
        return None
    place = _visible_edge(photo, whole(part, truth.shape), rng)
    if place is None:
        return None
    (x, y), normal = place
    rows, columns = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    bump = BEND_PX * np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / BEND_SIGMA_PX**2)
    bump *= rng.choice([-1.0, 1.0])
    maps = [(grid + bump * step).astype(np.float32) for grid, step in ((columns, normal[0]), (rows, normal[1]))]
    return cv2.remap(photo, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def _visible_edge(photo: Photo, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """A place of the outline (x, y) and its normal where the photo has an edge for 20 px along the outline."""
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    points = max(contours, key=len)[:, 0, :].astype(np.float64)
    if len(points) < 60:
        return None
    tangent = np.roll(points, -4, axis=0) - np.roll(points, 4, axis=0)
    length = np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1) / length
    inner, outer = (np.rint(points + step * normal).astype(int) for step in (-3.0, 3.0))
    limit = np.array([photo.shape[1] - 1, photo.shape[0] - 1])
    within = ((np.minimum(inner, outer) > 4) & (np.maximum(inner, outer) < limit - 4)).all(axis=1)
    inner, outer = np.clip(inner, 0, limit), np.clip(outer, 0, limit)
    contrast = np.abs(grey[inner[:, 1], inner[:, 0]] - grey[outer[:, 1], outer[:, 0]]) * within
    around = np.stack([np.roll(contrast, step) for step in range(-10, 11)])
    good = np.flatnonzero(np.quantile(around, 0.2, axis=0) >= LEAST_EDGE_CODES)
    if not good.size:
        return None
    at = int(good[rng.integers(good.size)])
    return points[at], normal[at]


def metal_recoloured(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    """Steel becomes brass, or coloured metal becomes as pale as steel: ratio of reflectances, in linear light."""
    part = chosen_part(truth, rng)
    if part is None:
        return None
    mask = cv2.GaussianBlur(whole(part, truth.shape).astype(np.float32), (0, 0), 0.7)[..., None]
    linear = to_linear(photo)
    inside = linear[mask[..., 0] > 0.5].mean(axis=0)
    ratio = BRASS_OVER_STEEL if inside[2] > 0.8 * inside[0] else 1.0 / BRASS_OVER_STEEL
    return to_codes(255.0 * to_display(linear * (1.0 + mask * (ratio - 1.0)).astype(np.float32)))


def scratch_erased(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    candidates = []
    for defect in truth.defects:
        if "scratch" not in defect.name:
            continue
        mask = whole(defect, truth.shape)
        erased = filled(photo, grown(mask, 1))
        change = (photo.astype(np.float32) - erased)[mask > 0].mean(axis=1)
        shown = np.sqrt((change**2).mean()) >= LEAST_SCRATCH_CODES
        if shown and np.sqrt((change**2).sum()) >= LEAST_SCRATCH_ENERGY:
            candidates.append(erased)
    return candidates[int(rng.integers(len(candidates)))] if candidates else None


def highlight_moved(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    """A bright highlight moved over its part by its own width, at least 6 px, to where it is darker."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    order = rng.permutation(len(truth.highlights))
    for number in order:
        region = truth.highlights[int(number)]
        mask = whole(region, truth.shape)
        inside = grey[mask > 0].mean()
        ring = (grown(mask, 4) > 0) & (grown(mask, 1) == 0) & (truth.instance == region.instance_id)
        if region.area < LEAST_HIGHLIGHT_PX or not ring.any() or inside - grey[ring].mean() < LEAST_HIGHLIGHT_CODES:
            continue
        step = max(6.0, float(min(region.mask.shape)))
        for angle in rng.permutation(8) * np.pi / 4.0:
            dx, dy = np.rint(step * np.cos(angle)), np.rint(step * np.sin(angle))
            matrix = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
            there = cv2.warpAffine(mask, matrix, (mask.shape[1], mask.shape[0]), flags=cv2.INTER_NEAREST) > 0
            on_part = truth.instance[there] == region.instance_id
            apart = (there & (mask > 0)).sum() <= 0.3 * region.area
            if not (apart and there.sum() == region.area and on_part.mean() > 0.9):
                continue
            if inside - grey[there & (mask == 0)].mean() >= LEAST_HIGHLIGHT_CODES:
                return moved_by(photo, grown(mask, 1), matrix)
    return None


PLANTED: dict[str, Plant] = {
    "part shifted 3 px": part_shifted,
    "part scaled 2 %": part_scaled,
    "part erased": part_erased,
    "part invented": part_invented,
    "edge bent": edge_bent,
    "metal recoloured": metal_recoloured,
    "scratch erased": scratch_erased,
    "highlight moved": highlight_moved,
}
