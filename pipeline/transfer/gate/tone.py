"""What a change did to the tone of a whole photo: the curve that is taken out before levels are compared.

Covers: a curve from level to level, as steep as exposure, gamma and tone mapping make it and no flatter. Does not
cover: tint (`colour`). The bounds matter: a curve that may be flat explains a picture in which nothing is visible any
more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

Floats = NDArray[np.float32]

LEAST_SLOPE: Final = 0.65
MOST_SLOPE: Final = 2.0
"""Of a tone curve. Half a stop more or less makes 0.7 to 1.4 of a level in sRGB; at half the contrast a photo looks
washed out, and defects and highlights with it."""
_BINS: Final = 32
_LEAST_IN_BIN: Final = 24
_AT_ENDS: Final = 2.0 / 255.0
"""Share of the extent: a level that became as bright or as dark as that is clipped and says nothing of the curve."""
_LEADS_THERE: Final = 0.06
"""Share of the extent by which the curve of the other levels may miss an end: 15 codes."""
_STIFFNESS: Final = 0.005
"""Weight of slope 1 against the levels, where those say nothing."""


@dataclass(frozen=True, eq=False)
class Tone:
    """A tone curve: levels and what became of them; linear between, with slope 1 beyond."""

    levels: Floats
    became: Floats
    extent: tuple[float, float]
    """Nothing is darker or brighter than that."""

    def of(self, x: Floats) -> Floats:
        """What becomes of levels *x*, any shape."""
        if not self.levels.size:
            return x
        beyond = np.minimum(x - self.levels[0], 0.0) + np.maximum(x - self.levels[-1], 0.0)
        became = np.interp(x, self.levels, self.became) + beyond
        return np.asarray(np.clip(became, *self.extent), dtype=np.float32)


def tone_of(before: Floats, after: Floats, extent: tuple[float, float]) -> Tone:
    """The tone curve between levels *before* and *after* (n,) within *extent*.

    Medians in 32 bins of *before*, weighted by the square root of their pixels, approached by least squares with a
    slope of LEAST_SLOPE to MOST_SLOPE everywhere. Of levels that became black or white only the first counts, and only
    where the others lead there: a part that was painted white is no overexposure. Black that stayed black
    always counts; white may also have been brighter than white.
    """
    x, y, weight = _medians(before, after, extent)
    size = extent[1] - extent[0]
    dark, bright = y <= extent[0] + _AT_ENDS * size, y >= extent[1] - _AT_ENDS * size
    inner = (~dark | (x <= extent[0] + _AT_ENDS * size)) & ~bright
    tone = _fitted(x[inner], y[inner], weight[inner], extent)
    ends = [*np.flatnonzero(dark)[-1:], *np.flatnonzero(bright)[:1]]
    fitting = [end for end in ends if abs(float(tone.of(x[end])) - y[end]) <= _LEADS_THERE * size]
    if not fitting:
        return tone
    inner[fitting] = True
    return _fitted(x[inner], y[inner], weight[inner], extent)


def _fitted(x: Floats, y: Floats, weight: Floats, extent: tuple[float, float]) -> Tone:
    """The curve through levels *x* (n,), ascending, as near to *y* as the slopes allow."""
    if x.size < 2:
        return Tone(x, y, extent)
    steps = np.diff(x)
    below = np.tril(np.ones((x.size, x.size - 1)), -1) * steps
    design = np.column_stack([np.ones(x.size), below]) * weight[:, None]
    stiff = np.column_stack([np.zeros(steps.size), np.diag(steps)]) * _STIFFNESS
    bounds = (np.r_[-np.inf, np.full(steps.size, LEAST_SLOPE)], np.r_[np.inf, np.full(steps.size, MOST_SLOPE)])
    found = lsq_linear(np.vstack([design, stiff]), np.r_[y * weight, _STIFFNESS * steps], bounds).x
    return Tone(x, (found[0] + below @ found[1:]).astype(np.float32), extent)


def _medians(x: Floats, y: Floats, extent: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    """Medians of *x* and *y* (n,) in each bin of x that holds enough values, and the bin's weight; ascending in x."""
    number = np.clip(((x - extent[0]) * (_BINS / (extent[1] - extent[0]))).astype(np.intp), 0, _BINS - 1)
    order = np.argsort(number, kind="stable")
    borders = np.searchsorted(number[order], np.arange(_BINS + 1))
    least = min(_LEAST_IN_BIN, max(1, x.size // 4))
    found = [
        (np.median(x[order[first:last]]), np.median(y[order[first:last]]), np.sqrt((last - first) / x.size))
        for first, last in pairwise(borders.tolist())
        if last - first >= least
    ]
    columns = np.array(found, dtype=np.float32).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]
