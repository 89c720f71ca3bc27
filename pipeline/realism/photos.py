"""Sets of photos to compare: from a folder, from a dataset, and the patches that metrics look at.

Covers: reading, what is refused and why, equal sets, patches. Does not cover: metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.reader import Dataset
from pipeline.errors import InputError

Photo = NDArray[np.uint8]
Item = TypeVar("Item")

PATCH_PX: Final = 64
PATCHES: Final = 16
"""Patches of each photo."""
LEAST_PHOTOS: Final = 8
"""Photos of each set; real photos are needed twice that, because they are compared with each other too."""
MOST_PHOTOS: Final = 200
"""Of larger sets an even choice is read."""
SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
_SHAPE_RATIO: Final = 1.5
"""Long sides of two sets that differ by more than this show the world at another scale."""


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """Photos of one kind."""

    name: str
    names: tuple[str, ...]
    """File names or photo ids."""
    photos: tuple[Photo, ...]
    """(h, w, 3) uint8 RGB each."""

    def __len__(self) -> int:
        """Number of photos."""
        return len(self.photos)

    @property
    def long_side(self) -> int:
        """Median length of the longer side, px."""
        return int(np.median([max(photo.shape[:2]) for photo in self.photos]))


def read_folder(folder: Path) -> PhotoSet:
    """All photos of *folder* and the folders in it, in order of their paths.

    Raises InputError when there are too few, when one cannot be read, or when one is smaller than a patch.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder of real photos, found none at {folder}")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if len(paths) < 2 * LEAST_PHOTOS:
        raise InputError(
            f"{folder}: expected at least {2 * LEAST_PHOTOS} real photos ({', '.join(SUFFIXES)}), found {len(paths)}; "
            f"half of them is compared with the other half"
        )
    chosen = evenly(paths, MOST_PHOTOS)
    return PhotoSet("real", tuple(path.name for path in chosen), tuple(_read(path) for path in chosen))


def read_origin(dataset: Dataset, origin: str) -> PhotoSet | None:
    """The photos of *dataset* whose origin is "camera" or "sd15"; None when there are none.

    Raises InputError when there are some, but fewer than 8, or too small; DamageFound for a damaged file.
    """
    ids = [
        name
        for name, kind in zip(
            dataset.photos.column("photo_id").to_pylist(), dataset.photos.column("origin").to_pylist(), strict=True
        )
        if kind == origin
    ]
    if not ids:
        return None
    if len(ids) < LEAST_PHOTOS:
        raise InputError(
            f"{dataset.root}: expected at least {LEAST_PHOTOS} photos of origin {origin}, found {len(ids)}; "
            f"build more scenes"
        )
    chosen = evenly(ids, MOST_PHOTOS)
    photos = tuple(_checked(dataset.image(name), name) for name in chosen)
    return PhotoSet(origin, tuple(chosen), photos)


def check_sizes(real: PhotoSet, other: PhotoSet) -> None:
    """Raise InputError when the sets show the world at different scales, or a set mixes them.

    Every metric here looks at detail in pixels; a photo that was made smaller has other noise and sharper edges.
    """
    for photos in (real, other):
        sides = sorted(max(photo.shape[:2]) for photo in photos.photos)
        if sides[-1] > _SHAPE_RATIO * sides[0]:
            raise InputError(
                f"expected {photos.name} photos of one size, found long sides from {sides[0]} to {sides[-1]} px; "
                f"crop them, or sort them into folders by size (do not resize: that changes noise and sharpness)"
            )
    low, high = sorted((real.long_side, other.long_side))
    if high > _SHAPE_RATIO * low:
        raise InputError(
            f"expected {other.name} photos about as large as the real ones, found long sides of {other.long_side} and "
            f"{real.long_side} px; crop the larger ones, or build the dataset at the real photos' resolution"
        )


def halves(photos: PhotoSet, seed: int) -> tuple[PhotoSet, PhotoSet]:
    """Two disjoint random halves; an odd photo is left out."""
    order = np.random.default_rng([seed, 1]).permutation(len(photos))
    half = len(photos) // 2
    return picked(photos, order[:half]), picked(photos, order[half : 2 * half])


def picked(photos: PhotoSet, numbers: NDArray[np.intp]) -> PhotoSet:
    """The photos of these *numbers* (n,), in their order."""
    return PhotoSet(
        photos.name, tuple(photos.names[int(n)] for n in numbers), tuple(photos.photos[int(n)] for n in numbers)
    )


def some(photos: PhotoSet, count: int, seed: int) -> PhotoSet:
    """*count* photos, drawn without replacement; all when there are no more."""
    order = np.random.default_rng([seed, 2]).permutation(len(photos))
    return picked(photos, np.sort(order[:count]))


def patches(photo: Photo, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(16, 64, 64, 3) patches at random places of *photo*."""
    height, width = photo.shape[:2]
    rows = rng.integers(0, height - PATCH_PX + 1, PATCHES)
    columns = rng.integers(0, width - PATCH_PX + 1, PATCHES)
    return np.stack(
        [photo[y : y + PATCH_PX, x : x + PATCH_PX] for y, x in zip(rows.tolist(), columns.tolist(), strict=True)]
    )


def all_patches(photos: PhotoSet, seed: int) -> NDArray[np.uint8]:
    """(n, 16, 64, 64, 3) patches of every photo; the places depend on seed and number only."""
    return np.stack([patches(photo, np.random.default_rng([seed, number])) for number, photo in _numbered(photos)])


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most *most* of *items*, evenly spaced."""
    if len(items) <= most:
        return list(items)
    return [items[int(place)] for place in np.linspace(0, len(items) - 1, most)]


def _numbered(photos: PhotoSet) -> Iterator[tuple[int, Photo]]:
    return enumerate(photos.photos)


def _read(path: Path) -> Photo:
    data = np.fromfile(path, dtype=np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise InputError(f"{path}: expected a photo that can be read, found none; remove it or save it again")
    return _checked(np.ascontiguousarray(pixels[..., ::-1]), str(path))


def _checked(photo: Photo, name: str) -> Photo:
    if min(photo.shape[:2]) < PATCH_PX:
        raise InputError(
            f"{name}: expected a photo of at least {PATCH_PX} x {PATCH_PX} px, "
            f"found {photo.shape[1]} x {photo.shape[0]}"
        )
    return photo
