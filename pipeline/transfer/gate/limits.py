"""How high each score may be: limits, their defaults, and their calibration on a dataset's own photos.

Covers: the record that is stored with a build, bounds that no calibration leaves. Does not cover: the scores themselves
(`measure`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.records import from_dict, read_json, to_dict, write_json
from pipeline.transfer.gate.benign import BENIGN, Change
from pipeline.transfer.gate.measure import SCORES, measure, prepare, worst
from pipeline.transfer.gate.truth import GateTruth

Photo = NDArray[np.uint8]
Sample = tuple[Photo, Photo, GateTruth]
"""A camera photo, what a change that keeps all labels made of it, and its truth."""

QUANTILE: Final = 0.995
"""Of the worst scores of the calibration's photos; sixteen scores at 0.5 % each would allow 7 %, the margin takes the
rest."""
MARGIN: Final = 1.15
LEAST_SAMPLES: Final = 20


@dataclass(frozen=True)
class Bounds:
    """Where the limit of one score may lie."""

    lowest: float
    """Smaller changes are harmless, however quiet the calibration's photos are."""
    default: float
    highest: float
    """Larger changes make labels wrong, however noisy the calibration's photos are."""


BOUNDS: Final[dict[str, Bounds]] = {
    "edge_drift_px": Bounds(0.75, 1.25, 1.75),
    "edge_lost": Bounds(0.10, 0.15, 0.25),
    "flow_px": Bounds(0.50, 0.75, 1.00),
    "part_shift_px": Bounds(0.50, 0.75, 1.00),
    "part_scale": Bounds(0.0055, 0.006, 0.0065),
    "shading_lost": Bounds(0.25, 0.35, 0.50),
    "tint": Bounds(8.0, 10.0, 12.0),
    "chroma": Bounds(10.0, 12.0, 13.5),
    "blob": Bounds(0.14, 0.15, 0.18),
    "painted_over": Bounds(4.0, 4.5, 5.0),
    "defect_loss": Bounds(0.40, 0.50, 0.60),
    "highlight_loss": Bounds(0.25, 0.35, 0.50),
    "highlight_px": Bounds(3.0, 3.5, 4.0),
    "clipping": Bounds(0.10, 0.20, 0.40),
    "light_came_px": Bounds(8.0, 12.0, 16.0),
    "dark_came_px": Bounds(8.0, 12.0, 16.0),
}
"""Bounds of every score's limit; docs/gate.md says why."""


@dataclass(frozen=True)
class Limits:
    """The highest value that each score may have, and where that comes from."""

    limits: Mapping[str, float]
    source: str
    """"default", or what the calibration was made on."""
    samples: int
    """Changed photos that the calibration saw; 0 for the defaults."""

    def write(self, path: Path) -> None:
        """Store as JSON."""
        write_json(path, self)


DEFAULT: Final = Limits({name: bounds.default for name, bounds in BOUNDS.items()}, "default", 0)


def read_limits(path: Path) -> Limits:
    """Limits that `Limits.write` stored. Raises InputError for a file that is not that."""
    try:
        found = from_dict(Limits, read_json(path))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected limits of the gate as JSON, found {error}; calibrate again") from error
    return limits_of_values(found.limits, found.source, found.samples)


def limits_of_values(values: Mapping[str, Any], source: str, samples: int) -> Limits:
    """Checked limits. Raises InputError for an unknown or missing score, or one outside its bounds."""
    if set(values) != set(SCORES):
        raise InputError(
            f"expected limits of the scores {', '.join(SCORES)}; found {', '.join(values)}; calibrate again"
        )
    for name, value in values.items():
        bounds = BOUNDS[name]
        if not bounds.lowest <= float(value) <= bounds.highest:
            raise InputError(
                f"expected the limit of {name} from {bounds.lowest} to {bounds.highest}, found {value}; calibrate again"
            )
    return Limits({name: float(values[name]) for name in SCORES}, source, samples)


def calibrate(samples: Iterable[Sample], source: str) -> Limits:
    """Limits out of changes that keep all labels, such as the round trip through the autoencoder.

    For each score: the 99.5 % quantile over the samples of the photo's worst value, times 1.15, kept within BOUNDS.
    *source* says in words what the samples were. Raises InputError for fewer than 20 samples, ValueError where sizes
    differ.
    """
    scores = [worst(measure(prepare(photo, truth), changed)) for photo, changed, truth in samples]
    if len(scores) < LEAST_SAMPLES:
        raise InputError(f"expected at least {LEAST_SAMPLES} photos to calibrate the gate on, found {len(scores)}")
    return limits_of_worst(scores, source)


def limits_of_worst(scores: Sequence[Mapping[str, float]], source: str) -> Limits:
    """`calibrate` from the worst scores of each changed photo, of which there is at least one."""
    values = {}
    for name, bounds in BOUNDS.items():
        found = [one[name] for one in scores if name in one]
        high = MARGIN * float(np.quantile(found, QUANTILE)) if found else bounds.default
        values[name] = float(np.clip(high, bounds.lowest, bounds.highest))
    return Limits(values, source, len(scores))


def benign_samples(
    photos: Iterable[tuple[Photo, GateTruth]], seed: int, changes: Mapping[str, Change] = BENIGN
) -> Iterable[Sample]:
    """Every change of *changes* on every photo; for `calibrate` where there are no weights. *seed* fixes the bytes."""
    for number, (photo, truth) in enumerate(photos):
        for kind, change in enumerate(changes.values()):
            yield photo, change(photo, np.random.default_rng([seed, number, kind])), truth


def as_dict(limits: Limits) -> dict[str, Any]:
    """Plain values for a manifest."""
    return dict(to_dict(limits))
