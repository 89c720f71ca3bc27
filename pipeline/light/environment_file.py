"""The user's own environment image: is it one that can light a scene, and how bright is it?

Covers: EXR and Radiance HDR files, checks of size, shape and values, the horizontal irradiance that scales them. Does
not cover: where the file may lie (`spec.files`), labels (a photograph has none), rendering it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.light.far import picture_irradiance

MAX_WIDTH: Final = 16384
"""Widest picture, twice as wide as high: 1.6 GB of radiance, more than a view needs and less than a machine has."""
_REMEDY: Final = "give an equirectangular EXR or HDR image of linear radiance, twice as wide as high"


def read_environment(path: Path) -> NDArray[np.float32]:
    """(h, 2 h, 3) linear radiance of the image at *path*, relative.

    Raises InputError when it is no EXR or HDR image, is not twice as wide as high or too large, has fewer than three
    channels, holds a value that is not finite or negative, or is black above the horizon.
    """
    import OpenImageIO as oiio

    file: Any = oiio.ImageInput.open(str(path))
    if file is None:
        _refuse(path, "an EXR or HDR image", oiio.geterror().strip().splitlines()[-1:] or ["no image"])
    try:
        spec = file.spec()
        _check_header(path, spec)
        pixels = file.read_image(0, 0, 0, 3, oiio.FLOAT)
    finally:
        file.close()
    if pixels is None:
        _refuse(path, "an undamaged image", ["pixels that cannot be read"])
    radiance = np.asarray(pixels, dtype=np.float32)
    _check_values(path, radiance)
    return radiance


def _check_header(path: Path, spec: Any) -> None:
    width, height = spec.width, spec.height
    if spec.format.basetype not in _float_types():
        _refuse(path, "values of floating point", [f"{spec.format}"])
    if spec.nchannels < 3 or list(spec.channelnames[:3]) != ["R", "G", "B"]:
        _refuse(path, "the channels R, G, B", [", ".join(spec.channelnames)])
    if (spec.full_width, spec.full_height) != (width, height):
        _refuse(
            path, f"a picture that fills its frame of {spec.full_width} x {spec.full_height}", [f"{width} x {height}"]
        )
    if width != 2 * height:
        _refuse(path, "a picture twice as wide as high", [f"{width} x {height} pixels"])
    if width > MAX_WIDTH:
        _refuse(path, f"at most {MAX_WIDTH} x {MAX_WIDTH // 2} pixels", [f"{width} x {height}"])


def _float_types() -> tuple[Any, ...]:
    import OpenImageIO as oiio

    return oiio.HALF, oiio.FLOAT, oiio.DOUBLE


def _check_values(path: Path, radiance: NDArray[np.float32]) -> None:
    lowest, highest = float(np.min(radiance)), float(np.max(radiance))  # NaN if any value is
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        count = int((~np.isfinite(radiance)).sum())
        row, column, _ = (int(i[0]) for i in np.nonzero(~np.isfinite(radiance)))
        _refuse(
            path,
            "finite radiance",
            [f"{count} values that are NaN or infinite, the first in row {row}, column {column}"],
        )
    if lowest < 0.0:
        row, column, _ = (int(i) for i in np.unravel_index(int(np.argmin(radiance)), radiance.shape))
        _refuse(path, "radiance of 0 or more", [f"{lowest:g} in row {row}, column {column}"])
    if picture_irradiance(radiance) <= 0.0:
        _refuse(path, "some light above the horizon", ["a picture that is black there"])


def _refuse(path: Path, expected: str, found: list[str]) -> NoReturn:
    raise InputError(f"environment image {path}: expected {expected}, found {found[0]}; {_REMEDY}")
