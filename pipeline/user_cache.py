"""Where this machine remembers what is costly to compute and safe to delete.

$GLINT_CACHE, else glint in $XDG_CACHE_HOME or ~/.cache. Does not cover: what is remembered there (`parts.cache`,
`arrange.pieces_cache`), a dataset's store.
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """The folder that holds what is remembered of one *kind*; it need not exist yet."""
    own = os.environ.get("GLINT_CACHE")
    if own:
        return Path(own) / kind
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glint" / kind
