"""Settings of every test: nothing of the user's is read or written."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Parts are remembered in a folder of this run."""
    before = os.environ.get("GLINT_CACHE")
    os.environ["GLINT_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["GLINT_CACHE"]
    else:
        os.environ["GLINT_CACHE"] = before
