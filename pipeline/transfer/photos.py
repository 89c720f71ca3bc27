"""Photos with everything that belongs to each of them, cut into batches of one size.

Covers: shapes, counts, prompts and seeds at the border of the engine. Does not cover: computing.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.transfer.settings import TransferSettings

SEED_LIMIT = 2**63
SMALLEST_PX = 64


@dataclass(frozen=True, eq=False)
class Encoded:
    """What the VAE makes of n photos of one size. It is the same at every strength, and worth keeping for the next."""

    latents: NDArray[np.float32]
    """(n, 4, H/8, W/8): the mean of the posterior of the padded photos, as the UNet wants it."""
    round_trip: NDArray[np.float32]
    """(n, h, w, 3), 0 to 1: encoded and decoded without denoising; what the VAE alone changes."""

    def rows(self, rows: NDArray[np.intp]) -> Encoded:
        """Those of some photos."""
        return Encoded(self.latents[rows], self.round_trip[rows])

    @staticmethod
    def joined(parts: Sequence[Encoded]) -> Encoded:
        """Those of *parts*, in their order."""
        latents = np.concatenate([part.latents for part in parts])
        return Encoded(latents, np.concatenate([part.round_trip for part in parts]))


@dataclass(frozen=True)
class PhotoBatch:
    """n photos of one size."""

    photos: NDArray[np.uint8]
    """(n, h, w, 3), sRGB."""
    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    instances: NDArray[np.uint16] | None
    """(n, h, w)."""
    protected: NDArray[np.bool_] | None
    """(n, h, w)."""
    controls: dict[str, NDArray[np.uint8]]
    """Kind -> (n, h, w, 3)."""
    encoded: Encoded | None = None
    """From an earlier call with the same photos."""

    def part(self, first: int, size: int) -> PhotoBatch:
        """*size* photos from number *first*; after the last one, that one again."""
        rows = np.minimum(np.arange(first, first + size), len(self.photos) - 1)
        return PhotoBatch(
            self.photos[rows],
            tuple(self.prompts[row] for row in rows),
            tuple(self.seeds[row] for row in rows),
            None if self.instances is None else self.instances[rows],
            None if self.protected is None else self.protected[rows],
            {kind: pictures[rows] for kind, pictures in self.controls.items()},
            None if self.encoded is None else self.encoded.rows(rows),
        )


def check_photos(photos: PhotoBatch, settings: TransferSettings, loaded: Set[str]) -> None:
    """Raise InputError unless everything fits together; *loaded*: kinds of ControlNets that are there."""
    pictures = photos.photos
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3 or not len(pictures):
        raise InputError(f"expected photos (n, h, w, 3) of uint8, found {pictures.shape} of {pictures.dtype}")
    count, height, width = pictures.shape[:3]
    if min(height, width) < SMALLEST_PX:
        raise InputError(f"expected photos of at least {SMALLEST_PX} pixels a side, found {width} x {height}")
    for what, values in (("prompts", photos.prompts), ("seeds", photos.seeds)):
        if len(values) != count:
            raise InputError(f"expected {count} {what}, one per photo, found {len(values)}")
    if not all(0 <= seed < SEED_LIMIT for seed in photos.seeds):
        raise InputError(f"expected seeds from 0 to 2**63 - 1, found {photos.seeds}")
    _check_layer("instances", photos.instances, (count, height, width))
    _check_layer("protected", photos.protected, (count, height, width))
    if photos.encoded is not None:
        _check_layer("round trips", photos.encoded.round_trip, (count, height, width, 3))
    for use in settings.controls:
        if use.kind not in loaded:
            raise InputError(f"expected a ControlNet for {use.kind}, found none loaded; add one to the models")
        if use.kind not in photos.controls:
            raise InputError(f"expected a {use.kind} picture for every photo, found none")
        _check_layer(use.kind, photos.controls[use.kind], (count, height, width, 3))


def _check_layer(what: str, layer: NDArray[Any] | None, shape: tuple[int, ...]) -> None:
    if layer is not None and layer.shape != shape:
        raise InputError(f"expected {what} of shape {shape}, found {layer.shape}")
