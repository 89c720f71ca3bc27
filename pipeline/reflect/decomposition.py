"""The radiance of a view taken apart: highlights, inter-reflection, surroundings, diffuse light ..., by light group.

Cycles keeps the radiance of each light group, and of each kind of path, but not both at once. Here the table of groups
x kinds of each pixel and channel is fitted to both sums, starting from a render of the direct light of each group
(iterative proportional fitting). What the mirrored rays meet then tells inter-reflection from surroundings. Covers:
the arithmetic, and writing decomposition.exr below the truth stage's output. Does not cover: the renders
(`render.blender.reflection_renders`). docs/truth.md defines the layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import (
    DIRECT_FILE,
    FIRST_FAR,
    ROUGH_FILE,
    BundleView,
    SceneBundle,
    load_bundle,
    read_exr,
    read_ids,
    view_folder,
)
from pipeline.layers import (
    CODEC,
    DECOMPOSITION_FILE,
    NOISY_BITS,
    Layers,
    read_layers,
    read_parts,
    rounded,
    total,
    write_parts,
)
from pipeline.reflect.fitting import fitted
from pipeline.reflect.lamps import SURROUNDINGS_KIND, emitters_of
from pipeline.reflected_sources import LIGHT, PART, SELF, kinds_of, read_hits

DECOMPOSED: Final = ("highlight", "inter_reflection", "surroundings", "diffuse", "transmission", "emission")
"""What the radiance of each light group is divided into; the parts of decomposition.exr are `<one of these>.<group>`.
They add up to the group's untouched radiance wherever a part is."""

_TERMS: Final = {
    "glossy_direct": ("glossy_direct",),
    "glossy_indirect": ("glossy_indirect",),
    "diffuse": ("diffuse_direct", "diffuse_indirect"),
    "transmission": ("transmission_direct", "transmission_indirect"),
    "emission": ("emission", "environment"),
}
"""Rows of the table, and the light-path terms that each stands for."""
_GLOSSY: Final = 2
"""The first so many rows are all that there is on bare metal."""
_SINGLE: Final = (True, False, False, True, True)
"""Rows of which the direct render shows something."""
_PIXELS_AT_ONCE: Final = 16384


@dataclass(frozen=True, eq=False)
class MirroredShares:
    """What mirrored light comes from, (h, w) float32 each, 0 to 1."""

    inter: NDArray[np.float32]
    """Of the mirrored things that do not glow: the share that are parts."""
    far_light: NDArray[np.float32]
    """Of the light that comes from a far environment: the share of its labelled lamps."""


def decompose_views(bundle: Path, out: Path) -> list[dict[str, Any]]:
    """Write views/v<k>/decomposition.exr of every view below *out*; rows of the table `reflection_layers`.

    Paths are relative to *out*. A bundle without direct light (made before it was rendered) has no decomposition: its
    rows name none. Raises OSError when a layer cannot be read or written.
    """
    record = load_bundle(bundle)
    rows = []
    for view in record.views:
        row: dict[str, Any] = {"view_id": view.view_id, "scene_id": record.scene_id}
        if (view_folder(bundle, view.view_index) / DIRECT_FILE).is_file():
            path = view_folder(out, view.view_index) / DECOMPOSITION_FILE
            path.parent.mkdir(parents=True, exist_ok=True)
            write_decomposition(path, decompose(bundle, record, view))
            row["decomposition_path"] = path.relative_to(out).as_posix()
        rows.append(row)
    return rows


def decompose(folder: Path, bundle: SceneBundle, view: BundleView) -> Layers:
    """Layers `<one of DECOMPOSED>.<group>` (h, w, 3) float32 of *view*; those that are black all over are left out,
    but for one where no part is seen.

    Where a pixel's centre shows a part, the layers of a group add up to its untouched radiance as stored, to the
    precision of float32; elsewhere they are 0. *folder* holds *bundle*. Raises OSError when a layer cannot be read.
    """
    files = view_folder(folder, view.view_index)
    stored, direct = read_layers(files), read_parts(files / DIRECT_FILE)
    terms = [total(stored, names) for names in _TERMS.values()]
    on_part = read_ids(files / "instance.png") > 0
    shares = mirrored_shares(folder, bundle, view)
    lamps = [_highlight_share(bundle, view, group, shares) for group in view.groups]
    layers = {f"{name}.{group}": np.zeros_like(stored["noisy"]) for group in view.groups for name in DECOMPOSED}
    for at in _blocks(on_part):
        groups, prior = (
            np.stack([source[f"group.{group}"][at] for group in view.groups]) for source in (stored, direct)
        )
        table = split(groups, np.stack([term[at] for term in terms]), prior)
        inter = shares.inter[at][:, None]
        for number, group in enumerate(view.groups):
            mirrored, reflected = table[number, 0], table[number, 1]
            lit = lamps[number][at][:, None]
            layers[f"highlight.{group}"][at] = lit * mirrored
            layers[f"inter_reflection.{group}"][at] = inter * reflected
            layers[f"surroundings.{group}"][at] = (1 - lit) * mirrored + (1 - inter) * reflected
            for place, name in enumerate(DECOMPOSED[3:], start=_GLOSSY):
                layers[f"{name}.{group}"][at] = table[number, place]
    seen = {name: values for name, values in layers.items() if values.any()}
    return seen or dict([next(iter(layers.items()))])


