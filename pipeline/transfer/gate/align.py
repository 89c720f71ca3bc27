"""Has a part moved or changed its size? Its pixels aligned with those of the camera photo, outline and inside together.

Covers: shift and scale of each part by Gauss-Newton on grey levels. Does not cover: bends and lost edges (`edges`),
motion that is not one shift, turn and scale (`flow`). Source of the method: Baker and Matthews, "Lucas-Kanade 20 Years
On: A Unifying Framework" (2004), inverse compositional, with gain and offset as further unknowns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.truth import Region

Images = NDArray[np.float32]
Floats = NDArray[np.float64]

_MARGIN_PX: Final = 3
"""Pixels around the part that take part: the outline has two sides."""
_MOST_PIXELS: Final = 6000
"""Of larger parts every second, third ... row and column is used."""
_ROUNDS: Final = 5
_TRUSTED_CODES: Final = 8.0
"""Differences beyond this lose weight (Huber): new texture is not motion."""
_CORRELATED_PX: Final = 28.0
"""Area over which noise is alike after smoothing with 1.5 px: 4 pi 1.5^2."""
_ERRORS: Final = 1.5
"""Standard errors that are taken off."""
_BRIGHTEST_CODE: Final = 240.0
"""From here on smoothed grey is partly clipped, which looks like motion: no weight."""
_LEAST_PIXELS: Final = 60
_FARTHEST_PX: Final = 12.0
"""A fit that runs farther than this has lost the part."""


@dataclass(frozen=True)
class Alignment:
    """How one part's pixels have to move to match."""

    shift_px: float
    """At the part's middle, pixels."""
    scale: float
    """Absolute change of size, share."""


def slopes(grey: Images) -> tuple[Images, Images]:
    """(h, w) slopes of *grey* along x and y, codes per pixel."""
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1)))
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def part_alignment(before: Images, slope: tuple[Images, Images], after: Images, part: Region) -> Alignment | None:
    """Shift and scale of *part*, less 1.5 times their standard errors; None where the part is too small.

    *before*: (h, w) smoothed grey of the camera photo after the tone curve, *slope* its `slopes`; *after*: that of the
    changed photo.
    """
    window = part.window(_MARGIN_PX, (before.shape[0], before.shape[1]))
    side = 2 * _MARGIN_PX + 1
    inside = cv2.dilate(part.within(window).astype(np.uint8), np.ones((side, side), np.uint8))
    stride = max(1, int(np.ceil(np.sqrt(np.count_nonzero(inside) / _MOST_PIXELS))))
    rows, columns = np.nonzero(inside[::stride, ::stride])
    if rows.size < _LEAST_PIXELS:
        return None
    y, x = rows * stride + window[0].start, columns * stride + window[1].start
    arm = np.stack([x - x.mean(), y - y.mean()], axis=1)
    radius = max(1.0, float(np.sqrt((arm**2).sum(axis=1).mean())))
    gx, gy = (image[y, x].astype(np.float64) for image in slope)
    level = before[y, x].astype(np.float64)
    changes = np.column_stack(
        [gx, gy, (gx * arm[:, 0] + gy * arm[:, 1]) / radius, (gy * arm[:, 0] - gx * arm[:, 1]) / radius]
    )
    columns_of = np.column_stack([changes, level - level.mean(), np.ones_like(level)])
    place, error = _solve(columns_of, level, after, (x, y), arm / radius, stride)
    place = np.sign(place) * np.maximum(np.abs(place) - _ERRORS * error, 0.0)
    return Alignment(float(np.hypot(place[0], place[1])), float(abs(place[2]) / radius))


def _solve(
    columns: Floats,
    level: Floats,
    after: Images,
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
    arm: Floats,
    stride: int,
) -> tuple[Floats, Floats]:
    """Motion (4,): shift x, y, scale and turn times the radius, pixels; and its standard error (4,).

    Zero with infinite error where the fit runs away.
    """
    place = np.zeros(4)
    square, weight, rest = np.eye(6), np.ones_like(level), np.zeros_like(level)
    for _ in range(_ROUNDS):
        x = at[0] + place[0] + place[2] * arm[:, 0] - place[3] * arm[:, 1]
        y = at[1] + place[1] + place[2] * arm[:, 1] + place[3] * arm[:, 0]
        where = (x.astype(np.float32)[:, None], y.astype(np.float32)[:, None])
        seen = cv2.remap(after, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        difference = seen[:, 0].astype(np.float64) - level
        weighted = columns * weight[:, None]
        # einsum and OpenCV, not BLAS: that adds up in an order that depends on its threads, and wakes them for six rows
        square = np.einsum("ni,nj->ij", weighted, columns) + 1e-3 * np.eye(6) * len(level)
        side = np.einsum("ni,n->i", weighted, difference)[:, None]
        answer = cv2.solve(square, side, flags=cv2.DECOMP_CHOLESKY)[1][:, 0]
        rest = difference - np.einsum("ni,i->n", columns, answer)
        weight = np.minimum(1.0, _TRUSTED_CODES / np.maximum(np.abs(rest - np.median(rest)), 1e-6))
        weight = np.where(np.maximum(level, seen[:, 0]) < _BRIGHTEST_CODE, weight, 1e-3)
        place = place - answer[:4]
        if np.abs(place).max() > _FARTHEST_PX:
            return np.zeros(4), np.full(4, np.inf)
    variance = float(np.average(rest**2, weights=weight))
    together = max(1.0, _CORRELATED_PX / stride**2)
    return place, np.sqrt(np.diag(cv2.invert(square, flags=cv2.DECOMP_CHOLESKY)[1])[:4] * variance * together)
