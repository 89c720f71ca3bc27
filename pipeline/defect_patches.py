"""Patches of a surface that carry a drawn defect: their charts, their rasters, and how both are read.

The renderer's shader and the truth of a view read the same file through the same chart, so that a mask cannot drift
from what was drawn. Does not cover: what a defect looks like (`surface.defects`), the shader (`render`), rows
(`truth.defects`).

A chart turns points of a part into coordinates (x, y) in metres over a raster's middle. With p = patch_from_part x
point, the surface at the patch's origin has its outward normal along z:
  flat (radius_m 0)   u = p.x, v = p.y: a projection along z
  round               u = |R| atan2(p.x, |R + p.z|), v = p.y: a cylinder of radius |R| about an axis along y,
                      unrolled; R > 0 when it is convex, R < 0 when it is hollow
and then x = u cos(turn) + v sin(turn), y = v cos(turn) - u sin(turn). Points with |p.z| > reach_m lie on another side
of the part and carry nothing.

A raster's rows run along y and its columns along x, both ascending; texel (0, 0) has its middle at
(-size_x / 2 + texel_m / 2, -size_y / 2 + texel_m / 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WITH: Final = "-with-"
"""Joins the name of a material and the numbers of the defects that are drawn on it."""


@dataclass(frozen=True)
class PatchPose:
    """Where a patch lies on its part, and its chart."""

    patch_from_part: tuple[float, ...]
    """4x4 row-major, rigid: part frame (metres) to the patch's frame, z outward."""
    size_m: tuple[float, float]
    """Extent of the raster along x and y, metres."""
    radius_m: float = 0.0
    """0 = flat; else the radius of the cylinder that is unrolled, negative when hollow."""
    turn_rad: float = 0.0
    """From (u, v) to (x, y): the raster's x axis lies at this angle to u."""
    reach_m: float = 1.0
    """Points farther than this from the plane z = 0 are not part of the patch."""


@dataclass(frozen=True, eq=False)
class Raster:
    """What a defect does to the surface, texel by texel; each array (rows, columns), None where it does nothing."""

    texel_m: float
    mask: NDArray[np.bool_]
    """Texels that belong to the defect."""
    height_m: Floats | None = None
    """Relief, outward, metres."""
    fresh: Floats | None = None
    """0..1: share of bare, freshly cut metal of roughness *fresh_alpha*, without film, and without the finish."""
    cavity: Floats | None = None
    """0..1: share of the light that is lost in a pore or a crack."""
    deposit: Floats | None = None
    """0..1: share that an opaque dielectric covers (rust, dirt)."""
    deposit_rgb: Floats | None = None
    """(rows, columns, 3) linear reflectance of the deposit."""
    film: Floats | None = None
    """0..1: share that a clear film covers (grease, oil)."""
    tint: Floats | None = None
    """0..1: share that a thin veil of *tint_rgb* covers, through which the metal's reflection is dimmed."""
    tint_rgb: tuple[float, float, float] = (0.1, 0.07, 0.045)
    """Linear reflectance of that veil."""
    fresh_alpha: float = 0.1
    """GGX alpha of fresh metal."""
    deposit_roughness: float = 0.9
    """Blender roughness of the deposit."""
    film_ior: float = 1.47
    film_roughness: float = 0.1
    """Blender roughness of the film's surface."""
    film_alpha: float = 0.0
    """What the film adds to the GGX alpha of the metal below it (in square: alpha^2 + film_alpha^2)."""

    @property
    def size_m(self) -> tuple[float, float]:
        """Extent along x and y, metres."""
        rows, columns = self.mask.shape
        return columns * self.texel_m, rows * self.texel_m


_ARRAYS = ("mask", "height_m", "fresh", "cavity", "deposit", "deposit_rgb", "film", "tint")
_NUMBERS = (
    "texel_m",
    "fresh_alpha",
    "deposit_roughness",
    "film_ior",
    "film_roughness",
    "film_alpha",
)


def save_raster(raster: Raster, path: Path) -> None:
    """Write *raster* as npz; the same raster gives the same bytes."""
    arrays = {name: getattr(raster, name) for name in _ARRAYS if getattr(raster, name) is not None}
    numbers = {name: np.asarray(getattr(raster, name), dtype=np.float64) for name in (*_NUMBERS, "tint_rgb")}
    np.savez_compressed(path, **{**arrays, **numbers})


def load_raster(path: Path) -> Raster:
    """Read what `save_raster` wrote. Raises OSError when it is not there."""
    with np.load(path, allow_pickle=False) as file:
        values: dict[str, Any] = {name: file[name] for name in _ARRAYS if name in file}
        values |= {name: float(file[name]) for name in _NUMBERS}
        values["tint_rgb"] = tuple(float(v) for v in file["tint_rgb"])
    return Raster(**values)


def chart(pose: PatchPose, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Coordinates (n, 2), metres, of part-frame *points* (n, 3) on the raster, and whether each is in reach (n,)."""
    matrix = np.array(pose.patch_from_part, dtype=np.float64).reshape(4, 4)
    p = points @ matrix[:3, :3].T + matrix[:3, 3]
    u, v, radius = p[:, 0], p[:, 1], abs(pose.radius_m)
    if radius > 0.0:
        u = radius * np.arctan2(u, np.sign(pose.radius_m) * (pose.radius_m + p[:, 2]))
    cos, sin = np.cos(pose.turn_rad), np.sin(pose.turn_rad)
    xy: NDArray[np.float64] = np.stack([u * cos + v * sin, v * cos - u * sin], axis=-1)
    return xy, np.abs(p[:, 2]) <= pose.reach_m


def sample_mask(raster_mask: NDArray[np.bool_], texel_m: float, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points *xy* (..., 2) of a chart lie on a texel of the mask; False outside the raster."""
    rows, columns = raster_mask.shape
    column = np.floor(xy[..., 0] / texel_m + columns / 2).astype(np.int64)
    row = np.floor(xy[..., 1] / texel_m + rows / 2).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    found: NDArray[np.bool_] = np.zeros(inside.shape, dtype=bool)
    found[inside] = raster_mask[row[inside], column[inside]]
    return found
