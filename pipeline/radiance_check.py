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

ROUNDING: Final = 1e-6
"""Radiance down to minus this is a denoiser's rounding, and counts as 0."""
_REMEDY: Final = "remove the scene's render from the store and build again"


def check_groups(view: BundleView, channels: Collection[str], file: str = "layers.exr") -> None:
    """Raise InputError unless the *channels* of *file* hold each light group of *view*, denoised or not."""
    for group in view.groups:
        if not any(all(f"{kind}.{group}.{axis}" in channels for axis in "RGB") for kind in ("denoised", "group")):
            there = sorted({name.split(".")[1] for name in channels if name.startswith(("denoised.", "group."))})
            raise InputError(
                f"view {view.view_id}: expected the light groups {', '.join(view.groups)} in {file}, found "
                f"{', '.join(there) or 'none'}: {group} is missing; {_REMEDY}"
            )


def check_radiance(view: BundleView, name: str, radiance: NDArray[np.float32]) -> None:
    """Raise InputError unless layer *name* (h, w, 3) of *view* has the camera's size and holds light only."""
    expected, found = (view.camera.height, view.camera.width), radiance.shape[:2]
    if found != expected:
        raise InputError(
            f"view {view.view_id}, layer {name}: expected the camera's {expected[1]} x {expected[0]} pixels, found "
            f"{found[1]} x {found[0]}; {_REMEDY}"
        )
    if float(np.min(radiance)) >= -ROUNDING and float(np.max(radiance)) < math.inf:  # false for NaN, too
        return
    wrong = ~(np.isfinite(radiance) & (radiance >= -ROUNDING))
    row, column, channel = (int(place[0]) for place in np.nonzero(wrong))
    others = int(wrong.sum()) - 1
    raise InputError(
        f"view {view.view_id}, layer {name}: expected finite radiance of 0 or more, found "
        f"{radiance[row, column, channel]:g} in {['red', 'green', 'blue'][channel]} at pixel (x {column}, y {row})"
        f"{f' and {others} more values like it' if others else ''}; {_REMEDY}"
    )
