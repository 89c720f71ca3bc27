"""Overexposed truth of developed clips: masks, radiance, references; the lagged exposure behind them."""

import math

import numpy as np
import pytest
from support.analytic_clips import clip_scene, ground_points, write_clip_bundle
from support.synthetic_bundle import photo, scene_of

from pipeline import masks
from pipeline.bundle import load_bundle, read_rgb
from pipeline.camera.develop import develop_views
from pipeline.camera.expose import sensor_signal
from pipeline.camera.hardware import sensor_named
from pipeline.clips.light import LEAST_SHARE, half_on_its_side, range_share
from pipeline.clips.overexposed import OverexposedFrames
from pipeline.dataset.tables import rows_to_table
from pipeline.records import sha256_file


def develop(folder, out, scene):
    """(photo results, overexposed rows) of a scene of the analytic plane."""
    out.mkdir()
    tracker, photos, rows = OverexposedFrames(folder, out), [], []
    for developed in develop_views(scene, folder, out):
        photos += developed
        rows += tracker.add(developed)
    return photos, rows


@pytest.fixture(scope="module", params=["mv_global_shutter_color", "mv_mono"])
def clip(request, tmp_path_factory):
    folder = write_clip_bundle(tmp_path_factory.mktemp("plane") / "bundle")
    return folder, folder.parent / "out", *develop(folder, folder.parent / "out", clip_scene(sensor=request.param))


def test_rows_fit_the_contract(clip) -> None:
    _, _, photos, rows = clip
    assert rows_to_table("overexposed", rows).num_rows == len(photos) == 6
    assert [row["frame_index"] for row in rows] == list(range(6))
    assert {photo.row["clip_id"] for photo in photos} == {"made-000000-c0-p0"}
    assert [photo.row["time_s"] for photo in photos] == pytest.approx([0.1 * k for k in range(6)])


def test_masks_are_the_pixels_whose_radiance_exceeds_saturation(clip) -> None:
    """Exactly, from the file and the row alone."""
    _, out, photos, rows = clip
    for result, row in zip(photos, rows, strict=True):
        radiance = read_rgb(out / row["radiance_path"])
        over = range_share(radiance, np.float32(row["signal_from_radiance"]).reshape(3, 3)) > 1.0
        for channel, name in enumerate(("red", "green", "blue")):
            assert np.array_equal(masks.decode(row[f"mask_{name}_rle"]), over[..., channel])
        assert np.array_equal(over, result.clipped)
        assert np.array_equal(masks.decode(row["mask_rle"]), over.any(axis=-1))
        assert row["share"] == over.any(axis=-1).mean() == pytest.approx(result.row["clipped_fraction"])
        assert np.allclose(radiance, result.irradiance, rtol=1.5e-3)
    assert rows[2]["share"] > 2 * rows[1]["share"]  # three stops more light, the exposure not yet


def test_half_floats_keep_their_side_at_the_saturation() -> None:
    """Values within a half float's rounding of the threshold, on both sides of it."""
    scale = np.diag(np.float32([1.0 / 0.7531, 1.0 / 1.301, 1.0 / 3.333]))
    around = np.linspace(-2e-3, 2e-3, 4001)[None, :, None]
    radiance = (np.array([0.7531, 1.301, 3.333]) * (1.0 + around)).astype(np.float32)
    clipped = range_share(radiance, scale) > 1.0
    plain = range_share(radiance.astype(np.float16).astype(np.float32), scale) > 1.0
    assert not np.array_equal(plain, clipped)  # rounding alone does get it wrong
    half = half_on_its_side(radiance, clipped, scale).astype(np.float32)
    assert np.array_equal(range_share(half, scale) > 1.0, clipped)
    assert np.allclose(half, radiance, rtol=1.5e-3)


def test_the_signal_matrix_is_what_the_sensor_does(clip) -> None:
    """Whatever the sensor makes of colours: the matrix gives the signal that it clips."""
    for result in clip[2]:
        radiance = np.random.default_rng(2).uniform(0.5, 1.5, (5, 7, 3)).astype(np.float32)
        sensor = sensor_named(result.row["sensor"])
        signal = sensor_signal(radiance, np.array(result.row["exposure_scale"]), sensor)
        assert np.allclose(range_share(radiance, result.signal_from_radiance), signal, rtol=1e-5)


def test_reference_shares_against_the_plane(clip) -> None:
    """The ground point of each clipped pixel, looked up in the past frame by plane geometry."""
    folder, _, photos, rows = clip
    views = load_bundle(folder).views
    well = []
    for result in photos:
        share = range_share(result.irradiance, result.signal_from_radiance)
        well.append(~result.clipped.any(axis=-1) & (share.max(axis=-1) >= LEAST_SHARE))
    for k, row in enumerate(rows):
        lost = photos[k].clipped.any(axis=-1)
        points = ground_points(views[k].camera)[lost]
        wanted = []
        for j in range(k):
            corner = ground_points(views[j].camera)[0, 0]
            pixel = 0.5 / 80.0  # metres of ground per pixel
            column = np.rint((points[:, 0] - corner[0]) / pixel).astype(int)
            line = np.rint((corner[1] - points[:, 1]) / pixel).astype(int)
            inside = (column >= 0) & (column < 64)
            wanted.append(np.mean(inside & well[j][line, np.clip(column, 0, 63)]))
        assert row["reference_shares"] == pytest.approx(wanted if lost.any() else [], abs=0.03)
    late = rows[3]
    best = int(np.argmax(late["reference_shares"]))
    assert best < 2  # before the light came on
    assert late["best_reference_share"] == max(late["reference_shares"]) > late["reference_shares"][2] + 0.3
    assert late["best_reference_error_stops"] == pytest.approx(3.0, abs=0.15)  # the same ground, three stops darker


def test_the_exposure_lags_and_then_follows(clip) -> None:
    """Relative to what the meter asks for: nothing before the step, 3 stops at it, less and less after it."""
    photos = clip[2]
    ev = [result.row["exposure_ev"] for result in photos]
    assert abs(ev[1]) < 0.3
    assert ev[2] == pytest.approx(3.0, abs=0.4)
    assert ev[2] > ev[3] > ev[4] > ev[5] > 0
    used = [math.log2(result.row["exposure_scale"][1]) for result in photos]
    assert used[2] - used[1] == pytest.approx(0.0, abs=0.1)
    assert max(result.row["shutter_s"] for result in photos) <= 0.1


def test_a_frame_knows_nothing_of_later_ones(tmp_path) -> None:
    """Pictures and rows of the first frames are the same bytes whatever comes later."""
    folder = write_clip_bundle(tmp_path / "bundle")
    (_, calm), (_, bright) = (
        develop(folder, tmp_path / name, clip_scene(stops=stops)) for name, stops in (("a", 0.0), ("b", 3.0))
    )
    assert calm[:2] == bright[:2]
    assert calm[2] != bright[2]


def test_same_seed_same_bytes(tmp_path) -> None:
    folder = write_clip_bundle(tmp_path / "bundle")
    digests = []
    for name in ("a", "b"):
        _, rows = develop(folder, tmp_path / name, clip_scene())
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append((rows, [(path.relative_to(tmp_path / name), sha256_file(path)) for path in files]))
    assert len(digests[0][1]) == 12
    assert digests[0] == digests[1]


def test_single_photos_have_no_rows(tmp_path) -> None:
    folder = write_clip_bundle(tmp_path / "bundle", frames=1)
    photos, rows = develop(folder, tmp_path / "out", scene_of([photo()]))
    assert rows == []
    assert photos[0].row["clip_id"] is None
    assert photos[0].irradiance is None
