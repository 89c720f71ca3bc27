"""Rows of the cast_light table: where light that a part's metal throws onto its neighbourhood can be seen.

Covers: the definition (docs/truth.md, "Cast light"), patches, their measures. Does not cover: how the layers came about
(`render.cast_light`), light that metal mirrors into the camera (`highlights`, `reflections`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import (
    CAST_LAMP_FILE,
    CAST_LIGHT_FILE,
    THROWER_FILE,
    BundleView,
    SceneBundle,
    load_bundle,
    read_ids,
    view_folder,
)
from pipeline.layers import REC709_LUMINANCE, read_cast_light, read_light
from pipeline.reflect.components import connected_labels
from pipeline.reflect.reflections import shown_of

LEAST_CONTRAST: Final = 0.05
"""Cast light is seen where its luminance exceeds this share of that of all other light of the pixel ..."""
LEAST_PEAK_CONTRAST: Final = 0.1
"""... in patches that somewhere exceed this share: what is nowhere brighter is no feature of the picture ..."""
CERTAIN: Final = 3.0
"""... and this multiple of the estimate's standard error."""
LEAST_AREA_PX: Final = 16


@dataclass(frozen=True, eq=False)
class _Layers:
    """What patches are cut from, (h, w) each."""

    cast: NDArray[np.float32]
    """Luminance of cast light."""
    by_group: dict[str, NDArray[np.float32]]
    error: NDArray[np.float32]
    """Standard error of *cast*."""
    rest: NDArray[np.float32]
    """Luminance of all other light, not below 0."""
    thrower: NDArray[np.uint16]
    lamp: NDArray[np.uint16]
    receiver: NDArray[np.uint16]
    """Object index."""


def cast_light_rows(bundle: Path) -> list[dict[str, Any]]:
    """One row per view and patch of cast light, for the bundle in folder *bundle*; none where it was not traced.

    Raises OSError when a layer cannot be read.
    """
    scene_bundle = load_bundle(bundle)
    rows = []
    for view in scene_bundle.views:
        folder = view_folder(bundle, view.view_index)
        if (folder / CAST_LIGHT_FILE).is_file():
            rows += _view_rows(scene_bundle, view, _layers(folder))
    return rows


def seen(cast: NDArray[np.float32], rest: NDArray[np.float32], error: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where cast light of luminance *cast* is seen beside the luminance *rest* of all other light; arrays (h, w)."""
    return (cast > LEAST_CONTRAST * rest) & (cast > CERTAIN * error) & (cast > 0.0)


def _layers(folder: Path) -> _Layers:
    groups, error = read_cast_light(folder / CAST_LIGHT_FILE)
    by_group = {name: radiance @ REC709_LUMINANCE for name, radiance in groups.items()}
    cast = np.sum(list(by_group.values()), axis=0, dtype=np.float32)
    light = read_light(folder)[0]
    combined = np.sum([radiance @ REC709_LUMINANCE for radiance in light.values()], axis=0, dtype=np.float32)
    return _Layers(
        cast,
        by_group,
        error,
        np.maximum(combined - cast, np.float32(0.0)),
        read_ids(folder / THROWER_FILE),
        read_ids(folder / CAST_LAMP_FILE),
        read_ids(folder / "object.png"),
    )


def _view_rows(bundle: SceneBundle, view: BundleView, layers: _Layers) -> list[dict[str, Any]]:
    """The patches of one view, ordered by thrower and first pixel."""
    y, x = np.nonzero(seen(layers.cast, layers.rest, layers.error) & (layers.thrower > 0))
    thrower = layers.thrower[y, x].astype(np.int64)
    label = connected_labels(y, x, thrower, layers.cast.shape)
    order = np.argsort(label, kind="stable")
    runs = np.split(order, np.cumsum(np.bincount(label))[:-1]) if order.size else []
    stands_out = layers.cast[y, x] > LEAST_PEAK_CONTRAST * layers.rest[y, x]
    runs = [run for run in runs if run.size >= LEAST_AREA_PX and stands_out[run].any()]
    runs.sort(key=lambda run: (thrower[run[0]], run[0]))
    return [_row(bundle, view, layers, y[run], x[run], number) for number, run in enumerate(runs)]


def _row(
    bundle: SceneBundle, view: BundleView, layers: _Layers, y: NDArray[np.int64], x: NDArray[np.int64], number: int
) -> dict[str, Any]:
    """The row of the patch of the pixels (*y*, *x*)."""
    cast, rest = (values[y, x].astype(np.float64) for values in (layers.cast, layers.rest))
    lamp = _heaviest(layers.lamp[y, x], cast)
    light = next(thing for thing in bundle.objects if thing.index == lamp)
    receiver = _heaviest(layers.receiver[y, x], np.ones(y.size))
    kind, name = shown_of(bundle, 0, receiver)
    of_group = layers.by_group[light.group or ""][y, x].sum(dtype=np.float64)
    left, top, right, bottom = (int(v) for v in (np.min(x), np.min(y), np.max(x), np.max(y)))
    return {
        "view_id": view.view_id,
        "cast_light_id": number,
        "instance_id": int(layers.thrower[y[0], x[0]]),
        "light_id": light.id,
        "light_kind": light.label,
        "light_group": light.group,
        "receiver_kind": kind,
        "receiver_id": name,
        "mask_rle": masks.encode_pixels(y, x, layers.cast.shape),
        "bbox": [left, top, right - left + 1, bottom - top + 1],
        "area_px": int(y.size),
        "centroid": [float(np.average(x + 0.5, weights=cast)), float(np.average(y + 0.5, weights=cast))],
        "peak_radiance": float(np.max(cast)),
        "contrast": _over(cast.sum(), rest.sum()),
        "peak_contrast": _over(*max(zip(cast.tolist(), rest.tolist(), strict=True), key=lambda pair: _rank(*pair))),
        "share": min(1.0, float(of_group / cast.sum())),
        "error": float(np.mean(layers.error[y, x] / cast)),
    }


def _heaviest(labels: NDArray[np.uint16], weights: NDArray[np.float64]) -> int:
    """The label with the largest sum of *weights*."""
    return int(np.argmax(np.bincount(labels, weights=weights)))


def _rank(cast: float, rest: float) -> float:
    return cast / (cast + rest)


def _over(cast: float, rest: float) -> float | None:
    """Contrast; None where there is no other light at all."""
    return float(cast / rest) if rest > 0.0 else None
