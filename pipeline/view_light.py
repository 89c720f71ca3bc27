"""The light of one view as photos need it: one radiance image per light group, and the share that is mirrored light.

Covers: reading those layers of a light bundle once, for all photos of the view. Does not cover: mixing and developing
them (`camera`), finding highlights in them (`reflect`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import BundleView, layer, read_exr, view_folder
from pipeline.radiance_check import check_groups, check_radiance

REC709_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Luminance of linear Rec.709 (ITU-R BT.709-6)."""


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
    """Read the layers of *view* from the bundle in *folder*.

    Raises OSError, KeyError when a light-path term is missing, and InputError when a light group is missing or a layer
    is not of the camera's size or holds NaN, infinite or negative radiance.
    """
    path = view_folder(folder, view.view_index) / "layers.exr"
    channels = read_exr(path, ("denoised.", "noisy.", "glossy_direct."))
    prefix = "denoised."
    if not all(f"denoised.{group}.R" in channels for group in view.groups):
        prefix = "group."
        channels |= read_exr(path, ("group.",))
    check_groups(view, channels)
    layers = {name: layer(channels, name) for name in ("noisy", "glossy_direct", *(prefix + g for g in view.groups))}
    for name, radiance in layers.items():
        check_radiance(view, name, radiance)
    groups = {group: np.maximum(layers[prefix + group], np.float32(0)) for group in view.groups}
    return ViewLight(
        view=view,
        groups=groups,
        noisy=luminance(layers["noisy"]),
        glossy_direct=luminance(layers["glossy_direct"]),
        mean={group: np.asarray(radiance.mean(axis=0).mean(axis=0), np.float32) for group, radiance in groups.items()},
    )
