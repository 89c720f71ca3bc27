"""Light mix: what the scene looks like when each light group has its own brightness and colour temperature.

Light adds, so one render serves many mixes. Covers: colour of a correlated colour temperature, gains of the groups,
their sum. Does not cover: spectra (`spectra`), how lamps vary over time (`flicker`), exposure and sensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.spectra import daylight, rec709_of, spectrum_of
from pipeline.errors import InputError
from pipeline.spec.photo_state import Spectrum
from pipeline.spec.scene import RENDERED_CCT_K, PhotoSpec
from pipeline.view_light import REC709_LUMINANCE, luminance

_ROWS_AT_ONCE: Final = 32
"""Rows mixed before the next ones: few enough to stay in a core's cache (a third of the time of whole images)."""
_LEAST_CHANNEL: Final = 0.02
"""Lamps below 1900 K lie outside Rec.709; their blue is held here, relative to the luminance."""


@cache
def cct_rgb(kelvin: float, spectrum: Spectrum = "white") -> tuple[float, float, float]:
    """Linear Rec.709 colour of light of *kelvin*, relative to D65: luminance 1, (1, 1, 1) for daylight of 6504 K.

    The colour is that of a spectrum of this kind, integrated with the CIE 1931 observer. Raises InputError outside
    CCT_RANGE_K.
    """
    relative = rec709_of(spectrum_of(spectrum, kelvin)) / rec709_of(daylight(RENDERED_CCT_K))
    relative = np.maximum(relative / (relative @ REC709_LUMINANCE), _LEAST_CHANNEL)
    red, green, blue = (float(v) for v in relative / (relative @ REC709_LUMINANCE))
    return red, green, blue


def group_gains(photo: PhotoSpec, groups: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
    """Mean gain (3,) of each light group in *photo*: brightness times colour, for linear Rec.709.

    A group without a colour temperature keeps its rendered colour. This is what a meter sees;
    `flicker.gains_during` says what an exposure gathers. Raises InputError when the photo names a group that the view
    has not.
    """
    unknown = sorted((photo.light_weights.keys() | photo.light_cct_k.keys() | photo.drives.keys()) - set(groups))
    if unknown:
        raise InputError(
            f"photo {photo.photo_index} of view {photo.view_index}: expected light groups out of "
            f"{', '.join(groups)}; found {', '.join(unknown)}; name only groups of the rig and the surroundings"
        )
    return {group: np.float32(photo.light_weights.get(group, 1.0)) * _colour(photo, group) for group in groups}


def _colour(photo: PhotoSpec, group: str) -> NDArray[np.float32]:
    """Colour (3,) of a group's lamps, of luminance 1."""
    if group not in photo.light_cct_k:
        return np.ones(3, dtype=np.float32)
    spectrum: Spectrum = photo.drives[group].spectrum if group in photo.drives else "white"
    return np.array(cct_rgb(photo.light_cct_k[group], spectrum), dtype=np.float32)


def mix(
    groups: Mapping[str, NDArray[np.float32]],
    gains: Mapping[str, NDArray[np.float32]],
    rows: NDArray[np.intp] | None = None,
) -> NDArray[np.float32]:
    """Radiance (h, w, 3) float32 of all *groups* together, each multiplied by its gain: (3,), or (n, 3) for each of a
    photo's n rows. *rows* (h, w): the photo's row that each pixel falls on; None = its own."""
    height, width = next(iter(groups.values())).shape[:2]
    total = np.zeros((height, 3 * width), dtype=np.float32)
    weighted = np.empty((_ROWS_AT_ONCE, 3 * width), dtype=np.float32)
    # Whole rows at once: over a last axis of three values numpy is several times slower.
    by_row = {group: _by_row(gains[group], rows, width) for group in groups}
    for top in range(0, height, _ROWS_AT_ONCE):
        band = slice(top, min(top + _ROWS_AT_ONCE, height))
        for group, radiance in groups.items():
            gain = by_row[group] if by_row[group].ndim == 1 else by_row[group][band]
            of_group = radiance[band].reshape(band.stop - top, -1)
            total[band] += np.multiply(of_group, gain, out=weighted[: band.stop - top])
    return total.reshape(height, width, 3)


def _by_row(gain: NDArray[np.float32], rows: NDArray[np.intp] | None, width: int) -> NDArray[np.float32]:
    """A gain for rows of interleaved channels: (3 width,) for all, or (h, 3 width)."""
    if gain.ndim == 1:
        return np.tile(gain, width)
    return np.tile(gain, (1, width)) if rows is None else gain[rows].reshape(len(rows), -1)


def mixed_cct(
    means: Mapping[str, NDArray[np.float32]],
    gains: Mapping[str, NDArray[np.float32]],
    light_cct_k: Mapping[str, float],
) -> float:
    """Colour temperature (kelvin) of the light in a photo: the mean reciprocal temperature of its groups, weighted by
    the luminance each gives to the picture. *means* holds the mean radiance (3,) of each group, *gains* its mean gain
    (3,). 6504 K in the dark."""
    weights = [float(luminance(mean * gains[group])) for group, mean in means.items()]
    if sum(weights) <= 0.0:
        return RENDERED_CCT_K
    mired = [1e6 / light_cct_k.get(group, RENDERED_CCT_K) for group in means]
    return 1e6 / (sum(w * m for w, m in zip(weights, mired, strict=True)) / sum(weights))
