"""The user's environment image: good ones are measured, bad ones refused with what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bundle import write_exr
from pipeline.errors import InputError
from pipeline.light.environment_file import read_environment
from pipeline.light.surroundings import build_surroundings
from pipeline.spec.scene import SurroundingsSpec


def written(path, radiance):
    write_exr(path, {axis: radiance[..., i] for i, axis in enumerate("RGB")})
    return path


def good(rows=16):
    return np.random.default_rng(1).random((rows, 2 * rows, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_exr_images_are_read_as_they_are(tmp_path, kind):
    radiance = good().astype(kind)
    assert np.array_equal(read_environment(written(tmp_path / "hall.exr", radiance)), radiance.astype(np.float32))


def test_hdr_images_are_read(tmp_path):
    cv2 = pytest.importorskip("cv2")
    radiance = good()
    cv2.imwrite(str(tmp_path / "hall.hdr"), radiance[..., ::-1])
    assert np.allclose(read_environment(tmp_path / "hall.hdr"), radiance, atol=0.01)


def test_an_image_is_scaled_to_the_declared_share(tmp_path):
    path = written(tmp_path / "even.exr", np.full((16, 32, 3), 7.0, np.float32))
    around = build_surroundings(SurroundingsSpec("hall", 0.4, 0.3, "even.exr"), (1.0, 1.0), path)
    assert around.world.radiance * 7.0 == pytest.approx(0.3, rel=1e-5)  # even light of radiance 1 is what white shows
    assert (around.world.place, around.world.file, around.world.yaw_rad) == ("job", "world.exr", 0.4)
    assert around.groups == ("world",)
    assert around.picture == path


def spoiled(value, channel=1):
    radiance = good()
    radiance[3, 5, channel] = value
    return radiance


@pytest.mark.parametrize(
    ("radiance", "message"),
    [
        (spoiled(np.nan), r"finite radiance, found 1 values that are NaN or infinite, the first in row 3, column 5"),
        (spoiled(np.inf), r"finite radiance, found 1 values"),
        (spoiled(-0.5), r"radiance of 0 or more, found -0.5 in row 3, column 5"),
        (good()[:, :30], r"twice as wide as high, found 30 x 16 pixels"),
        (np.zeros((16, 32, 3), np.float32), r"some light above the horizon, found a picture that is black there"),
    ],
)
def test_images_that_cannot_light_a_scene_are_refused(tmp_path, radiance, message):
    path = written(tmp_path / "hall.exr", radiance)
    with pytest.raises(InputError, match=rf"hall\.exr: expected .*{message}"):
        read_environment(path)


def test_light_below_the_horizon_alone_lights_nothing(tmp_path):
    radiance = good()
    radiance[:8] = 0.0
    with pytest.raises(InputError, match="black"):
        read_environment(written(tmp_path / "hall.exr", radiance))


def test_too_large_an_image_is_refused_before_it_is_read(tmp_path):
    oiio = pytest.importorskip("OpenImageIO")
    path = tmp_path / "huge.exr"
    spec = oiio.ImageSpec(16386, 8193, 3, oiio.HALF)
    spec.attribute("compression", "zip")
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    output.close()
    with pytest.raises(InputError, match=r"at most 16384 x 8192 pixels, found 16386 x 8193"):
        read_environment(path)


def test_what_is_no_image_is_refused(tmp_path):
    path = tmp_path / "hall.exr"
    path.write_text("not a picture")
    with pytest.raises(InputError, match=r"hall\.exr: expected an EXR or HDR image, found "):
        read_environment(path)


def test_a_picture_of_bytes_is_refused_whatever_it_is_called(tmp_path):
    cv2 = pytest.importorskip("cv2")
    picture = tmp_path / "hall.png"
    cv2.imwrite(str(picture), np.full((16, 32, 3), 90, np.uint8))
    picture.rename(tmp_path / "hall.exr")
    with pytest.raises(InputError, match=r"hall\.exr: expected "):
        read_environment(tmp_path / "hall.exr")


def test_a_scene_without_its_image_says_so():
    with pytest.raises(InputError, match=r"expected the image hall\.exr, found none"):
        build_surroundings(SurroundingsSpec("hall", 0.0, 0.3, "hall.exr"), (1.0, 1.0))
