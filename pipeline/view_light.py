"""The light of one view as photos need it: one radiance image per light group, and the share that is mirrored light.

Covers: reading those layers of a light bundle once, for all photos of the view. Does not cover: mixing and developing
them (`camera`), finding highlights in them (`reflect`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedPane
from pipeline.bundle import CONTEXT_FILE, MIRROR_FILE, MIRROR_REFLECTION_FILE, BundleView, read_exr, view_folder
from pipeline.layers import MIRRORED, REC709_LUMINANCE, read_light, read_parts
from pipeline.pane_optics import PaneGeometry, pane_geometry, reflected, transmitted
from pipeline.radiance_check import check_groups, check_layers, check_radiance

__all__ = ["REC709_LUMINANCE", "ViewLight", "luminance", "read_view_light"]


def luminance(radiance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Luminance (...,) of linear Rec.709 radiance (..., 3), in the same unit."""
    result: NDArray[np.float32] = np.asarray(radiance @ REC709_LUMINANCE, dtype=np.float32)
    return result


@dataclass(frozen=True, eq=False)
class PaneLight:
    """What the glass before a camera adds to its view, radiance as in `ViewLight`."""

    mirrored: dict[str, NDArray[np.float32]]
    """Light group -> (h, w, 3) that the pane reflects into the camera, its ghosts included."""
    context: dict[str, NDArray[np.float32]]
    """Light group -> (h, w, 3) that the context camera sees, without any glass."""
    geometry: PaneGeometry
    distance: NDArray[np.float32]
    """(h, w) metres from the pane to what each pixel mirrors, 0 for what is infinitely far."""


@dataclass(frozen=True, eq=False)
class ViewLight:
    """Radiance layers of one view, linear Rec.709, W/(m2 sr) relative."""

    view: BundleView
    groups: dict[str, NDArray[np.float32]]
    """Light group -> (h, w, 3); denoised where the scene was denoised; never negative. With glass, all light of the
    view is what passes the pane."""
    noisy: NDArray[np.float32]
    """(h, w) luminance of the untouched sum of all paths."""
    glossy_direct: NDArray[np.float32]
    """(h, w) luminance of paths that left a lamp (or the world) and were mirrored once into the camera."""
    mean: dict[str, NDArray[np.float32]]
    """Light group -> its mean radiance (3,) over the picture."""
    pane: PaneLight | None = None
    """What the glass before the camera adds; None where there is none."""


def read_view_light(folder: Path, view: BundleView) -> ViewLight:
    """Read the light of *view* from the bundle in *folder*.

    Raises OSError when the file cannot be read, InputError when a light group or a luminance is missing, or a layer is
    not of the camera's size or holds NaN, infinite or negative radiance.
    """
    layers, luminances = read_light(view_folder(folder, view.view_index))
    check_layers(view, layers, luminances)
    for name, radiance in {**layers, **{name: luminances[name][..., None] for name in MIRRORED}}.items():
        if check_radiance(view, name, radiance) < 0.0:
            np.maximum(radiance, np.float32(0), out=radiance)
    kind = "denoised" if all(f"denoised.{group}" in layers for group in view.groups) else "group"
    groups = {group: layers[f"{kind}.{group}"] for group in view.groups}
    light = ViewLight(view, groups, luminances["noisy"], luminances["glossy_direct"], _means(groups))
    return light if view.pane is None else _behind(view.pane, light, view_folder(folder, view.view_index))


def _means(groups: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    # OpenCV sums in float64 and takes a twentieth of numpy's time over the two outer axes.
    return {group: np.array(cv2.mean(radiance)[:3], np.float32) for group, radiance in groups.items()}


def _behind(pane: PlacedPane, light: ViewLight, files: Path) -> ViewLight:
    """*light* as it is seen through *pane*, and what the pane adds; *files*: the folder of the view."""
    geometry = pane_geometry(light.view.camera, pane)
    distance = read_exr(files / MIRROR_REFLECTION_FILE, ("distance",))["distance"]
    groups = {group: transmitted(radiance, geometry) for group, radiance in light.groups.items()}
    mirror = _read_groups(files / MIRROR_FILE, light.view)
    return replace(
        light,
        groups=groups,
        noisy=transmitted(light.noisy, geometry),
        glossy_direct=transmitted(light.glossy_direct, geometry),
        mean=_means(groups),
        pane=PaneLight(
            mirrored={group: reflected(radiance, geometry, distance) for group, radiance in mirror.items()},
            context=_read_groups(files / CONTEXT_FILE, light.view),
            geometry=geometry,
            distance=distance,
        ),
    )


def _read_groups(path: Path, view: BundleView) -> dict[str, NDArray[np.float32]]:
    """The light groups of the mirror or context view of *view*, which holds each of them once; never negative."""
    layers = read_parts(path)
    check_groups(view, layers, path.name)
    prefix = "denoised." if f"denoised.{view.groups[0]}" in layers else "group."
    groups: dict[str, NDArray[np.float32]] = {}
    for group in view.groups:
        radiance = layers[prefix + group]
        check_radiance(view, f"{path.stem} {prefix}{group}", radiance)
        groups[group] = np.maximum(radiance, np.float32(0))
    return groups
