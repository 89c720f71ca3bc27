"""A painted backdrop behind the parts: a flat wall with a picture, upright before each camera.

Covers: where it stands and how large it is. Does not cover: painting the picture, its material (`surface.painted`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.light.lamps import SurroundingMesh
from pipeline.light.shapes import Vector, rectangle
from pipeline.light.sight import View
from pipeline.pictures import read_picture
from pipeline.surface.material import PictureFace
from pipeline.surface.painted import WHITE_REFLECTANCE, painted_wall

LABEL: Final = "backdrop"
BEHIND_M: Final = 0.1
"""Behind the farthest lamp or camera of the rig, so that it hides none."""
LEVEL_RISE: Final = 0.05
"""A camera whose axis is nearer to the vertical than this (horizontal part of its unit vector) has no backdrop: nothing
stands before it but the table."""
FRAME_MARGIN: Final = 1.15
BELOW_TABLE_M: Final = 0.9
"""Where the backdrop ends below the table's top when the surroundings have no floor."""


@dataclass(frozen=True)
class Backdrop:
    """A picture that is to stand behind the parts."""

    picture: Path
    file: str
    """Name of the picture in the render job."""
    width_m: float


def backdrop_walls(
    backdrop: Backdrop, views: Sequence[View], reach_m: float, floor_z: float | None
) -> Iterator[SurroundingMesh]:
    """One wall per camera, there in that camera's views only. Raises DamageFound for a picture that cannot be read.

    It stands square to the camera's horizontal direction, *reach_m* + BEHIND_M from the origin, from the floor
    (*floor_z*, metres) upwards, as wide as the frame there and at least as wide as the picture.
    """
    height, width = read_picture(backdrop.picture).shape[:2]
    picture_height = backdrop.width_m * height / width
    base = -BELOW_TABLE_M if floor_z is None else floor_z
    for view in views:
        forward = view.axes[2] * np.array([1.0, 1.0, 0.0])
        level = float(np.linalg.norm(forward))
        if level < LEVEL_RISE:
            continue
        forward /= level
        foot = forward * (reach_m + BEHIND_M)
        depth = float((foot - view.position) @ view.axes[2])
        across = max(-view.slopes[0], view.slopes[1]) * float(np.linalg.norm(foot - view.position))
        wide = max(backdrop.width_m, 2.0 * FRAME_MARGIN * across)
        top = view.position[2] - view.slopes[2] * max(depth, 0.0)
        high = max(picture_height, FRAME_MARGIN * (top - base))
        right = np.cross(forward, np.array([0.0, 0.0, 1.0]))
        corner = foot - 0.5 * backdrop.width_m * right + np.array([0.0, 0.0, base])
        face = PictureFace(
            backdrop.file,
            origin=_rounded(corner),
            right=_rounded(right / backdrop.width_m),
            up=(0.0, 0.0, 1.0 / picture_height),
            reflectance=WHITE_REFLECTANCE,
        )
        mesh = rectangle(foot + np.array([0.0, 0.0, base + 0.5 * high]), -forward, wide, high)
        material = painted_wall(backdrop.picture, face, view.camera_index)
        yield SurroundingMesh(LABEL, material, mesh.vertices, mesh.triangles, camera=view.camera_index)


def _rounded(vector: Vector) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 6) for value in vector)
    return x, y, z
