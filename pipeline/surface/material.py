"""Materials as numbers: what `render` builds shader nodes from and the tables record.

Covers: the records. `metals` and `finishes` make them for parts, `supports` for tables and bins. No Blender here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.defect_patches import PatchPose

Rgb = tuple[float, float, float]


Vec3 = tuple[float, float, float]


@dataclass(frozen=True)
class Relief:
    """One scale of a surface's relief: a field of slopes.

    Where its wavelength is resolved by a pixel the shader tilts the normal by it; where it is not, its slopes widen
    the GGX lobe; in between it does part of each, with the sum of the slope variances kept.

    Frame and coordinates. *along* is the groove direction (`FinishedSurface.lay`, or cross(lay_axis, p - lay_origin)),
    *across* = cross(normal, along); u grows by one metre per metre across, v by one per metre along. So slopes
    (s_u, s_v) turn the normal to normalize(normal - s_u across - s_v along). A plane with rings has u = distance from
    the axis instead, and across points away from the axis. Round faces with a circular lay are closed along v: v there
    is to be made from the angle about lay_axis, or not used.
    """

    kind: Literal["cusp", "arc", "streak", "grain", "crater", "striae", "ridge"]
    """Which field.

    cusp: parabolic tool marks side by side, s_u = sqrt(12) slope_across (frac(x) - 1/2), x = u / wavelength; on a
    circular lay x = u / wavelength + angle / 2 pi, the helix or spiral of the feed.
    arc: the same along circles of the cutter, x = (u - sqrt(R^2 - w^2)) / wavelength with R = path_radius_m: u runs
    along the feed, and w is v folded into passes of ARC_PASS |R| side by side, 0 in the middle of a pass and at v = 0.
    The frame turns with the circles: across the arc is (cos a, sin a) in (u, v), sin a = w / R, for the slope and, of
    a material's first arc, for the GGX lobe as well. A negative R bends the other way (marks of the back of the
    cutter, the same circles left behind), x = (u + sqrt(R^2 - w^2)) / wavelength.
    streak: Gaussian noise drawn out along the lay. striae: wavy lines along the lay, mean period wavelength, whose
    phase wanders over stretch x wavelength of v.
    grain: Gaussian noise without direction; crater: overlapping dimples of mean diameter wavelength. Both are fields
    of the part's own space (object coordinates), seamless over faces, and need no groove coordinates.
    ridge: one raised line along u = 0 of half width wavelength, s_u = -slope_across sin(pi u / wavelength) where
    |u| < wavelength, else 0. It covers no area worth mention: below the pixel it vanishes and widens no lobe."""
    wavelength_m: float
    """Feed or step-over of tool marks, correlation length (1/e) of noise, across the lay."""
    slope_across: float
    """Rms slope across the lay, dimensionless (ridge: the largest)."""
    slope_along: float
    """Rms slope along the lay; equal to *slope_across* without direction, 0 for straight tool marks."""
    stretch: float = 1.0
    """Correlation length along the lay over that across it."""
    turn_rad: float = 0.0
    """Angle t of a streak's lay to the face's (honing: plus and minus the half cross angle): the noise is drawn out
    along (-sin t, cos t) of (u, v), and varies with u cos t + v sin t. The slopes stay those across and along the
    face's lay: one noise gives both, s_v / s_u = slope_along / slope_across with the sign of t."""
    path_radius_m: float = 0.0
    """Radius of the cutter's path (arc), negative for marks of its back."""
    jitter: float = 0.0
    """Relative spread of the slope from one tool mark to the next, and of streaks over the face."""
    seed: int = 0
    """Phase of the noise."""


ARC_PASS = 1.4
"""Width of one pass of a face mill over the radius of its path: a step-over of 0.7 diameters."""


@dataclass(frozen=True)
class Film:
    """A layer on the metal. Which fields count depends on *kind*."""

    name: str
    """Entry of assets/tables/films."""
    kind: Literal["interference", "clear", "opaque"]
    """interference: a thin film whose colour is that of its thickness; clear: a transparent coat with a surface of its
    own (lacquer, oil, anodic oxide); opaque: paint, phosphate, scale. Plating is another metal, not a film."""
    ior: float
    thickness_nm: float = 0.0
    """Interference films: thickness away from the seam."""
    seam: tuple[Vec3, Vec3] | None = None
    """Interference films with temper colours: ends of the weld's line in the part's frame, metres."""
    seam_thickness_nm: float = 0.0
    """Thickness at the seam; it falls to *thickness_nm* with *seam_decay_m*."""
    seam_decay_m: float = 0.0
    roughness: float = 0.0
    """Blender roughness (square root of alpha) of the film's own surface."""
    color: Rgb = (1.0, 1.0, 1.0)
    """Clear: tint of the light that passes twice; opaque: linear reflectance."""
    level: bool = False
    """Whether the film's surface is smooth over the metal's relief, or follows it."""
    peel_m: float = 0.0
    """Correlation length of the orange peel of the film's own surface; 0 = none."""
    peel_slope: float = 0.0
    """Rms slope of the orange peel."""
    coverage: float = 1.0
    """Share of the surface that the film covers."""
    patch_m: float = 0.0
    """Size of covered and bare patches; also of the variation of thickness."""
    variation: float = 0.0
    """Relative variation of thickness or colour over the surface."""
    seed: int = 0


