"""What the gate knows of a photo: its labels in the photo's own pixels, as one frozen record.

Covers: the record, and making it from a photo of a dataset or from a light bundle with rows. Does not cover: what is
measured with it (`measure`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import read_exr, read_ids
from pipeline.photo_geometry import PhotoGeometry, geometry_of_rows

CLIPPED_CODE: Final = 250
"""A pixel of an 8-bit photo with a channel from here on counts as clipped, as in `pipeline.clips.evidence`."""

Row = Mapping[str, Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Region:
    """A labelled patch of a photo: its box, and its mask within the box."""

    name: str
    """How messages call it: "part 2 (flange)", "defect 2/1 (scratch)", "highlight 7 (key on part 2)"."""
    instance_id: int
    left: int
    top: int
    mask: Mask
    """(h, w) of the box."""

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(np.count_nonzero(self.mask))

    def window(self, margin: int, shape: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of the box, *margin* pixels wider on each side where the photo of *shape* (h, w) is."""
        height, width = self.mask.shape
        rows = slice(max(self.top - margin, 0), min(self.top + height + margin, shape[0]))
        return rows, slice(max(self.left - margin, 0), min(self.left + width + margin, shape[1]))

    def within(self, window: tuple[slice, slice]) -> Mask:
        """The mask in the pixels of *window*, which holds the whole box."""
        rows, columns = window
        whole = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.bool_)
        top, left = self.top - rows.start, self.left - columns.start
        whole[top : top + self.mask.shape[0], left : left + self.mask.shape[1]] = self.mask
        return whole


@dataclass(frozen=True, eq=False)
class GateTruth:
    """The labels of one photo, in its own pixels. Arrays are not to be changed."""

    instance: NDArray[np.uint16]
    """(h, w) instance_id, 0 = no part."""
    face: NDArray[np.uint16]
    """(h, w) CAD face_id + 1, 0 = no part."""
    depth: NDArray[np.float32]
    """(h, w) metres along the camera's axis, 0 = nothing."""
    clipped: Mask
    """(h, w) pixels of the camera photo with a channel at CLIPPED_CODE or above."""
    parts: tuple[Region, ...]
    """Visible parts; ascending by instance_id."""
    defects: tuple[Region, ...]
    highlights: tuple[Region, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w)."""
        return self.instance.shape[0], self.instance.shape[1]

    @property
    def background(self) -> Mask:
        """(h, w) where no part is seen."""
        return np.asarray(self.instance == 0)


@dataclass(frozen=True, eq=False)
class ViewLayers:
    """The truth layers of a view, (h, w) in its render's pixels."""

    instance: NDArray[np.uint16]
    object: NDArray[np.uint16]
    face: NDArray[np.uint16]
    depth: NDArray[np.float32]


class PhotoSource(Protocol):
    """What is asked of a dataset; `pipeline.dataset.reader.Dataset` has it."""

    def photo(self, photo_id: str) -> dict[str, Any]:
        """The row of a photo."""
        ...

    def view(self, view_id: str) -> dict[str, Any]:
        """The row of a view."""
        ...

    def image(self, photo_id: str) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 sRGB."""
        ...

    def instance_ids(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) instance_id."""
        ...

    def object_ids(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) object index."""
        ...

    def face_ids(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) CAD face_id + 1."""
        ...

    def depth(self, view_id: str) -> NDArray[np.float32]:
        """(h, w) metres."""
        ...

    def instances(self, view_id: str) -> list[dict[str, Any]]:
        """Rows of the instances of a view."""
        ...

    def defects(self, view_id: str) -> list[dict[str, Any]]:
        """Rows of the defects of a view."""
        ...

    def highlights(self, photo_id: str) -> list[dict[str, Any]]:
        """Rows of the highlights of a photo."""
        ...


def truth_of_photo(dataset: PhotoSource, photo_id: str, photo: NDArray[np.uint8] | None = None) -> GateTruth:
    """The labels of a photo of a dataset. *photo* (h, w, 3): its pixels as the camera took them; read when None.

    Raises InputError for an unknown photo, DamageFound for a file that cannot be read.
    """
    row = dataset.photo(photo_id)
    view_id = str(row["view_id"])
    layers = ViewLayers(
        dataset.instance_ids(view_id), dataset.object_ids(view_id), dataset.face_ids(view_id), dataset.depth(view_id)
    )
    return gate_truth(
        geometry_of_rows(dataset.view(view_id), row),
        layers,
        dataset.image(photo_id) if photo is None else photo,
        dataset.instances(view_id),
        dataset.defects(view_id),
        dataset.highlights(photo_id),
    )


def layers_of_bundle(view_folder: Path) -> ViewLayers:
    """The truth layers in the folder of a view of a light bundle (`pipeline.bundle.view_folder`). Raises OSError."""
    depth = next(iter(read_exr(view_folder / "depth.exr").values()))
    instance, objects, face = (read_ids(view_folder / f"{name}.png") for name in ("instance", "object", "face"))
    return ViewLayers(instance, objects, face, depth)


def gate_truth(
    geometry: PhotoGeometry,
    layers: ViewLayers,
    photo: NDArray[np.uint8],
    instances: Iterable[Row],
    defects: Iterable[Row],
    highlights: Iterable[Row],
) -> GateTruth:
    """The labels of *photo* (h, w, 3) from the layers of its view and the rows of the tables.

    Layers and masks of defects are carried into the photo's pixels by *geometry*; masks of highlights are there
    already. Raises ValueError when *photo* and layers differ in size.
    """
    if photo.shape != (geometry.height, geometry.width, 3):
        raise ValueError(f"expected a photo of shape {(geometry.height, geometry.width, 3)}, found {photo.shape}")
    instance, face, depth = (
        geometry.warp(layer, layers.object, layers.face) for layer in (layers.instance, layers.face, layers.depth)
    )
    names = {int(row["instance_id"]): str(row["part_id"]) for row in instances}
    seen = sorted(int(value) for value in np.unique(instance) if value)
    parts = (_region(f"part {number} ({names.get(number, '?')})", number, instance == number) for number in seen)
    return GateTruth(
        instance=instance,
        face=face,
        depth=depth,
        clipped=photo.max(axis=2) >= CLIPPED_CODE,
        parts=tuple(part for part in parts if part is not None),
        defects=_defect_regions(geometry, defects),
        highlights=_highlight_regions(highlights),
    )


def _defect_regions(geometry: PhotoGeometry, rows: Iterable[Row]) -> tuple[Region, ...]:
    regions = []
    for row in rows:
        if row["visible"]:
            name = f"defect {row['instance_id']}/{row['defect_id']} ({row['kind']})"
            mask = np.asarray(geometry.warp(masks.decode(row["mask_rle"])), dtype=np.bool_)
            regions.append(_region(name, int(row["instance_id"]), mask))
    return tuple(region for region in regions if region is not None)


def _highlight_regions(rows: Iterable[Row]) -> tuple[Region, ...]:
    regions = []
    for row in rows:
        name = f"highlight {row['highlight_id']} ({row['light_id']} on part {row['instance_id']})"
        regions.append(_region(name, int(row["instance_id"]), masks.decode(row["mask_rle"])))
    return tuple(region for region in regions if region is not None)


def _region(name: str, instance_id: int, mask: Mask) -> Region | None:
    box = masks.box_of(mask)
    if box is None:
        return None
    left, top, width, height = box
    return Region(name, instance_id, left, top, np.ascontiguousarray(mask[top : top + height, left : left + width]))
