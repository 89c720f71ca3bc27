"""Density of scattered photons over an image: flux per area with as narrow a kernel as the photons allow.

Variable-bandwidth kernel estimation (Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 5.3)
in place of the k nearest photons of Jensen (Global Illumination using Photon Maps, 1996). Does not cover: which photons
and pixels belong together (`gather`).
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

WIDTHS_PX: Final = (1.0, 2.0, 4.0, 8.0)
"""Standard deviations of the Gaussian kernels, pixels."""
TOLERATED: Final = (0.1, 0.1, 0.15)
"""A kernel is taken when its relative standard error is at most this, and in part up to twice this; where none is, the
widest is."""
MARGIN_PX: Final = round(2 * WIDTHS_PX[-1])
"""Beyond this distance from every photon there is no estimate."""
_CUT: Final = 3.0
"""Kernels end at so many standard deviations."""
_UNKNOWN: Final = np.float32(10.0)
"""Relative error where there are no photons."""
_LABEL_WIDTHS_PX: Final = (3.0, 16.0)
_LABEL_STEP: Final = 2
_LABEL_WEIGHTS: Final = (1.0, 1e-3)
"""Kernels by which the leading label of a pixel is found; the wide one decides where the narrow one finds nothing."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """(h, w) pixels."""

    irradiance: Floats
    """(h, w, 3) flux per area."""
    error: Floats
    """(h, w) standard error of its luminance."""


class Density:
    """Estimates over one image of *area* (h, w): square metres per pixel, 0 = another surface."""

    def __init__(self, area: Floats) -> None:
        self._area = area
        self._levels = []
        for width in WIDTHS_PX:
            # From four pixels on a Gaussian is as good on squares of pixels half its width wide.
            step = max(1, 2 ** math.floor(math.log2(width / 2.0)))
            weight = _blurred(_binned(area[..., None], step)[..., 0], width / step)
            self._levels.append((step, width / step, weight))

    def estimate(self, place: NDArray[np.int64], flux: Floats) -> Estimate:
        """Irradiance from photons at the pixels *place* (n,), row by row, of *flux* (n, 3)."""
        shape = self._area.shape
        counts = _images(place, flux, shape)
        irradiance, error = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
        left = (self._area > 0.0).astype(np.float32)
        for number, (step, width, weight) in enumerate(self._levels):
            binned = _binned(counts, step)
            relative = _spread(_relative_error(binned, width), step, shape)
            share = left
            if number < len(TOLERATED):
                share = left * np.clip(np.float32(2.0) - relative / np.float32(TOLERATED[number]), 0.0, 1.0)
            rows, columns = (np.flatnonzero((share > 0.0).any(axis=axis)) for axis in (1, 0))
            if not rows.size:
                continue
            box = _box(rows, step), _box(columns, step)
            values = _spread(_density(binned, weight, width, box, step), step, shape, box)
            part = share[box][: values.shape[0], : values.shape[1]]
            irradiance[box] += values * part[..., None]
            error[box] += relative[box] * (values @ REC709_LUMINANCE) * part
            left = left - share
        return Estimate(irradiance, error)


def _images(place: NDArray[np.int64], flux: Floats, shape: tuple[int, ...]) -> Floats:
    """(h, w, 5): sums of flux in R, G, B, of its luminance and of the square of that."""
    size = shape[0] * shape[1]
    brightness = flux @ REC709_LUMINANCE
    weights = [*flux.T, brightness, brightness**2]
    images = [np.bincount(place, weights=weight, minlength=size).astype(np.float32) for weight in weights]
    return np.stack(images, axis=-1).reshape(*shape[:2], 5)


def _binned(image: Floats, step: int) -> Floats:
    """Sums over squares of *step* pixels; the last ones are cut off by the border."""
    if step == 1:
        return image
    height, width = (-(-side // step) * step for side in image.shape[:2])
    padded = np.zeros((height, width, image.shape[2]), dtype=np.float32)
    padded[: image.shape[0], : image.shape[1]] = image
    size = (width // step, height // step)
    result = cv2.resize(padded, size, interpolation=cv2.INTER_AREA) * np.float32(step * step)
    return np.asarray(result, dtype=np.float32).reshape(size[1], size[0], image.shape[2])


def _relative_error(counts: Floats, width: float) -> Floats:
    """Relative standard error (h, w) of the luminance that a Gaussian *width* pixels wide gives."""
    brightness = _blurred(counts[..., 3], width)
    # The square of a Gaussian is a Gaussian, narrower by sqrt(2); it ends where the other one ends.
    squares = _blurred(counts[..., 4], width, narrower=math.sqrt(2.0)) / (4.0 * math.pi * width**2)
    lit = brightness > 0.0
    relative = np.sqrt(np.maximum(squares, 0.0)) / np.where(lit, brightness, np.float32(1.0))
    return np.where(lit, np.minimum(relative, _UNKNOWN), _UNKNOWN).astype(np.float32)


def _box(places: NDArray[np.int64], step: int) -> slice:
    """From the first to the last of *places*, on whole squares of *step* pixels and one beyond."""
    return slice(max(0, int(places[0]) // step - 1) * step, (int(places[-1]) // step + 2) * step)


def _density(counts: Floats, weight: Floats, width: float, box: tuple[slice, slice], step: int) -> Floats:
    """Irradiance (h, w, 3) within *box* of the pixels, in squares of *step*, with a Gaussian *width* squares wide."""
    reach = math.ceil(_CUT * width)
    inner = tuple(slice(side.start // step, side.stop // step) for side in box)
    outer = tuple(slice(max(0, side.start - reach), side.stop + reach) for side in inner)
    flux = _blurred(counts[outer][..., :3], width)
    cut = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(inner, outer, strict=True))
    under = weight[inner]
    values = flux[cut] / np.where(under > 0.0, under, np.float32(1.0))[..., None]
    return np.where(under[..., None] > 0.0, values, np.float32(0.0))


def _spread(image: Floats, step: int, shape: tuple[int, ...], box: tuple[slice, slice] | None = None) -> Floats:
    """*image* of squares of *step* pixels as one of pixels, linear between their middles, cut to *shape*."""
    top, left = (0, 0) if box is None else (box[0].start, box[1].start)
    wide = image
    if step > 1:
        size = (image.shape[1] * step, image.shape[0] * step)
        wide = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    return wide[: shape[0] - top, : shape[1] - left]


def _blurred(image: Floats, width: float, narrower: float = 1.0) -> Floats:
    image = np.ascontiguousarray(image)
    size = 2 * math.ceil(_CUT * width) + 1
    blurred = cv2.GaussianBlur(image, (size, size), width / narrower, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, dtype=np.float32)


def leader(
    place: NDArray[np.int64], weight: Floats, labels: NDArray[np.uint16], mask: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """The label (h, w) with most *weight* around each pixel of *mask* (h, w); 0 outside, and where there is none.

    *place*, *weight*, *labels* (n,): photons. Of equal labels the smaller one leads. Decided for squares of 2 x 2.
    """
    height, width = (-(-side // _LABEL_STEP) for side in mask.shape)
    leading = np.zeros((height, width), dtype=np.uint16)
    best = np.zeros((height, width), dtype=np.float32)
    rows, columns = (values // _LABEL_STEP for values in divmod(place, mask.shape[1]))
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        row, column = rows[mine], columns[mine]
        top, left = (max(0, int(values.min()) - MARGIN_PX) for values in (row, column))
        bottom, right = (int(values.max()) + 1 + MARGIN_PX for values in (row, column))
        so_far = best[top:bottom, left:right]
        in_box = (row - top) * so_far.shape[1] + column - left
        image = np.bincount(in_box, weights=weight[mine], minlength=so_far.size).astype(np.float32)
        score = np.zeros(so_far.shape, dtype=np.float32)
        for sigma, part in zip(_LABEL_WIDTHS_PX, _LABEL_WEIGHTS, strict=True):
            score += np.float32(part) * _label_blur(image.reshape(so_far.shape), sigma / _LABEL_STEP)
        ahead = score > so_far
        so_far[ahead] = score[ahead]
        leading[top:bottom, left:right][ahead] = label
    wide = leading.repeat(_LABEL_STEP, axis=0).repeat(_LABEL_STEP, axis=1)
    return np.where(mask, wide[: mask.shape[0], : mask.shape[1]], np.uint16(0))


def _label_blur(image: Floats, width: float) -> Floats:
    """Two passes of a box of about the Gaussian's width: as good for a comparison, at a cost that knows no width."""
    side = 2 * round(math.sqrt(1.5) * width) + 1
    for _ in range(2):
        image = np.asarray(cv2.blur(image, (side, side), borderType=cv2.BORDER_CONSTANT), dtype=np.float32)
    return image
