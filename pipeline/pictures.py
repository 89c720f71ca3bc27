"""Photos as files.

Covers: reading 8-bit sRGB, writing it as PNG. Does not cover: layers of light bundles (`bundle`), encoding photos
(`camera`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DamageFound, EnvironmentProblem


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 RGB, sRGB. Raises DamageFound when the file cannot be read."""
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if pixels is None:
        raise DamageFound(f"{path}: expected an image, found none that can be read")
    return np.ascontiguousarray(pixels[..., ::-1], dtype=np.uint8)


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write *pixels* (h, w, 3) uint8 RGB as PNG. Raises EnvironmentProblem when the file cannot be made."""
    import cv2

    if not cv2.imwrite(str(path), pixels[..., ::-1]):
        raise EnvironmentProblem(f"expected to write {path.name}, the file could not be made; look at the disk")
