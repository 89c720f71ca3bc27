"""No network: the libraries of the hub read these settings when they are first imported.

Does not cover: `pull`, the only module that downloads.
"""

from __future__ import annotations

import os


def stay_offline() -> None:
    """Call before the first import of diffusers or transformers."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
