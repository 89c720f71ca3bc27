"""Take a photo again out of its light bundle, with another exposure, light mix, white balance or tone.

Covers: the changes that `inspect` offers. Without changes the file has the bytes of the dataset's photo. Does not
cover: finding the bundle (`report.photo_source`), rendering.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.bundle import BUNDLE_FILE, load_bundle
from pipeline.camera.clip_exposure import exposed_frame
from pipeline.camera.develop import develop_photo
from pipeline.errors import InputError
from pipeline.layers import LIGHT_FILE
from pipeline.spec.scene import PhotoSpec, SceneSpec, Tone
from pipeline.view_light import read_view_light

_FORMATS: Final[dict[str, Literal["png", "jpeg"]]] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}


@dataclass(frozen=True)
class Changes:
    """What differs from the photo as it was taken; None = as it was."""

    exposure_ev: float | None = None
    """Stops from the metered exposure; the photo is then no longer part of its bracket or burst."""
    light_weights: Mapping[str, float] = field(default_factory=dict)
    """Light group -> brightness, 1 = as rendered; other groups keep theirs."""
    tone: Tone | None = None
    white_balance_k: float | None = None
    """Colour temperature that the camera takes for white, kelvin."""

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return self != Changes()


def changed(photo: PhotoSpec, changes: Changes) -> PhotoSpec:
    """*photo* with *changes*. Raises InputError for a negative brightness."""
    if any(weight < 0.0 for weight in changes.light_weights.values()):
        raise InputError(
            f"expected a brightness of 0 or more for each light group, found {dict(changes.light_weights)}"
        )
    if changes.exposure_ev is not None:
        photo = replace(photo, exposure_ev=changes.exposure_ev, series=None)
    if changes.white_balance_k is not None:
        fixed = replace(photo.processing, white_balance="fixed")
        photo = replace(photo, white_balance_k=changes.white_balance_k, processing=fixed)
    weights = {**photo.light_weights, **changes.light_weights}
    return replace(photo, light_weights=weights, tone=changes.tone or photo.tone)


def redevelop(
    scene: SceneSpec, view_index: int, photo_index: int, bundle: Path, changes: Changes, out: Path
) -> tuple[dict[str, Any], Path]:
    """Develop photo *photo_index* of view *view_index* of *scene* out of *bundle* with *changes*; metered anew.

    *out*: a .png or .jpg file, or a folder, into which redeveloped-<photo id> goes in the photo's own format. Returns
    the photo's row and the file. Raises InputError for an unknown light group or a bundle that cannot be photographed.
    """
    found = [p for p in scene.photos if (p.view_index, p.photo_index) == (view_index, photo_index)]
    views = [view for view in load_bundle(bundle).views if view.view_index == view_index]
    if not found or not views:
        raise InputError(
            f"expected photo {photo_index} of view {view_index} of {scene.scene_id} in its spec and in {bundle}, found "
            f"{len(found)} such photos and {len(views)} such views; name the bundle of that scene"
        )
    photo = changed(exposed_frame(scene, found[0], bundle), changes)
    if out.suffix.lower() in _FORMATS:
        photo = replace(photo, image_format=_FORMATS[out.suffix.lower()])
    with tempfile.TemporaryDirectory(prefix="glint-") as scratch:
        (Path(scratch) / "photos").mkdir()
        row = develop_photo(scene, photo, read_view_light(bundle, views[0]), Path(scratch)).row
        made = Path(scratch) / row["image_path"]
        path = out if out.suffix.lower() in _FORMATS else out / f"redeveloped-{made.name}"
        path.write_bytes(made.read_bytes())
    return row, path


def check_bundle(bundle: Path, scene_id: str, spec_path: str) -> None:
    """Raise InputError that says how to get the bundle back unless *bundle* holds one."""
    if not (bundle / BUNDLE_FILE).is_file() or not any(bundle.glob(f"views/*/{LIGHT_FILE}")):
        raise InputError(
            f"expected the light bundle of {scene_id} in {bundle}, found none: this dataset does not keep it; render "
            f"it again with `glint scene {spec_path} {scene_id} --out {scene_id}` and add --bundle {scene_id}/render"
        )
