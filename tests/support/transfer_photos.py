"""Photos, prompts and seeds for the tests of transfer."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.transfer.settings import TransferSettings

PROMPTS = ("photo of a steel flange", "photo of brass", "photo of a steel flange", "machined aluminium, workshop")
SEEDS = (11, 12, 2**62, 14)
QUICK = TransferSettings(unet_calls=2, strength=0.3)


def photos(count=4, height=64, width=72):
    rng = np.random.default_rng(7)
    return np.stack(
        [cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), 2) for _ in range(count)]
    )
