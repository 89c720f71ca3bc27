"""Reading layers of terms.exr that must be there, with a message for a bundle that lacks them.

Does not cover: what the layers are (`pipeline.layers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.layers import TERMS_FILE, read_parts


def read_terms(folder: Path, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """The layers *names* (h, w, 3) of terms.exr in a view's *folder*.

    Raises OSError when the file cannot be read, InputError when a layer is missing.
    """
    found = read_parts(folder / TERMS_FILE, names.__contains__)
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(
            f"{folder / TERMS_FILE}: expected the layers {', '.join(names)}, found none of {', '.join(missing)}; "
            "render the scene again"
        )
    return found
