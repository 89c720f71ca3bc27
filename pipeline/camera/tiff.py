"""A TIFF file of one uncompressed 16-bit image with any tags, an EXIF folder among them, as bytes.

Covers: TIFF 6.0, little-endian, one strip: what a DNG is made of. Does not cover: compression, colour planes, several
images, reading. Why it is written here: docs/decisions/0010-raw-files.md.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["byte", "ascii", "short", "long", "rational", "undefined", "srational", "double"]

_CODE: Final[dict[Kind, int]] = {
    "byte": 1, "ascii": 2, "short": 3, "long": 4, "rational": 5, "undefined": 7, "srational": 10, "double": 12
}  # fmt: skip
_STRUCT: Final[dict[Kind, str]] = {"byte": "B", "undefined": "B", "short": "H", "long": "I", "double": "d"}

IMAGE_WIDTH, IMAGE_LENGTH, BITS_PER_SAMPLE, COMPRESSION = 256, 257, 258, 259
STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_BYTE_COUNTS = 273, 277, 278, 279
EXIF_IFD: Final = 34665

_HEADER_BYTES: Final = 8
_ENTRY_BYTES: Final = 12
_LARGEST_TERM: Final = 2**31 - 1
"""Largest numerator of a rational, signed or not."""
_LARGEST_DENOMINATOR: Final = 1_000_000


@dataclass(frozen=True)
class Field:
    """The value of one tag."""

    kind: Kind
    values: str | Sequence[float]
    """Text of kind "ascii", else numbers."""

    def packed(self) -> tuple[int, bytes]:
        """How many values there are, and their bytes. Raises ValueError when a number does not fit the kind."""
        if isinstance(self.values, str):
            text = self.values.encode("ascii", "replace") + b"\0"
            return len(text), text
        try:
            return len(self.values), b"".join(self._one(value) for value in self.values)
        except struct.error as error:
            raise ValueError(f"expected values of kind {self.kind}, found {list(self.values)}") from error

    def _one(self, value: float) -> bytes:
        if self.kind in ("rational", "srational"):
            fraction = _fraction(value)
            code = "<II" if self.kind == "rational" else "<ii"
            return struct.pack(code, fraction.numerator, fraction.denominator)
        return struct.pack("<" + _STRUCT[self.kind], value if self.kind == "double" else int(value))


def _fraction(value: float) -> Fraction:
    """The nearest fraction whose terms fit 32 bits, accurate to about 1e-6."""
    denominator = max(1, min(_LARGEST_DENOMINATOR, int(_LARGEST_TERM / max(abs(value), 1.0))))
    return Fraction(value).limit_denominator(denominator)


def tiff_bytes(image: NDArray[np.uint16], tags: Mapping[int, Field], exif: Mapping[int, Field]) -> bytes:
    """The file of *image* (h, w): *tags* beside the ones that TIFF itself needs, and *exif* in a folder of its own.

    The order is header, image, EXIF folder, main folder; the same input gives the same bytes.
    """
    pixels = np.ascontiguousarray(image, dtype="<u2").tobytes()
    exif_at = _even(_HEADER_BYTES + len(pixels))
    exif_block = _directory(exif, exif_at)
    main_at = exif_at + len(exif_block)
    height, width = image.shape
    main = {
        **tags,
        IMAGE_WIDTH: Field("long", (width,)),
        IMAGE_LENGTH: Field("long", (height,)),
        BITS_PER_SAMPLE: Field("short", (16,)),
        COMPRESSION: Field("short", (1,)),
        STRIP_OFFSETS: Field("long", (_HEADER_BYTES,)),
        SAMPLES_PER_PIXEL: Field("short", (1,)),
        ROWS_PER_STRIP: Field("long", (height,)),
        STRIP_BYTE_COUNTS: Field("long", (len(pixels),)),
        EXIF_IFD: Field("long", (exif_at,)),
    }
    header = struct.pack("<2sHI", b"II", 42, main_at)
    padding = bytes(exif_at - _HEADER_BYTES - len(pixels))
    return header + pixels + padding + exif_block + _directory(main, main_at)


def _directory(fields: Mapping[int, Field], at: int) -> bytes:
    """An image file directory that lies *at* this offset, with the values too long for its entries behind it."""
    values_at = at + 2 + _ENTRY_BYTES * len(fields) + 4
    entries, values = b"", b""
    for tag in sorted(fields):
        count, data = fields[tag].packed()
        entry = struct.pack("<HHI", tag, _CODE[fields[tag].kind], count)
        if len(data) <= 4:
            entries += entry + data.ljust(4, b"\0")
        else:
            entries += entry + struct.pack("<I", values_at + len(values))
            values += data.ljust(_even(len(data)), b"\0")
    return struct.pack("<H", len(fields)) + entries + struct.pack("<I", 0) + values


def _even(size: int) -> int:
    """*size* rounded up: TIFF offsets are even."""
    return size + size % 2
