"""Sliced Wasserstein distance of small neighbourhoods in a Laplacian pyramid.

Source: Karras, Aila, Laine, Lehtinen, "Progressive Growing of GANs" (2018), section 5: neighbourhoods of 7 x 7 pixels
and three channels from each level of the pyramid, projected on random directions. Here both sets are normalised by the
mean and standard deviation of the first, so that a difference of contrast or tint counts too.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS: Final = 3
SIDE: Final = 7
PER_PATCH: Final = 4
"""Neighbourhoods of each patch and level."""
DIRECTIONS: Final = 128


def neighbourhoods(patches: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Of *patches* (n, s, s, 3) uint8: (3, n, 4, 147) float32, intensities 0..1, finest level first."""
    gathered: list[list[NDArray[np.float32]]] = [[] for _ in range(LEVELS)]
    for patch in patches:
        for level, image in enumerate(laplacian(patch.astype(np.float32) / 255.0)):
            places = rng.integers(0, image.shape[0] - SIDE + 1, (PER_PATCH, 2))
            pieces = [image[y : y + SIDE, x : x + SIDE].ravel() for y, x in places.tolist()]
            gathered[level].append(np.stack(pieces))
    return np.stack([np.stack(level) for level in gathered])


def laplacian(image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The pyramid of *image* (h, w, 3): differences of two levels, and the coarsest level itself."""
    levels = []
    for _ in range(LEVELS - 1):
        small = cv2.pyrDown(image)
        up = cv2.pyrUp(small, dstsize=(image.shape[1], image.shape[0]))
        levels.append(np.asarray(image - up, dtype=np.float32))
        image = small
    return [*levels, np.asarray(image, dtype=np.float32)]


def directions(size: int, seed: int) -> Floats:
    """(size, 128) random unit vectors."""
    drawn = np.random.default_rng([seed, 3]).standard_normal((size, DIRECTIONS))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=0))


def sliced_wasserstein(first: NDArray[np.float32], second: NDArray[np.float32], along: Floats) -> float:
    """Mean over levels and directions of the Wasserstein-1 distance of the projections.

    *first*, *second*: (levels, n, d) with the same n; *along*: (d, k). In standard deviations of the first set.
    """
    if first.shape != second.shape:
        raise ValueError(f"expected two sets of one shape, found {first.shape} and {second.shape}")
    total = 0.0
    for reference, other in zip(first, second, strict=True):
        middle, spread = _by_channel(reference)
        projected = [np.sort(((values - middle) / spread) @ along, axis=0) for values in (reference, other)]
        total += float(np.abs(projected[0] - projected[1]).mean())
    return total / len(first)


def _by_channel(values: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each of the three channels, one for each column of *values* (n, 49 * 3)."""
    channels = values.reshape(-1, 3).astype(np.float64)
    middle, spread = channels.mean(axis=0), np.maximum(channels.std(axis=0), 1e-6)
    count = values.shape[1] // 3
    return np.tile(middle, count), np.tile(spread, count)
