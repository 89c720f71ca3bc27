"""AgX against the table that Blender ships."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.camera.agx import agx, sigmoid
from pipeline.camera.tone import agx_to, srgb_from_linear


def blender_config() -> Path:
    """Blender's OpenColorIO configuration, found without starting Blender."""
    from importlib.util import find_spec

    found = find_spec("bpy")
    if found is None or found.origin is None:
        pytest.skip("needs the configuration that comes with bpy")
    configs = sorted(Path(found.origin).parent.glob("**/datafiles/colormanagement/config.ocio"))
    if not configs:
        pytest.skip("this bpy has no OpenColorIO configuration")
    return configs[0]


def by_blender(linear: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB values 0..1 of scene-linear Rec.709, by OpenColorIO."""
    import OpenImageIO as oiio

    image = oiio.ImageBuf(np.ascontiguousarray(linear[None], dtype=np.float32))
    config = str(blender_config())
    shown = oiio.ImageBufAlgo.ociodisplay(image, "sRGB", "AgX", fromspace="Linear Rec.709", colorconfig=config)
    assert not shown.has_error, shown.geterror()
    return shown.get_pixels(oiio.FLOAT)[0]


def ours(linear: np.ndarray) -> np.ndarray:
    return srgb_from_linear(agx(np.float32(linear[None])))[0]


def test_greys_are_those_of_blender_to_a_third_of_a_code() -> None:
    greys = np.repeat(0.18 * 2.0 ** np.linspace(-9, 6, 400)[:, None], 3, axis=1)
    assert np.abs(ours(greys) - by_blender(greys)).max() < 0.35 / 255


def test_colours_are_those_of_blender() -> None:
    """Channels up to 2 stops apart within 1.5 codes; the rest differs where the table is coarse (57 steps per axis)."""
    rng = np.random.default_rng(7)
    grey = 2.0 ** rng.uniform(-6, 4, (4000, 1))
    plain, strong = grey * 2.0 ** rng.uniform(-1, 1, (4000, 3)), grey * 2.0 ** rng.uniform(-4, 4, (4000, 3))
    difference = np.abs(ours(plain) - by_blender(plain)) * 255
    assert np.percentile(difference, 99.5) < 1.5
    assert np.abs(ours(strong) - by_blender(strong)).mean() * 255 < 0.6


def test_middle_grey_stays_and_the_curve_rises_from_0_to_1() -> None:
    assert agx(np.full((1, 1, 3), 0.18, np.float32)) == pytest.approx(0.18, abs=2e-4)
    curve = sigmoid(np.linspace(0, 1, 1000))
    assert curve[[0, -1]] == pytest.approx([0, 1], abs=1e-9)
    assert (np.diff(curve) > 0).all()


@pytest.mark.parametrize("saturation", [1.0, 1.41, 2.5])
def test_in_a_camera_the_sensor_s_largest_value_is_white_and_grey_hardly_moves(saturation) -> None:
    ramp = np.repeat(np.linspace(0.0, saturation, 500, dtype=np.float32)[None, :, None], 3, axis=-1)
    shown = agx_to(ramp, saturation)[0, :, 1]
    assert shown[-1] == pytest.approx(1.0, abs=1e-3)
    assert (np.diff(shown) > 0).all()
    grey = float(agx_to(np.full((1, 1, 3), 0.18, np.float32), saturation)[0, 0, 1])
    assert 0.18 < grey < 0.18 * 2**0.25
