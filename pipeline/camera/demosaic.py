"""Demosaicking of RGGB data: bilinear, edge-aware, or the linear 5x5 filters of Malvar, He and Cutler.

Does not cover: white balance (done before, so that the colour differences which the filters use are small).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.spec.processing import Demosaic

PEDESTAL: Final = 4000.0
SPAN: Final = 60000.0
"""16-bit codes of OpenCV's demosaicking: black lies at PEDESTAL, so that noise may go below; 1 at their sum."""

# OpenCV names a Bayer pattern after its pixel (1, 1): RGGB data is "BG" there.
_OPENCV: Final[dict[str, int]] = {"bilinear": cv2.COLOR_BayerBG2RGB, "edge_aware": cv2.COLOR_BayerBG2RGB_EA}

# Malvar, He, Cutler: "High-quality linear interpolation for demosaicing of Bayer-patterned color images", ICASSP 2004,
# figure 2; eighths.
_GREEN: Final = (
    np.array(
        [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]], dtype=np.float32
    )
    / 8
)
"""Green at red and blue pixels."""
_ALONG_ROW: Final = (
    np.array(
        [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]],
        dtype=np.float32,
    )
    / 8
)
"""Red (blue) at green pixels whose neighbours in the row are red (blue); transposed for neighbours in the column."""
_OPPOSITE: Final = (
    np.array(
        [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]],
        dtype=np.float32,
    )
    / 8
)
"""Red at blue pixels, blue at red ones."""


def demosaic(mosaic: NDArray[np.float32], method: Demosaic) -> NDArray[np.float32]:
    """(h, w, 3) RGB out of a white-balanced RGGB *mosaic* (h, w) with 1 as its largest value.

    "edge_aware" interpolates green along the weaker gradient (OpenCV's EA).
    """
    if method == "malvar":
        return _malvar(mosaic)
    codes = np.clip(mosaic * np.float32(SPAN) + np.float32(PEDESTAL + 0.5), 0, 65535).astype(np.uint16)
    rgb = cv2.cvtColor(codes, _OPENCV[method])
    result: NDArray[np.float32] = (rgb.astype(np.float32) - np.float32(PEDESTAL)) * np.float32(1.0 / SPAN)
    return result


def _malvar(mosaic: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour differences of a channel follow those of the pixel's own channel: linear, gradient-corrected."""
    rgb = np.empty((*mosaic.shape, 3), dtype=np.float32)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    along_row, along_column, opposite = (
        cv2.filter2D(mosaic, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
        for kernel in (_ALONG_ROW, _ALONG_ROW.T.copy(), _OPPOSITE)
    )
    green[...] = cv2.filter2D(mosaic, -1, _GREEN, borderType=cv2.BORDER_REFLECT_101)
    green[0::2, 1::2], green[1::2, 0::2] = mosaic[0::2, 1::2], mosaic[1::2, 0::2]
    for colour, row, column in ((red, 0, 0), (blue, 1, 1)):
        colour[row::2, column::2] = mosaic[row::2, column::2]
        colour[row::2, 1 - column :: 2] = along_row[row::2, 1 - column :: 2]
        colour[1 - row :: 2, column::2] = along_column[1 - row :: 2, column::2]
        colour[1 - row :: 2, 1 - column :: 2] = opposite[1 - row :: 2, 1 - column :: 2]
    return rgb
