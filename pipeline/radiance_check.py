"""Whether the radiance of a view can be photographed: there, of the camera's size, finite, not negative.

A bundle that was damaged, edited, or made by another program must not end in a photo. Every problem is one InputError
that names scene, view, layer, pixel and value, so that the scene is quarantined. Does not cover: whether light adds up
(`verify`).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import BundleView
from pipeline.errors import InputError
from pipeline.layers import LIGHT_FILE, MIRRORED

ROUNDING: Final = 1e-6
"""Radiance down to minus this is a denoiser's rounding, and counts as 0."""
_AXES: Final = {1: ("luminance",), 3: ("red", "green", "blue")}
_REMEDY: Final = "remove the scene's render from the store and build again"


def check_layers(view: BundleView, colors: Collection[str], luminances: Collection[str]) -> None:
    """Raise InputError unless the layers *colors* hold each light group of *view*, denoised or not, and *luminances*
    those by which highlights are found."""
    check_groups(view, colors, LIGHT_FILE)
    for name in MIRRORED:
        if name not in luminances:
            raise InputError(
                f"view {view.view_id}: expected the luminance {name} in {LIGHT_FILE}, found "
                f"{', '.join(sorted(luminances)) or 'none'}; {_REMEDY}"
            )


def check_groups(view: BundleView, colors: Collection[str], file: str) -> None:
    """Raise InputError unless the layers *colors* of *file* hold each light group of *view*, denoised or not."""
    for group in view.groups:
        if f"denoised.{group}" not in colors and f"group.{group}" not in colors:
            there = sorted({name.partition(".")[2] for name in colors})
            raise InputError(
                f"view {view.view_id}: expected the light groups {', '.join(view.groups)} in {file}, found "
                f"{', '.join(there) or 'none'}: {group} is missing; {_REMEDY}"
            )


def check_radiance(view: BundleView, name: str, radiance: NDArray[np.float32]) -> float:
    """Raise InputError unless layer *name* of *view*, colours (h, w, 3) or luminances (h, w, 1), has the camera's size
    and holds light only. Returns its least value, which may be below 0 by a denoiser's rounding."""
    expected, found = (view.camera.height, view.camera.width), radiance.shape[:2]
    if found != expected:
        raise InputError(
            f"view {view.view_id}, layer {name}: expected the camera's {expected[1]} x {expected[0]} pixels, found "
            f"{found[1]} x {found[0]}; {_REMEDY}"
        )
    least = float(np.min(radiance))
    if least >= -ROUNDING and float(np.max(radiance)) < math.inf:  # false for NaN, too
        return least
    wrong = ~(np.isfinite(radiance) & (radiance >= -ROUNDING))
    row, column, channel = (int(place[0]) for place in np.nonzero(wrong))
    others = int(wrong.sum()) - 1
    raise InputError(
        f"view {view.view_id}, layer {name}: expected finite radiance of 0 or more, found "
        f"{radiance[row, column, channel]:g} in {_AXES[radiance.shape[2]][channel]} at pixel (x {column}, y {row})"
        f"{f' and {others} more values like it' if others else ''}; {_REMEDY}"
    )
