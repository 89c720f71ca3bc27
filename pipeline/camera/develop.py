"""Develop the photos of a scene from its light bundle: the row of each photo, its picture, and what labels need of it.

Covers: one reading of a view's layers for all its photos, mix, exposure, sensor, tone, picture files, quality flags.
Does not cover: the formulas (`mix`, `expose`, `optics`, `sensor`, `tone`), highlights (`reflect`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import load_bundle, write_rgb
from pipeline.camera.clip_exposure import ClipExposure, clip_columns
from pipeline.camera.distortion import photo_geometry
from pipeline.camera.expose import (
    GREY,
    HEADROOM,
    Exposure,
    expose,
    exposure_matrix,
    sensor_signal,
)
from pipeline.camera.flicker import FRAME_S, Exposing, gains_during, mean_gains, varies
from pipeline.camera.glass import glass_layers, layer_seed, linear_gain, seen_behind, write_glass
from pipeline.camera.hardware import Sensor, lens_named, sensor_named
from pipeline.camera.metering import grey_of
from pipeline.camera.mix import group_gains, mix, mixed_cct
from pipeline.camera.optics import LensSetting, lens_columns, pixel_pitch_um, through_lens
from pipeline.camera.raw_dng import RawSettings, raw_file, raw_suffix
from pipeline.camera.sensor import RawFrame, capture
from pipeline.camera.tone import develop_codes
from pipeline.camera.white_balance import auto_white_balance
from pipeline.errors import InputError
from pipeline.photo_geometry import PhotoGeometry
from pipeline.records import canonical_json, sha256_bytes
from pipeline.saturation import saturation_columns, stops_above
from pipeline.spec.processing import DEFAULT_PROCESSING, series_id_of
from pipeline.spec.scene import CameraSpec, PhotoSpec, SceneSpec, photo_id_of, scene_shots
from pipeline.view_light import ViewLight, read_view_light

PHOTO_FOLDER: Final = "photos"
_SUFFIX: Final = {"png": ".png", "jpeg": ".jpg"}
_FULL_COLOUR: Final = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]

OVEREXPOSED_SHARE: Final = 0.05
"""Share of clipped pixels from which a photo counts as overexposed."""
UNDEREXPOSED_STOPS: Final = 3.0
"""A photo is underexposed when its 95th percentile lies this many stops below white: half a stop under grey."""
LEAST_SNR: Final = 10.0
"""Signal-to-noise ratio at 18 % grey below which a photo is noisy (ISO 12232: "acceptable" picture quality)."""


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """A developed photo."""

    row: dict[str, Any]
    """Row of the photos table; `image_path` is relative to the output folder."""
    light: ViewLight
    """The light it was developed from; photos of a view share it."""
    group_gains: dict[str, NDArray[np.float32]]
    """Light group -> gain in the mix: (3,), or (h, 3) where the photo's rows differ."""
    geometry: PhotoGeometry
    """Where the photo shows what its view shows."""
    exposure: Exposure
    clipped: NDArray[np.bool_]
    """(h, w, 3): exposure beyond the sensor's range, per channel."""
    glass_row: dict[str, Any] | None = None
    """Row of the glass table; None where no pane stands before the camera."""
    irradiance: NDArray[np.float32] | None = None
    """(h, w, 3) radiance as it reaches the sensor, unclipped; kept for the frames of clips only."""

    @property
    def photo_id(self) -> str:
        """Id of the photo."""
        return str(self.row["photo_id"])

    @property
    def signal_from_radiance(self) -> NDArray[np.float32]:
        """(3, 3) share of the range of the sensor's channels (rows) per unit of red, green, blue radiance (columns)."""
        white = np.ones((1, 4, 3), dtype=np.float32)
        white[0, :3] += np.eye(3, dtype=np.float32)  # added to white, since a lone primary may give negative signals
        signal = sensor_signal(white, self.exposure.exposure_scale, sensor_named(self.row["sensor"]))[0]
        return np.ascontiguousarray(np.broadcast_to(signal[:3] - signal[3], (3, 3)).T)

    @property
    def saturation_radiance(self) -> NDArray[np.float64]:
        """(3,) radiance at which each channel clips in the image centre."""
        return self.exposure.saturation_radiance


