"""The radiance layers of a view on disk: which file holds which, how they are rounded, and reading them back.

    light.exr    what photos need: `denoised.<group>` (one denoised light group), or `group.<group>` where the scene
                 was not denoised, with channels R G B; and the luminances (channel Y) of two untouched layers, `noisy`
                 and `glossy_direct`, by which highlights are found
    terms.exr    the rest, untouched: `group.<group>` where light.exr has the denoised ones, the light-path terms
                 PATH_TERMS (radiance, colour already multiplied in), `diffuse_color`, `glossy_color`; R G B

    cast_light.exr  what metal parts throw onto their neighbourhood: `cast.<group>`, and the standard error (channel Y)
                 `cast_error` of the luminance of their sum; traced apart (`render.cast_light`), not by Blender

Each layer is a part of its file, named as the layer, so that one can be read without unpacking the others. Not stored,
because they are sums, and formed by `read_layers`: `noisy` (of the groups) and `combined` (of the denoised groups, or
`noisy`). Values are half floats whose mantissa is rounded to KEPT_BITS or NOISY_BITS: docs/decisions/0012 has sizes
and errors. That groups and terms add up to what Blender rendered is measured before rounding (`light_sums`) and kept
in bundle.json. Does not cover: the exact layers of truth, which `bundle` writes lossless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import PATH_TERMS, open_exr

LIGHT_FILE: Final = "light.exr"
TERMS_FILE: Final = "terms.exr"

KEPT_BITS: Final = 8
"""Mantissa bits of what is seen: denoised groups, colours, groups of a scene without denoising. An error of at most
2^-9 = 0.2 %, while the finest step of an 8-bit sRGB picture is 0.9 % of the radiance."""
NOISY_BITS: Final = 6
"""Mantissa bits of untouched layers: at most 2^-7 = 0.8 %, a fraction of their noise from pixel to pixel."""
CAST_BITS: Final = 5
CAST_ERROR_BITS: Final = 2
"""Of cast light, whose own error is about 10 %, and of that error."""
CODEC: Final = "zip:2"
"""EXR compression: deflate, which squeezes rounded low bytes. Wavelets (piz) make smooth layers up to a tenth smaller
and take a tenth longer to read."""

REC709_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Luminance of linear Rec.709 (ITU-R BT.709-6)."""
MIRRORED: Final = ("noisy", "glossy_direct")
"""Layers whose luminance is in light.exr."""
CAST: Final = "cast."
CAST_ERROR: Final = "cast_error"
"""Parts of the file of cast light."""
COLORS: Final = ("diffuse_color", "glossy_color")

DARK_SHARE: Final = 0.01
"""Share of the image's mean radiance that is added to a pixel's own before errors are divided by it."""

Layers = dict[str, NDArray[np.float32]]
"""Name -> (h, w, 3) radiance."""

_FLOAT32_MANTISSA: Final = 23
_PART_NAME: Final = "oiio:subimagename"
"""What OpenImageIO calls the name of a part."""


def rounded(values: NDArray[np.float32], bits: int) -> NDArray[np.float16]:
    """*values* as half floats with *bits* (1 to 10) of mantissa, to nearest even; the brightest stay finite."""
    cut = _FLOAT32_MANTISSA - bits
    brightest = float(2.0**16 - 2.0 ** (15 - bits))  # the largest half float with so many bits
    pattern = np.clip(values, -brightest, brightest).astype(np.float32).view(np.uint32)
    # Rounded once, from float32: going through a half float first would round twice, to more than half a step.
    nearest = (pattern + np.uint32((1 << (cut - 1)) - 1) + (pattern >> cut & 1)) >> cut << cut
    return np.where(np.isnan(values), values, nearest.view(np.float32)).astype(np.float16)


def rounding_error(bits: int) -> float:
    """Largest relative error of `rounded` on what normal half floats hold (6e-5 to 65504)."""
    return float(2.0 ** -(bits + 1))


