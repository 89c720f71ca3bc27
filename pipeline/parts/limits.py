"""How finely a part is meshed, and how much a reader may use.

Covers: the two records that go into a reading job. Does not cover: enforcing them (`child`, `read`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_RELATIVE: Final = 1e-4
"""Chord error as a share of the diameter when nothing else is asked: a tenth of a pixel on a part 1000 pixels wide."""

SMALLEST_LINEAR_M: Final = 1e-8
"""Below this the kernel's own precision (1e-7 mm) is near and it only makes more triangles."""


@dataclass(frozen=True)
class Tolerance:
    """Largest distance between the mesh and the true surface; the smaller of the two lengths holds.

    Matters for CAD files only: a mesh file is as fine as it is. Raises ValueError for lengths or angles that are not
    positive.
    """

    linear_m: float | None = None
    """Metres."""
    relative_to_diameter: float | None = None
    """Share of the part's diameter; costs a first, coarse reading that measures the part."""
    angular_rad: float = 0.1
    """Largest turn of the normal between neighbouring vertices of a curved face, radians."""

    def __post_init__(self) -> None:
        """Refuse what is not positive."""
        for value in (self.linear_m, self.relative_to_diameter, self.angular_rad):
            if value is not None and not value > 0:
                raise ValueError(f"a tolerance must be a positive number, found {value}")

    def for_diameter(self, diameter_m: float) -> float:
        """Metres to ask of the kernel for a part of this diameter."""
        relative = self.relative_to_diameter
        if relative is None and self.linear_m is None:
            relative = DEFAULT_RELATIVE
        wanted = [w for w in (self.linear_m, relative and relative * diameter_m) if w is not None]
        return max(min(wanted), SMALLEST_LINEAR_M)


@dataclass(frozen=True)
class Limits:
    """What reading one file may use before it is stopped."""

    seconds: float = 120.0
    """Wall-clock time of the reading process."""
    memory_bytes: int = 4 * 2**30
    """Address space of the reading process."""
    triangles: int = 2_000_000
