"""Reading a view's light: what is damaged or missing is named, and never becomes a photo."""

from __future__ import annotations

import numpy as np
import pytest
from support.synthetic_bundle import MadeView

from pipeline.bundle import load_bundle
from pipeline.errors import InputError
from pipeline.layers import read_parts, write_parts
from pipeline.view_light import read_view_light


@pytest.fixture
def bundle(tmp_path):
    flat = np.full((12, 16, 3), 0.25, np.float32)
    return MadeView({"key": flat, "fill": flat * 2}).write(tmp_path / "bundle")


def test_groups_means_and_luminances(bundle) -> None:
    light = read_view_light(bundle, load_bundle(bundle).views[0])
    assert list(light.groups) == ["key", "fill"]
    np.testing.assert_allclose(light.mean["fill"], [0.5] * 3)
    np.testing.assert_allclose(light.noisy, 0.75, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.01])
def test_radiance_that_cannot_be_is_named(bundle, value: float) -> None:
    path = bundle / "views" / "v0" / "light.exr"
    parts = read_parts(path)
    parts["denoised.fill"][3, 4, 1] = value
    write_parts(path, parts, "zip:1")
    with pytest.raises(
        InputError, match=r"layer denoised\.fill: expected finite radiance of 0 or more, found .* in green at pixel"
    ):
        read_view_light(bundle, load_bundle(bundle).views[0])


@pytest.mark.parametrize(("layer", "what"), [("denoised.key", "key is missing"), ("noisy", "luminance noisy")])
def test_a_missing_layer_is_named(bundle, layer: str, what: str) -> None:
    path = bundle / "views" / "v0" / "light.exr"
    write_parts(path, {name: v for name, v in read_parts(path).items() if name != layer}, "zip:1")
    with pytest.raises(InputError, match=what):
        read_view_light(bundle, load_bundle(bundle).views[0])
