"""What a lens does to radiance: point spread, scattered light, distortion, vignetting, dirt, in the order of the light.

Covers: the sequence, and vignetting. Does not cover: each step's formulas (`point_spread`, `glare`, `distortion`,
`dirt`), exposure and sensor. Every step is linear in the light, so photos of single lamps add up to one of them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.dirt import Dirt, dirt
from pipeline.camera.distortion import moved_light
from pipeline.camera.glare import scattered
from pipeline.camera.hardware import Lens
from pipeline.camera.point_spread import blurred, lens_kernels
from pipeline.photo_geometry import PhotoGeometry
from pipeline.spec.photo_state import CLEAN_LENS, LensState


@dataclass(frozen=True)
class LensSetting:
    """How a lens is set for one photo."""

    f_number: float
    pitch_um: float
    """Width of a picture's pixel on the sensor, micrometres."""
    geometry: PhotoGeometry
    """Where the photo shows what the render shows; `distortion.photo_geometry` makes it."""
    state: LensState = CLEAN_LENS


def pixel_pitch_um(sensor_width_mm: float, width: int) -> float:
    """Width on the sensor, micrometres, of a pixel of a picture *width* pixels wide."""
    return 1000.0 * sensor_width_mm / width


def through_lens(radiance: NDArray[np.float32], lens: Lens, setting: LensSetting) -> NDArray[np.float32]:
    """Radiance (h, w, 3) of the render's pixels as it reaches the sensor behind *lens*, in the photo's pixels.

    A flat field keeps its value in the centre of a clean lens.
    """
    height, width = radiance.shape[:2]
    state = setting.state
    spots = dirt(state.dirt_seed, state.dust_spots, state.smear, setting.f_number, setting.pitch_um, (height, width))
    veil = lens.glare + (spots.scattered if spots else 0.0)
    kernels = lens_kernels(setting.f_number, setting.pitch_um, state.defocus_px, lens.blades, lens.psf_sigma_px)
    direct = np.float32(1.0 - lens.bloom - lens.glare)
    light = blurred(radiance, tuple(kernel * direct for kernel in kernels))
    light += scattered(radiance, lens.bloom, lens.bloom_sigma, veil, lens.glare_sigma)
    light = moved_light(light, lens, setting.geometry)
    return np.asarray(light * _transmission(lens, spots, width, height)[..., None], dtype=np.float32)


@lru_cache(maxsize=4)
def vignetting(lens: Lens, width: int, height: int) -> NDArray[np.float32]:
    """Transmission (h, w) relative to the centre: 1 / (1 + k r^2)^2, r = 1 in the image corner. Shared, read only."""
    x = np.arange(width, dtype=np.float32) + 0.5 - width / 2.0
    y = np.arange(height, dtype=np.float32) + 0.5 - height / 2.0
    r2 = (x[None, :] ** 2 + y[:, None] ** 2) / (width**2 + height**2) * 4.0
    result: NDArray[np.float32] = (1.0 / (1.0 + lens.vignetting * r2) ** 2).astype(np.float32)
    result.flags.writeable = False
    return result


def _transmission(lens: Lens, spots: Dirt | None, width: int, height: int) -> NDArray[np.float32]:
    fall = vignetting(lens, width, height)
    return fall if spots is None else np.asarray(fall * spots.transmission, dtype=np.float32)


def lens_columns(geometry: PhotoGeometry, state: LensState) -> dict[str, Any]:
    """Columns of the photos table: the photo's own camera, and the state of its lens."""
    fx, fy, cx, cy = geometry.photo
    return {
        "fx": fx,
        "fy": fy,
        "cx": cx,
        "cy": cy,
        "distortion": list(geometry.distortion),
        "defocus_px": state.defocus_px,
        "dust_spots": state.dust_spots,
        "smear": state.smear,
    }
