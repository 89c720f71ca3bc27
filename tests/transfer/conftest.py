"""Everything here that needs torch is skipped where the extra `transfer` is not installed."""

from __future__ import annotations

import importlib.util

import pytest

MISSING = [name for name in ("torch", "diffusers", "transformers") if importlib.util.find_spec(name) is None]


def pytest_collection_modifyitems(items):
    if not MISSING:
        return
    skip = pytest.mark.skip(reason=f"needs the extra `transfer`: no {', '.join(MISSING)} here")
    for item in items:
        if item.get_closest_marker("torch"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Paths of a tiny model: `file`, `folder`, and the `config` that fits it."""
    from support import tiny_sd

    return tiny_sd.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def choice(tiny):
    """The tiny model in one file, in fp32 on the CPU."""
    from pipeline.transfer.load import ModelChoice

    return ModelChoice(tiny.file, device="cpu", dtype="float32", config=tiny.config)


@pytest.fixture
def engine(choice):
    """An engine of its own over the tiny model."""
    from pipeline.transfer.engine import open_engine

    return open_engine(choice)