def develop_photos(scene: SceneSpec, bundle: Path, out: Path) -> list[PhotoResult]:
    """Develop every photo of *scene* from the light bundle in folder *bundle* into *out*/photos/<photo_id>.png or .jpg.

    The results keep the light of all views in memory; `develop_views` hands over one view at a time.
    Raises InputError for an unknown sensor, lens or light group, OSError when a file cannot be read or written.
    """
    return [result for results in develop_views(scene, bundle, out) for result in results]


def develop_views(scene: SceneSpec, bundle: Path, out: Path) -> Iterator[list[PhotoResult]]:
    """Like `develop_photos`, one list per view that has photos, in the order of the bundle's views."""
    (out / PHOTO_FOLDER).mkdir(parents=True, exist_ok=True)
    scene_bundle = load_bundle(bundle)
    control = ClipExposure(scene)
    for view in scene_bundle.views:
        photos = [photo for photo in scene.photos if photo.view_index == view.view_index]
        if photos:
            light = read_view_light(bundle, view)
            yield [develop_photo(scene, control.exposed(photo, light), light, out) for photo in photos]


def develop_photo(scene: SceneSpec, photo: PhotoSpec, light: ViewLight, out: Path) -> PhotoResult:
    """Develop one *photo* out of the *light* of its view and write its picture below *out*."""
    sensor, lens = sensor_named(photo.sensor), lens_named(photo.lens)
    gains = group_gains(photo, tuple(light.groups))
    glass = glass_layers(light, gains)
    radiance = mix(light.groups, gains) if glass is None else glass.m
    geometry = photo_geometry(lens, photo.lens_state.distortion_scale, light.view)
    photo_id = photo_id_of(scene.scene_id, photo.view_index, photo.photo_index)
    exposure = _exposed(radiance, photo, photo_id)
    frame_columns = clip_columns(scene, photo)
    if varies(photo.drives):
        start_s = frame_columns["time_s"] or (FRAME_S * photo.series.index if photo.series else 0.0)
        exposing = Exposing(exposure.shutter_s, sensor.readout_s, geometry.height, start_s)
        gains = gains_during(gains, photo.drives, exposing)
        rows = None if geometry.is_pinhole else geometry.photo_rows()
        glass = glass_layers(light, gains, rows)
        radiance = mix(light.groups, gains, rows) if glass is None else glass.m
    setting = _setting(scene, photo, geometry, exposure)
    irradiance = through_lens(radiance, lens, setting)
    frame = capture(irradiance, exposure, sensor, photo.seed, photo.body)
    auto = photo.processing.white_balance == "auto"
    white_k = auto_white_balance(frame.codes, sensor) if auto else photo.white_balance_k
    picture = develop_codes(frame.codes, sensor, white_k, photo.tone, photo.processing)
    image_path = f"{PHOTO_FOLDER}/{photo_id}{_SUFFIX[photo.image_format]}"
    encoded = encode_picture(picture, photo.image_format, photo.processing.jpeg_quality)
    (out / image_path).write_bytes(encoded)
    raw_path = _write_raw(scene, photo, frame, exposure, white_k, out, photo_id) if photo.raw else None
    height, width = picture.shape[:2]
    row = {
        "photo_id": photo_id,
        "view_id": light.view.view_id,
        "scene_id": scene.scene_id,
        "split": scene.split,
        "image_path": image_path,
        "raw_path": raw_path,
        "sha256": sha256_bytes(encoded),
        "width": width,
        "height": height,
        "origin": "camera",
        **_setting_columns(photo, light, gains, exposure),
        **_processing_columns(photo, light.view.view_id, white_k),
        **lens_columns(geometry, photo.lens_state),
        "clipped_fraction": clipped_fraction(frame),
        **saturation_columns(frame.signal),
        "stops_above_path": _write_stops(frame, out, photo_id) if photo.stops_above else None,
        "transfer_model": None,
        "transfer_strength": None,
        "gate_passed": None,
        "gate_scores": None,
        "quality_flags": quality_flags(frame, exposure, sensor),
    }
    kept = None if scene.clip is None else irradiance
    result = PhotoResult(row | frame_columns, light, gains, geometry, exposure, frame.clipped, irradiance=kept)
    if glass is None:
        return result
    behind = seen_behind(glass, lambda image: through_lens(image, lens, setting))
    glass_row = write_glass(behind, linear_gain(white_k, exposure, sensor), light, row, out)
    if photo.raw:
        for layer, image in behind.apart():
            frame = capture(image, exposure, sensor, layer_seed(photo.seed, layer), photo.body)
            stem = f"{photo_id}-{layer}"
            glass_row[f"{layer}_raw_path"] = _write_raw(scene, photo, frame, exposure, white_k, out, stem)
    return replace(result, glass_row=glass_row)


