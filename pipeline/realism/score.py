"""A dataset against real photographs: every metric, for every kind of photo, with confidence intervals.

Covers: which sets are compared, the record, the lines that `glint score` prints. Does not cover: how a metric is
computed. Nothing is claimed without real photos, and every distance stands beside that of one half of the real photos
from the other: what is not larger than that is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.reader import Dataset
from pipeline.errors import InputError
from pipeline.realism import bootstrap, frechet, sliced, two_sample
from pipeline.realism.bootstrap import Estimate
from pipeline.realism.camera_marks import NOISE_LEVELS, edge_spread, noise_curve, spectrum_slope
from pipeline.realism.photos import PhotoSet, all_patches, check_sizes, halves, read_folder, read_origin, some

SEED: Final = 0
ORIGINS: Final = {"camera": "camera photos", "sd15": "transferred photos"}
REAL: Final = "real photos"


@dataclass(frozen=True)
class Distances:
    """One set against one half of the real photos; sets of equal size."""

    name: str
    photos: int
    """Photos on each side."""
    frechet_wavelet: Estimate
    """Mean Frechet distance of wavelet packets as published, intensities 0..1."""
    frechet_wavelet_relative: Estimate
    """The same over each packet's variance in the real photos: all frequencies weigh alike."""
    sliced_wasserstein: Estimate
    """In standard deviations of the real photos' pyramid levels."""
    classifier_accuracy: Estimate
    """0.5: a small classifier cannot tell the sets apart; 1: always."""


@dataclass(frozen=True)
class Marks:
    """What the photos of one set show by themselves; means over photos."""

    name: str
    photos: int
    spectrum_slope: Estimate
    """Exponent of the radial power spectrum."""
    noise: tuple[Estimate, ...]
    """Standard deviation of fine noise in 8-bit codes in the four quarters of the grey range, dark first."""
    edge_spread_px: Estimate
    """10 % to 90 % width of the sharpest edges, px."""


@dataclass(frozen=True)
class RealismScore:
    """All that is known of one dataset against one folder."""

    dataset: str
    build: str
    real: str
    distances: tuple[Distances, ...]
    """Camera photos, transferred photos where there are any, and real against real last."""
    marks: tuple[Marks, ...]
    """The same, real photos last."""


def score_dataset(dataset: Dataset, folder: Path) -> RealismScore:
    """Compare the newest photos of *dataset* with those of *folder*. Raises InputError: too few, unreadable, sizes."""
    real = read_folder(folder)
    kinds = [(name, read_origin(dataset, origin)) for origin, name in ORIGINS.items()]
    found = {name: photos for name, photos in kinds if photos is not None}
    if not found:
        raise InputError(f"{dataset.root}: expected photos of origin camera or sd15, found none; build some scenes")
    for photos in found.values():
        check_sizes(real, photos)
    distances = compare(real, found)
    marks = tuple(marks_of(name, photos) for name, photos in {**found, REAL: real}.items())
    return RealismScore(str(dataset.root), dataset.folder.name, str(folder), distances, marks)


def compare(real: PhotoSet, found: dict[str, PhotoSet], seed: int = SEED) -> tuple[Distances, ...]:
    """Distances of each set of *found* from one half of *real*, and of the other half. All sides have equal sizes."""
    first, second = halves(real, seed)
    size = min(len(first), *(len(photos) for photos in found.values()))
    reference = _Prepared.of(some(first, size, seed), seed)
    others = {**found, "real against real": second}
    return tuple(_distances(name, reference, some(photos, size, seed), seed) for name, photos in others.items())


def marks_of(name: str, photos: PhotoSet, seed: int = SEED) -> Marks:
    """What the *photos* show by themselves."""
    slopes = np.array([spectrum_slope(photo) for photo in photos.photos])
    noise = np.array([noise_curve(photo) for photo in photos.photos])
    spreads = np.array([edge_spread(photo) for photo in photos.photos])
    curve = tuple(bootstrap.mean_of(noise[:, level], seed) for level in range(len(NOISE_LEVELS)))
    return Marks(name, len(photos), bootstrap.mean_of(slopes, seed), curve, bootstrap.mean_of(spreads, seed))


def score_lines(score: RealismScore) -> Iterator[str]:
    """The tables that are printed."""
    yield f"{score.dataset}, build {score.build}, against {score.real}; 95 % confidence intervals"
    yield _line("against half of the real photos", "photos", "FWD", "FWD, relative", "sliced Wasserstein", "classifier")
    for row in score.distances:
        wavelet = (row.frechet_wavelet, row.frechet_wavelet_relative)
        yield _line(row.name, row.photos, *wavelet, row.sliced_wasserstein, row.classifier_accuracy)
    yield ""
    noise_head = f"noise at grey {', '.join(map(str, NOISE_LEVELS))}"
    yield _line("by themselves", "photos", "spectrum slope", "edge spread, px", noise_head, "")
    for marks in score.marks:
        noise = ", ".join("-" if level.value is None else f"{level.value:.2f}" for level in marks.noise)
        yield _line(marks.name, marks.photos, marks.spectrum_slope, marks.edge_spread_px, noise, "")


def _line(name: str, photos: object, *columns: object) -> str:
    return f"{name:<32} {photos!s:>6}  {''.join(f'{column!s:<27}' for column in columns)}".rstrip()


@dataclass(frozen=True, eq=False)
class _Prepared:
    """The patches of a set, transformed once."""

    packets: NDArray[np.float32]
    """(192, photos, 64, 16)."""
    neighbourhoods: NDArray[np.float32]
    """(3, photos, 64, 147)."""
    features: NDArray[np.float64]
    """(photos, 16, features)."""

    @staticmethod
    def of(photos: PhotoSet, seed: int) -> _Prepared:
        patches = all_patches(photos, seed)
        count, each = patches.shape[:2]
        flat = patches.reshape(count * each, *patches.shape[2:])
        packets = frechet.packets(flat)
        near = sliced.neighbourhoods(flat, np.random.default_rng([seed, 8]))
        features = two_sample.features(flat)
        return _Prepared(
            packets.reshape(len(packets), count, -1, packets.shape[-1]),
            near.reshape(len(near), count, -1, near.shape[-1]),
            features.reshape(count, each, -1),
        )


def _distances(name: str, reference: _Prepared, photos: PhotoSet, seed: int) -> Distances:
    other, size = _Prepared.of(photos, seed + 1), len(photos)
    along = sliced.directions(other.neighbourhoods.shape[-1], seed)

    def distances(first: bootstrap.Numbers, second: bootstrap.Numbers) -> tuple[float, ...]:
        packets = (_taken(reference.packets, first), _taken(other.packets, second))
        near = (_taken(reference.neighbourhoods, first), _taken(other.neighbourhoods, second))
        return *frechet.frechet_wavelet_distance(*packets), sliced.sliced_wasserstein(*near, along)

    shares = two_sample.hits(reference.features, other.features, seed)
    accuracy = bootstrap.mean_of_two(*shares, seed)
    published, relative, near = bootstrap.distances_of(distances, size, seed)
    return Distances(name, size, published, relative, near, accuracy)


def _taken(values: NDArray[np.float32], numbers: bootstrap.Numbers) -> NDArray[np.float32]:
    """(k, photos, each, d) of the photos *numbers*, as (k, photos * each, d)."""
    taken = values[:, numbers]
    return taken.reshape(len(taken), -1, taken.shape[-1])
