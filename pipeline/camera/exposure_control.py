"""Exposure control: how a camera's automatic exposure follows the light from frame to frame, with a lag.

The controller is a first-order filter on the logarithm of the exposure: log e' = log e + k (log wanted - log e), where
*wanted* is what the meter asked for some frames ago. Does not cover: metering (`metering`), what an exposure is made
of (`expose`).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from pipeline.camera.metering import GREY, HEADROOM
from pipeline.errors import InputError

SEEN_OVER_STOPS: Final = math.log2(HEADROOM / GREY)
"""Overexposure that a frame can show: no pixel is brighter than white, which lies 3 stops above metered grey. A frame
that is further off is corrected by these 3 stops at first, and looked at again."""


@dataclass(frozen=True)
class ControlSettings:
    """How an automatic exposure behaves."""

    lag: float = 0.35
    """Share of the error (in stops) that is removed from one frame to the next, above 0, at most 1. A time constant T
    at a frame time t is lag = 1 - exp(-t / T)."""
    delay_frames: int = 1
    """Frames until a measurement takes effect: 0 = the next frame already, real cameras 1 to 3."""
    least: float = 0.0
    """Smallest exposure that shutter and gain give ..."""
    most: float = math.inf
    """... and the largest, in the unit of the exposures handed over."""

    def __post_init__(self) -> None:
        """Raise InputError for values without a meaning."""
        if not 0.0 < self.lag <= 1.0 or self.delay_frames < 0 or not 0.0 <= self.least <= self.most:
            raise InputError(
                "expected an exposure control with 0 < lag <= 1, delay_frames >= 0 and 0 <= least <= most; "
                f"found lag {self.lag:g}, delay_frames {self.delay_frames}, {self.least:g} to {self.most:g}"
            )


class AutoExposure:
    """The exposure of one camera over time. Exposures are in any one unit that is proportional to light, such as the
    share of the sensor's range per unit radiance of `metering.metered_scale`."""

    def __init__(self, start: float, settings: ControlSettings | None = None) -> None:
        """*start*: exposure of the first frame, above 0; moved into the limits. Raises InputError."""
        if not 0.0 < start < math.inf:
            raise InputError(f"expected a first exposure above 0, found {start:g}")
        self.settings = settings or ControlSettings()
        self.exposure = self._limited(start)
        self._waiting: deque[float] = deque()

    def update(self, wanted: float) -> float:
        """Tell the controller what the meter wants for the frame just taken; returns the next frame's exposure.

        *wanted* beyond what a frame can show (SEEN_OVER_STOPS darker than it was taken) counts as just that.
        """
        seen = max(math.log2(max(wanted, 1e-300)), math.log2(self.exposure) - SEEN_OVER_STOPS)
        self._waiting.append(seen)
        if len(self._waiting) > self.settings.delay_frames:
            now = math.log2(self.exposure)
            self.exposure = self._limited(2.0 ** (now + self.settings.lag * (self._waiting.popleft() - now)))
        return self.exposure

    def _limited(self, exposure: float) -> float:
        return min(max(exposure, self.settings.least), self.settings.most)


def settling(wanted: float, start_ev: float, frames: int, settings: ControlSettings | None = None) -> list[float]:
    """Exposures of the first *frames* frames of unchanging light, which the meter wants exposed with *wanted*, when the
    first one is *start_ev* stops off."""
    control = AutoExposure(wanted * 2.0**start_ev, settings)
    exposures = [control.exposure]
    while len(exposures) < frames:
        exposures.append(control.update(wanted))
    return exposures[:frames]
