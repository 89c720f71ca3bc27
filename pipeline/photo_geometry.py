"""Where a photo shows what its view shows: from the pixels of the pinhole render to those of a lens that distorts.

Covers: maps between both pixel grids, layers and masks carried into a photo. Does not cover: the lens model
(`brown_conrady`), which distortion a lens has (`camera.distortion`). `camera` warps light with these maps, `reflect`
and the reader warp truth with the same ones.

Pixel coordinates have the centre of the top left pixel at (0.5, 0.5), as in all tables; OpenCV's image functions count
from that centre, which is 0.5 less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.brown_conrady import Distortion, distorted, jacobian, undistorted

Floats = NDArray[np.float64]
Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and columns."""

NO_DISTORTION: Final[Distortion] = (0.0, 0.0, 0.0, 0.0, 0.0)
_NODE_PX: Final = 4
"""Maps are computed exactly at every fourth pixel and linear between: off by less than 0.002 px for 10 % distortion."""


_AROUND: Final = np.mgrid[-2:4, -2:4].reshape(2, 36)
"""Row and column steps from a pixel to the 6 x 6 about the point to its lower right."""
_INNER: Final = np.array([14, 15, 20, 21])
"""The four of those that surround the point."""
_VOTE_SIGMA: Final = 1.2
"""Standard deviation, in pixels, of the weights with which the 36 vote: enough to see through the steps of a slanted
border. Dots of 4 to 14 px radius lie within 0.22 px of their image (0.9 px over 4 x 4: 0.29; 1.8 px, 8 x 8: 0.23)."""
_THIN: Final = 9
"""A label with fewer of the 36 is a line or a speck, which that weight would wipe out."""

_AT_ONCE: Final = 1 << 15
"""Pixels that vote in one go: a hundred megabytes."""


