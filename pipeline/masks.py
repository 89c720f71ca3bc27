"""Masks as text: COCO run-length encoding, the form that every mask column of the tables has.

Covers: encode, decode, area, box. Does not cover: polygons. A mask is a JSON object
`{"size": [height, width], "counts": "..."}` in ASCII; `counts` is pycocotools' compressed form, column by column, so
`pycocotools.mask.decode(json.loads(text))` reads it as it stands.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["area", "bbox", "box_of", "decode", "encode", "encode_pixels"]


def encode(mask: NDArray[Any]) -> str:
    """Encode a (h, w) mask, bool or any numbers (not 0 = inside). Raises ValueError when it is not two-dimensional."""
    from pycocotools import mask as coco

    if mask.ndim != 2:
        raise ValueError(f"expected a mask of shape (h, w), found shape {mask.shape}")
    rle = coco.encode(np.asfortranarray(mask != 0, dtype=np.uint8))
    size = [int(rle["size"][0]), int(rle["size"][1])]
    return json.dumps({"size": size, "counts": rle["counts"].decode("ascii")}, separators=(",", ":"))


def encode_pixels(rows: NDArray[Any], columns: NDArray[Any], shape: tuple[int, int]) -> str:
    """Encode the mask of *shape* (h, w) that holds just the pixels at (*rows*, *columns*), each once, in any order.

    The same text as `encode` gives, in time that grows with the pixels and not with the image: for small masks.
    """
    from pycocotools import mask as coco

    height, width = shape
    places = np.sort(np.asarray(columns, dtype=np.int64) * height + np.asarray(rows, dtype=np.int64))
    gaps = np.flatnonzero(np.diff(places) != 1)
    starts = places[np.concatenate([[0], gaps + 1])] if places.size else places
    ends = places[np.concatenate([gaps, [places.size - 1]])] + 1 if places.size else places
    borders = np.concatenate([[0], np.stack([starts, ends], axis=-1).ravel(), [height * width]])
    runs = np.diff(borders).tolist()
    if runs[-1] == 0 and len(runs) > 1:
        runs.pop()  # the last run ends the image: pycocotools writes no empty one after it
    rle = coco.frPyObjects({"size": [height, width], "counts": runs}, height, width)
    return json.dumps({"size": [height, width], "counts": rle["counts"].decode("ascii")}, separators=(",", ":"))


def decode(rle: str) -> NDArray[np.bool_]:
    """Decode to a (h, w) bool mask. Raises ValueError when *rle* is not a mask as `encode` writes it."""
    height, width, runs = _parsed(rle)
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(width, height).T)


def area(rle: str) -> int:
    """Number of pixels inside, without decoding."""
    return sum(_parsed(rle)[2][1::2])


def bbox(rle: str) -> tuple[int, int, int, int]:
    """Smallest box around the mask, (x, y, width, height) in pixels; (0, 0, 0, 0) when it is empty."""
    return box_of(decode(rle)) or (0, 0, 0, 0)


def box_of(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Smallest box around a (h, w) mask, (x, y, width, height) in pixels; None when it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return (int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def box_of_pixels(y: NDArray[np.int64], x: NDArray[np.int64]) -> tuple[int, int, int, int]:
    """Smallest box around the pixels at rows *y* and columns *x* (n,), (x, y, width, height); n is at least 1."""
    left, top = int(np.min(x)), int(np.min(y))
    return (left, top, int(np.max(x)) - left + 1, int(np.max(y)) - top + 1)


def _parsed(rle: str) -> tuple[int, int, list[int]]:
    """(height, width, run lengths), checked: the text may come from a damaged table."""
    value: Any = json.loads(rle)
    if not isinstance(value, dict) or set(value) != {"size", "counts"} or not isinstance(value["counts"], str):
        raise ValueError(f'expected a mask {{"size": [h, w], "counts": "..."}}, found {rle[:60]!r}')
    size = value["size"]
    if not isinstance(size, list) or len(size) != 2 or not all(type(n) is int and n > 0 for n in size):
        raise ValueError(f"expected a mask size [h, w] of positive whole numbers, found {size!r}")
    runs = _runs(value["counts"])
    if sum(runs) != size[0] * size[1] or min(runs, default=0) < 0:
        raise ValueError(f"expected the runs of a mask to cover its {size[0] * size[1]} pixels, found {sum(runs)}")
    return size[0], size[1], runs


def _runs(counts: str) -> list[int]:
    """Lengths of the runs, outside and inside in turn.

    Source: pycocotools, maskApi.c, rleFrString. Each run is a little-endian sequence of 6-bit characters from "0" on:
    bit 5 says that more follow, bit 4 of the last is the sign. From the fourth run on the difference to the run two
    before is stored.
    """
    runs: list[int] = []
    value, shift = 0, 0
    for character in counts:
        chunk = ord(character) - 48
        if not 0 <= chunk < 64:
            raise ValueError(f"expected a mask of COCO's characters, found {character!r}")
        value |= (chunk & 0x1F) << shift
        shift += 5
        if chunk & 0x20:
            continue
        if chunk & 0x10:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value, shift = 0, 0
    if shift:
        raise ValueError("expected a whole run at the end of a mask, found it cut off")
    return runs
