"""Classifier two-sample test: how often a small classifier tells two sets of patches apart.

Covers: features of a patch, logistic regression, accuracy on photos that it has not seen. Source: Lopez-Paz and Oquab,
"Revisiting Classifier Two-Sample Tests" (2017). 0.5: it cannot tell them apart; 1: always. A classifier this small is a
lower bound: a network may see more.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BANDS: Final = 8
_FOLDS: Final = 4
_RIDGE: Final = 1.0
_ROUNDS: Final = 25


def features(patches: NDArray[np.uint8]) -> Floats:
    """(n, 24) of *patches* (n, s, s, 3) uint8 RGB."""
    return np.stack([_features(patch) for patch in patches])


def _features(patch: NDArray[np.uint8]) -> Floats:
    """Spectrum in eight rings, contrast, gradients and their tails, colour, clipping, fine noise of each channel."""
    mixed = cv2.cvtColor(patch.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    grey = mixed[..., 0]
    gradient = np.hypot(np.diff(grey, axis=1)[:-1], np.diff(grey, axis=0)[:, :-1])
    spread = gradient.std() + 1e-6
    tails = float((((gradient - gradient.mean()) / spread) ** 4).mean()) + 0.1
    fine = patch.astype(np.float32) - cv2.GaussianBlur(patch.astype(np.float32), (0, 0), 1.0)
    noise = np.median(np.abs(fine), axis=(0, 1))
    chroma = np.hypot(mixed[..., 1], mixed[..., 2])
    neighbours = fine[:, 1:, 1] * fine[:, :-1, 1]
    return np.array(
        [
            *_rings(grey),
            *mixed.reshape(-1, 3).mean(axis=0),
            *np.log(mixed.reshape(-1, 3).std(axis=0) + 0.05),
            np.log(gradient.mean() + 0.01),
            np.log(tails),
            np.log(chroma.mean() + 0.1),
            *np.log(noise + 0.05),
            float(neighbours.mean() / ((fine[..., 1] ** 2).mean() + 1e-3)),
            float((patch.max(axis=2) >= 254).mean()),
            float((patch.max(axis=2) <= 4).mean()),
            float(np.median(gradient) / (gradient.mean() + 0.01)),
        ]
    )


def _rings(grey: NDArray[np.float32]) -> Floats:
    """(8,) logarithm of the mean power in rings of spatial frequency."""
    side = grey.shape[0]
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :])
    ring = np.minimum((radius / 0.5 * _BANDS).astype(np.intp), _BANDS - 1)
    total = np.bincount(ring.ravel(), weights=power.ravel(), minlength=_BANDS)
    return np.asarray(np.log(total / np.bincount(ring.ravel(), minlength=_BANDS) + 1e-2))


def hits(first: Floats, second: Floats, seed: int) -> tuple[Floats, Floats]:
    """Share of each photo's patches that is told right, (n,) and (m,); inputs (n, patches, features), (m, ...).

    Four folds by photo: every photo is judged by a classifier that has not seen it. Deterministic in *seed*.
    """
    shares = (np.zeros(len(first)), np.zeros(len(second)))
    folds = [
        np.random.default_rng([seed, 4, side]).permutation(len(photos)) % _FOLDS
        for side, photos in enumerate((first, second))
    ]
    for fold in range(_FOLDS):
        train = [photos[kept != fold] for photos, kept in zip((first, second), folds, strict=True)]
        flat = [photos.reshape(-1, photos.shape[-1]) for photos in train]
        weights, centre, spread = _fit(flat[0], flat[1])
        for side, photos in enumerate((first, second)):
            judged = (photos[folds[side] == fold] - centre) / spread
            score = judged @ weights[:-1] + weights[-1]
            shares[side][folds[side] == fold] = ((score > 0) == bool(side)).mean(axis=1)
    return shares


def accuracy(shares: tuple[Floats, Floats]) -> float:
    """Mean of the two sides' shares: sets of unequal size weigh alike."""
    return float(0.5 * (shares[0].mean() + shares[1].mean()))


def _fit(first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """Logistic regression by Newton's method with a ridge; (weights and bias, centre, spread of the features)."""
    both = np.concatenate([first, second])
    label = np.concatenate([np.zeros(len(first)), np.ones(len(second))])
    balance = np.where(label > 0, len(both) / (2 * len(second)), len(both) / (2 * len(first)))
    centre, spread = both.mean(axis=0), both.std(axis=0) + 1e-6
    data = np.column_stack([(both - centre) / spread, np.ones(len(both))])
    penalty = _RIDGE * np.eye(data.shape[1])
    penalty[-1, -1] = 1e-6
    weights = np.zeros(data.shape[1])
    for _ in range(_ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(data @ weights, -30, 30)))
        slope = data.T @ (balance * (chance - label)) + penalty @ weights
        curve = (data * (balance * np.maximum(chance * (1 - chance), 1e-6))[:, None]).T @ data + penalty
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights, centre, spread
