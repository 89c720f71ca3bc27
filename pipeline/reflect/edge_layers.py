"""The files of a view's explained edges: edges.png and false_edge.exr.

Covers: gathering the evidence from a bundle, the two layers. Does not cover: finding edges (`edge_pixels`), explaining
them (`edges`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import BundleView, SceneBundle, read_exr, read_ids, read_xyz, view_folder, write_exr, write_ids
from pipeline.defect_patches import WITH
from pipeline.layers import COLORS, LIGHT_FILE, REC709_LUMINANCE, read_light, total
from pipeline.radiance_check import check_groups
from pipeline.reflect.edge_pixels import EdgePixels, find_edges
from pipeline.reflect.edges import CAUSES, REFLECTION, EdgeEvidence, explain
from pipeline.reflect.lobes import pixel_alpha
from pipeline.reflect.terms import read_terms

Floats = NDArray[np.float32]

EDGES_FILE: Final = "edges.png"
FALSE_EDGE_FILE: Final = "false_edge.exr"
FALSE_EDGE_CHANNELS: Final = ("false", "contrast", *CAUSES)
"""`false`: contrast x share of reflection, stops; `contrast`: of the edge, stops; the shares of its causes, which add
up to 1 at edges. All 0 elsewhere."""

_PARTS: Final = (
    ("diffuse_direct", "diffuse_indirect"),
    ("glossy_direct", "glossy_indirect", "transmission_direct", "transmission_indirect"),
    ("emission", "environment"),
)
"""Light-path terms that are diffused, mirrored, and the thing's own."""


@dataclass(frozen=True, eq=False)
class ExplainedEdges:
    """The edges of a view."""

    shape: tuple[int, int]
    edges: EdgePixels
    shares: Floats
    """(n, 4) of CAUSES."""

    @property
    def labels(self) -> NDArray[np.uint16]:
        """(h, w) 0 = no edge, else 1 + place in CAUSES of the largest share."""
        labels = np.zeros(self.shape, dtype=np.uint16)
        labels[self.edges.rows, self.edges.columns] = 1 + self.shares.argmax(axis=1)
        return labels

    def channels(self) -> dict[str, NDArray[np.float16]]:
        """The layers (h, w) of FALSE_EDGE_CHANNELS."""
        columns = [self.edges.stops * self.shares[:, REFLECTION], self.edges.stops, *self.shares.T]
        return {
            name: self._layer(values.astype(np.float16))
            for name, values in zip(FALSE_EDGE_CHANNELS, columns, strict=True)
        }

    def _layer(self, values: NDArray[np.float16]) -> NDArray[np.float16]:
        layer = np.zeros(self.shape, dtype=np.float16)
        layer[self.edges.rows, self.edges.columns] = values
        return layer


def write_edges(folder: Path, bundle: SceneBundle, view: BundleView, defects: Iterable[str], out: Path) -> None:
    """Write EDGES_FILE and FALSE_EDGE_FILE of *view* into the existing folder *out*; arguments as `explained_edges`."""
    found = explained_edges(folder, bundle, view, defects)
    write_ids(out / EDGES_FILE, found.labels)
    write_exr(out / FALSE_EDGE_FILE, found.channels())


def explained_edges(folder: Path, bundle: SceneBundle, view: BundleView, defects: Iterable[str]) -> ExplainedEdges:
    """Find and explain the edges of *view* of the *bundle* in *folder*.

    *defects*: masks (COCO RLE) of the defects that it shows. Raises OSError when a layer cannot be read, InputError
    when one is missing.
    """
    layers = view_folder(folder, view.view_index)
    light = read_light(layers)[0]
    check_groups(view, light, LIGHT_FILE)
    denoised = [name for name in light if name.startswith("denoised.")]
    radiance = total(light, denoised or [f"group.{group}" for group in view.groups])
    del light
    edges = find_edges(radiance, noisy=not denoised)
    evidence = _evidence(layers, bundle, view, radiance, defects)
    return ExplainedEdges((radiance.shape[0], radiance.shape[1]), edges, explain(edges, evidence))


def _evidence(
    layers: Path, bundle: SceneBundle, view: BundleView, radiance: Floats, defects: Iterable[str]
) -> EdgeEvidence:
    colors = read_terms(layers, COLORS)
    material = read_ids(layers / "material.png")
    touched = np.zeros(material.shape, dtype=np.bool_)
    for rle in defects:
        touched |= masks.decode(rle)
    return EdgeEvidence(
        camera=view.camera,
        radiance=radiance,
        parts=_light_parts(layers),
        diffuse_color=colors["diffuse_color"],
        glossy_color=colors["glossy_color"],
        objects=read_ids(layers / "object.png"),
        surface=_surfaces(bundle)[material],
        alpha=pixel_alpha(bundle, material).min(axis=-1),
        normal=read_xyz(layers / "normal.exr"),
        depth=read_exr(layers / "depth.exr")["Z"],
        mirrored_m=read_exr(layers / "reflection.exr", ("distance",))["distance"],
        defects=touched,
    )


def _light_parts(layers: Path) -> Floats:
    """Luminance (h, w, 3) of the untouched light that is diffused, mirrored, and the thing's own."""
    sums = []
    for names in _PARTS:  # one after the other: all terms at once would take 200 MB more of a large view
        terms = read_terms(layers, names)
        sums.append(sum(terms[name] @ REC709_LUMINANCE for name in names))
    return np.stack(sums, axis=-1, dtype=np.float32)


def _surfaces(bundle: SceneBundle) -> NDArray[np.int32]:
    """Number of the finish for each value of material.png: a drawn defect makes no finish of its own."""
    names = [entry.name.partition(WITH)[0] for entry in bundle.materials]
    known = {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}
    return np.array([0, *(known[name] for name in names)], dtype=np.int32)
