"""Edges of a picture: thin lines along which its colour changes fastest, at two scales, with their contrast in stops.

Canny's method (J. Canny, IEEE PAMI 8 (1986) 679): derivatives of Gaussians, maxima across the edge, hysteresis; on the
logarithm of all three colours at once (S. Di Zenzo, CVGIP 33 (1986) 116), because contrast is what an eye or a detector
sees. Covers: finding them. Does not cover: what causes them (`edges`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.layers import REC709_LUMINANCE

Floats = NDArray[np.float32]

SCALES_PX: Final = (1.0, 2.0)
"""Standard deviations of the Gaussians. A coarser edge counts where no finer one runs within EDGE_APART_PX."""
STRONG_STOPS: Final = 0.3
"""An edge has a pixel with at least this contrast (a factor of 1.23) ..."""
WEAK_STOPS: Final = 0.15
"""... and goes on from there while it has at least this."""
DARK_STOPS: Final = 5.0
"""What is so far below the 90th percentile of luminance is black: contrast fades out there."""
EDGE_APART_PX: Final = 3
NOISE_SIGMAS: Final = 5.0
"""In a picture that was not denoised an edge must also exceed its noise by so much."""
_MEAN: Final = np.full((1, 3), 1.0 / 3.0, dtype=np.float32)
_RAYLEIGH_MEDIAN: Final = 1.177
"""Median of the length of a 2-D Gaussian vector, in its standard deviations."""


@dataclass(frozen=True, eq=False)
class EdgePixels:
    """n edge pixels, those of the finer scale first, each scale row by row."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    normal: Floats
    """(n, 2) unit vector (x, y) across the edge; its sign means nothing."""
    stops: Floats
    """(n,) contrast: log2 of the ratio of both sides of a sharp step that would answer alike."""
    scale_px: Floats
    """(n,) the scale at which it was found."""
    width_px: Floats
    """(n,) standard deviation of the blur of the edge itself, from its answers at both scales; 0 = sharp."""


@dataclass(frozen=True, eq=False)
class _Answer:
    stops: Floats
    """(h, w) contrast across the strongest direction."""
    x: Floats
    """(h, w) that direction."""
    y: Floats


def find_edges(radiance: Floats, noisy: bool = False) -> EdgePixels:
    """The edges of linear Rec.709 *radiance* (h, w, 3). *noisy*: it holds single samples, not a denoised picture.

    A black picture has none.
    """
    response = log_response(radiance)
    if response is None:
        return _pixels([], [])
    answers = [_answer(response, scale) for scale in SCALES_PX]
    taken = np.zeros(radiance.shape[:2], dtype=np.uint8)
    near = np.ones((2 * EDGE_APART_PX + 1,) * 2, dtype=np.uint8)
    found = []
    for answer in answers:
        line = _thin(answer, _noise(answer) if noisy else 0.0) & (taken == 0)
        taken |= cv2.dilate(line.astype(np.uint8), near)
        found.append(np.nonzero(line))
    return _pixels(answers, found)


def log_response(radiance: Floats) -> Floats | None:
    """log2 (h, w, 3) of each colour over black; None for a black picture."""
    luminance = radiance @ REC709_LUMINANCE
    bright = float(np.percentile(luminance, 90)) or float(np.max(luminance))
    if bright <= 0.0:
        return None
    floor = np.float32(bright * 2.0**-DARK_STOPS)
    # OpenCV's logarithm is several times faster than numpy's.
    natural = np.asarray(cv2.log(np.maximum(radiance, np.float32(0)) + floor), dtype=np.float32)
    return np.asarray(natural / np.float32(math.log(2)), dtype=np.float32)


def _answer(response: Floats, scale: float) -> _Answer:
    reach = math.ceil(3.0 * scale)
    at = np.arange(-reach, reach + 1, dtype=np.float32)
    smooth = np.exp(-0.5 * (at / scale) ** 2)
    smooth /= smooth.sum()
    slope = at / scale**2 * smooth
    slope *= scale * math.sqrt(2.0 * math.pi)  # a sharp step of one stop answers with 1
    dx = cv2.sepFilter2D(response, cv2.CV_32F, slope, smooth, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.sepFilter2D(response, cv2.CV_32F, smooth, slope, borderType=cv2.BORDER_REPLICATE)
    xx, yy, xy = (cv2.transform(a * b, _MEAN) for a, b in ((dx, dx), (dy, dy), (dx, dy)))
    half, mean = (xx - yy) / 2, (xx + yy) / 2
    root = cv2.magnitude(half, xy)
    angle = cv2.phase(half, xy) / np.float32(2)
    x, y = cv2.polarToCart(np.ones_like(angle), angle)
    return _Answer(np.sqrt(np.maximum(mean + root, 0)), np.asarray(x), np.asarray(y))


def _noise(answer: _Answer) -> float:
    """Standard deviation of the answer to noise, taking half of the picture for free of edges."""
    return float(np.median(answer.stops)) / _RAYLEIGH_MEDIAN


def _thin(answer: _Answer, noise: float) -> NDArray[np.bool_]:
    """(h, w) maxima across the edge that hang together with a strong one."""
    height, width = answer.stops.shape
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    sides = [
        cv2.remap(
            answer.stops,
            columns + np.float32(sign) * answer.x,
            rows + np.float32(sign) * answer.y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for sign in (1, -1)
    ]
    weak, strong = (max(stops, NOISE_SIGMAS * noise) for stops in (WEAK_STOPS, STRONG_STOPS))
    line = (answer.stops > sides[0]) & (answer.stops >= sides[1]) & (answer.stops >= weak)
    count, label = cv2.connectedComponents(line.astype(np.uint8), connectivity=8)
    holds = np.zeros(count, dtype=bool)
    holds[label[line & (answer.stops >= strong)]] = True
    return np.asarray(line & holds[label], dtype=np.bool_)


def _pixels(answers: list[_Answer], found: list[tuple[NDArray[np.int64], ...]]) -> EdgePixels:
    if not found:
        none = np.zeros(0, dtype=np.int64)
        empty = np.zeros(0, dtype=np.float32)
        return EdgePixels(none, none, np.zeros((0, 2), dtype=np.float32), empty, empty, empty)
    fine = cv2.dilate(answers[0].stops, np.ones((3, 3), dtype=np.uint8))
    normals, stops, scales = [], [], []
    for answer, at, scale in zip(answers, found, SCALES_PX, strict=True):
        normals.append(np.stack([answer.x[at], answer.y[at]], axis=-1))
        stops.append(answer.stops[at])
        scales.append(np.full(at[0].size, scale, dtype=np.float32))
    rows, columns = (np.concatenate([at[axis] for at in found]) for axis in (0, 1))
    width = _width(fine[rows, columns], answers[1].stops[rows, columns])
    return EdgePixels(rows, columns, np.concatenate(normals), np.concatenate(stops), np.concatenate(scales), width)


def _width(fine: Floats, coarse: Floats) -> Floats:
    """Blur (n,) of an edge whose answers at both scales are *fine* and *coarse*.

    A step blurred by w answers with s / sqrt(s^2 + w^2) at scale s; the ratio of two answers gives w.
    """
    a, b = SCALES_PX[0] ** 2, SCALES_PX[1] ** 2
    sharp, soft = 1.0, a / b
    ratio2 = np.clip((fine / np.maximum(coarse, 1e-6)) ** 2, soft * 1.01, sharp)
    w2 = a * b * (1.0 - ratio2) / (b * ratio2 - a)
    return np.sqrt(w2).astype(np.float32)