def relative_error(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Largest |a - b| / (|b| + DARK_SHARE * mean |b|) over all pixels and channels; inf when a value is not finite.

    The second term keeps the rounding of a black pixel from counting as an error of a hundred per cent. Both arrays
    are (h, w, 3) radiance. An image that is black throughout must be matched exactly.
    """
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    difference = np.abs(a.astype(np.float64) - b)
    scale = np.abs(b) + DARK_SHARE * float(np.abs(b).mean())
    return float(np.max(np.divide(difference, scale, out=np.where(difference > 0, np.inf, 0.0), where=scale > 0)))


def total(layers: Mapping[str, NDArray[np.float32]], names: Iterable[str]) -> NDArray[np.float32]:
    """Sum (h, w, 3) of the layers *names*. Raises KeyError when one is not there, ValueError when there is none."""
    first, *rest = names
    result = layers[first].copy()
    for name in rest:
        result += layers[name]
    return result


def light_sums(layers: Layers, groups: tuple[str, ...]) -> tuple[float, float]:
    """`relative_error` of the sum of the light groups, and of the light-path terms, to the layer "noisy"."""
    by_group = relative_error(total(layers, [f"group.{group}" for group in groups]), layers["noisy"])
    return by_group, relative_error(total(layers, PATH_TERMS), layers["noisy"])


def write_layers(folder: Path, layers: Layers, groups: tuple[str, ...]) -> None:
    """Write light.exr and terms.exr of one view into *folder*.

    *layers* holds `noisy`, every `group.<name>` of *groups*, every light-path term, COLORS, and, where the scene was
    denoised, every `denoised.<name>`. Raises KeyError when one is missing, OSError when a file cannot be written.
    """
    untouched = [f"group.{group}" for group in groups]
    denoised = any(name.startswith("denoised.") for name in layers)
    seen = [f"denoised.{group}" for group in groups] if denoised else untouched
    light = {name: rounded(layers[name], KEPT_BITS) for name in seen}
    light |= {name: rounded(layers[name] @ REC709_LUMINANCE, NOISY_BITS)[..., None] for name in MIRRORED}
    write_parts(folder / LIGHT_FILE, light, CODEC)
    terms = {name: rounded(layers[name], NOISY_BITS) for name in [*(untouched if denoised else ()), *PATH_TERMS]}
    terms |= {name: rounded(layers[name], KEPT_BITS) for name in COLORS}
    write_parts(folder / TERMS_FILE, terms, CODEC)


def write_groups(path: Path, groups: Layers) -> None:
    """Write light groups that are seen, and nothing else, as one EXR file. Raises OSError."""
    write_parts(path, {name: rounded(values, KEPT_BITS) for name, values in groups.items()}, CODEC)


def write_cast_light(path: Path, groups: Layers, error: NDArray[np.float32]) -> None:
    """Write the cast light of a view: light group -> (h, w, 3), and its standard error (h, w). Raises OSError."""
    parts = {f"{CAST}{name}": rounded(values, CAST_BITS) for name, values in groups.items()}
    write_parts(path, {**parts, CAST_ERROR: rounded(error, CAST_ERROR_BITS)[..., None]}, CODEC)


def read_cast_light(path: Path) -> tuple[Layers, NDArray[np.float32]]:
    """What `write_cast_light` wrote: light group -> (h, w, 3), and the standard error (h, w). Raises OSError."""
    parts = read_parts(path)
    if CAST_ERROR not in parts:
        raise OSError(f"cannot read {path}: expected the part {CAST_ERROR}, found {sorted(parts)}")
    error = parts.pop(CAST_ERROR)[..., 0]
    return {name.removeprefix(CAST): values for name, values in parts.items()}, error


def write_parts(path: Path, parts: Mapping[str, NDArray[Any]], codec: str) -> None:
    """Write arrays (h, w, 3) or (h, w, 1) as the parts of one EXR file, float16 as half floats, others as float32.

    Same bytes for the same pixels. *codec* is a compression as OpenImageIO names it. Raises OSError.
    """
    import OpenImageIO as oiio

    specs = [_part_spec(name, values, codec) for name, values in parts.items()]
    output: Any = oiio.ImageOutput.create(str(path))
    written = output is not None and output.open(str(path), tuple(specs))
    for number, (spec, values) in enumerate(zip(specs, parts.values(), strict=True)):
        written = written and (number == 0 or output.open(str(path), spec, "AppendSubimage"))
        written = written and output.write_image(np.ascontiguousarray(values))
    if not (written and output.close()):
        raise OSError(f"cannot write {path}: {oiio.geterror() if output is None else output.geterror()}")


def _part_spec(name: str, values: NDArray[Any], codec: str) -> Any:
    import OpenImageIO as oiio

    height, width, channels = values.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.HALF if values.dtype == np.float16 else oiio.FLOAT)
    spec.channelnames = ("Y",) if channels == 1 else ("R", "G", "B")
    spec.attribute(_PART_NAME, name)
    spec.attribute("compression", codec)
    spec.attribute("DateTime", "2000:01:01 00:00:00")  # the writer would put the wall clock here
    return spec


def read_parts(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> dict[str, NDArray[np.float32]]:
    """The parts of an EXR file whose name is *wanted*: name -> (h, w, channels) float32. Raises OSError."""
    import OpenImageIO as oiio

    file = open_exr(path)
    parts: dict[str, NDArray[np.float32]] = {}
    try:
        number = 0
        while file.seek_subimage(number, 0):
            spec = file.spec()
            name = spec.getattribute(_PART_NAME) or ""
            if wanted(name):
                pixels = file.read_image(number, 0, 0, spec.nchannels, oiio.FLOAT)
                if pixels is None:
                    raise OSError(f"cannot read the pixels of {path}: the file is damaged")
                parts[name] = np.asarray(pixels, dtype=np.float32).reshape(spec.height, spec.width, spec.nchannels)
            number += 1
    finally:
        file.close()
    return parts


def read_light(folder: Path) -> tuple[Layers, dict[str, NDArray[np.float32]]]:
    """What light.exr of a view's *folder* holds: colour layers (h, w, 3), and luminances (h, w). Raises OSError."""
    parts = read_parts(folder / LIGHT_FILE)
    colors = {name: values for name, values in parts.items() if values.shape[2] == len(REC709_LUMINANCE)}
    return colors, {name: values[..., 0] for name, values in parts.items() if name not in colors}


def read_layers(folder: Path) -> Layers:
    """Every colour layer of a view's *folder* by name, those that are sums included. Raises OSError."""
    layers = {**read_light(folder)[0], **read_parts(folder / TERMS_FILE)}
    layers["noisy"] = total(layers, [name for name in layers if name.startswith("group.")])
    denoised = [name for name in layers if name.startswith("denoised.")]
    layers["combined"] = total(layers, denoised) if denoised else layers["noisy"]
    return layers


def read_layer(folder: Path, name: str) -> NDArray[np.float32]:
    """One (h, w, 3) layer of `read_layers`. Raises OSError, or KeyError naming what there is."""
    layers = read_layers(folder)
    if name not in layers:
        raise KeyError(f"expected the layer {name!r}, found {sorted(layers)}")
    return layers[name]
