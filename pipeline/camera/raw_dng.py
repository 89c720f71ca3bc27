"""RAW files: the converter's codes with all that a RAW converter needs, as DNG; of a mono sensor as 16-bit TIFF.

Covers: the tags of DNG 1.4 and EXIF 2.32 that describe a photo. Does not cover: the file format (`tiff`), development
(`tone`). LibRaw, and so rawpy, darktable or RawTherapee, opens the DNG files; ExifTool reads the tags of both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.camera.colour_matrix import camera_neutral, xyz_to_camera
from pipeline.camera.expose import HEADROOM, Exposure
from pipeline.camera.hardware import Lens, Sensor
from pipeline.camera.tiff import Field, tiff_bytes
from pipeline.spec.scene import BodySpec

MAKE: Final = "Glint"
SOFTWARE: Final = "Glint"

_CFA, _BLACK_IS_ZERO = 32803, 1
_D65: Final = 21
"""EXIF's number for the light source D65."""
_RGGB: Final = (0, 1, 1, 2)
_DNG_VERSION: Final = (1, 4, 0, 0)
_READERS_FROM: Final = (1, 1, 0, 0)
"""Nothing in these files needs more of a reader than DNG 1.1."""
_DOTS_PER_INCH: Final = 72
"""TIFF asks for a print size; this says "none in particular"."""
_UNCALIBRATED: Final = 65535
_ISO_OVERFLOW: Final = 65535
"""EXIF keeps the speed in 16 bits; what does not fit is written as this and, in full, elsewhere."""
_RECOMMENDED_EXPOSURE_INDEX: Final = 2


@dataclass(frozen=True)
class RawSettings:
    """What a RAW file tells of its photo beside the codes."""

    sensor: Sensor
    body: BodySpec
    lens: Lens
    exposure: Exposure
    focal_mm: float
    white_balance_k: float


def raw_suffix(sensor: Sensor) -> str:
    """ ".dng", or ".tif" for a mono sensor."""
    return ".tif" if sensor.colour == "mono" else ".dng"


def raw_file(codes: NDArray[np.uint16], settings: RawSettings) -> bytes:
    """The RAW file of converter *codes* (h, w). Same codes and settings, same bytes."""
    described = _camera_tags(settings) | _level_tags(settings)
    if settings.sensor.colour == "mono":
        tags = described | {262: Field("short", (_BLACK_IS_ZERO,))}
    else:
        tags = described | _mosaic_tags(codes.shape, settings) | _colour_tags(settings)
    return tiff_bytes(codes, tags, _exif_tags(settings))


def _camera_tags(settings: RawSettings) -> dict[int, Field]:
    """Make, model, orientation, serial number, lens."""
    lens = _lens_range(settings)
    return {
        254: Field("long", (0,)),  # NewSubfileType: the picture itself, not a preview
        271: Field("ascii", MAKE),
        272: Field("ascii", settings.sensor.name),
        274: Field("short", (1,)),  # Orientation: rows from the top, columns from the left
        282: Field("rational", (_DOTS_PER_INCH,)),
        283: Field("rational", (_DOTS_PER_INCH,)),
        296: Field("short", (2,)),  # ResolutionUnit: inch
        305: Field("ascii", SOFTWARE),
        50735: Field("ascii", settings.body.serial),  # CameraSerialNumber
        50736: Field("rational", lens),  # LensInfo
    }


def _level_tags(settings: RawSettings) -> dict[int, Field]:
    """Black and white level, and the noise between them: variance = S x signal + O, signals in shares of the range."""
    sensor, gain = settings.sensor, settings.exposure.gain
    range_e = sensor.full_well_e / gain
    dark_e = sensor.dark_e_per_s * sensor.dark_current_factor(settings.body.temperature_c) * settings.exposure.shutter_s
    floor = sensor.read_noise_at(gain) ** 2 + dark_e + (sensor.electrons_per_dn / gain) ** 2 / 12.0
    return {
        50713: Field("short", (1, 1)),  # BlackLevelRepeatDim
        50714: Field("rational", (sensor.black_level_dn,)),
        50717: Field("long", (sensor.white_dn,)),
        51041: Field("double", (1.0 / range_e, floor / range_e**2)),  # NoiseProfile
    }


def _mosaic_tags(shape: tuple[int, ...], settings: RawSettings) -> dict[int, Field]:
    """What makes a TIFF a DNG: versions, the pattern of the colour filters, which pixels count."""
    height, width = shape
    return {
        262: Field("short", (_CFA,)),
        33421: Field("short", (2, 2)),  # CFARepeatPatternDim
        33422: Field("byte", _RGGB),
        50706: Field("byte", _DNG_VERSION),
        50707: Field("byte", _READERS_FROM),
        50708: Field("ascii", f"{MAKE} {settings.sensor.name}"),  # UniqueCameraModel
        50710: Field("byte", (0, 1, 2)),  # CFAPlaneColor
        50711: Field("short", (1,)),  # CFALayout: rectangular
        50829: Field("long", (0, 0, height, width)),  # ActiveArea
        50719: Field("long", (0, 0)),  # DefaultCropOrigin
        50720: Field("long", (width, height)),
    }


def _colour_tags(settings: RawSettings) -> dict[int, Field]:
    """Colour matrix under D65, the white that the camera took, and how much brighter than saturation white is."""
    neutral = camera_neutral(settings.sensor, settings.white_balance_k)
    return {
        50721: Field("srational", tuple(float(v) for v in xyz_to_camera(settings.sensor).ravel())),  # ColorMatrix1
        50778: Field("short", (_D65,)),
        50728: Field("rational", tuple(float(v) for v in neutral / np.max(neutral))),  # AsShotNeutral
        50730: Field("srational", (math.log2(HEADROOM),)),  # BaselineExposure
    }


def _exif_tags(settings: RawSettings) -> dict[int, Field]:
    """Exposure time, aperture, speed, focal length, lens."""
    exposure, lens = settings.exposure, settings.lens
    iso = round(settings.sensor.base_iso * exposure.gain)
    return {
        33434: Field("rational", (exposure.shutter_s,)),
        33437: Field("rational", (exposure.f_number,)),
        34855: Field("short", (min(iso, _ISO_OVERFLOW),)),
        34864: Field("short", (_RECOMMENDED_EXPOSURE_INDEX,)),  # SensitivityType
        34866: Field("long", (iso,)),
        36864: Field("undefined", tuple(b"0232")),  # ExifVersion
        37386: Field("rational", (settings.focal_mm,)),
        40960: Field("undefined", tuple(b"0100")),  # FlashpixVersion, which EXIF requires
        40961: Field("short", (_UNCALIBRATED,)),  # ColorSpace: the sensor's own
        42033: Field("ascii", settings.body.serial),
        42034: Field("rational", _lens_range(settings)),
        42036: Field("ascii", lens.name),
    }


def _lens_range(settings: RawSettings) -> tuple[float, float, float, float]:
    """Shortest and longest focal length (mm), widest aperture at each: a lens of one focal length."""
    return settings.focal_mm, settings.focal_mm, settings.lens.f_min, settings.lens.f_min