def write_decomposition(path: Path, layers: Layers) -> None:
    """Write *layers* as half floats. Raises OSError."""
    parts = {name: rounded(values, NOISY_BITS) for name, values in layers.items()}
    write_parts(path, parts, CODEC)


def split(groups: NDArray[np.float32], terms: NDArray[np.float32], direct: NDArray[np.float32]) -> NDArray[np.float32]:
    """Radiance by group and term (G, 5, ...) from the sums of both: *groups* (G, ...), *terms* (5, ...) of _TERMS.

    *direct* (G, ...): what each group gives without interreflection and diffusion. It starts the fit, shared among
    the direct terms as they are; the rest of each group, among the others. So on metal the groups of mirrored light
    are those of the direct render, but for its noise; where a surface diffuses as well, indirect mirrored light is
    taken to come from the groups as diffuse light does. Negative values count as 0. The result adds up to *groups*.
    """
    shape = groups.shape[1:]
    groups, terms, direct = (np.maximum(a.reshape(len(a), -1), 0) for a in (groups, terms, direct))
    table = np.zeros((len(groups), len(terms), groups.shape[1]), dtype=np.float32)
    bare = ~terms[_GLOSSY:].any(axis=0)
    for chosen, count in ((bare, _GLOSSY), (~bare, len(terms))):
        at = np.flatnonzero(chosen)
        if at.size:
            table[:, :count, at] = _split(groups[:, at], terms[:count, at], direct[:, at], _SINGLE[:count])
    return table.reshape(len(groups), len(terms), *shape)


def _split(
    groups: NDArray[np.float32], terms: NDArray[np.float32], direct: NDArray[np.float32], single: tuple[bool, ...]
) -> NDArray[np.float32]:
    once = np.array(single)
    by_direct, by_rest = terms * once[:, None], terms * ~once[:, None]
    together = by_direct.sum(axis=0)
    seen = direct * _ratio(together, direct.sum(axis=0))
    rest = np.maximum(groups - seen, 0)
    start = seen[:, None] * _ratio(by_direct, together) + rest[:, None] * _ratio(by_rest, by_rest.sum(axis=0))
    return fitted(groups, terms, start.astype(np.float32, copy=False))


def _ratio(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape), np.float32), where=b > 0)


def mirrored_shares(folder: Path, bundle: SceneBundle, view: BundleView) -> MirroredShares:
    """What the mirrored light of *view* comes from: by its rough rays on metal, by the mirror probe elsewhere.

    Raises OSError when a layer cannot be read.
    """
    files = view_folder(folder, view.view_index)
    hits = read_hits(folder, bundle, view)
    kind = kinds_of(bundle, hits, read_ids(files / "object.png"))
    inter = ((kind == SELF) & (hits <= _LAST_PART) | (kind == PART)).astype(np.float32)
    far_light = ((kind == LIGHT) & (hits >= FIRST_FAR)).astype(np.float32)
    if (files / ROUGH_FILE).is_file():
        rough = read_exr(files / ROUGH_FILE, ("rays", "part", "self", "surroundings", "far"))
        parts = rough["part"] + rough["self"]
        things = parts + rough["surroundings"]
        inter = np.where(things > 0, _ratio(parts, things), inter)
        far_light = np.where(rough["rays"] > 0, rough["far_light_radiance"], far_light)
    return MirroredShares(inter, far_light)


_LAST_PART: Final = 1000


def _highlight_share(bundle: SceneBundle, view: BundleView, group: str, shares: MirroredShares) -> NDArray[np.float32]:
    """Share (h, w) of the directly mirrored light of *group* that is the image of a lamp."""
    emitters = emitters_of(bundle, view)
    members = emitters.by_group[emitters.groups.index(group)]
    if emitters.all[members[0]].kind == SURROUNDINGS_KIND:
        return np.zeros_like(shares.far_light)
    if bundle.world is not None and bundle.world.group == group:
        return shares.far_light
    return np.ones_like(shares.far_light)


def _blocks(on_part: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(rows, columns) of the pixels of *on_part*, some at a time."""
    y, x = np.nonzero(on_part)
    for first in range(0, y.size, _PIXELS_AT_ONCE):
        yield y[first : first + _PIXELS_AT_ONCE], x[first : first + _PIXELS_AT_ONCE]
