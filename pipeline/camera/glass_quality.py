"""Is a mixture useful? Many valid ones are not: a layer is invisible, the layers destroy each other, or it is clipped.

The thresholds are this project's own: the paper that asks for "well exposed and well mixed" mixtures ("Removing
Reflections from RAW Photos", CVPR 2025) does not print its own. Each is documented here and in docs/glass.md, and the
numbers that they judge are in the table, so that a user may judge otherwise. Does not cover: the layers (`glass`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.view_light import luminance

VISIBLE_CONTRAST: Final = 0.02
"""A layer is visible at a pixel where its structure exceeds this share of the mixture about it: the threshold contrast
of a trained observer at photopic levels is about 1 to 2 % (Weber's fraction)."""
NEIGHBOURHOOD: Final = 0.03
"""Structure is what differs from the mean about a pixel; the mean's Gaussian has this share of the width as sigma."""
LEAST_VISIBLE: Final = 0.05
"""Both layers must be visible in this share of the picture."""
CLIPPED_LIMIT: Final = 0.2
"""At most this share of the mixture's pixels may lie above white in any channel."""
EXPOSED: Final = (0.03, 0.9)
"""Mean luminance of a well exposed mixture, white = 1; cut at white."""
SHARES: Final = (0.01, 0.75)
"""Share of the mixture's light (cut at white) that may come from the reflection."""


def mix_scores(m: NDArray[np.float32], t: NDArray[np.float32], r: NDArray[np.float32]) -> dict[str, float]:
    """What `well_mixed` judges, out of exposed linear layers (h, w, 3), white = 1.

    `clipped`, `mean`, `t_visible`, `r_visible`, `r_share`: all 0 to 1.
    """
    mixture, through, mirrored = luminance(m), luminance(t), luminance(r)
    white = np.minimum(mixture, np.float32(1.0))
    # Where the mixture is cut, a layer keeps its part of what is left.
    kept = np.asarray(white / np.maximum(mixture, np.float32(1e-9)), dtype=np.float32)
    mean = float(white.mean(dtype=np.float64))
    return {
        "clipped": float((m > 1.0).any(axis=-1).mean()),
        "mean": mean,
        "t_visible": _visible_share(np.asarray(through * kept), white),
        "r_visible": _visible_share(np.asarray(mirrored * kept), white),
        "r_share": float((mirrored * kept).mean(dtype=np.float64)) / max(mean, 1e-9),
    }


def well_mixed(scores: Mapping[str, float]) -> bool:
    """Whether a mixture is well exposed and both of its layers can be seen."""
    return (
        scores["clipped"] <= CLIPPED_LIMIT
        and EXPOSED[0] <= scores["mean"] <= EXPOSED[1]
        and min(scores["t_visible"], scores["r_visible"]) >= LEAST_VISIBLE
        and SHARES[0] <= scores["r_share"] <= SHARES[1]
    )


def _visible_share(layer: NDArray[np.float32], mixture: NDArray[np.float32]) -> float:
    """Share of the pixels at which the structure of *layer* (h, w) stands out of the local mean of *mixture* (h, w)."""
    structure = np.abs(layer - _local_mean(layer))
    return float((structure > VISIBLE_CONTRAST * np.maximum(_local_mean(mixture), np.float32(1e-9))).mean())


def _local_mean(image: NDArray[np.float32]) -> NDArray[np.float32]:
    sigma = max(NEIGHBOURHOOD * image.shape[1], 1.0)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32)