def _write_stops(frame: RawFrame, out: Path, photo_id: str) -> str:
    """Write how far a photo's light is above saturation, below *out*; the path relative to that."""
    path = f"{PHOTO_FOLDER}/{photo_id}-stops.exr"
    write_rgb(out / path, stops_above(frame.signal).astype(np.float16))
    return path


def _write_raw(
    scene: SceneSpec, photo: PhotoSpec, frame: RawFrame, exposure: Exposure, white_k: float, out: Path, stem: str
) -> str:
    """Write the RAW file *stem* of a photo, or of a layer of it, below *out*; its path relative to that."""
    sensor = sensor_named(photo.sensor)
    focal_mm = _camera_of(scene, photo).focal_mm
    settings = RawSettings(sensor, photo.body, lens_named(photo.lens), exposure, focal_mm, white_k)
    raw_path = f"{PHOTO_FOLDER}/{stem}{raw_suffix(sensor)}"
    (out / raw_path).write_bytes(raw_file(frame.codes, settings))
    return raw_path


def _exposed(radiance: NDArray[np.float32], photo: PhotoSpec, photo_id: str) -> Exposure:
    """The exposure of *photo*. Raises InputError that names it when its bracket is impossible in this light."""
    sensor, lens = sensor_named(photo.sensor), lens_named(photo.lens)
    try:
        return expose(
            radiance,
            sensor,
            lens,
            photo.f_number,
            photo.exposure_ev,
            grey_of(photo.tone),
            metering=photo.metering,
            series=photo.series,
            longest_s=photo.longest_shutter_s,
        )
    except InputError as error:
        raise InputError(f"photo {photo_id}: {error}") from error


