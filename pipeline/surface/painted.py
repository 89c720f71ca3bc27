"""A painted picture as the surface of a table.

Covers: the material. Does not cover: painting the picture (`transfer.paint`), backdrops (`light.backdrop`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from pipeline.pictures import read_picture
from pipeline.surface.material import MetalMaterial, PictureFace, PlainMaterial, Rgb

WHITE_REFLECTANCE: Final = 0.85
"""Linear reflectance that the picture's white stands for: photographs show paper white, nothing reflects all light."""
_ROUGHNESS, _IOR = 0.5, 1.5
"""Of a bench in use, for looks that are metal themselves. Estimates."""
_SPREAD_M: Final = 8.0


def painted_support(
    look: PlainMaterial | MetalMaterial, picture: Path, file: str, width_m: float, seed: int
) -> PlainMaterial:
    """The material of a table whose top shows *picture*, *width_m* wide and mirrored beyond.

    *file*: its name in the render job. Gloss is that of the drawn *look*; *seed* chooses the place in the picture.
    Raises DamageFound when the picture cannot be read.
    """
    shift = np.random.default_rng(np.random.SeedSequence([seed, 0x9A17])).uniform(0.0, _SPREAD_M, 2)
    height_m = width_m * _height_over_width(picture)
    face = PictureFace(
        file,
        origin=(-round(float(shift[0]), 4), -round(float(shift[1]), 4), 0.0),
        right=(1.0 / width_m, 0.0, 0.0),
        up=(0.0, 1.0 / height_m, 0.0),
        reflectance=WHITE_REFLECTANCE,
    )
    gloss = (look.roughness, look.ior) if isinstance(look, PlainMaterial) else (_ROUGHNESS, _IOR)
    return PlainMaterial(
        name=f"{look.name}-painted",
        base_color=mean_reflectance(picture),
        roughness=gloss[0],
        ior=gloss[1],
        mottle=0.0,
        mottle_scale_m=0.1,
        picture=face,
    )


def painted_wall(picture: Path, face: PictureFace, camera_index: int) -> PlainMaterial:
    """The matt material of the backdrop before a camera, which shows *picture* as *face* says. Raises DamageFound."""
    return PlainMaterial(
        name=f"painted_backdrop-{camera_index}",
        base_color=mean_reflectance(picture),
        roughness=0.9,
        ior=_IOR,
        mottle=0.0,
        mottle_scale_m=0.1,
        picture=face,
    )


def mean_reflectance(picture: Path) -> Rgb:
    """Mean linear reflectance of the picture: sRGB decoded (IEC 61966-2-1), white at WHITE_REFLECTANCE."""
    codes = read_picture(picture).astype(np.float64) / 255.0
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    red, green, blue = (round(float(v), 4) for v in WHITE_REFLECTANCE * linear.mean(axis=(0, 1)))
    return red, green, blue


def _height_over_width(picture: Path) -> float:
    height, width = read_picture(picture).shape[:2]
    return float(height / width)
