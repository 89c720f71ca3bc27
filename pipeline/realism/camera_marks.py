"""What a camera leaves in a photo: slope of the power spectrum, noise against intensity, spread of edges.

Covers: one number, or one curve, of each photo. Does not cover: comparing sets (`score`).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8]
Floats = NDArray[np.float64]

SLOPE_BAND: Final = (0.02, 0.35)
"""Cycles per pixel that the slope is fitted over: below are too few waves, above are demosaicking and JPEG."""
_MOST_IN_RING: Final = 200
"""Values from which on a ring weighs no more."""
_LEAST_CONTRAST: Final = 0.5
"""Codes: below lies rounding."""
NOISE_LEVELS: Final = (32, 96, 160, 224)
"""Middles of the four ranges of grey, codes; each is 64 wide."""
_BLOCK_PX: Final = 8
_FLATTEST: Final = 0.2
"""Share of the blocks of a range that noise is read from: those with the weakest smooth gradient."""
_LEAST_BLOCKS: Final = 12
_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
"""Difference of two Laplacians: blind to planes and edges along rows and columns. Source: Immerkaer, "Fast Noise
Variance Estimation" (1996). White noise of standard deviation s comes out as 6 s."""
_PROFILE_PX: Final = 7.0
_PROFILE_STEP_PX: Final = 0.25
_TEN_TO_NINETY: Final = 2.563
"""Width from 10 % to 90 % of a Gaussian step, standard deviations."""
_SHARPEST: Final = 0.2
_MOST_EDGES: Final = 400
_LEAST_EDGES: Final = 10
_LEAST_STEP: Final = 25.0
"""Codes between the two sides of an edge."""


def grey_of(photo: Photo) -> NDArray[np.float32]:
    """(h, w) float32 BT.601 luma of (h, w, 3) uint8 RGB, codes."""
    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def spectrum_slope(photo: Photo) -> float:
    """Exponent a of the radial power spectrum 1 / f^a of a photo's luma. Natural photographs have about 2.

    Hann window over the largest centred square; mean power in 24 logarithmic rings, straight line through the
    logarithms, rings of few waves with less weight. NaN for a photo without contrast. Source: Field, "Relations
    between the statistics of natural images" (1987).
    """
    return slope_of(grey_of(photo))