def encode_picture(
    picture: NDArray[np.uint8], image_format: str, jpeg_quality: int = DEFAULT_PROCESSING.jpeg_quality
) -> bytes:
    """PNG, or JPEG with full colour resolution, of an RGB picture (h, w, 3). Same picture, same bytes."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality, *_FULL_COLOUR]
    options = quality if image_format == "jpeg" else [cv2.IMWRITE_PNG_COMPRESSION, 3]
    written, data = cv2.imencode(_SUFFIX[image_format], picture[..., ::-1], options)
    if not written:
        raise OSError(f"cannot encode a picture of {picture.shape[1]} x {picture.shape[0]} as {image_format}")
    return bytes(data.tobytes())


def quality_flags(frame: RawFrame, exposure: Exposure, sensor: Sensor) -> list[str]:
    """What is wrong with a photo, measured on its raw codes: "overexposed", "underexposed", "noisy"."""
    flags = []
    if clipped_fraction(frame) > OVEREXPOSED_SHARE:
        flags.append("overexposed")
    bright = np.percentile(frame.codes[1::2, ::2], 95)  # green under RGGB
    white = (sensor.white_dn - sensor.black_level_dn) / HEADROOM
    if bright - sensor.black_level_dn < white / 2.0**UNDEREXPOSED_STOPS:
        flags.append("underexposed")
    if grey_snr(sensor, exposure.gain) < LEAST_SNR:
        flags.append("noisy")
    return flags


def clipped_fraction(frame: RawFrame) -> float:
    """Share of the pixels with at least one clipped channel."""
    red, green, blue = np.moveaxis(frame.clipped, -1, 0)  # three passes are much faster than any(axis=-1)
    return float((red | green | blue).mean())


def grey_snr(sensor: Sensor, gain: float) -> float:
    """Signal-to-noise ratio of an 18 % grey surface that is exposed as metered, at *gain* (EMVA 1288)."""
    electrons = GREY / HEADROOM * sensor.full_well_e / gain
    quantisation = (sensor.electrons_per_dn / gain) ** 2 / 12.0
    variance = electrons + sensor.read_noise_at(gain) ** 2 + quantisation + (sensor.prnu * electrons) ** 2
    return electrons / math.sqrt(variance)


def _camera_of(scene: SceneSpec, photo: PhotoSpec) -> CameraSpec:
    """The camera that *photo* is taken with."""
    return scene.cameras[scene_shots(scene)[photo.view_index].camera_index]


def _setting(scene: SceneSpec, photo: PhotoSpec, geometry: PhotoGeometry, exposure: Exposure) -> LensSetting:
    """How the lens of *photo* is set."""
    pitch_um = pixel_pitch_um(_camera_of(scene, photo).sensor_width_mm, geometry.width)
    return LensSetting(exposure.f_number, pitch_um, geometry, photo.lens_state)


def _setting_columns(
    photo: PhotoSpec, light: ViewLight, gains: dict[str, NDArray[np.float32]], exposure: Exposure
) -> dict[str, Any]:
    """The columns that say how a photo was taken."""
    mean = mean_gains(gains)
    asked = group_gains(photo, tuple(light.groups))
    return {
        "photo_index": photo.photo_index,
        "exposure_ev": exposure.ev,
        "shutter_s": exposure.shutter_s,
        "gain": exposure.gain,
        "f_number": exposure.f_number,
        "cct_k": mixed_cct(light.mean, mean, photo.light_cct_k),
        "light_weights": {group: float(photo.light_weights.get(group, 1.0)) for group in light.groups},
        "light_cct_k": {group: float(photo.light_cct_k[group]) for group in light.groups if group in photo.light_cct_k},
        "drivers": {group: drive.driver for group, drive in photo.drives.items()},
        "light_gathered": {
            group: float(mean[group].sum() / asked[group].sum()) for group in photo.drives if asked[group].any()
        },
        "sensor": photo.sensor,
        "camera_serial": photo.body.serial,
        "sensor_temperature_c": photo.body.temperature_c,
        "lens": photo.lens,
        "tone": photo.tone,
        "seed": photo.seed,
        "exposure_scale": [float(v) for v in exposure.exposure_scale],
        "saturation_radiance": [float(v) for v in exposure.saturation_radiance],
        "exposure_matrix": exposure_matrix(exposure, sensor_named(photo.sensor)),
    }


def _processing_columns(photo: PhotoSpec, view_id: str, white_k: float) -> dict[str, Any]:
    """The columns that say how a photo was metered and processed, and which series it belongs to."""
    columns: dict[str, Any] = {"metering": photo.metering, "white_balance_k": white_k}
    columns["white_balance"] = photo.processing.white_balance
    columns["processing"] = canonical_json(photo.processing)
    for kind in ("bracket", "burst"):
        series = photo.series if photo.series is not None and photo.series.kind == kind else None
        columns[f"{kind}_id"] = None if series is None else series_id_of(view_id, series)
        columns[f"{kind}_index"] = None if series is None else series.index
    return columns
