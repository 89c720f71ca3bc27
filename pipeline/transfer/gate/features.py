"""What several scores need of a photo, computed once: grey levels, colour at a quarter of the size.

Covers: the features. Does not cover: what a change did to the tone of the whole photo (`tone`), scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.truth import CLIPPED_CODE, GateTruth

Photo = NDArray[np.uint8]
Floats = NDArray[np.float32]

COARSE: Final = 4
"""Side in pixels of a cell of the coarse colour image: half a cell of the autoencoder's latent image."""
_EDGE_SIGMA_PX: Final = 1.0
_SOFT_SIGMA_PX: Final = 1.5
_DARK_CODE: Final = 6
"""A pixel whose brightest channel is below this has no colour to speak of."""
_REFERENCE_LIGHTNESS: Final = 50.0
"""CIE L* that chroma is given at."""


@dataclass(frozen=True, eq=False)
class Features:
    """Of one photo."""

    grey8: Photo
    """(h, w) uint8 BT.601 luma."""
    brightest: Photo
    """(h, w) uint8, the brightest channel: what clips."""
    grey: Floats
    """(h, w) float32 luma, codes, smoothed with a Gaussian of 1 px."""
    soft: Floats
    """(h, w) float32 luma, codes, smoothed with a Gaussian of 1.5 px."""
    coarse: Floats
    """(h / 4, w / 4, 3) float32: CIE L*, and a*, b* at L* = 50 (see `coarse_colour`)."""
    coloured: NDArray[np.bool_]
    """(h / 4, w / 4) cells in which enough pixels are neither clipped nor black."""


def features_of(photo: Photo) -> Features:
    """Features of *photo* (h, w, 3) uint8 sRGB. Raises ValueError for anything else."""
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ValueError(f"expected a photo (h, w, 3) uint8, found {photo.shape} {photo.dtype}")
    grey8 = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    grey = cv2.GaussianBlur(grey8.astype(np.float32), (0, 0), _EDGE_SIGMA_PX)
    soft = cv2.GaussianBlur(grey, (0, 0), np.sqrt(_SOFT_SIGMA_PX**2 - _EDGE_SIGMA_PX**2))
    brightest = np.maximum(np.maximum(photo[..., 0], photo[..., 1]), photo[..., 2])
    coarse, coloured = coarse_colour(photo, brightest)
    return Features(np.asarray(grey8), brightest, np.asarray(grey), np.asarray(soft), coarse, coloured)


def coarse_size(shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the coarse image of a photo of *shape* (h, w)."""
    return max(1, shape[0] // COARSE), max(1, shape[1] // COARSE)


def cells(layer: NDArray[np.bool_]) -> Floats:
    """Share of each coarse cell (h / 4, w / 4) that a mask (h, w) fills."""
    rows, columns = coarse_size((layer.shape[0], layer.shape[1]))
    return np.asarray(cv2.resize(layer.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def coarse_colour(photo: Photo, brightest: Photo) -> tuple[Floats, NDArray[np.bool_]]:
    """Colour by cells of 4 x 4 pixels, and where it counts; *brightest* (h, w) is the photo's brightest channel.

    Clipped and black pixels carry no colour and are left out of the mean, except in cells that have hardly others.
    Chroma is scaled to the lightness 50: a* and b* times (50 + 16) / (L* + 16). In CIE 1976 L*a*b* all three of
    L* + 16, a* and b* grow with the cube root of the light, so this does not change with exposure.
    """
    rows, columns = coarse_size((photo.shape[0], photo.shape[1]))
    counts = ((brightest < CLIPPED_CODE) & (brightest >= _DARK_CODE)).astype(np.float32)
    share = cv2.resize(counts, (columns, rows), interpolation=cv2.INTER_AREA)
    light = cv2.resize(photo.astype(np.float32) * counts[..., None], (columns, rows), interpolation=cv2.INTER_AREA)
    every = cv2.resize(photo.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    coloured = share > 0.5
    mean = np.where(coloured[..., None], light / np.maximum(share, 1e-3)[..., None], every)
    lab = cv2.cvtColor(mean / np.float32(255.0), cv2.COLOR_RGB2LAB)
    lightness = cv2.cvtColor(every / 255.0, cv2.COLOR_RGB2LAB)[..., 0]
    chroma = lab[..., 1:] * ((_REFERENCE_LIGHTNESS + 16.0) / (lab[..., :1] + 16.0))
    return np.dstack([lightness, chroma]).astype(np.float32), np.asarray(coloured)


def part_cells(truth: GateTruth, instance_id: int) -> NDArray[np.bool_]:
    """(h / 4, w / 4) cells that lie wholly on a part: others mix its colour with what lies beside it."""
    return np.asarray(cells(np.asarray(truth.instance == instance_id)) > 0.99)
