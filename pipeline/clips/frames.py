"""A clip in memory: what a selector may see of each frame, and the truth it is judged by.

Does not cover: reading one from a dataset (`load`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.clips.correspond import FrameGeometry
from pipeline.clips.evidence import Evidence, evidence_of
from pipeline.clips.light import well_exposed


@dataclass(frozen=True, eq=False)
class Observation:
    """A frame as a camera delivers it: the picture and its exposure. Nothing of the truth."""

    index: int
    picture: NDArray[np.uint8]
    """(h, w, 3) sRGB."""
    exposure_log2: float
    """log2 of the exposure; differences are stops."""

    @cached_property
    def evidence(self) -> Evidence:
        """What the picture tells."""
        return evidence_of(self.picture, self.exposure_log2)


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame with its truth."""

    seen: Observation
    radiance: NDArray[np.float32]
    """(h, w, 3) at the sensor, unclipped."""
    share: NDArray[np.float32]
    """(h, w, 3) share of the sensor's range, above 1 where it is clipped."""
    geometry: FrameGeometry

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """(h, w, 3) clipped pixels per channel."""
        result: NDArray[np.bool_] = self.share > 1.0
        return result

    @property
    def well(self) -> NDArray[np.bool_]:
        """(h, w) well exposed pixels."""
        return well_exposed(self.share, self.clipped)


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames in order of time."""

    clip_id: str
    frames: tuple[Frame, ...]

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What a selector sees, frame by frame."""
        return tuple(frame.seen for frame in self.frames)
