"""A picture of a part for people: `inspect` and the report show it.

Covers: casting rays with embree, exact interpolated normals, studio light, a colour for every kind of CAD face, edges
and a legend. Does not cover: photographs (`pipeline.render`); nothing here is physical and nothing needs Blender or
OpenGL.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.measure import size_text
from pipeline.parts.part import Part

Floats = NDArray[np.float64]

SUPERSAMPLES: Final = 2
"""Rays per pixel along each side."""
TINTS: Final[dict[str, tuple[int, int, int]]] = {
    "plane": (148, 163, 184),
    "cylinder": (56, 152, 190),
    "cone": (226, 146, 66),
    "sphere": (205, 98, 140),
    "torus": (214, 184, 72),
    "freeform": (128, 118, 200),
}
"""sRGB of every kind of face."""
_EYE: Final = np.array([1.0, -1.45, 0.95])
_LIGHTS: Final = (
    (np.array([0.35, -0.75, 1.0]), 0.85),
    (np.array([1.0, -0.2, 0.25]), 0.35),
    (np.array([-1.0, 0.3, 0.5]), 0.45),
)
"""Direction towards each lamp (key, fill, rim) and its strength."""
_AMBIENT: Final = 0.22
_DISTANCE: Final = 5.0
"""From the camera to the part's middle, in radii of the part: a long lens."""
_FILL: Final = (0.90, 0.76)
"""Share of the picture's width and height that the part may take."""
_RAISE: Final = 0.02
"""The part stands this share of the half picture lower than the middle: the title takes more room than the legend."""


@dataclass(frozen=True, eq=False)
class _Hits:
    """What the rays of a (s, s) grid meet; -1 where nothing."""

    triangle: NDArray[np.int64]
    normal: Floats
    face: NDArray[np.int64]
    view: Floats


def draw_part(part: Part, path: Path, size: int = 640) -> None:
    """Write a *size* x *size* picture of *part* to *path* (PNG or JPEG by its suffix).

    The part lies in its most probable resting pose. Same part, same bytes. Raises OSError when *path*
    cannot be written.
    """
    import cv2

    hits = _cast(part, size * SUPERSAMPLES)
    shaded = _shade(part, hits)
    image = cv2.resize(shaded, (size, size), interpolation=cv2.INTER_AREA)
    image = np.round(np.clip(image, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
    _write_legend(image, part)
    if not cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1])):
        raise OSError(f"cannot write the picture {path}")


def _cast(part: Part, side: int) -> _Hits:
    """Shoot one ray through every subpixel of a perspective camera."""
    import trimesh
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    turn = np.array(part.info.resting_poses[0].world_from_part).reshape(4, 4)[:3, :3]
    vertices = part.vertices @ turn.T
    vertices = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    vertices /= np.linalg.norm(vertices, axis=1).max()
    mesh = trimesh.Trimesh(vertices, part.triangles, process=False)
    caster = RayMeshIntersector(mesh)
    origin, rays = _camera(vertices, side)
    triangle = np.full(side * side, -1, dtype=np.int64)
    for start in range(0, len(rays), 2**19):
        block = rays[start : start + 2**19]
        triangle[start : start + len(block)] = caster.intersects_first(np.broadcast_to(origin, block.shape), block)
    normal = np.zeros((side * side, 3))
    hit = np.flatnonzero(triangle >= 0)
    weights = _barycentric(vertices[part.triangles[triangle[hit]]], origin, rays[hit])
    normals = part.normals.astype(np.float64) @ turn.T
    normal[hit] = np.einsum("ij,ijk->ik", weights, normals[part.triangles[triangle[hit]]])
    face = np.where(triangle >= 0, part.face_of_triangle[triangle], -1)
    return _Hits(
        triangle.reshape(side, side),
        normal.reshape(side, side, 3),
        face.reshape(side, side),
        -rays.reshape(side, side, 3),
    )


