"""Expose the frames of a clip one after the other: each take's auto-exposure sees what it has photographed, no more.

Covers: the state of the controllers over the frames, the columns that say which frame a photo is. Does not cover: the
controller (`exposure_control`), developing a frame (`develop`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import load_bundle
from pipeline.camera.expose import expose, metered_scale, sensor_signal
from pipeline.camera.exposure_control import AutoExposure
from pipeline.camera.hardware import Lens, Sensor, lens_named, sensor_named
from pipeline.camera.metering import grey_of
from pipeline.camera.mix import group_gains, mix
from pipeline.spec.clip import FramePlace, frame_place
from pipeline.spec.scene import PhotoSpec, SceneSpec, scene_shots
from pipeline.view_light import ViewLight, read_view_light

_BEYOND_EVERY_LIMIT: Final = 40.0
"""Stops from the metered exposure at which every camera is at the end of its range."""


class ClipExposure:
    """The auto-exposure of every clip of a scene. Photos must be asked for in the order of their frames."""

    def __init__(self, scene: SceneSpec) -> None:
        self._scene = scene
        self._takes = {} if scene.clip is None else {take.photo_index: take for take in scene.clip.takes}
        self._controls: dict[str, AutoExposure] = {}

    def exposed(self, photo: PhotoSpec, light: ViewLight) -> PhotoSpec:
        """*photo* with the exposure that its clip's controller has arrived at, as stops from the metered one.

        The drawn exposure_ev is the user's compensation. The controller starts settled, and learns of a frame only what
        the sensor could tell: what is saturated counts as just saturated. A photo without a clip is returned as it is.
        """
        if self._scene.clip is None:
            return photo
        place = place_of(self._scene, photo)
        sensor, lens = sensor_named(photo.sensor), lens_named(photo.lens)
        grey = grey_of(photo.tone)
        radiance = mix(light.groups, group_gains(photo, tuple(light.groups)))
        ideal = math.log2(metered_scale(radiance, sensor, grey, photo.metering))
        control = self._controls.get(place.clip_id)
        if control is None:
            limits = _limits(radiance, sensor, lens, photo)
            control = self._controls[place.clip_id] = self._started(photo, ideal + photo.exposure_ev, limits)
        used = control.exposure
        seen = metered_scale(as_the_sensor_saw(radiance, 2.0**used, sensor), sensor, grey, photo.metering)
        control.observe(math.log2(seen) + photo.exposure_ev)
        return replace(photo, exposure_ev=used - ideal)

    def _started(self, photo: PhotoSpec, start: float, limits: tuple[float, float]) -> AutoExposure:
        """The controller of the take that *photo* belongs to."""
        if self._scene.clip is None:
            raise ValueError(f"expected a scene with a clip, found {self._scene.scene_id}")
        take, rate = self._takes[photo.photo_index], self._scene.clip.path.frame_rate_hz
        return AutoExposure(start, take.exposure_lag_s * rate, take.exposure_delay_frames, limits)


def exposed_frame(scene: SceneSpec, photo: PhotoSpec, bundle: Path) -> PhotoSpec:
    """*photo* as `ClipExposure` exposes it after the earlier frames of its clip; as it is without a clip.

    *bundle*: folder of the light bundle. Raises OSError when a layer cannot be read.
    """
    if scene.clip is None:
        return photo
    control, clip_id = ClipExposure(scene), place_of(scene, photo).clip_id
    views = {view.view_index: view for view in load_bundle(bundle).views}
    for frame in sorted(scene.photos, key=lambda other: other.view_index):
        if frame.view_index <= photo.view_index and place_of(scene, frame).clip_id == clip_id:
            exposed = control.exposed(frame, read_view_light(bundle, views[frame.view_index]))
    return exposed


def as_the_sensor_saw(radiance: NDArray[np.float32], scale: float, sensor: Sensor) -> NDArray[np.float32]:
    """*radiance* (h, w, 3) cut where it saturates *sensor* at *scale* (share of the range per unit of radiance)."""
    per_channel = scale * np.array(sensor.response)
    signal = sensor_signal(radiance, per_channel, sensor)
    return np.asarray(radiance / np.maximum(signal, np.float32(1.0)), dtype=np.float32)


def place_of(scene: SceneSpec, photo: PhotoSpec) -> FramePlace:
    """The clip and frame that *photo* is. Raises ValueError for a scene without a clip."""
    if scene.clip is None:
        raise ValueError(f"expected a scene with a clip, found {scene.scene_id}")
    return frame_place(scene.clip, scene.scene_id, photo.view_index, photo.photo_index, len(scene_shots(scene)))


def clip_columns(scene: SceneSpec, photo: PhotoSpec) -> dict[str, Any]:
    """The columns of a photo that say which frame of which clip it is; null for a photo without a clip."""
    if scene.clip is None:
        return dict.fromkeys(("clip_id", "frame_index", "time_s"))
    place = place_of(scene, photo)
    return {"clip_id": place.clip_id, "frame_index": place.frame_index, "time_s": place.time_s}


def _limits(radiance: NDArray[np.float32], sensor: Sensor, lens: Lens, photo: PhotoSpec) -> tuple[float, float]:
    """Lowest and highest exposure of the camera, log2 of the share of its range per unit of radiance."""
    low, high = (
        expose(radiance, sensor, lens, photo.f_number, ev, longest_s=photo.longest_shutter_s).exposure_scale[1]
        for ev in (-_BEYOND_EVERY_LIMIT, _BEYOND_EVERY_LIMIT)
    )
    return math.log2(low / sensor.response[1]), math.log2(high / sensor.response[1])
