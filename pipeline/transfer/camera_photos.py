"""The camera photos of a scene with all that their transfer needs: truth, protected pixels, controls, prompt, seed.

Covers: reading them from the outputs of the stages before, all layers carried onto the photo's own pixels. Does not
cover: transfer (`climb`), the gate's scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import read_xyz, view_folder
from pipeline.layers import REC709_LUMINANCE
from pipeline.photo_geometry import geometry_of_rows
from pipeline.pictures import read_picture
from pipeline.spec.transfer import ControlKind, Protected
from pipeline.transfer.controls import canny_control, depth_control, normal_control
from pipeline.transfer.gate.truth import GateTruth, Mask, Region, gate_truth, layers_of_bundle
from pipeline.transfer.photos import Encoded

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Wish:
    """What is asked for one photo."""

    photo_id: str
    prompt: str
    seed: int


@dataclass(frozen=True)
class SceneRows:
    """Rows of one scene that describe its photos."""

    views: Sequence[Row]
    photos: Sequence[Row]
    instances: Sequence[Row]
    defects: Sequence[Row]
    highlights: Sequence[Row]


@dataclass(frozen=True, eq=False)
class CameraPhoto:
    """One photo, ready for the networks and the gate. Arrays are not to be changed."""

    photo_id: str
    prompt: str
    seed: int
    pixels: NDArray[np.uint8]
    """(h, w, 3) sRGB."""
    truth: GateTruth
    protected: Mask
    """(h, w) pixels that keep their bytes."""
    controls: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    """Kind -> (h, w, 3)."""
    encoded: Encoded | None = None
    """What the VAE made of it (n = 1) at an earlier strength."""

    @property
    def is_grey(self) -> bool:
        """Whether it comes from a mono sensor: all channels are the same."""
        first = self.pixels[..., :1]
        return bool((self.pixels == first).all())

    def as_taken(self, changed: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """*changed* (h, w, 3) without the colours that a mono sensor cannot have."""
        if not self.is_grey:
            return changed
        grey = np.rint(changed @ REC709_LUMINANCE).astype(np.uint8)
        return np.where(self.protected[..., None], self.pixels, np.repeat(grey[..., None], 3, axis=2))


def read_camera_photo(
    wish: Wish,
    rows: SceneRows,
    render: Path,
    photos: Path,
    protect: Sequence[Protected],
    processes: Sequence[str],
    controls: Sequence[ControlKind],
) -> CameraPhoto:
    """The photo of *wish*, out of the folders of the render and of the photos of its scene.

    *protect* and *processes* say what keeps its bytes, *controls* which ControlNets want a picture. Raises DamageFound
    for a file that cannot be read, KeyError for a photo without a row.
    """
    row = {photo["photo_id"]: photo for photo in rows.photos}[wish.photo_id]
    view = {view["view_id"]: view for view in rows.views}[row["view_id"]]
    geometry = geometry_of_rows(view, row)
    folder = view_folder(render, int(view["view_index"]))
    layers = layers_of_bundle(folder)
    pixels = read_picture(photos / row["image_path"])
    instances = _of(rows.instances, "view_id", view["view_id"])
    truth = gate_truth(
        geometry,
        layers,
        pixels,
        instances,
        _of(rows.defects, "view_id", view["view_id"]),
        _of(rows.highlights, "photo_id", wish.photo_id),
    )
    normal = None
    if {"normal", "canny"} & set(controls):
        normal = geometry.warp(read_xyz(folder / "normal.exr"), layers.object, layers.face)
    return CameraPhoto(
        wish.photo_id,
        wish.prompt,
        wish.seed,
        pixels,
        truth,
        _protected(truth, protect) | _made_by(truth, instances, processes),
        {kind: _control(kind, truth, normal) for kind in controls},
    )


def _of(rows: Sequence[Row], column: str, value: object) -> list[Row]:
    return [row for row in rows if row[column] == value]


def _protected(truth: GateTruth, protect: Sequence[Protected]) -> Mask:
    """(h, w) pixels of the labelled regions that *protect* names."""
    regions: list[Region] = []
    if "defects" in protect:
        regions += truth.defects
    if "highlights" in protect:
        regions += truth.highlights
    mask = np.zeros(truth.shape, dtype=np.bool_)
    for region in regions:
        mask[region.window(0, truth.shape)] |= region.mask
    return mask


def _made_by(truth: GateTruth, instances: Sequence[Row], processes: Sequence[str]) -> Mask:
    """(h, w) pixels of faces that one of *processes* made."""
    mask = np.zeros(truth.shape, dtype=np.bool_)
    for row in instances if processes else ():
        finishes: Mapping[str, str] = row.get("finishes") or {}
        faces = [int(face) + 1 for face, process in finishes.items() if process in processes]
        mask |= (truth.instance == row["instance_id"]) & np.isin(truth.face, faces)
    return mask


def _control(kind: ControlKind, truth: GateTruth, normal: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    if kind == "depth":
        return depth_control(truth.depth)
    if normal is None:
        raise ValueError(f"expected normals for the control {kind}, found none")
    if kind == "normal":
        return normal_control(normal)
    return canny_control(truth.depth, normal, truth.instance)
