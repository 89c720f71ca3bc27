"""What causes the edges of a view's picture: geometry, surface, a reflection, or illumination.

An edge that a mirror image brings is false: it is not on the part. Covers: the evidence at each edge pixel and its
explanation (docs/truth.md, "False edges"). Does not cover: finding edges (`edge_pixels`), files (`edge_layers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.reflect.across import Crossing
from pipeline.reflect.edge_pixels import EdgePixels
from pipeline.reflect.lobes import LOBE_SIGMA_PER_ALPHA

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

CAUSES: Final = ("geometry", "surface", "reflection", "illumination")
"""Value k + 1 of edges.png stands for cause k; 0 = no edge."""
GEOMETRY, SURFACE, REFLECTION, ILLUMINATION = range(4)

NEAR: Final = (-1.5, -0.75, 0.0, 0.75, 1.5)
"""Places along the line across an edge between which a border of ids is the edge's own, pixels."""
PROFILE: Final = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Places at which normals and depths are compared."""
REACH: Final = tuple(1.5 * step for step in range(-6, 7))
"""Places up to which a lobe may blur the image of a border: the contrast is largest beside the border itself."""
CREASE_RAD: Final = np.deg2rad(10.0)
"""A crease: the normal turns by so much more in one step than in another."""
STEP_PX: Final = 3.0
"""A depth step: depth leaves the plane through its neighbours by more than so many times what a pixel covers."""
DEFECT_RIM_PX: Final = 2
"""Width of the band on both sides of a defect's border in which edges are the defect's."""
SHARE_SIGMA_PX: Final = 1.0
"""Blur of the shares of diffuse and mirrored light, which single paths make noisy."""
_DARK: Final = 1e-4
"""A reflectance below this is none: metals have no diffuse colour."""


@dataclass(frozen=True, eq=False)
class EdgeEvidence:
    """Layers of a view that explain its edges, each (h, w) or (h, w, 3)."""

    camera: PlacedCamera
    radiance: Floats
    """The picture in which edges were found, linear Rec.709."""
    parts: Floats
    """Luminance of the untouched diffuse, mirrored (glossy and transmitted) and own (emitted, world) light."""
    diffuse_color: Floats
    glossy_color: Floats
    objects: NDArray[np.uint16]
    surface: NDArray[np.int32]
    """Number of the finish: differs where material or finish do."""
    alpha: Floats
    """(h, w) the smaller GGX alpha."""
    normal: Floats
    """Camera frame."""
    depth: Floats
    """Metres along the axis, 0 = nothing."""
    mirrored_m: Floats
    """Metres that the mirror ray goes; 0 = to the world, or nothing."""
    defects: Flags
    """Pixels that touch a drawn or cut defect."""


def explain(edges: EdgePixels, evidence: EdgeEvidence) -> Floats:
    """Shares (n, 4) of the causes of each edge pixel, in the order of CAUSES; they add up to 1."""
    if edges.rows.size == 0:
        return np.zeros((0, len(CAUSES)), dtype=np.float32)
    crossing = Crossing(edges)
    shares = _by_light(crossing, evidence)
    moved = shares[:, REFLECTION] * (1.0 - _mirrored_sharply(crossing, edges, evidence))
    shares[:, REFLECTION] -= moved
    shares[:, SURFACE] += moved
    for cause, holds in ((SURFACE, _surface_border(crossing, evidence)), (GEOMETRY, _geometry(crossing, evidence))):
        shares[holds] = 0.0
        shares[holds, cause] = 1.0
    return shares


def _geometry(crossing: Crossing, evidence: EdgeEvidence) -> Flags:
    """Edge pixels (n,) on the border of an object, a step of depth, or a crease."""
    ids = crossing.ids(evidence.objects, NEAR)
    border = (ids != ids[:, :1]).any(axis=1)
    normals = crossing.values(evidence.normal, PROFILE)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    turn = 2.0 * np.arcsin(np.clip(np.linalg.norm(np.diff(normals, axis=1), axis=-1) / 2.0, 0.0, 1.0))
    crease = turn[:, 1:-1].max(axis=1) - turn.min(axis=1) > CREASE_RAD
    # Inverse depth is linear in the picture of a plane.
    inverse = crossing.values(1.0 / np.where(evidence.depth > 0, evidence.depth, np.float32(np.inf)), PROFILE)
    bend = np.abs(np.diff(inverse, n=2, axis=1)).max(axis=1)
    step = bend > STEP_PX / min(evidence.camera.fx, evidence.camera.fy) * np.maximum(inverse.max(axis=1), 1e-9)
    return np.asarray(border | crease | step, dtype=np.bool_)


def _surface_border(crossing: Crossing, evidence: EdgeEvidence) -> Flags:
    """Edge pixels (n,) on the border of a finish, or at the rim of a defect."""
    ids = crossing.ids(evidence.surface, NEAR)
    border = (ids != ids[:, :1]).any(axis=1)
    if evidence.defects.any():
        reach = np.ones((2 * DEFECT_RIM_PX + 1,) * 2, dtype=np.uint8)
        mask = evidence.defects.astype(np.uint8)
        rim = (cv2.dilate(mask, reach) > 0) & (cv2.erode(mask, reach) == 0)
        border |= crossing.ids(rim, (0.0,))[:, 0]
    return np.asarray(border, dtype=np.bool_)


def _by_light(crossing: Crossing, evidence: EdgeEvidence) -> Floats:
    """Shares (n, 4) by which surface, mirrored light and illumination make the step of radiance.

    Light = colour x what falls in, for diffuse and for mirrored light. The step of a product is exactly
    mean(light) step(colour) + mean(colour) step(light). Each term counts by its projection on the whole step.
    """
    radiance = crossing.sides(np.maximum(evidence.radiance, np.float32(0)))
    blurred = cv2.GaussianBlur(evidence.parts, (0, 0), SHARE_SIGMA_PX, borderType=cv2.BORDER_REPLICATE)
    split = [_portions(side) for side in crossing.sides(blurred)]
    diffuse, mirrored, own = (
        [light * share[:, k : k + 1] for light, share in zip(radiance, split, strict=True)] for k in range(3)
    )
    mean = (radiance[0] + radiance[1]) / 2.0
    # By contrast, as edges are found: a step counts relative to the mean of both sides, colour by colour.
    weight = (radiance[0] - radiance[1]) / (mean + mean.mean(axis=1, keepdims=True) + 1e-9) ** 2
    albedo, shade = _steps(diffuse, crossing.sides(evidence.diffuse_color))
    gloss, image = _steps(mirrored, crossing.sides(evidence.glossy_color))
    terms = np.zeros((len(weight), len(CAUSES)), dtype=np.float32)
    for cause, step in ((SURFACE, albedo + gloss + own[0] - own[1]), (REFLECTION, image), (ILLUMINATION, shade)):
        terms[:, cause] = np.maximum((step * weight).sum(axis=1), 0.0)
    whole = terms.sum(axis=1, keepdims=True)
    terms[whole[:, 0] <= 0.0, SURFACE] = 1.0  # nothing explains it: what is left is the surface
    result: Floats = (terms / np.where(whole > 0.0, whole, 1.0)).astype(np.float32)
    return result


def _portions(side: Floats) -> Floats:
    """Shares (n, 3) out of luminances; all diffuse in the dark."""
    whole = side.sum(axis=1, keepdims=True)
    dark = np.array([[1.0, 0.0, 0.0]], dtype=np.float32)
    return np.asarray(np.where(whole > 0.0, side / np.where(whole > 0.0, whole, 1.0), dark), dtype=np.float32)


def _steps(light: list[Floats], color: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Steps (n, 3) of the *light* of both sides by a change of *color*, and by a change of what falls in."""
    falling = [np.where(c > _DARK, side / np.maximum(c, _DARK), 0.0) for side, c in zip(light, color, strict=True)]
    by_color = (falling[0] + falling[1]) / 2.0 * (color[0] - color[1])
    # Where one side has no such colour at all, what falls on it is not known: the step is the colour's.
    bare = (color[0] <= _DARK) | (color[1] <= _DARK)
    by_color = np.where(bare, light[0] - light[1], by_color)
    return by_color.astype(np.float32), (light[0] - light[1] - by_color).astype(np.float32)