@dataclass(frozen=True)
class PhotoGeometry:
    """The pinhole camera of a view, and the camera of a photo that was made from its render."""

    width: int
    height: int
    view: tuple[float, float, float, float]
    """fx, fy, cx, cy of the render, pixels."""
    photo: tuple[float, float, float, float]
    """fx, fy, cx, cy of the photo, pixels."""
    distortion: Distortion = NO_DISTORTION

    @property
    def is_pinhole(self) -> bool:
        """Whether every pixel of the photo is the same pixel of the render."""
        return self.view == self.photo and not any(self.distortion)

    def photo_points(self, points: NDArray[Any]) -> Floats:
        """(n, 2) pixel coordinates in the photo of (n, 2) pixel coordinates of the render."""
        values = np.asarray(points, dtype=np.float64)
        fx, fy, cx, cy = self.view
        x, y = distorted((values[:, 0] - cx) / fx, (values[:, 1] - cy) / fy, self.distortion)
        fx, fy, cx, cy = self.photo
        return np.stack([fx * x + cx, fy * y + cy], axis=-1)

    def view_points(self, points: NDArray[Any]) -> Floats:
        """(n, 2) pixel coordinates in the render of (n, 2) pixel coordinates of the photo.

        Raises InputError where the distortion has no inverse.
        """
        values = np.asarray(points, dtype=np.float64)
        fx, fy, cx, cy = self.photo
        x, y = undistorted((values[:, 0] - cx) / fx, (values[:, 1] - cy) / fy, self.distortion)
        fx, fy, cx, cy = self.view
        return np.stack([fx * x + cx, fy * y + cy], axis=-1)

    def source(self, scale: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """x and y (h, w) float32 in the render of each pixel's centre in the photo, in OpenCV's image coordinates.

        *scale*: how much larger than this photo a channel's image is (lateral colour). The arrays are shared: do not
        change them.
        """
        return _source(_shape_of(self), scale)

    def shown(self, *labels: NDArray[Any]) -> Pixels:
        """Rows and columns (h, w) of the render's pixel that each pixel of the photo shows.

        It is one of the four whose centres surround the place in the render that the photo's pixel looks at, and of
        those with the winning label the nearest. The 6 x 6 pixels about the place vote with Gaussian weights, except
        where one of the labels is only a line or a speck: there the nearest wins. So a border lies where the photo
        shows it to a fraction of a pixel; the nearest pixel alone would shift whole parts by up to half of one.
        *labels*: layers (h, w) of whole numbers, each deciding among the pixels that those before it left.
        """
        for layer in labels:
            self._check(layer)
        return _voted(_shape_of(self), labels)

    def photo_rows(self) -> NDArray[np.intp]:
        """Row (h, w) of the photo that each pixel's centre of the render falls on; shared."""
        return _photo_rows(_shape_of(self))

    def source_area(self, rows: NDArray[Any], columns: NDArray[Any]) -> Floats:
        """(n,) area in pixels of the render that the photo's pixels at (*rows*, *columns*) show."""
        x, y = (values[rows, columns].astype(np.float64) + 0.5 for values in self.source())
        fx, fy, cx, cy = self.view
        a, b, c, d = jacobian((x - cx) / fx, (y - cy) / fy, self.distortion)
        scale = (fx / self.photo[0]) * (fy / self.photo[1])
        return np.asarray(scale / (a * d - b * c), dtype=np.float64)

    def warp(self, layer: NDArray[Any], *labels: NDArray[Any]) -> NDArray[Any]:
        """A truth layer (h, w, ...) of the view as the photo shows it: values of single pixels, never a mixture.

        *labels* decide which pixel (`shown`); without any, *layer* itself does. Raises ValueError for a wrong shape.
        """
        self._check(layer)
        return layer if self.is_pinhole else np.asarray(layer[self.shown(*(labels or (layer,)))])

    def _check(self, layer: NDArray[Any]) -> None:
        if layer.shape[:2] != (self.height, self.width):
            raise ValueError(f"expected a layer of {self.height} rows and {self.width} columns, found {layer.shape}")


def geometry_of_rows(view: Mapping[str, Any], photo: Mapping[str, Any]) -> PhotoGeometry:
    """The geometry that rows of the tables views and photos record; a photo without camera columns is a pinhole."""
    pinhole = (float(view["fx"]), float(view["fy"]), float(view["cx"]), float(view["cy"]))
    if photo.get("fx") is None:
        return PhotoGeometry(int(view["width"]), int(view["height"]), pinhole, pinhole)
    own = (float(photo["fx"]), float(photo["fy"]), float(photo["cx"]), float(photo["cy"]))
    k1, k2, p1, p2, k3 = (float(value) for value in photo["distortion"])
    return PhotoGeometry(int(view["width"]), int(view["height"]), pinhole, own, (k1, k2, p1, p2, k3))


@dataclass(frozen=True)
class _Shape:
    """A geometry in units of the picture, in which views of all focal lengths share one map per lens and size."""

    width: int
    height: int
    middle: tuple[float, float]
    """Principal point of the render."""
    photo_middle: tuple[float, float]
    zoom: tuple[float, float]
    distortion: Distortion
    """For coordinates in half diagonals of the picture."""
    aspect: float
    """fy / fx of the render."""


def _shape_of(geometry: PhotoGeometry) -> _Shape:
    fx, fy, cx, cy = geometry.view
    corner = np.hypot(geometry.width, geometry.height) / 2.0 / fx
    powers = (2, 4, 1, 1, 6)
    k1, k2, p1, p2, k3 = (
        _rounded(value * corner**power) for value, power in zip(geometry.distortion, powers, strict=True)
    )
    return _Shape(
        geometry.width,
        geometry.height,
        (cx, cy),
        (geometry.photo[2], geometry.photo[3]),
        (_rounded(geometry.photo[0] / fx), _rounded(geometry.photo[1] / fy)),
        (k1, k2, p1, p2, k3),
        _rounded(fy / fx),
    )


def _rounded(value: float) -> float:
    """Twelve significant digits: views that differ only in focal length then share a map."""
    return float(f"{value:.12g}")


def _in_pixels(shape: _Shape) -> PhotoGeometry:
    corner = float(np.hypot(shape.width, shape.height)) / 2.0
    fx, fy = corner, corner * shape.aspect
    photo = (fx * shape.zoom[0], fy * shape.zoom[1], *shape.photo_middle)
    return PhotoGeometry(shape.width, shape.height, (fx, fy, *shape.middle), photo, shape.distortion)


@lru_cache(maxsize=6)
def _source(shape: _Shape, scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    columns, rows = _nodes(shape.width), _nodes(shape.height)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    middle = np.array(shape.photo_middle)
    at_nodes = _in_pixels(shape).view_points(middle + (points - middle) / scale).reshape(rows.size, columns.size, 2)
    maps = tuple(_between_nodes(at_nodes[..., axis] - 0.5, shape) for axis in (0, 1))
    for values in maps:
        values.flags.writeable = False
    return maps[0], maps[1]


def _nodes(size: int) -> Floats:
    """Pixel centres 0, 4, 8 ... that reach at least the last pixel of *size*."""
    return 0.5 + _NODE_PX * np.arange((size - 1 + _NODE_PX - 1) // _NODE_PX + 1, dtype=np.float64)


def _between_nodes(values: Floats, shape: _Shape) -> NDArray[np.float32]:
    """(h, w) float32, linear between *values* at the nodes."""
    by_column = _blend(values, shape.width)
    return np.ascontiguousarray(_blend(by_column.T, shape.height).T, dtype=np.float32)


def _blend(values: Floats, size: int) -> Floats:
    """(n, size) out of (n, nodes)."""
    node, step = np.divmod(np.arange(size), _NODE_PX)
    share = step / _NODE_PX
    return np.asarray(values[:, node] * (1.0 - share) + values[:, np.minimum(node + 1, values.shape[1] - 1)] * share)


@lru_cache(maxsize=2)
def _nearest(shape: _Shape) -> Pixels:
    x, y = _source(shape, 1.0)
    columns = np.clip(np.rint(x), 0, shape.width - 1).astype(np.intp)
    rows = np.clip(np.rint(y), 0, shape.height - 1).astype(np.intp)
    return rows, columns


def _voted(shape: _Shape, labels: tuple[NDArray[Any], ...]) -> Pixels:
    rows, columns = (values.copy() for values in _nearest(shape))
    x, y = _source(shape, 1.0)
    left = np.clip(np.floor(x).astype(np.intp), 0, shape.width - 2)
    top = np.clip(np.floor(y).astype(np.intp), 0, shape.height - 2)
    doubtful = np.flatnonzero(_borders(labels)[top, left])
    for start in range(0, doubtful.size, _AT_ONCE):
        at = doubtful[start : start + _AT_ONCE]
        corner = (top.ravel()[at], left.ravel()[at])
        rows.ravel()[at], columns.ravel()[at] = _vote(labels, (y.ravel()[at], x.ravel()[at]), corner)
    return rows, columns


def _vote(
    labels: tuple[NDArray[Any], ...], place: tuple[NDArray[np.float32], NDArray[np.float32]], corner: Pixels
) -> Pixels:
    """The pixels (n,) of the render that win at *place* (y, x), whose upper left neighbour is *corner*."""
    height, width = labels[0].shape
    rows, columns = (first[:, None] + steps for first, steps in zip(corner, _AROUND, strict=True))
    distance2 = (rows - place[0][:, None]) ** 2 + (columns - place[1][:, None]) ** 2
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    weight = np.exp(-0.5 / _VOTE_SIGMA**2 * distance2)
    nearest = np.arange(_AROUND.shape[1]) == _INNER[distance2[:, _INNER].argmin(axis=1)][:, None]
    eligible = np.ones(weight.shape, dtype=np.bool_)
    for layer in labels:
        values = layer[rows, columns]
        alike = (values[:, _INNER, None] == values[:, None, :]) & eligible[:, None, :]
        thin = ((alike.sum(axis=2) < _THIN) & eligible[:, _INNER]).any(axis=1)
        votes = np.einsum("nij,nj->ni", alike, np.where(thin[:, None], nearest + 1e-6 * weight, weight))
        winner = np.where(eligible[:, _INNER], votes, -1.0).argmax(axis=1)
        eligible &= np.take_along_axis(alike, winner[:, None, None], axis=1)[:, 0]
    chosen = _INNER[np.where(eligible[:, _INNER], -distance2[:, _INNER], -np.inf).argmax(axis=1)][:, None]
    return np.take_along_axis(rows, chosen, axis=1)[:, 0], np.take_along_axis(columns, chosen, axis=1)[:, 0]


def _borders(labels: tuple[NDArray[Any], ...]) -> NDArray[np.bool_]:
    """(h - 1, w - 1): whether a pixel and its neighbours to the right and below have different labels."""
    height, width = labels[0].shape
    border = np.zeros((height - 1, width - 1), dtype=np.bool_)
    for layer in labels:
        first = layer[:-1, :-1]
        border |= (first != layer[1:, :-1]) | (first != layer[:-1, 1:]) | (first != layer[1:, 1:])
    return border


@lru_cache(maxsize=2)
def _photo_rows(shape: _Shape) -> NDArray[np.intp]:
    columns, rows = _nodes(shape.width), _nodes(shape.height)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    at_nodes = _in_pixels(shape).photo_points(points)[:, 1].reshape(rows.size, columns.size)
    return np.clip(np.floor(_between_nodes(at_nodes, shape)), 0, shape.height - 1).astype(np.intp)
