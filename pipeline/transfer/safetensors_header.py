"""What a .safetensors file says of itself: names, types and shapes of its tensors, without reading a weight.

Format: 8 bytes little-endian length, that many bytes of JSON, the data; see the safetensors README, "Format". Covers:
files that are truncated, of another kind, or PyTorch pickles. Does not cover: what the names mean (`architecture`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import InputError

PICKLES: Final = (".ckpt", ".pt", ".pth", ".bin")
LARGEST_HEADER: Final = 100_000_000
"""Bytes; the safetensors library refuses longer ones too."""
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"

CONVERT: Final = """\
Only .safetensors files are read, because opening a pickle runs whatever program its author put in it. If you trust the
file, convert it once, in an environment with torch and safetensors:
  python - IN.ckpt OUT.safetensors <<'END'
  import sys, torch
  from safetensors.torch import save_file
  weights = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
  weights = weights.get("state_dict", weights)
  save_file({k: v.clone().contiguous() for k, v in weights.items() if isinstance(v, torch.Tensor)}, sys.argv[2])
  END"""


@dataclass(frozen=True)
class TensorEntry:
    """A tensor as the header describes it."""

    dtype: str
    """Name of the format: "F16", "BF16", "F32", "I64" ..."""
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """The header of one file."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Shape of tensor *name*, None where there is none."""
        entry = self.tensors.get(name)
        return entry.shape if entry else None

    def below(self, *prefixes: str) -> list[str]:
        """Names that begin with any of *prefixes*."""
        return [name for name in self.tensors if name.startswith(prefixes)]

    def dtypes(self) -> dict[str, int]:
        """How many tensors there are of each type, the most first."""
        counts: dict[str, int] = {}
        for entry in self.tensors.values():
            counts[entry.dtype] = counts.get(entry.dtype, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def read_header(path: Path) -> Header:
    """Read and check the header of *path*; no weight is read.

    Raises InputError for pickles, other kinds of files, damaged headers and truncated files.
    """
    if not path.is_file():
        raise InputError(f"expected a .safetensors file, found none at {path}")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        plausible = len(start) == 8 and 2 <= length <= LARGEST_HEADER
        # The length of a header may begin with a pickle's mark, but a pickle read as a length is astronomic.
        if path.suffix.lower() in PICKLES or start[:4] == _ZIP or (start[:1] == _PICKLE and not plausible):
            raise InputError(f"expected a .safetensors file, found a PyTorch pickle: {path}\n{CONVERT}")
        if not plausible:
            raise InputError(f"expected a .safetensors file, found another kind of file: {path}")
        text = file.read(length)
    if len(text) < length:
        raise _truncated(path, 8 + length, size)
    header, end = _parse(text, path)
    if size < 8 + length + end:
        raise _truncated(path, 8 + length + end, size)
    return header


def _truncated(path: Path, expected: int, found: int) -> InputError:
    return InputError(
        f"expected {expected} bytes in {path}, found {found}: the file is truncated; download or copy it again"
    )


def _parse(text: bytes, path: Path) -> tuple[Header, int]:
    """The header, and where the data of the last tensor ends, counted from the end of the header."""
    try:
        values: dict[str, Any] = json.loads(text)
        metadata = values.pop("__metadata__", None) or {}
        tensors = {name: TensorEntry(v["dtype"], tuple(v["shape"])) for name, v in values.items()}
        end = max((int(v["data_offsets"][1]) for v in values.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"expected a .safetensors file, found a header that cannot be read in {path}") from error
    if not tensors:
        raise InputError(f"expected weights in {path}, found a .safetensors file without any tensor")
    return Header(tensors, {str(k): str(v) for k, v in metadata.items()}), end