def _mirrored_sharply(crossing: Crossing, edges: EdgePixels, evidence: EdgeEvidence) -> Floats:
    """How likely (n,) it is that a mirror image could be as sharp as the edge, 0 to 1.

    A lobe of width s blurs what lies at distance d along the mirrored ray R by s / |dR/dx + dP/dx / d| pixels, where x
    runs across the edge and P is the surface. An edge sharper than half of that is the relief of the surface.
    """
    camera = evidence.camera
    steps = (-1.0, 0.0, 1.0)
    normal = crossing.values(evidence.normal, steps)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    depth = crossing.values(evidence.depth, steps)
    along = np.asarray(steps, dtype=np.float32)[None, :] * crossing.stretch[:, None]
    ray = np.ones((*depth.shape, 3), dtype=np.float32)
    ray[..., 0] = (crossing.x[:, None] + along * crossing.normal[:, :1] + 0.5 - camera.cx) / camera.fx
    ray[..., 1] = (crossing.y[:, None] + along * crossing.normal[:, 1:] + 0.5 - camera.cy) / camera.fy
    point = ray * depth[..., None]
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    mirrored = ray - 2.0 * (ray * normal).sum(axis=-1, keepdims=True) * normal
    distance, objects = crossing.ids(evidence.mirrored_m, REACH), crossing.ids(evidence.objects, REACH)
    counts = (distance > 0.0) & (objects == objects[:, len(REACH) // 2, None])
    nearest = np.where(counts, distance, np.float32(np.inf)).min(axis=1)  # the border is the nearer thing's
    per_px = 2.0 * crossing.stretch[:, None]
    turn = (mirrored[:, 2] - mirrored[:, 0] + (point[:, 2] - point[:, 0]) / nearest[:, None]) / per_px
    alpha = crossing.ids(evidence.alpha, (0.0,))[:, 0]
    blur = LOBE_SIGMA_PER_ALPHA * alpha / np.maximum(np.linalg.norm(turn, axis=-1), 1e-9)
    found = edges.width_px**2 + 1.0  # a pixel has a width of its own
    return np.asarray(found / (found + (blur / 2.0) ** 2), dtype=np.float32)
