"""Auto-exposure that follows the light too slowly, as that of every camera does.

Covers: the controller: a first-order low-pass on log2 exposure behind a delay, within limits; how it settles over the
photos of a burst. Does not cover: metering (`metering`), what an exposure is made of (`expose`).
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from pipeline.camera.metering import GREY, HEADROOM

SEEN_OVER_STOPS: Final = math.log2(HEADROOM / GREY)
"""Overexposure that a picture can show: no pixel is brighter than white, which lies 3 stops above metered grey. A
picture that is further off is corrected by a share of these 3 stops, and looked at again."""


class AutoExposure:
    """A lagged controller of the exposure, in log2 units (stops).

    When what is metered steps from a to b in frame 0, the exposure of frame n is b + (a - b) q^max(n + 1 - delay, 0)
    with q = exp(-1 / time constant) and both in frames: the step response of a first-order low-pass.
    """

    def __init__(
        self,
        start: float,
        time_constant_frames: float,
        delay_frames: int = 1,
        limits: tuple[float, float] = (-math.inf, math.inf),
        seen_over_stops: float = math.inf,
    ) -> None:
        """*start*: exposure of the first frame, log2. *delay_frames*: frames from metering a picture to the first whose
        exposure follows it, at least 1. *limits*: lowest and highest exposure, log2. *seen_over_stops*: a picture that
        is overexposed by more than this looks as if it were by just this."""
        self._limits = limits
        self._seen_over = seen_over_stops
        self._share = 1.0 if time_constant_frames <= 0.0 else 1.0 - math.exp(-1.0 / time_constant_frames)
        self.exposure = self._within(start)
        self._metered: deque[float] = deque([self.exposure] * (max(delay_frames, 1) - 1))

    def observe(self, metered: float) -> float:
        """Take note of the exposure that the frame just taken asks for; returns that of the next frame, log2."""
        self._metered.append(max(metered, self.exposure - self._seen_over))
        wanted = self._metered.popleft()
        self.exposure = self._within(self.exposure + self._share * (wanted - self.exposure))
        return self.exposure

    def _within(self, exposure: float) -> float:
        return min(max(exposure, self._limits[0]), self._limits[1])


def settled_after(
    photos: int,
    wanted: float,
    start_stops: float,
    time_constant_frames: float,
    delay_frames: int,
    limits: tuple[float, float],
) -> float:
    """log2 exposure of the photo that *photos* others were taken before, in unchanging light.

    The meter asks for *wanted*, the first photo is off by *start_stops*. A picture shows SEEN_OVER_STOPS of its
    overexposure, no more.
    """
    control = AutoExposure(wanted + start_stops, time_constant_frames, delay_frames, limits, SEEN_OVER_STOPS)
    for _ in range(photos):
        control.observe(wanted)
    return control.exposure
