"""Blender's render files under one set of names.

The 5.x line writes one EXR part per pass with long names, 4.5 one part with short ones; here both become
`Combined`, `Noisy Image`, `Combined_<group>`, `Diffuse Direct` ... with (h, w, channels) float32 arrays.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

Passes = dict[str, NDArray[np.float32]]

OLD_NAMES: Final = {
    "DiffDir": "Diffuse Direct",
    "DiffInd": "Diffuse Indirect",
    "DiffCol": "Diffuse Color",
    "GlossDir": "Glossy Direct",
    "GlossInd": "Glossy Indirect",
    "GlossCol": "Glossy Color",
    "TransDir": "Transmission Direct",
    "TransInd": "Transmission Indirect",
    "TransCol": "Transmission Color",
    "Emit": "Emission",
    "Env": "Environment",
    "IndexOB": "Object Index",
}
ORDER: Final = {axis: place for place, axes in enumerate(("RXV", "GY", "BZ", "A")) for axis in axes}


def read_passes(path: Path) -> Passes:
    """Every pass of a multi-layer EXR written by Blender, by its 5.x name without the view layer.

    Raises OSError when the file cannot be read.
    """
    file: Any = oiio.ImageInput.open(str(path))
    if file is None:
        raise OSError(f"cannot read {path}: {oiio.geterror()}")
    passes: Passes = {}
    part = 0
    while file.seek_subimage(part, 0):
        names = list(file.spec().channelnames)
        pixels = np.asarray(file.read_image(part, 0, 0, len(names), oiio.FLOAT), dtype=np.float32)
        passes.update(_split(names, pixels.reshape(pixels.shape[0], pixels.shape[1], len(names))))
        part += 1
    file.close()
    return passes


def _split(names: list[str], pixels: NDArray[np.float32]) -> Passes:
    """Group the channels of one part by pass, each pass's channels in the order R G B A or X Y Z."""
    return {name: pixels[..., order] for name, order in _channels(names).items()}


def _channels(names: list[str]) -> dict[str, list[int]]:
    """Pass -> places of its channels among *names*, in the order R G B A or X Y Z."""
    channels: dict[str, dict[str, int]] = {}
    for index, full in enumerate(names):
        stem, _, axis = full.rpartition(".")
        name = stem.rpartition(".")[2]
        channels.setdefault(OLD_NAMES.get(name, name), {})[axis] = index
    return {
        name: [axes[axis] for axis in sorted(axes, key=lambda a: ORDER.get(a, 9))] for name, axes in channels.items()
    }


def rgb(passes: Passes, name: str) -> NDArray[np.float32]:
    """(h, w, 3) float32 colour of pass *name*. Raises KeyError naming what there is."""
    if name not in passes:
        raise KeyError(f"expected the pass {name!r}, found {sorted(passes)}")
    return passes[name][..., :3]


def scalar(passes: Passes, name: str) -> NDArray[np.float32]:
    """(h, w) float32 values of pass *name*."""
    if name not in passes:
        raise KeyError(f"expected the pass {name!r}, found {sorted(passes)}")
    return passes[name][..., 0]


class PassRows:
    """Rows of some passes of a multi-layer EXR written by Blender, for files that are too large to read whole."""

    def __init__(self, path: Path, wanted: tuple[str, ...]) -> None:
        """Open the file at *path* for the passes *wanted*, by their 5.x names. Raises OSError, KeyError."""
        self.path = path
        self.file: Any = oiio.ImageInput.open(str(path))
        if self.file is None:
            raise OSError(f"cannot read {path}: {oiio.geterror()}")
        self.places: dict[str, tuple[int, list[int]]] = {}
        part = 0
        while self.file.seek_subimage(part, 0):
            for name, order in _channels(list(self.file.spec().channelnames)).items():
                self.places[name] = part, order
            part += 1
        missing = [name for name in wanted if name not in self.places]
        if missing:
            raise KeyError(f"expected the passes {wanted}, found {sorted(self.places)}")

    def read(self, name: str, first: int, last: int) -> NDArray[np.float32]:
        """Rows *first* up to *last* of pass *name*: (rows, w, channels) float32. Raises OSError."""
        part, order = self.places[name]
        self.file.seek_subimage(part, 0)
        spec = self.file.spec()
        pixels = self.file.read_scanlines(part, 0, first, last, 0, 0, spec.nchannels, oiio.FLOAT)
        if pixels is None:
            raise OSError(f"cannot read the rows of {self.path}: {self.file.geterror()}")
        rows = np.asarray(pixels, dtype=np.float32).reshape(last - first, spec.width, spec.nchannels)
        return rows[..., order]

    def close(self) -> None:
        """Close the file."""
        self.file.close()