def _camera(vertices: Floats, side: int) -> tuple[Floats, Floats]:
    """Position of a camera that frames (n, 3) *vertices* around the origin, and (side * side, 3) unit rays from the top
    left, row by row."""
    back = _EYE / np.linalg.norm(_EYE)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    depth = _DISTANCE - vertices @ back
    seen = np.column_stack([vertices @ right, vertices @ up]) / depth[:, None]
    low, high = seen.min(axis=0), seen.max(axis=0)
    half = float(np.max((high - low) / np.array(_FILL))) / 2
    middle = (low + high) / 2 + np.array([0.0, _RAISE * half])
    ticks = ((np.arange(side) + 0.5) / side * 2 - 1) * half
    x, y = np.meshgrid(middle[0] + ticks, middle[1] - ticks)
    rays = (x[..., None] * right + y[..., None] * up - back).reshape(-1, 3)
    return np.asarray(back * _DISTANCE), rays / np.linalg.norm(rays, axis=1)[:, None]


def _barycentric(corners: Floats, origin: Floats, rays: Floats) -> Floats:
    """(n, 3) weights of the corners where rays meet their triangles (Moeller and Trumbore 1997), clipped to inside."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(rays, two)
    scale = np.einsum("ij,ij->i", one, across)
    scale = np.where(np.abs(scale) > 1e-300, scale, 1.0)
    offset = origin - corners[:, 0]
    u = np.einsum("ij,ij->i", offset, across) / scale
    v = np.einsum("ij,ij->i", rays, np.cross(offset, one)) / scale
    weights = np.clip(np.column_stack([1 - u - v, u, v]), 0.0, 1.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _shade(part: Part, hits: _Hits) -> NDArray[np.float32]:
    """(s, s, 3) linear image: tint of the face's kind under three lamps, dark edges, a soft backdrop."""
    side = len(hits.face)
    kinds = np.array([np.array(TINTS[face.kind]) / 255.0 for face in part.info.faces]) ** 2.2
    height = np.linspace(0, 1, side)[:, None, None]
    image = np.broadcast_to(0.86 - 0.30 * height**1.5, (side, side, 3)).copy()
    on = hits.face >= 0
    normal = hits.normal[on]
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-12)[:, None]
    view = hits.view[on]
    light = np.full(len(normal), _AMBIENT) * (0.75 + 0.25 * normal[:, 2])
    gloss = np.zeros(len(normal))
    for direction, strength in _LIGHTS:
        towards = direction / np.linalg.norm(direction)
        light += strength * np.clip(normal @ towards, 0, 1) ** 1.2
        half = view + towards
        half /= np.linalg.norm(half, axis=1)[:, None]
        gloss += strength * 0.35 * np.clip(np.einsum("ij,ij->i", normal, half), 0, 1) ** 60
    image[on] = kinds[hits.face[on]] * light[:, None] + gloss[:, None]
    image[_edges(hits)] *= 0.35
    return image.astype(np.float32)


def _edges(hits: _Hits) -> NDArray[Any]:
    """Subpixels at the border between two faces, or between the part and the backdrop: a line about a pixel wide."""
    import cv2

    change = np.zeros(hits.face.shape, dtype=np.uint8)
    change[:, 1:] |= hits.face[:, 1:] != hits.face[:, :-1]
    change[1:] |= hits.face[1:] != hits.face[:-1]
    return np.asarray(cv2.dilate(change, np.ones((2, 2), np.uint8)) > 0)


def _write_legend(image: NDArray[np.uint8], part: Part) -> None:
    """Name and size at the top, a swatch and a count for every kind of face at the bottom; drawn into *image* (RGB)."""
    import cv2

    scale = len(image) / 640
    ink = (40, 44, 52)

    def text(words: str, x: float, y: float, height: float) -> None:
        plain = words.encode("ascii", "replace").decode()
        where = (round(x * scale), round(y * scale))
        cv2.putText(image, plain, where, cv2.FONT_HERSHEY_DUPLEX, height * scale, ink, 1, cv2.LINE_AA)

    text(part.info.name, 16, 30, 0.62)
    text(size_text(part.info), 16, 52, 0.44)
    x = 16.0
    for kind, count in Counter(face.kind for face in part.info.faces).most_common():
        corner = (round(x * scale), round(612 * scale))
        opposite = (round((x + 14) * scale), round(626 * scale))
        cv2.rectangle(image, corner, opposite, TINTS[kind], cv2.FILLED, cv2.LINE_AA)
        label = f"{count} {kind}"
        text(label, x + 20, 624, 0.42)
        x += 34 + 8.2 * len(label)
