"""Linear polarisers before the lamps of a rig and before the lens: what they leave of mirrored and of diffused light.

Covers: Malus' law for foils that leak, and which keys of the table set it. A mirror-like reflection is taken to keep
the plane of polarisation and a diffuse one to lose it; docs/rigs.md says how far that holds on metal. Does not cover:
how the renderer keeps the two kinds of light apart (`render.blender.emitters`, `render.job`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

EXTINCTION: Final = 1e-3
"""Transmittance of a foil across its axis over that along it. Sheet polarisers reach from less than 100:1 to some
10,000:1 (Edmund Optics, Polarizer Selection Guide), less at oblique incidence and towards blue; 1000:1 is a choice."""
UNPOLARISED_SHARE: Final = 0.5
"""Share of unpolarised light that an analyser lets through which absorbs nothing along its axis; real foils: less."""


@dataclass(frozen=True)
class Polarisers:
    """The filters of a rig as two factors. The declared illuminance is measured behind the foils of the lamps."""

    transmission: float = 1.0
    """Share of unpolarised light that reaches the sensor: diffused light of every lamp, all light of the
    surroundings."""
    mirrored: float = 1.0
    """What reaches the sensor of the rig's mirrored light, over *transmission*: 0 (crossed) to 2 (parallel)."""


def polarisers_of(row: Mapping[str, Any]) -> Polarisers:
    """The filters of an entry of assets/tables/rigs: `polariser_deg` before its lamps, `analyser_deg` before the lens.

    Angles are those of the axes about the way of the light, seen from the part. A polariser without an analyser only
    takes light away, which the declared illuminance holds already, so it is refused: ValueError.
    """
    if "analyser_deg" not in row:
        if "polariser_deg" in row:
            raise ValueError("polariser_deg has no effect without analyser_deg")
        return Polarisers()
    if "polariser_deg" not in row:
        return Polarisers(UNPOLARISED_SHARE)
    return Polarisers(UNPOLARISED_SHARE, mirrored_factor(row["polariser_deg"] - row["analyser_deg"]))


def mirrored_factor(between_deg: float, extinction: float = EXTINCTION) -> float:
    """Light through two foils *between_deg* apart, over light that loses its polarisation between them.

    Malus' law for foils that transmit T1 along and T2 = extinction * T1 across their axes, both the same:
    1 + P^2 cos(2 angle) with the degree of polarisation P = (T1 - T2) / (T1 + T2) (Handbook of Optics, 2nd ed.,
    vol. II, ch. 3). With perfect foils 2 cos^2(angle). Unit 1.
    """
    degree = (1.0 - extinction) / (1.0 + extinction)
    return 1.0 + degree**2 * math.cos(2.0 * math.radians(between_deg))
