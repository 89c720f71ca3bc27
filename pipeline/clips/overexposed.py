"""Rows of the overexposed table: what each frame of a clip has lost to saturation, and which past frames hold it.

Covers: masks per channel, stops above saturation, the true radiance as a file, past frames compared pixel by pixel
through depth and poses. Does not cover: finding points again (`correspond`), choosing a reference without knowing the
truth (`selector`). docs/clips.md defines each value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import (
    BundleView,
    SceneBundle,
    load_bundle,
    read_exr,
    read_ids,
    rides_the_belt,
    view_folder,
    write_rgb,
)
from pipeline.clips.correspond import FrameGeometry, match
from pipeline.clips.light import half_on_its_side, range_share, well_exposed
from pipeline.photo_geometry import PhotoGeometry
from pipeline.saturation import stops_above
from pipeline.view_light import ViewLight, luminance

RADIANCE_FOLDER: Final = "overexposed"


class ClipPhoto(Protocol):
    """What this module needs of a developed frame; `camera.develop.PhotoResult` has it."""

    @property
    def row(self) -> Mapping[str, Any]:
        """Row of the photos table."""
        ...

    @property
    def light(self) -> ViewLight:
        """The light it was developed from."""
        ...

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """(h, w, 3) clipped pixels per channel."""
        ...

    @property
    def geometry(self) -> PhotoGeometry:
        """Where the photo shows what its view shows."""
        ...

    @property
    def signal_from_radiance(self) -> NDArray[np.float32]:
        """(3, 3) share of the sensor's range in its channels per unit of red, green and blue radiance."""
        ...

    @property
    def irradiance(self) -> NDArray[np.float32] | None:
        """(h, w, 3) radiance as it reached the sensor; None for a photo without a clip."""
        ...


@dataclass(frozen=True, eq=False)
class _Past:
    """A frame that later frames may refer to."""

    photo_id: str
    geometry: FrameGeometry
    well: NDArray[np.bool_]
    luminance: NDArray[np.float16]


class OverexposedFrames:
    """Takes the developed views of a scene in the order of the frames and gives their rows."""

    def __init__(self, bundle: Path, out: Path) -> None:
        """*bundle*: folder of the light bundle; the radiance files go below *out*."""
        self._folder, self._out = bundle, out
        self._bundle = load_bundle(bundle)
        self._past: dict[str, list[_Past]] = {}

    def add(self, photos: Sequence[ClipPhoto]) -> list[dict[str, Any]]:
        """Rows of the *photos* of one view, and their radiance files; none for photos that are in no clip."""
        frames = [photo for photo in photos if photo.irradiance is not None]
        if not frames:
            return []
        (self._out / RADIANCE_FOLDER).mkdir(exist_ok=True)
        geometry = read_geometry(self._folder, frames[0].light.view, self._bundle)
        return [self._row(photo, replace(geometry, lens=photo.geometry)) for photo in frames]

    def _row(self, photo: ClipPhoto, geometry: FrameGeometry) -> dict[str, Any]:
        if photo.irradiance is None:
            raise ValueError(f"expected a frame of a clip, found the photo {photo.row['photo_id']}")
        past = self._past.setdefault(photo.row["clip_id"], [])
        share = range_share(photo.irradiance, photo.signal_from_radiance)
        light = luminance(photo.irradiance)
        row = {
            **{name: photo.row[name] for name in ("photo_id", "clip_id", "frame_index", "view_id", "scene_id")},
            **_mask_columns(photo.clipped, share),
            **_reference_columns(photo.clipped.any(axis=-1), light, geometry, past),
            "signal_from_radiance": [float(v) for v in photo.signal_from_radiance.ravel()],
            "radiance_path": f"{RADIANCE_FOLDER}/{photo.row['photo_id']}.exr",
        }
        half = half_on_its_side(photo.irradiance, photo.clipped, photo.signal_from_radiance)
        write_rgb(self._out / row["radiance_path"], half)
        well = well_exposed(share, photo.clipped)
        past.append(_Past(photo.row["photo_id"], geometry, well, light.astype(np.float16)))
        return row


def read_geometry(folder: Path, view: BundleView, bundle: SceneBundle) -> FrameGeometry:
    """The geometry of *view* from the bundle in *folder*. Raises OSError when a layer cannot be read."""
    layers = view_folder(folder, view.view_index)
    riding = frozenset(entry.index for entry in bundle.objects if rides_the_belt(entry))
    depth = read_exr(layers / "depth.exr")["Z"]
    return FrameGeometry(view.camera, depth, read_ids(layers / "object.png"), view.belt_shift_m, riding)


def _mask_columns(clipped: NDArray[np.bool_], share: NDArray[np.float32]) -> dict[str, Any]:
    anywhere = clipped.any(axis=-1)
    stops = np.asarray(stops_above(np.max(share[anywhere], axis=-1)), dtype=np.float64)
    return {
        **{f"mask_{name}_rle": masks.encode(clipped[..., i]) for i, name in enumerate(("red", "green", "blue"))},
        "mask_rle": masks.encode(anywhere),
        "share": float(anywhere.mean()),
        "stops_max": float(np.max(stops)) if stops.size else None,
        "stops_mean": float(stops.mean()) if stops.size else None,
    }


def _reference_columns(
    clipped: NDArray[np.bool_], light: NDArray[np.float32], geometry: FrameGeometry, past: Sequence[_Past]
) -> dict[str, Any]:
    """For every past frame the share of the *clipped* pixels (h, w) that were well exposed there, and the best."""
    rows, columns = np.nonzero(clipped)
    shares: list[float] = []
    errors: list[float | None] = []
    reachable = np.zeros(len(rows), dtype=bool)
    for frame in past if len(rows) else ():
        found = match(geometry, frame.geometry, rows, columns)
        held = found.seen & frame.well[found.rows, found.columns]
        reachable |= held
        shares.append(float(held.mean()))
        then = frame.luminance[found.rows[held], found.columns[held]]
        errors.append(_stops_apart(light[rows[held], columns[held]], then))
    best = max(range(len(shares)), key=lambda k: (shares[k], k), default=None)
    known = best is not None and shares[best] > 0.0
    return {
        "reference_photo_ids": [frame.photo_id for frame in past] if shares else [],
        "reference_shares": shares,
        "reachable_share": float(reachable.mean()) if len(rows) else None,
        "best_reference": past[best].photo_id if known and best is not None else None,
        "best_reference_share": shares[best] if known and best is not None else None,
        "best_reference_error_stops": errors[best] if known and best is not None else None,
    }


def _stops_apart(now: NDArray[np.float32], then: NDArray[np.float16]) -> float | None:
    """Median distance of two luminances in stops; None without any."""
    if not len(now):
        return None
    least = float(np.finfo(np.float16).tiny)
    ratio = np.log2(np.maximum(now.astype(np.float64), least) / np.maximum(then.astype(np.float64), least))
    return float(np.median(np.abs(ratio)))
