"""Developing photos from a bundle: rows, files, repeatability, flags."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.synthetic_bundle import MadeView, photo, scene_of

from pipeline.camera.develop import develop_photos, encode_picture, grey_snr
from pipeline.camera.distortion import moved_light
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.mix import mix
from pipeline.camera.optics import vignetting
from pipeline.dataset.tables import TABLES, rows_to_table
from pipeline.errors import InputError
from pipeline.photo_geometry import geometry_of_rows
from pipeline.spec.photo_state import LampDrive, LensState


@pytest.fixture
def bundle(tmp_path):
    x = np.linspace(0.02, 1.0, 64, dtype=np.float32)
    key = np.broadcast_to(x[None, :, None], (48, 64, 3)).copy()
    key[10:14, 10:14] = 80.0
    return MadeView({"key": key, "fill": np.full((48, 64, 3), 0.2, np.float32)}).write(tmp_path / "bundle")


def _four():
    return [
        photo(photo_index=0),
        photo(photo_index=1, sensor="phone", lens="kit_zoom", image_format="jpeg", tone="filmic"),
        photo(photo_index=2, exposure_ev=-1.0, light_weights={"key": 0.2}, seed=11),
        photo(photo_index=3, sensor="mv_mono", light_cct_k={"key": 3000.0}, tone="linear"),
    ]


def test_rows_fit_the_contract_and_name_the_files(bundle, tmp_path) -> None:
    results = develop_photos(scene_of(_four()), bundle, tmp_path / "out")
    assert rows_to_table("photos", [r.row for r in results]).num_rows == 4
    for result in results:
        data = (tmp_path / "out" / result.row["image_path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == result.row["sha256"]
        assert cv2.imdecode(np.frombuffer(data, np.uint8), 1).shape == (48, 64, 3)
        assert result.row["clipped_fraction"] == result.clipped.any(axis=-1).mean()
    by_transfer = {"gate_reason", "camera_image_path", "camera_sha256"}
    assert {c.name for c in TABLES["photos"].columns} - set(results[0].row) == by_transfer
    assert [r.row["image_path"].rsplit(".")[-1] for r in results] == ["png", "jpg", "png", "png"]
    assert len({r.row["sha256"] for r in results}) == 4


def test_same_spec_same_bytes(bundle, tmp_path) -> None:
    first, second = (develop_photos(scene_of(_four()), bundle, tmp_path / name) for name in ("a", "b"))
    assert [r.row for r in first] == [r.row for r in second]


def test_clipped_pixels_follow_from_the_row_alone(bundle, tmp_path) -> None:
    """A mirror of the lamp saturates; with a lens that neither blurs nor scatters the row tells exactly where."""
    (result,) = develop_photos(scene_of([photo(exposure_ev=1.0)]), bundle, tmp_path)
    radiance = mix(result.light.groups, result.group_gains)
    radiance = moved_light(radiance, lens_named("macro_100mm"), result.geometry)
    sensor, lens = sensor_named(result.row["sensor"]), lens_named(result.row["lens"])
    ideal = radiance * vignetting(lens, 64, 48)[..., None] > result.saturation_radiance
    margin = cv2.dilate(ideal.astype(np.uint8), np.ones((7, 7))) - cv2.erode(ideal.astype(np.uint8), np.ones((7, 7)))
    assert ideal[11, 11].all()
    agrees = ideal == result.clipped
    assert agrees[margin == 0].mean() > 0.999
    np.testing.assert_allclose(1.0 / result.saturation_radiance, result.row["exposure_scale"], rtol=1e-6)
    assert np.array(result.row["exposure_scale"]) / result.row["exposure_scale"][1] == pytest.approx(sensor.response)


def test_groups_stand_in_where_nothing_was_denoised(tmp_path) -> None:
    flat = np.full((48, 64, 3), 0.2, np.float32)
    bundle = MadeView({"key": flat}, denoised=False).write(tmp_path / "bundle")
    (result,) = develop_photos(scene_of([photo()]), bundle, tmp_path)
    np.testing.assert_array_equal(result.light.groups["key"], flat)


def test_quality_flags_say_what_was_measured(tmp_path) -> None:
    flat = np.full((48, 64, 3), 0.3, np.float32)
    bundle = MadeView({"key": flat}).write(tmp_path / "bundle")
    dark = np.full((48, 64, 3), 1e-4, np.float32)
    dark_bundle = MadeView({"key": dark}).write(tmp_path / "dark")

    def flags(folder, **changes):
        (result,) = develop_photos(scene_of([photo(**changes)]), folder, tmp_path / "out")
        return result.row["quality_flags"]

    assert flags(bundle, exposure_ev=1.5) == []
    assert flags(bundle, exposure_ev=4.0) == ["overexposed"]
    assert flags(bundle, exposure_ev=-2.0) == ["underexposed"]
    assert "noisy" in flags(dark_bundle, sensor="phone", f_number=16.0)


def test_noise_at_grey_is_what_the_sensor_model_gives() -> None:
    sensor = sensor_named("phone")
    assert grey_snr(sensor, 1.0) > grey_snr(sensor, 8.0) > grey_snr(sensor, 64.0)
    assert grey_snr(replace(sensor, read_noise_e=0.0, prnu=0.0, full_well_e=1e6, bits=16), 1.0) == pytest.approx(
        (0.1273 * 1e6) ** 0.5, rel=0.01
    )


def test_jpeg_keeps_full_colour_resolution() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = (255, 0, 0)
    stripes[:, 1::2] = (0, 0, 255)
    decoded = cv2.imdecode(np.frombuffer(encode_picture(stripes, "jpeg"), np.uint8), 1)[..., ::-1]
    assert np.abs(decoded.astype(int) - stripes).mean() < 12


def test_unknown_sensor_is_named(bundle, tmp_path) -> None:
    with pytest.raises(InputError, match=r"dslr_fullframe.*found 'kodak'"):
        develop_photos(scene_of([photo(sensor="kodak")]), bundle, tmp_path)


def test_a_photo_records_the_camera_that_its_lens_makes_it(bundle, tmp_path) -> None:
    zoom, macro = develop_photos(
        scene_of([photo(lens="kit_zoom"), photo(photo_index=1, lens="macro_100mm")]), bundle, tmp_path
    )
    view = macro.light.view.camera
    assert [macro.row[name] for name in ("fx", "fy", "cx", "cy")] == [view.fx, view.fy, view.cx, view.cy]
    assert macro.row["distortion"] == [0.0] * 5
    rows = {name: getattr(view, name) for name in ("width", "height", "fx", "fy", "cx", "cy")}
    assert geometry_of_rows(rows, zoom.row) == zoom.geometry
    assert zoom.row["fx"] > view.fx  # barrel distortion looks outside: the photo is enlarged
    corner = np.array([[0.0, 0.0]])
    squeezed = np.hypot(*(zoom.geometry.photo_points(corner)[0] - (32, 24))) / np.hypot(32, 24)
    assert squeezed / (zoom.row["fx"] / view.fx) == pytest.approx(1.0 - 0.032 + 0.008, abs=2e-3)


def test_flicker_changes_the_light_but_not_the_exposure(bundle, tmp_path) -> None:
    bright, dark = (
        LampDrive("led_ripple", "mains", "led", frequency_hz=100.0, modulation=0.6, phase=p) for p in (0.0, 0.5)
    )
    shots = [photo(), photo(photo_index=1, drives={"key": bright}), photo(photo_index=2, drives={"key": dark})]
    steady, high, low = develop_photos(scene_of(shots), bundle, tmp_path)
    assert steady.row["shutter_s"] == high.row["shutter_s"] == low.row["shutter_s"]
    shutter = steady.row["shutter_s"]
    middle = np.cos(2 * np.pi * 100.0 * shutter / 2) * np.sinc(100.0 * shutter) * 0.6
    assert high.row["light_gathered"] == pytest.approx({"key": 1.0 + middle})
    assert low.row["light_gathered"] == pytest.approx({"key": 1.0 - middle})
    assert high.row["drivers"] == {"key": "led_ripple"}
    assert steady.row["drivers"] == {}
    rolling = develop_photos(scene_of([photo(sensor="phone", drives={"key": bright})]), bundle, tmp_path / "rolling")
    assert rolling[0].group_gains["key"].shape == (48, 3)
    assert rolling[0].group_gains["fill"].shape == (3,)


def test_a_distortion_that_folds_over_is_an_error_and_no_photo(bundle, tmp_path) -> None:
    folded = photo(lens="kit_zoom", lens_state=LensState(distortion_scale=20.0))
    with pytest.raises(InputError, match=r"kit_zoom.*distortion_scale 20.*folds the picture over"):
        develop_photos(scene_of([folded]), bundle, tmp_path)
    assert not list((tmp_path / "photos").iterdir())
