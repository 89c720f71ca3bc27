"""Lamps over time: how much of a lamp's light an exposure gathers, row by row where the shutter rolls.

Covers: mains flicker, pulse-width modulation, strobes; global and rolling shutters. Does not cover: which lamps flicker
(`spec.draw_light_and_lens`), metering, which works on the mean light before the shutter time is known (`expose`).
All integrals are closed forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.spec.photo_state import LampDrive

Floats = NDArray[np.float64]

FRAME_S: Final = 1.0 / 30.0
"""From one photo of a bracket or burst to the next, seconds: the moment of the mains moves on in between."""


@dataclass(frozen=True)
class Exposing:
    """When the rows of one frame gather light."""

    shutter_s: float
    """Exposure time of every row, seconds."""
    readout_s: float
    """Time from the start of the first row's exposure to that of the last; 0 = a global shutter."""
    rows: int
    start_s: float = 0.0
    """When the first row starts, on the clock of the lamps' phases: frames of a burst follow each other on it."""

    @property
    def row_starts(self) -> Floats:
        """(rows,) start of each row's exposure, or (1,) for a global shutter, seconds."""
        if self.readout_s == 0.0 or self.rows == 1:
            return np.array([self.start_s])
        return np.asarray(self.start_s + np.arange(self.rows) * (self.readout_s / (self.rows - 1)), dtype=np.float64)


def gathered(drive: LampDrive, exposing: Exposing) -> Floats:
    """Light that each row gathers, as a share of what the lamp's mean brightness (a strobe: steady light) would give.

    (rows,), or (1,) when all rows gather the same.
    """
    starts, shutter = exposing.row_starts, exposing.shutter_s
    if drive.wave == "mains":
        return _mains(drive, starts, shutter)
    if drive.wave == "pwm":
        return _on_time(drive, starts + shutter, starts) / shutter
    if drive.wave == "pulse":
        # The flash fires when the last row has opened, which is when every row of a long exposure is open.
        begin = exposing.start_s + exposing.readout_s
        overlap = np.minimum(starts + shutter, begin + drive.pulse_s) - np.maximum(starts, begin)
        return np.asarray(drive.level * np.maximum(overlap, 0.0) / shutter, dtype=np.float64)
    return np.ones(1)


def gains_during(
    gains: Mapping[str, NDArray[np.float32]], drives: Mapping[str, LampDrive], exposing: Exposing
) -> dict[str, NDArray[np.float32]]:
    """The mean *gains* (3,) of light groups as an exposure gathers them: (3,), or (rows, 3) where rows differ.

    *drives*: light group -> how its lamps are driven; a group without one is steady.
    """
    result = dict(gains)
    for group, drive in drives.items():
        share = gathered(drive, exposing).astype(np.float32)
        result[group] = gains[group] * share[0] if share.size == 1 else share[:, None] * gains[group]
    return result


def mean_gains(gains: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Gains (3,) of each group over all rows."""
    return {group: gain if gain.ndim == 1 else np.asarray(gain.mean(axis=0)) for group, gain in gains.items()}


def varies(drives: Mapping[str, LampDrive]) -> bool:
    """Whether any lamp changes over time."""
    return any(drive.wave != "steady" for drive in drives.values())


def _mains(drive: LampDrive, starts: Floats, shutter: float) -> Floats:
    """Mean of 1 + m cos(2 pi (f t + phase)) over each exposure: the wave at its middle, times sinc(f T)."""
    middle = drive.frequency_hz * (starts + shutter / 2.0) + drive.phase
    smoothing = np.sinc(drive.frequency_hz * shutter)
    return np.asarray(1.0 + drive.modulation * smoothing * np.cos(2.0 * np.pi * middle), dtype=np.float64)


def _on_time(drive: LampDrive, end: Floats, begin: Floats) -> Floats:
    """Integral from *begin* to *end* of a lamp that shines 1 / duty for the first *duty* of each period, seconds."""

    def integral(t: Floats) -> Floats:
        turns = drive.frequency_hz * t + drive.phase
        whole = np.floor(turns)
        return np.asarray((whole + np.minimum((turns - whole) / drive.duty, 1.0)) / drive.frequency_hz)

    return np.asarray(integral(end) - integral(begin), dtype=np.float64)
