"""Frechet Wavelet Distance between two sets of patches.

Covers: wavelet packets, the Frechet distance of two Gaussians, their mean over packets. Does not cover: confidence
(`bootstrap`). Source: Veeramacheneni, Wolter, Kuehne, Gall, "Frechet Wavelet Distance: A Domain-Agnostic Metric for
Image Generation", arXiv 2312.15289. As there, images are wavelet-packet transformed (sym5), the coefficients of each
packet are taken as one Gaussian, and the Frechet distances of the packets are averaged. Here the images are patches of
32 px instead of whole pictures of 256 px, the level is 3 instead of 4 (64 packets of 4 x 4 coefficients), borders are
periodic, and luma and two chroma planes count as packets of their own, so that a few hundred photos suffice. Values are
comparable within one run, not with the paper's.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import pywt
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WAVELET: Final = "sym5"
LEVEL: Final = 3
_RIDGE: Final = 1e-9
_LEAST_VARIANCE: Final = 1e-6
"""Of a coefficient, intensities 0..1: a quarter of an 8-bit step. A packet that holds less holds rounding."""


def packets(patches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Wavelet packets of *patches* (n, 64, 64, 3) uint8 RGB, each cut into four: (192, 4 n, 16) float32, 0..1.

    Luma, Cb, Cr of BT.601; 64 packets each. Four rows in a row belong to one patch.
    """
    mixed = np.stack([cv2.cvtColor(patch, cv2.COLOR_RGB2YCrCb) for patch in patches]).astype(np.float32) / 255.0
    half = mixed.shape[1] // 2
    quarters = [mixed[:, y : y + half, x : x + half] for y in (0, half) for x in (0, half)]
    planes = np.stack(quarters, axis=1).reshape(-1, half, half, 3)
    parts = [planes[..., channel] for channel in range(3)]
    for _ in range(LEVEL):
        parts = [part for plane in parts for part in _split(plane)]
    return np.stack([part.reshape(len(planes), -1) for part in parts])


def _split(plane: NDArray[Any]) -> list[NDArray[Any]]:
    low, details = pywt.dwt2(plane, WAVELET, mode="periodization", axes=(1, 2))
    return [low, *details]


def frechet_distance(first: Floats, second: Floats) -> Floats:
    """(p,) squared Frechet distance of the Gaussians of *first* (p, n, d) and *second* (p, m, d).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), the trace of the root through the symmetric C1^(1/2) C2 C1^(1/2)
    (Dowson and Landau 1982). Raises ValueError for fewer than two samples.
    """
    if min(first.shape[1], second.shape[1]) < 2:
        raise ValueError("expected at least two samples on each side")
    (mean1, cov1), (mean2, cov2) = _moments(first), _moments(second)
    values, vectors = np.linalg.eigh(cov1)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    middle = np.linalg.eigvalsh(root @ cov2 @ root)
    trace = np.trace(cov1, axis1=1, axis2=2) + np.trace(cov2, axis1=1, axis2=2)
    cross = 2.0 * np.sqrt(np.maximum(middle, 0.0)).sum(axis=1)
    return np.asarray(np.maximum(((mean1 - mean2) ** 2).sum(axis=1) + trace - cross, 0.0))


def frechet_wavelet_distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> tuple[float, float]:
    """Mean over the packets of two sets, each (packets, n, d) of `packets`: of the published Frechet distance, and
    of the Frechet distance over the variance that the packet has in the first set.

    The first is ruled by the lowest frequencies, which hold nearly all variance: brightness and large shapes. In the
    second every packet weighs alike: sharpness and noise count.
    """
    reference = first.astype(np.float64)
    distance = frechet_distance(reference, second.astype(np.float64))
    variance = reference.var(axis=1).sum(axis=1) + _LEAST_VARIANCE * reference.shape[2]
    return float(distance.mean()), float((distance / variance).mean())


def _moments(values: Floats) -> tuple[Floats, Floats]:
    mean = values.mean(axis=1)
    centred = values - mean[:, None, :]
    cov = np.swapaxes(centred, 1, 2) @ centred / (values.shape[1] - 1)
    return mean, cov + _RIDGE * np.eye(values.shape[2])
