"""Body: a raw piece of geometry on its way into a Part, whatever file it came from.

Covers: the record. `brep` and `meshes` make bodies, `assemble` joins them into a Part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.surfaces import Surface

Color = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Body:
    """Triangles with faces, in metres in the part's frame; no vertex belongs to two faces."""

    name: str
    vertices: NDArray[np.float64]
    """(n, 3)"""
    normals: NDArray[np.float64]
    """(n, 3) as the file or the kernel gave them; zero or NaN where it gave none."""
    triangles: NDArray[np.int32]
    """(m, 3)"""
    face_of_triangle: NDArray[np.int32]
    """(m,) 0-based within the body."""
    surfaces: tuple[Surface | None, ...]
    """By face; None where no analytic surface is known."""
    colors: tuple[Color | None, ...]
    """By face, linear RGB."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The bodies of one file and what was left out of them."""

    bodies: tuple[Body, ...]
    skipped: tuple[str, ...]
    tolerance_m: float
    """Chord error asked of the kernel; 0 for meshes."""
    exact_normals: bool