@dataclass(frozen=True)
class DefectPatch:
    """A raster of a defect that the shader lays onto the faces of its material through the pose's chart."""

    defect_id: int
    file: str
    """npz below the job's folder: a `defect_patches.Raster`."""
    pose: PatchPose


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
    """GGX alpha measured across the lay (grooves), the larger one, with every relief below the pixel."""
    alpha_along: float
    lay: str
    """ISO lay symbol or "P" for none; the direction is a per-vertex vector of the mesh."""
    micro_alpha: tuple[float, float] | None = None
    """Alpha across and along of what is finer than every relief; None = (alpha_across, alpha_along)."""
    relief: tuple[Relief, ...] = ()
    coordinate: Literal["vertex", "rings"] = "vertex"
    """Where the groove coordinates come from: the mesh's `groove` attribute (u, v, 0 in metres at each vertex), or, for
    a plane with a circular lay, u = distance from the axis and v = arc length, evaluated per pixel."""
    film: Film | None = None
    defects: tuple[DefectPatch, ...] = ()


PatternKind = Literal[
    "mottle", "grain", "hammer", "weave", "diamond", "flutes", "fibres", "planks", "cells", "grid", "crystals", "holes"
]
"""Structure of a plain surface, in the object's own coordinates, on walls by the nearest of three projections.

mottle: none beside the mottle. grain: noise of wavelength pattern_m in height (orange peel, moulded plastic, textured
paint). hammer: dimples of hammertone enamel. weave: the square impression of a fabric. diamond: lozenges between
grooves. flutes: the washboard of corrugated board along x, with its fibres. fibres: paper. planks: wood in boards of
width pattern_m along x, with rings, vessels and joints. cells: pores of foam. grid: lines at pattern_m, every fifth
one bolder. crystals: grains of stone, one in three of the accent's colour.
holes: a perforated sheet, round holes in staggered rows pattern_m apart; through them one sees the accent's colour."""


@dataclass(frozen=True)
class PictureFace:
    """A picture on a flat surface: at point p of the world it shows the pixel at (p - origin) . right of its width from
    the left and (p - origin) . up of its height from below; beyond its border it goes on mirrored."""

    file: str
    """Of the picture (sRGB), below the job's folder."""
    origin: Vec3
    """Lower left corner, world frame, metres."""
    right: Vec3
    """Along the width, 1 / metres."""
    up: Vec3
    reflectance: float
    """Linear reflectance that white stands for."""


@dataclass(frozen=True)
class PlainMaterial:
    """A dielectric: tables, belts, walls. A diffuse body with structure under a GGX coat."""

    name: str
    base_color: Rgb
    """Linear reflectance of the body, on average over the pattern."""
    roughness: float
    ior: float
    mottle: float
    """Relative variation of the base colour, 0 = none."""
    mottle_scale_m: float
    """Size of the mottle, metres."""
    pattern: PatternKind = "mottle"
    pattern_m: float = 0.001
    """Period of the pattern, or mean size of its cells, metres."""
    bump_m: float = 0.0
    """Height of the pattern's relief from lowest to highest, metres; 0 = smooth."""
    accent: Rgb | None = None
    """Linear reflectance of the pattern's second colour (lines, pores, late wood, gaps); None = the base colour."""
    roughness_spread: float = 0.0
    """Largest deviation of the roughness from place to place: handling, wiping, dust."""
    wear: float = 0.0
    """How worn, 0 to 1: scratches, and chips where *bare* shows."""
    bare: Rgb | None = None
    """Linear reflectance of what lies below a chipped surface; None = it is only scratched, never chipped."""
    origin_m: tuple[float, float] = (0.0, 0.0)
    """Where in the endless pattern the object's origin lies, metres."""
    picture: PictureFace | None = None
    """Colours the body in place of base colour, pattern and wear; *base_color* is then its mean."""


@dataclass(frozen=True)
class Stripes:
    """A sinusoid over a lamp's face: radiance x (1 + contrast cos(2 pi d / period + phase)) / (1 + contrast)."""

    direction: Vec3
    """Unit vector of the world along which d is measured, metres from *origin*."""
    origin: Vec3
    period_m: float
    phase_rad: float
    contrast: float


@dataclass(frozen=True)
class Glow:
    """How unevenly a flat lamp glows: darker towards its edges, its LEDs or its seams showing.

    Both sides of `light.glow` and of the shader compute the same factor (0..1) on the radiance.
    """

    centre: Vec3
    """Middle of the face, world frame, metres."""
    right: Vec3
    up: Vec3
    """Unit vectors along its width and height."""
    size_m: tuple[float, float]
    """Width and height."""
    falloff: float = 0.0
    """Share of the radiance that is lost at the corners; half of it at the middle of an edge."""
    cells: tuple[int, int] = (0, 0)
    """LEDs behind the diffuser along width and height; 0 = none to be seen."""
    cell_contrast: float = 0.0
    """Share of the radiance that is lost midway between two LEDs."""
    fields: tuple[int, int] = (0, 0)
    """Fields of cloth along width and height that dark seams separate and border; 0 = no seams."""
    seam_m: float = 0.0
    """Half width of a seam, metres."""


@dataclass(frozen=True)
class EmitterMaterial:
    """A lamp's glowing face: Lambertian emission of its front side, black behind."""

    name: str
    radiance: Rgb
    """W/(m2 sr) relative to the calibrated white, where neither stripes nor glow lessen it."""
    stripes: Stripes | None = None
    glow: Glow | None = None
    mirrored: float = 1.0
    """Factor on what mirrors show of it as long as its light has met no diffuse surface (`light.polarisers`)."""


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
    groove: NDArray[np.float32] | None = None
    """(n, 3) metres: groove coordinates (u across the lay, v along it, 0) of materials whose coordinate is "vertex",
    with a phase of its own on every cut; None when no material has relief. Linear in the triangles of planes, cylinders
    and cones. v is 0 on circular lays, where it would jump at the seam (see `Relief`)."""
