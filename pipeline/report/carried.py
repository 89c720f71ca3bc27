"""Labels of a view as a photo shows them, whose lens may distort: masks and boxes for drawing on the photo.

Covers: rows with `mask_rle` and perhaps `bbox_visible`. Does not cover: the map (`pipeline.photo_geometry`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline import masks
from pipeline.photo_geometry import geometry_of_rows
from pipeline.report.data import BuildTables, Row

_CAMERA: Final = ("fx", "fy", "cx", "cy")


def carried_rows(tables: BuildTables, photo: Row, rows: Sequence[Row]) -> list[Row]:
    """*rows* of the photo's view with masks, and boxes where they have any, in the photo's pixels.

    Masks of another size than the view stay as they are. Raises ValueError when a mask cannot be read.
    """
    views = tables.rows("views", ("width", "height", *_CAMERA), ("view_id", [photo["view_id"]]))
    cameras = tables.rows("photos", (*_CAMERA, "distortion"), ("photo_id", [photo["photo_id"]]))
    if not views or not cameras or cameras[0]["fx"] is None:
        return list(rows)
    geometry = geometry_of_rows(views[0], cameras[0])
    if geometry.is_pinhole:
        return list(rows)
    carried = []
    for row in rows:
        mask = masks.decode(str(row["mask_rle"]))
        if mask.shape != (geometry.height, geometry.width):
            carried.append(row)
            continue
        moved = geometry.warp(mask)
        box = masks.box_of(moved)
        boxes = {"bbox_visible": None if box is None else list(box)} if "bbox_visible" in row else {}
        carried.append({**row, "mask_rle": masks.encode(moved), **boxes})
    return carried
