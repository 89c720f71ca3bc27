"""Materials as numbers: what `render` builds shader nodes from and the tables record.

Covers: the records. `metals` and `finishes` make them for parts, `supports` for tables and bins. No Blender here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class MetalMaterial:
    """A metal with one finish: conductor Fresnel from (n, k), anisotropic GGX across and along the lay."""

    name: str
    """Unique in a scene, for example "1-stainless_austenitic-turned"."""
    metal: str
    ior: Rgb
    """Refractive index n for R, G, B."""
    extinction: Rgb
    """Extinction coefficient k for R, G, B."""
    process: str
    ra_um: float
    alpha_across: float
    """GGX alpha measured across the lay (grooves), the larger one."""
    alpha_along: float
    lay: str
    """ISO lay symbol or "P" for none; the direction is a per-vertex vector of the mesh."""


@dataclass(frozen=True)
class PlainMaterial:
    """A dielectric: tables, belts, walls. Base colour with a slow mottle, and a GGX coat over a diffuse body."""

    name: str
    base_color: Rgb
    """Linear reflectance."""
    roughness: float
    ior: float
    mottle: float
    """Relative variation of the base colour, 0 = none."""
    mottle_scale_m: float
    """Size of the mottle, metres."""
    pattern: Literal["mottle", "brushed", "woven", "wood"] = "mottle"


@dataclass(frozen=True)
class EmitterMaterial:
    """A lamp's glowing face: Lambertian emission of its front side, black behind."""

    name: str
    radiance: Rgb
    """W/(m2 sr) relative to the calibrated white."""


Material = MetalMaterial | PlainMaterial | EmitterMaterial


@dataclass(frozen=True)
class FaceFinish:
    """What `surface.finishes` decided for one CAD face."""

    face_id: int
    process: str
    ra_um: float
    alpha_across: float
    alpha_along: float
    lay: str


@dataclass(frozen=True, eq=False)
class FinishedSurface:
    """The finish of a whole part: one material per distinct finish, and the lay direction at each vertex."""

    materials: tuple[MetalMaterial, ...]
    finishes: tuple[FaceFinish, ...]
    """By face_id, one per face of the part."""
    material_of_triangle: NDArray[np.int32]
    """(m,) index into *materials*."""
    lay: NDArray[np.float32]
    """(n, 3) unit groove direction in the tangent plane at each vertex, part frame, of a straight lay; zero where the
    lay is circular or there is none."""
    lay_axis: NDArray[np.float32]
    """(n, 3) unit axis of a circular lay (turned, faced, drilled), part frame; zero elsewhere. The groove direction
    at a point p is cross(lay_axis, p - lay_origin), which the shader evaluates per pixel: a faced plane's direction
    turns within one triangle, so an interpolated vertex vector would be wrong."""
    lay_origin: NDArray[np.float32]
    """(n, 3) metres: a point on that axis, part frame; zero where lay_axis is."""
