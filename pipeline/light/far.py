"""Far environments: pictures of what surrounds a scene at infinity, with a label for every texel.

Covers: the records, which way a texel lies, the irradiance that a picture gives, labels of directions. Does not cover:
how pictures are painted (`far_rooms`, `far_outdoors`) or read from a user's file (`environment_file`).

Pictures are equirectangular (h, 2 h), as Blender's environment texture has them: the top row looks up, the middle
column along +x, the column a quarter to its left along +y. Texel centres lie at +0.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import WorldLabel
from pipeline.light.photometry import LUMINANCE

FAR_SIZE: Final = (512, 1024)
"""Rows and columns of a painted environment: 0.35 degrees per texel."""


@dataclass(frozen=True, eq=False)
class FarPicture:
    """A painted environment: radiance and, texel by texel, what it is."""

    radiance: NDArray[np.float32]
    """(h, 2 h, 3) linear Rec.709, relative until it is calibrated; not negative."""
    labels: NDArray[np.uint16]
    """(h, 2 h): value of one of *names*."""
    names: tuple[WorldLabel, ...]


def texel_directions(rows: int) -> NDArray[np.float64]:
    """(rows, 2 rows, 3) unit directions of the texel centres of a picture that is not turned."""
    polar = (np.arange(rows) + 0.5) * math.pi / rows
    azimuth = math.pi - (np.arange(2 * rows) + 0.5) * math.pi / rows
    flat = np.sin(polar)[:, None]
    up = np.broadcast_to(np.cos(polar)[:, None], (rows, 2 * rows))
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), up], axis=-1)


def picture_irradiance(radiance: NDArray[np.float32]) -> float:
    """Luminance-weighted irradiance that an (h, 2 h, 3) picture gives a horizontal receiver that looks up.

    The integral of radiance x cos over the upper hemisphere: exact for texels of constant radiance.
    """
    rows = len(radiance)
    edges = np.minimum(np.linspace(0.0, math.pi, rows + 1), math.pi / 2)
    weight = np.diff(np.sin(edges) ** 2) * math.pi  # of a whole row: 2 pi times the integral of cos sin
    per_row = np.einsum("hwc,c->h", radiance, np.array(LUMINANCE), dtype=np.float64) / radiance.shape[1]
    return float(weight @ per_row)
