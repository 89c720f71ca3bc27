"""How the lamps of a light group are driven in a photo, and what its lens adds: records below PhotoSpec.

Covers: the frozen records. Does not cover: how they are drawn (`draw_light_and_lens`), what they do
(`camera.flicker`, `camera.optics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Spectrum = Literal["white", "black_body", "daylight", "led"]
"""Kinds of spectrum: "white" is black body to 4000 K, daylight from 5000 K, mixed between."""
Wave = Literal["steady", "mains", "pwm", "pulse"]


@dataclass(frozen=True)
class LampDrive:
    """How bright the lamps of one light group are over time, relative to their mean (a pulse: to a steady lamp)."""

    driver: str
    """Entry of assets/tables/drivers."""
    wave: Wave
    """steady; mains: 1 + m cos; pwm: on and off; pulse: one flash per frame."""
    spectrum: Spectrum
    """What the group's colour temperature stands for."""
    frequency_hz: float = 0.0
    """Of the light: twice the mains frequency, or that of the pulse-width modulation."""
    modulation: float = 0.0
    """m of a mains wave: half of peak-to-peak over the mean, which is percent flicker / 100."""
    duty: float = 1.0
    """Share of the period in which a pulse-width modulated lamp is on."""
    phase: float = 0.0
    """Turns of the wave, 0 to 1, at the moment when the photo's first row begins its exposure."""
    pulse_s: float = 0.0
    """Length of a flash, seconds."""
    level: float = 1.0
    """Brightness during a flash, as a multiple of the steady lamp's."""


@dataclass(frozen=True)
class LensState:
    """What a lens has in one photo beyond its design: focus, dirt, and how far it departs from a pinhole."""

    defocus_px: float = 0.0
    """Diameter of the circle of confusion, pixels."""
    distortion_scale: float = 1.0
    """Multiplier on the distortion of the lens."""
    dirt_seed: int = 0
    dust_spots: int = 0
    """Grains of dust on the sensor's cover glass."""
    smear: float = 0.0
    """Share of the light that the worst place of a smear on the front lens scatters."""


CLEAN_LENS: Final = LensState()
"""In focus, without dirt, with the distortion of its design."""
