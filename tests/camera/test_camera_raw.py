"""RAW files: what LibRaw and ExifTool read out of them, radiance and colour after linear development, repeatability."""

import json
import shutil
import subprocess
from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.colour_difference import chart, delta_e_2000, lab, patch_means
from support.synthetic_bundle import MadeView, photo, scene_of

from pipeline import tables
from pipeline.camera.colour_matrix import camera_neutral, xyz_to_camera
from pipeline.camera.develop import develop_photos
from pipeline.camera.expose import Exposure, expose
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.raw_dng import RawSettings, raw_file, raw_suffix
from pipeline.camera.sensor import capture
from pipeline.camera.tiff import Field, tiff_bytes
from pipeline.spec.scene import BodySpec

COLOUR_NAMES = [name for name, row in tables.table("sensors").items() if row["colour"] != "mono"]
EVERY_COLOUR = pytest.mark.parametrize("name", COLOUR_NAMES)
LENS = lens_named("macro_100mm")
BODY = BodySpec("0042", 31.0)


def _photographed(name: str, image: np.ndarray, ev: float = -0.7, kelvin: float = 6504.0):
    """Settings and frame of an exposure of *image* without a lens in front of the sensor."""
    sensor = sensor_named(name)
    exposure = expose(image, sensor, LENS, 4.0, ev)
    settings = RawSettings(sensor, BODY, LENS, exposure, 35.0, kelvin)
    return settings, capture(image, exposure, sensor, 5, BODY)


def _linear(path) -> np.ndarray:
    """LibRaw's linear sRGB (h, w, 3), 1 = the brightest signal; balanced as shot, nothing stretched."""
    rawpy = pytest.importorskip("rawpy")
    with rawpy.imread(str(path)) as raw:
        picture = raw.postprocess(
            gamma=(1.0, 1.0),
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            use_camera_wb=True,
            output_color=rawpy.ColorSpace.sRGB,
            output_bps=16,
        )
    return picture.astype(np.float64) / 65535.0


def _write(tmp_path, settings, frame):
    path = tmp_path / ("photo" + raw_suffix(settings.sensor))
    path.write_bytes(raw_file(frame.codes, settings))
    return path


@EVERY_COLOUR
def test_libraw_finds_the_mosaic_and_its_levels(name, tmp_path) -> None:
    rawpy = pytest.importorskip("rawpy")
    settings, frame = _photographed(name, chart(16)[0], kelvin=3200.0)
    sensor = settings.sensor
    with rawpy.imread(str(_write(tmp_path, settings, frame))) as raw:
        np.testing.assert_array_equal(raw.raw_image_visible, frame.codes)
        assert raw.raw_pattern.tolist() == [[0, 1], [3, 2]]
        assert raw.color_desc == b"RGBG"
        assert raw.black_level_per_channel == [sensor.black_level_dn] * 4
        assert raw.white_level == sensor.white_dn
        red, green, blue, _ = raw.camera_whitebalance
    neutral = camera_neutral(sensor, 3200.0)
    assert [red / green, blue / green] == pytest.approx([neutral[1] / neutral[0], neutral[1] / neutral[2]], rel=1e-4)


@EVERY_COLOUR
def test_linear_development_returns_the_radiance_of_a_grey_ramp(name, tmp_path) -> None:
    ramp = np.repeat(np.linspace(0.02, 1.0, 50, dtype=np.float32), 12)
    image = np.repeat(np.broadcast_to(ramp[None, :, None], (300, ramp.size, 1)), 3, axis=2).copy()
    settings, frame = _photographed(name, image)
    assert not frame.clipped.any()
    seen = _linear(_write(tmp_path, settings, frame)) / np.max(settings.exposure.exposure_scale)
    steps = seen[8:-8].reshape(-1, 50, 12, 3)[:, :, 3:-3].mean(axis=(0, 2))
    errors = steps / ramp[::12, None] - 1.0
    assert np.abs(errors).mean() < 0.005
    assert np.abs(errors[10:]).max() < 0.02  # what noise and pattern leave of a step of 1700 pixels
    assert abs(np.mean(seen[8:-8]) / ramp.mean() - 1.0) < 0.002


@EVERY_COLOUR
def test_linear_development_returns_the_colours_of_a_chart(name, tmp_path) -> None:
    image, colours = chart()
    settings, frame = _photographed(name, image)
    seen = _linear(_write(tmp_path, settings, frame)) / np.max(settings.exposure.exposure_scale)
    assert delta_e_2000(lab(patch_means(seen)), lab(colours)).max() < 3.0


