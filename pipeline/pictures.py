"""Photos as files.

Covers: reading 8-bit sRGB. Does not cover: layers of light bundles (`bundle`), writing photos (`camera`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DamageFound


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 RGB, sRGB. Raises DamageFound when the file cannot be read."""
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if pixels is None:
        raise DamageFound(f"{path}: expected an image, found none that can be read")
    return np.ascontiguousarray(pixels[..., ::-1], dtype=np.uint8)
