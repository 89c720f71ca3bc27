"""The light of one view as photos need it: one radiance image per light group, and the share that is mirrored light.

Covers: reading those layers of a light bundle once, for all photos of the view. Does not cover: mixing and developing
them (`camera`), finding highlights in them (`reflect`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import BundleView, view_folder
from pipeline.layers import MIRRORED, REC709_LUMINANCE, read_light
from pipeline.radiance_check import check_layers, check_radiance

__all__ = ["REC709_LUMINANCE", "ViewLight", "luminance", "read_view_light"]


def luminance(radiance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Luminance (...,) of linear Rec.709 radiance (..., 3), in the same unit."""
    result: NDArray[np.float32] = np.asarray(radiance @ REC709_LUMINANCE, dtype=np.float32)
    return result


@dataclass(frozen=True, eq=False)
class ViewLight:
    """Radiance layers of one view, linear Rec.709, W/(m2 sr) relative."""

    view: BundleView
    groups: dict[str, NDArray[np.float32]]
    """Light group -> (h, w, 3); denoised where the scene was denoised; never negative."""
    noisy: NDArray[np.float32]
    """(h, w) luminance of the untouched sum of all paths."""
    glossy_direct: NDArray[np.float32]
    """(h, w) luminance of paths that left a lamp (or the world) and were mirrored once into the camera."""
    mean: dict[str, NDArray[np.float32]]
    """Light group -> its mean radiance (3,) over the picture."""


def read_view_light(folder: Path, view: BundleView) -> ViewLight:
    """Read the light of *view* from the bundle in *folder*.

    Raises OSError when the file cannot be read, InputError when a light group or a luminance is missing, or a layer is
    not of the camera's size or holds NaN, infinite or negative radiance.
    """
    layers, luminances = read_light(view_folder(folder, view.view_index))
    check_layers(view, layers, luminances)
    for name, radiance in {**layers, **{name: luminances[name][..., None] for name in MIRRORED}}.items():
        check_radiance(view, name, radiance)
    kind = "denoised" if all(f"denoised.{group}" in layers for group in view.groups) else "group"
    groups = {group: np.maximum(layers[f"{kind}.{group}"], np.float32(0)) for group in view.groups}
    # OpenCV sums in float64 and takes a twentieth of numpy's time over the two outer axes.
    mean = {group: np.array(cv2.mean(radiance)[:3], np.float32) for group, radiance in groups.items()}
    return ViewLight(view, groups, luminances["noisy"], luminances["glossy_direct"], mean)