def slope_of(grey: NDArray[np.float32]) -> float:
    """`spectrum_slope` of a (h, w) float32 image."""
    side = min(grey.shape)
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    square = grey[top : top + side, left : left + side].astype(np.float64)
    window = np.outer(np.hanning(side), np.hanning(side))
    if float(square.std()) < _LEAST_CONTRAST:
        return float("nan")
    mean = float((square * window).sum() / window.sum())
    power = np.abs(np.fft.rfft2((square - mean) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    borders = np.geomspace(*SLOPE_BAND, 25)
    ring = np.digitize(radius.ravel(), borders) - 1
    inside = (ring >= 0) & (ring < 24)
    count = np.bincount(ring[inside], minlength=24)
    total = np.bincount(ring[inside], weights=power.ravel()[inside], minlength=24)
    middle = np.bincount(ring[inside], weights=np.log(radius.ravel()[inside]), minlength=24)
    full = (count > 0) & (total > 0)
    if np.count_nonzero(full) < 3:
        return float("nan")
    weight = np.sqrt(np.minimum(count[full], _MOST_IN_RING))
    line = np.polyfit(middle[full] / count[full], np.log(total[full] / count[full]), 1, w=weight)
    return float(-line[0])


def noise_curve(photo: Photo) -> Floats:
    """(4,) standard deviation of fine noise in codes, in the quarters of the grey range, dark first.

    NaN where flat areas lack.

    Read from the flattest fifth of the blocks of 8 x 8 pixels of each range. Flat is judged on the photo smoothed by
    3 px, whose gradient fine noise hardly enters, so that choosing blocks does not choose their noise.
    """
    grey = grey_of(photo)
    noise = cv2.filter2D(grey, cv2.CV_32F, _KERNEL) / 6.0
    smooth = cv2.GaussianBlur(grey, (0, 0), 3.0)
    slope = cv2.magnitude(*(cv2.Sobel(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1))))
    level, variance, flatness = _blocks(smooth), _blocks(noise**2), _blocks(slope)
    curve = np.full(len(NOISE_LEVELS), np.nan)
    for number, middle in enumerate(NOISE_LEVELS):
        inside = np.flatnonzero(np.abs(level - middle) <= 32)
        if inside.size >= _LEAST_BLOCKS:
            order = inside[np.argsort(flatness[inside], kind="stable")]
            flattest = order[: max(_LEAST_BLOCKS, int(_FLATTEST * inside.size))]
            curve[number] = np.sqrt(variance[flattest].mean())
    return curve


def edge_spread(photo: Photo) -> float:
    """10 % to 90 % width of the sharpest fifth of a photo's edges, px; NaN where there are fewer than ten edges.

    Profiles across the places of steepest gradient, 7 px to either side. An edge counts when both ends are flat and
    differ by 25 codes, and the profile hardly turns back in between. The 20 % quantile is taken, because soft shading
    has edges too. A step blurred by a Gaussian of s has 2.563 s. What linear interpolation between pixels adds to the
    variance, 1/6 px^2 on average, is taken off.
    """
    grey = grey_of(photo)
    points, normals = _steepest(grey)
    if not len(points):
        return float("nan")
    offsets = np.arange(-_PROFILE_PX, _PROFILE_PX + 1e-9, _PROFILE_STEP_PX)
    x, y = ((points[:, axis, None] + normals[:, axis, None] * offsets).astype(np.float32) for axis in (0, 1))
    profiles = cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)
    widths = [width for width in map(_width, profiles) if width is not None]
    if len(widths) < _LEAST_EDGES:
        return float("nan")
    return float(np.sqrt(max(float(np.quantile(widths, _SHARPEST)) ** 2 - _TEN_TO_NINETY**2 / 6.0, 0.0)))


def _width(profile: Floats) -> float | None:
    """10 % to 90 % width in pixels of a rising *profile*; None where it is no lone edge."""
    ends = int(1.5 / _PROFILE_STEP_PX)
    low, high = float(profile[:ends].mean()), float(profile[-ends:].mean())
    step = high - low
    if step < _LEAST_STEP or max(np.ptp(profile[:ends]), np.ptp(profile[-ends:])) > 0.15 * step:
        return None
    share = (profile - low) / step
    if np.min(share) < -0.15 or np.max(share) > 1.15 or np.abs(np.diff(share)).sum() > 1.5:
        return None
    crossings = []
    for level in (0.1, 0.9):
        place = int(np.argmax(share >= level))
        before, after = share[place - 1], share[place]
        crossings.append(place - 1 + (level - before) / (after - before) if place and after > before else float(place))
    return float(crossings[1] - crossings[0]) * _PROFILE_STEP_PX


def _steepest(grey: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Places (n, 2) of locally steepest gradient, the steepest first, and the direction of rising grey."""
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
    gx, gy = (cv2.Sobel(soft, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1)))
    size = cv2.magnitude(gx, gy)
    border = int(np.ceil(_PROFILE_PX)) + 1
    top = (size >= cv2.dilate(size, np.ones((5, 5), np.uint8))) & (size > 2.0)
    top[:border] = top[-border:] = False
    top[:, :border] = top[:, -border:] = False
    rows, columns = np.nonzero(top)
    order = np.argsort(-size[rows, columns], kind="stable")[:_MOST_EDGES]
    rows, columns = rows[order], columns[order]
    normal = np.stack([gx[rows, columns], gy[rows, columns]], axis=1) / size[rows, columns][:, None]
    return np.stack([columns, rows], axis=1).astype(np.float64), normal.astype(np.float64)


def _blocks(values: NDArray[np.float32]) -> Floats:
    """(n,) means of the blocks of 8 x 8 pixels."""
    rows, columns = values.shape[0] // _BLOCK_PX, values.shape[1] // _BLOCK_PX
    cut = values[: rows * _BLOCK_PX, : columns * _BLOCK_PX].astype(np.float64)
    return np.asarray(cut.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).mean(axis=(1, 3)).ravel())