@EVERY_COLOUR
def test_the_noise_profile_tells_the_noise(name, tmp_path) -> None:
    """Variance of a flat field against S x signal + O, in shares of the range, at base and at high gain."""
    sensor = replace(sensor_named(name), prnu=0.0, dsnu_e=0.0)
    response = np.array(sensor.response)
    for gain in (1.0, 12.0):
        exposure = Exposure(0.01, gain, 4.0, response, 1.0 / response)
        tags = _tags(raw_file(np.zeros((2, 2), np.uint16), RawSettings(sensor, BODY, LENS, exposure, 35.0, 6504.0)))
        slope, offset = np.frombuffer(tags[51041], "<f8")
        for level in (0.0, 0.05, 0.5):
            codes = capture(np.full((400, 400, 3), level, np.float32), exposure, sensor, 1, BODY).codes[0::2, 1::2]
            signal = (codes.astype(float) - sensor.black_level_dn) / (sensor.white_dn - sensor.black_level_dn)
            assert signal.var() == pytest.approx(slope * level + offset, rel=0.04)


def test_exiftool_reads_every_setting_and_finds_nothing_wrong(tmp_path) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool")
    settings, frame = _photographed("dslr_fullframe", chart(16)[0])
    path = _write(tmp_path, settings, frame)
    told = json.loads(subprocess.check_output(["exiftool", "-j", "-n", "-validate", "-warning", "-all", str(path)]))[0]
    exposure, sensor = settings.exposure, settings.sensor
    assert told["Validate"] == "0 0 0", told.get("Warning")
    assert (told["Make"], told["Model"], told["SerialNumber"]) == ("Glint", "dslr_fullframe", "0042")
    assert (told["DNGVersion"], told["Orientation"], told["CFAPattern2"]) == ("1 4 0 0", 1, "0 1 1 2")
    assert (told["LensModel"], told["LensInfo"]) == ("macro_100mm", "35 35 2.8 2.8")
    assert (told["ISO"], told["FNumber"], told["FocalLength"]) == (round(sensor.base_iso * exposure.gain), 4, 35)
    assert told["ExposureTime"] == pytest.approx(exposure.shutter_s, rel=1e-4)
    assert (told["BlackLevel"], told["WhiteLevel"], told["BitsPerSample"]) == (512, 16383, 16)
    assert (told["CalibrationIlluminant1"], told["BaselineExposure"]) == (21, pytest.approx(0.5, abs=1e-4))
    neutral = camera_neutral(sensor, 6504.0)
    assert _numbers(told["AsShotNeutral"]) == pytest.approx(neutral / neutral.max(), abs=1e-4)
    assert _numbers(told["ColorMatrix1"]) == pytest.approx(xyz_to_camera(sensor).ravel(), abs=1e-4)


def test_a_mono_sensor_gives_a_tiff_with_the_same_settings(tmp_path) -> None:
    settings, frame = _photographed("mv_mono", chart(16)[0])
    path = _write(tmp_path, settings, frame)
    assert path.suffix == ".tif"
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), frame.codes)
    if shutil.which("exiftool") is not None:
        told = json.loads(subprocess.check_output(["exiftool", "-j", "-n", "-validate", "-all", str(path)]))[0]
        assert told["Validate"] == "0 0 0"
        assert (told["SerialNumber"], told["BlackLevel"], told["WhiteLevel"]) == ("0042", 64, 4095)
        assert told["ExposureTime"] == pytest.approx(settings.exposure.shutter_s, rel=1e-4)


def test_photos_name_their_raw_files_and_repeat_them(tmp_path) -> None:
    x = np.linspace(0.02, 1.0, 64, dtype=np.float32)
    bundle = MadeView({"key": np.broadcast_to(x[None, :, None], (48, 64, 3)).copy()}).write(tmp_path / "bundle")
    photos = [
        photo(photo_index=0, raw=True, body=BodySpec("0002", 40.0)),
        photo(photo_index=1, raw=True, sensor="mv_mono"),
        photo(photo_index=2),
    ]
    first, second = (develop_photos(scene_of(photos), bundle, tmp_path / name) for name in ("a", "b"))
    names = [result.row["raw_path"] for result in first]
    assert names == ["photos/made-000000-v0-p0.dng", "photos/made-000000-v0-p1.tif", None]
    assert (first[0].row["camera_serial"], first[0].row["sensor_temperature_c"]) == ("0002", 40.0)
    for name in names[:2]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert [result.row for result in first] == [result.row for result in second]


def test_a_tiff_keeps_odd_sizes_and_refuses_what_does_not_fit() -> None:
    codes = np.arange(15, dtype=np.uint16).reshape(3, 5)
    data = tiff_bytes(
        codes, {262: Field("short", (1,)), 305: Field("ascii", "abc")}, {37386: Field("rational", (0.1,))}
    )
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), codes)
    with pytest.raises(ValueError, match=r"kind short, found \[70000\]"):
        tiff_bytes(codes, {262: Field("short", (70000,))}, {})


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def _tags(data: bytes) -> dict[int, bytes]:
    """The bytes of the values of the main folder that lie outside their entries, by tag."""
    at = int.from_bytes(data[4:8], "little")
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8, 12: 8}
    found = {}
    for i in range(int.from_bytes(data[at : at + 2], "little")):
        tag, kind, count, where = np.frombuffer(data[at + 2 + 12 * i : at + 14 + 12 * i], "<u2,<u2,<u4,<u4")[0].tolist()
        found[tag] = data[where : where + count * sizes[kind]]
    return found
