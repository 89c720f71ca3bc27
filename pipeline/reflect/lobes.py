"""How widely the surface at each pixel spreads what it mirrors: GGX alpha from the finish, and the lobe's width.

Does not cover: rendering those lobes (`render`), what is seen in them (`reflections`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import BundleMaterial, SceneBundle

Floats = NDArray[np.float32]

LOBE_SIGMA_PER_ALPHA: Final = 1.1
"""Standard deviation, radians, of the mirrored direction over GGX alpha. GGX falls to half at a slope of
sqrt(sqrt 2 - 1) alpha = 0.644 alpha (Walter et al. 2007, eq. 33); a mirrored ray turns twice as far as the normal; the
half width of a Gaussian is 1.177 standard deviations."""
NO_LOBE: Final = 1.0
"""Alpha of what is not known to mirror: lamps, the world."""


def pixel_alpha(bundle: SceneBundle, material: NDArray[np.uint16]) -> Floats:
    """GGX alpha (h, w, 2) across and along the lay at each pixel, from its *material* (h, w): index + 1, 0 = nothing.

    NO_LOBE where the material has none.
    """
    table = np.full((max(len(bundle.materials), int(np.max(material, initial=0))) + 1, 2), NO_LOBE, dtype=np.float32)
    for place, alpha in _known(bundle.materials):
        table[place] = alpha
    result: Floats = table[material]
    return result


def _known(materials: Iterable[BundleMaterial]) -> Iterable[tuple[int, Any]]:
    return ((k + 1, entry.alpha) for k, entry in enumerate(materials) if entry.alpha is not None)
