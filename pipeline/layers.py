"""The radiance layers of a view on disk: which file holds which, how they are rounded, and reading them back.

    light.exr    what photos need: `denoised.<group>` (one denoised light group), or `group.<group>` where the scene
                 was not denoised, each .R .G .B; and two luminances of untouched light, `noisy.Y` and
                 `glossy_direct.Y`, by which highlights are found
    terms.exr    the rest, untouched: `group.<group>` where light.exr has the denoised ones, the light-path terms
                 PATH_TERMS (radiance, colour already multiplied in), `diffuse_color`, `glossy_color`; each .R .G .B

Not stored, because they are sums, and formed by `read_layers`: `noisy` (of the groups) and `combined` (of the denoised
groups, or `noisy`). Values are half floats whose mantissa is rounded to KEPT_BITS or NOISY_BITS: docs/decisions/0012
has the sizes and errors. That groups and terms add up to what Blender rendered is measured before rounding
(`light_sums`) and kept in bundle.json. Does not cover: the exact layers of truth, which `bundle` writes lossless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import PATH_TERMS, channel_names, read_channels, write_exr

LIGHT_FILE: Final = "light.exr"
TERMS_FILE: Final = "terms.exr"

KEPT_BITS: Final = 8
"""Mantissa bits of what is seen: denoised groups, colours, groups of a scene without denoising. An error of at most
2^-9 = 0.2 %, while the finest step of an 8-bit sRGB picture is 0.9 % of the radiance."""
NOISY_BITS: Final = 6
"""Mantissa bits of untouched layers: at most 2^-7 = 0.8 %, a fraction of their noise from pixel to pixel."""
KEPT_CODEC: Final = "piz"
NOISY_CODEC: Final = "zip:2"
"""EXR compressions. Wavelets (piz) suit smooth layers; deflate suits noise, whose rounded low bytes it squeezes."""

REC709_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Luminance of linear Rec.709 (ITU-R BT.709-6)."""
MIRRORED: Final = ("noisy", "glossy_direct")
"""Layers whose luminance is in light.exr."""
COLORS: Final = ("diffuse_color", "glossy_color")

DARK_SHARE: Final = 0.01
"""Share of the image's mean radiance that is added to a pixel's own before errors are divided by it."""

Layers = dict[str, NDArray[np.float32]]
"""Name -> (h, w, 3) radiance."""

_FLOAT32_MANTISSA: Final = 23


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
    light = _channels(layers, seen, KEPT_BITS)
    light |= {f"{name}.Y": rounded(layers[name] @ REC709_LUMINANCE, NOISY_BITS) for name in MIRRORED}
    write_exr(folder / LIGHT_FILE, light, KEPT_CODEC)
    terms = _channels(layers, [*untouched, *PATH_TERMS] if denoised else PATH_TERMS, NOISY_BITS)
    write_exr(folder / TERMS_FILE, terms | _channels(layers, COLORS, KEPT_BITS), NOISY_CODEC)


def _channels(layers: Layers, names: Iterable[str], bits: int) -> dict[str, NDArray[Any]]:
    return {f"{name}.{axis}": rounded(layers[name][..., i], bits) for name in names for i, axis in enumerate("RGB")}


def layer_names(path: Path) -> tuple[str, ...]:
    """Names of the colour layers that the EXR file at *path* stores. Raises OSError when it cannot be read."""
    return tuple(dict.fromkeys(name.removesuffix(".R") for name in channel_names(path) if name.endswith(".R")))


def read_light(folder: Path) -> tuple[Layers, dict[str, NDArray[np.float32]]]:
    """What light.exr of a view's *folder* holds: colour layers (h, w, 3), luminances (h, w) by name without ".Y".

    The file is unpacked once, in the order it is stored. Raises OSError when it cannot be read.
    """
    names, pixels = read_channels(folder / LIGHT_FILE)
    place = {name: index for index, name in enumerate(names)}
    luminances = {name[:-2]: np.ascontiguousarray(pixels[..., i]) for name, i in place.items() if name.endswith(".Y")}
    return {name[:-2]: _color(pixels, place, name[:-2]) for name in names if name.endswith(".R")}, luminances


def _color(pixels: NDArray[np.float32], place: Mapping[str, int], name: str) -> NDArray[np.float32]:
    red, green, blue = (place[f"{name}.{axis}"] for axis in "RGB")
    if (green, blue) == (red + 1, red + 2):  # a plain copy is several times faster than gathering
        return np.ascontiguousarray(pixels[..., red : red + 3])
    return np.ascontiguousarray(pixels[..., [red, green, blue]])


def read_layers(folder: Path) -> Layers:
    """Every colour layer of a view's *folder* by name, those that are sums included. Raises OSError."""
    layers: Layers = {}
    for file in (LIGHT_FILE, TERMS_FILE):
        names, pixels = read_channels(folder / file)
        place = {name: index for index, name in enumerate(names)}
        layers |= {name[:-2]: _color(pixels, place, name[:-2]) for name in names if name.endswith(".R")}
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
