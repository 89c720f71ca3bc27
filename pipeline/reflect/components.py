"""Pixel arithmetic on scattered pixels: connected regions of equal key, medians by group, solid angles.

Does not cover: what the pixels mean (`highlights`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera

_HALF_OF_EIGHT = ((0, 1), (1, -1), (1, 0), (1, 1))
"""Steps (rows, columns) to the four neighbours that come later; the other four are theirs."""


def connected_labels(
    y: NDArray[np.int64], x: NDArray[np.int64], key: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Number (n,) of the 8-connected region of equal *key* that each pixel (*y*, *x*) of an image of *shape* is in.

    Regions are numbered from 0 in the order of their first pixel. Each pixel may occur once.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = y.size
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    place = np.full((shape[0] + 2, shape[1] + 2), -1, dtype=np.int64)  # a border of nothing all around
    place[y + 1, x + 1] = np.arange(count)
    edges = []
    for down, right in _HALF_OF_EIGHT:
        other = place[y + 1 + down, x + 1 + right]
        joined = (other >= 0) & (key[other] == key)
        edges.append(np.stack([np.flatnonzero(joined), other[joined]]))
    first, second = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(first.size, dtype=np.int8), (first, second)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    _, start, number = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(start.size, dtype=np.int64)
    rank[np.argsort(start)] = np.arange(start.size)
    result: NDArray[np.int64] = rank[number]
    return result


def grouped_median(values: NDArray[np.float32], group: NDArray[np.int64]) -> NDArray[np.float32]:
    """Median (n,) of non-negative *values* (n,) over the elements that share each element's *group* (n,), from 0 on.

    The lower of the two middle values where their number is even. Every group up to the largest has elements.
    """
    # The bits of non-negative floats sort like the floats, so one sort of integers serves all groups.
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    ordered = np.sort((group.astype(np.uint64) << np.uint64(32)) | bits)
    sizes = np.bincount(group)
    middle = np.cumsum(sizes) - sizes + (sizes - 1) // 2
    medians = ordered[middle].astype(np.uint32).view(np.float32)  # the cast drops the group in the upper half
    result: NDArray[np.float32] = medians[group]
    return result


def pixel_solid_angles(camera: PlacedCamera, y: NDArray[np.int64], x: NDArray[np.int64]) -> NDArray[np.float64]:
    """Solid angle (n,) in steradians of pixels (*y*, *x*): cos^3 of the field angle over fx fy, at the centre."""
    across = (x + 0.5 - camera.cx) / camera.fx
    down = (y + 0.5 - camera.cy) / camera.fy
    result: NDArray[np.float64] = (1.0 + across**2 + down**2) ** -1.5 / (camera.fx * camera.fy)
    return result
