"""Photos through glass: the mixture, one light mix, one exposure and one balance for every layer, rows and verdicts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.panes import camera_with_pane
from support.synthetic_bundle import MadeView, photo, scene_of

from pipeline.bundle import BUNDLE_FILE, read_exr, view_folder, write_exr
from pipeline.camera.develop import develop_photos
from pipeline.camera.expose import HEADROOM, expose
from pipeline.camera.glass_quality import mix_scores, well_mixed
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.mix import cct_rgb
from pipeline.camera.optics import LensSetting, pixel_pitch_um, through_lens
from pipeline.dataset.tables import TABLES, rows_to_table
from pipeline.errors import InputError
from pipeline.layers import read_parts, write_groups, write_parts
from pipeline.pane_optics import pane_geometry, reflectances, transmittance
from pipeline.records import read_json, to_dict, write_json
from pipeline.spec.scene import ProcessingSpec

RNG = np.random.default_rng(3)


def _smooth(low: float, high: float) -> np.ndarray:
    noise = cv2.GaussianBlur(RNG.random((48, 64, 3), dtype=np.float32), (0, 0), 2.0)
    spread = (noise - noise.min()) / np.ptp(noise)
    return (low + (high - low) * spread).astype(np.float32)


VIEW = {"key": _smooth(0.05, 0.8), "room": _smooth(0.02, 0.1)}
MIRROR = {"key": _smooth(0.0, 3.0), "room": _smooth(0.1, 2.0)}
CONTEXT = {"key": _smooth(0.0, 1.0), "room": _smooth(0.1, 1.0)}
CAMERA, PANE = camera_with_pane(30.0, 40.0, thickness_m=0.006)


def write_bundle(folder, mirror=MIRROR, view=VIEW):
    """A bundle whose camera looks through PANE at far things."""
    MadeView(view, camera=CAMERA).write(folder)
    bundle = read_json(folder / BUNDLE_FILE)
    bundle["views"][0]["pane"] = to_dict(PANE)
    write_json(folder / BUNDLE_FILE, bundle)
    files = view_folder(folder, 0)
    for name, groups in (("mirror", mirror), ("context", CONTEXT)):
        write_groups(files / f"{name}.exr", {f"group.{g}": v for g, v in groups.items()})
    zeros = np.zeros((48, 64), np.float32)
    write_exr(files / "mirror_reflection.exr", {"object": zeros + 65535, "distance": zeros})
    return folder


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "bundle")


def layers_of(result, out):
    row = result.glass_row
    read = {name: read_exr(out / row[f"{name}_path"]) for name in "mtrc"}
    return {name: np.stack([channels[axis] for axis in "RGB"], axis=-1) for name, channels in read.items()}


def test_the_mixture_is_exactly_the_sum_in_the_files_and_before_exposure(bundle, tmp_path):
    scene = scene_of([photo(light_weights={"key": 0.7}, light_cct_k={"room": 3200.0}, white_balance_k=4100.0)])
    (result,) = develop_photos(scene, bundle, tmp_path)
    layers = layers_of(result, tmp_path)
    assert np.array_equal(layers["m"], layers["t"] + layers["r"])
    assert layers["r"].mean() > 0.01
    assert all(np.isfinite(image).all() and image.min() >= 0.0 for image in layers.values())


@pytest.mark.parametrize("sensor", ["mv_global_shutter_color", "phone", "mv_mono"])
def test_every_layer_has_its_fresnel_share_the_light_mix_the_exposure_and_the_balance(bundle, tmp_path, sensor):
    taken = photo(
        sensor=sensor, light_weights={"key": 0.5, "room": 2.0}, light_cct_k={"key": 3200.0}, white_balance_k=4000.0
    )
    scene = scene_of([taken])
    (result,) = develop_photos(scene, bundle, tmp_path)
    cosine = pane_geometry(CAMERA, PANE).cosine
    through = transmittance(cosine, PANE.refractive_index)[..., None]
    back = reflectances(cosine, PANE.refractive_index).sum(axis=0)[..., None]

    def lit(groups):
        return 0.5 * np.array(cct_rgb(3200.0)) * groups["key"] + 2.0 * groups["room"]

    radiance = {"t": through * lit(VIEW), "r": back * lit(MIRROR), "c": lit(CONTEXT)}
    mixture = np.float32(radiance["t"] + radiance["r"])
    # The mixture is what is metered, and its exposure holds for all.
    exposure = expose(mixture, sensor_named(sensor), lens_named(taken.lens), taken.f_number, taken.exposure_ev)
    assert result.exposure.exposure_scale == pytest.approx(exposure.exposure_scale, rel=1e-5)
    white = np.ones(3) if sensor == "mv_mono" else np.array(cct_rgb(4000.0))
    scale = exposure.exposure_scale / np.array(sensor_named(sensor).response) * HEADROOM / white
    pitch_um = pixel_pitch_um(scene.cameras[0].sensor_width_mm, 64)
    setting = LensSetting(exposure.f_number, pitch_um, result.geometry, taken.lens_state)
    for name, image in layers_of(result, tmp_path).items():
        if name != "m":
            expected = through_lens(np.float32(radiance[name]), lens_named(taken.lens), setting) * scale
            # The bundle holds half floats of eight bits: 2^-9.
            assert image == pytest.approx(expected, rel=2.0**-9, abs=1e-6)


def test_a_lamp_that_is_off_goes_out_in_the_mirror_image_and_the_context(bundle, tmp_path):
    scene = scene_of([photo(light_weights={"key": 0.0})])
    (result,) = develop_photos(scene, bundle, tmp_path)
    layers = layers_of(result, tmp_path)
    ratio = layers["c"].sum() / layers["r"].sum()
    cosine = pane_geometry(CAMERA, PANE).cosine
    back = reflectances(cosine, PANE.refractive_index).sum(axis=0)[..., None]
    assert ratio == pytest.approx(CONTEXT["room"].sum() / (back * MIRROR["room"]).sum(), rel=0.05)


def test_the_picture_is_the_mixture_and_labels_are_those_of_what_passes(bundle, tmp_path):
    lamp = {"key": np.zeros((48, 64, 3), np.float32), "room": MIRROR["room"]}
    lamp["key"][20:28, 28:36] = 500.0
    dark = {name: 0.02 * image for name, image in VIEW.items()}
    folder = write_bundle(tmp_path / "lamp", mirror=lamp, view=dark)
    (result,) = develop_photos(scene_of([photo()]), folder, tmp_path)
    picture = cv2.imread(str(tmp_path / result.row["image_path"])).astype(float)
    assert picture[22:26, 30:34].mean() > 200.0
    assert picture[:10].mean() < 100.0
    assert result.clipped[24, 32].all()
    share = transmittance(pane_geometry(CAMERA, PANE).cosine, PANE.refractive_index)[..., None]
    assert result.light.groups["key"] == pytest.approx(share * dark["key"], rel=1e-5)


def test_the_same_photo_has_the_same_bytes(bundle, tmp_path):
    scene = scene_of([photo(), photo(photo_index=1, exposure_ev=0.7)])
    for name in ("a", "b"):
        develop_photos(scene, bundle, tmp_path / name)
    first, second = (
        {path.name: path.read_bytes() for path in sorted((tmp_path / name / "photos").iterdir())} for name in "ab"
    )
    assert len(first) == 10
    assert first == second


def test_rows_fit_the_contract(bundle, tmp_path):
    (result,) = develop_photos(scene_of([photo()]), bundle, tmp_path)
    row = result.glass_row
    assert set(row) == {column.name for column in TABLES["glass"].columns}
    assert rows_to_table("glass", [row]).num_rows == 1
    pose = np.array(row["camera_from_pane"]).reshape(4, 4)
    assert pose[:3, 3] == pytest.approx([0.0, 0.0, 0.2])
    assert row["thickness_mm"] == pytest.approx(6.0)
    assert row["incidence_mean_deg"] == pytest.approx(30.0, abs=1.5)
    assert row["incidence_max_deg"] > row["incidence_mean_deg"] + 5.0
    assert row["ghost_shift_px"] == 0.0
    layers = layers_of(result, tmp_path)
    luma = np.array([0.2126, 0.7152, 0.0722])
    assert row["reflected_share"] == pytest.approx((layers["r"] @ luma).sum() / (layers["m"] @ luma).sum(), rel=0.02)


def test_a_photo_without_glass_has_no_row(tmp_path):
    folder = MadeView(VIEW).write(tmp_path / "plain")
    (result,) = develop_photos(scene_of([photo()]), folder, tmp_path / "out")
    assert result.glass_row is None
    assert [path.suffix for path in (tmp_path / "out" / "photos").iterdir()] == [".png"]


TEXTURED, FLAT = _smooth(0.1, 0.6), np.full((48, 64, 3), 0.3, np.float32)


@pytest.mark.parametrize(
    ("t", "r", "useful"),
    [
        (TEXTURED, 0.3 * _smooth(0.0, 1.0), True),
        (TEXTURED, 1e-4 * _smooth(0.0, 1.0), False),  # the reflection is invisible
        (TEXTURED, 0.1 * FLAT, False),  # it is there and even: nothing of it can be seen
        (1e-3 * TEXTURED, _smooth(0.0, 1.0), False),  # it drowns the transmission
        (20.0 * TEXTURED, 6.0 * _smooth(0.0, 1.0), False),  # clipped
        (1e-3 * TEXTURED, 3e-4 * _smooth(0.0, 1.0), False),  # dark
    ],
)
def test_mixtures_of_which_a_layer_is_lost_are_told(t, r, useful):
    scores = mix_scores(t + r, t, r)
    assert well_mixed(scores) is useful
    assert all(0.0 <= value <= 1.0 for value in scores.values())


@pytest.mark.parametrize("sensor", ["mv_global_shutter_color", "mv_mono"])
def test_every_layer_has_a_raw_file_of_the_same_exposure_and_noise_of_its_own(bundle, tmp_path, sensor):
    rawpy = pytest.importorskip("rawpy")
    (result,) = develop_photos(scene_of([photo(raw=True, sensor=sensor)]), bundle, tmp_path)
    row, black = result.glass_row, sensor_named(sensor).black_level_dn
    assert row["m_raw_path"] == result.row["raw_path"]
    codes = {}
    for name in "mtrc":
        path = str(tmp_path / row[f"{name}_raw_path"])
        if sensor == "mv_mono":
            codes[name] = cv2.imread(path, cv2.IMREAD_UNCHANGED).astype(float) - black
        else:
            with rawpy.imread(path) as file:
                codes[name] = file.raw_image.astype(float) - black
    # One exposure: the codes of t and r add up to those of m, but for three independent noises.
    rest = codes["m"] - codes["t"] - codes["r"]
    assert abs(rest.mean()) < 0.01 * codes["m"].mean()
    assert rest.std() > 0.5
    assert np.corrcoef(rest.ravel(), codes["t"].ravel())[0, 1] < 0.2
    assert row["r_raw_path"].endswith(f"{result.photo_id}-r.{'tif' if sensor == 'mv_mono' else 'dng'}")


def test_without_raw_no_layer_has_a_raw_file(bundle, tmp_path):
    (result,) = develop_photos(scene_of([photo()]), bundle, tmp_path)
    assert [result.glass_row[f"{name}_raw_path"] for name in "mtrc"] == [None] * 4


@pytest.mark.parametrize("file", ["mirror", "context"])
@pytest.mark.parametrize(("value", "found"), [(np.nan, "nan"), (np.inf, "inf"), (-1.0, "-1")])
def test_damaged_light_of_the_pane_is_named_and_no_photo(bundle, tmp_path, file, value, found):
    path = view_folder(bundle, 0) / f"{file}.exr"
    layers = read_parts(path)
    layers["group.key"][5, 7, 1] = value
    write_parts(path, layers, "zip")
    with pytest.raises(
        InputError, match=f"layer {file} group.key: .*found {found} in green at pixel .x 7, y 5."
    ) as error:
        develop_photos(scene_of([photo()]), bundle, tmp_path)
    assert "build again" in str(error.value)
    assert not list((tmp_path / "photos").glob("*.png"))


def test_a_missing_group_of_the_pane_is_named(bundle, tmp_path):
    path = view_folder(bundle, 0) / "mirror.exr"
    write_parts(path, {name: image for name, image in read_parts(path).items() if name != "group.room"}, "zip")
    with pytest.raises(
        InputError, match=r"expected the light groups key, room in mirror.exr, found key: room is missing"
    ):
        develop_photos(scene_of([photo()]), bundle, tmp_path)


def test_an_automatic_white_balance_is_found_in_the_mixture_and_holds_for_all(bundle, tmp_path):
    processing = ProcessingSpec(white_balance="auto")
    (result,) = develop_photos(scene_of([photo(processing=processing)]), bundle, tmp_path)
    white = result.row["white_balance_k"]
    (fixed,) = develop_photos(scene_of([photo(white_balance_k=white)]), bundle, tmp_path / "fixed")
    assert white != photo().white_balance_k
    automatic, same = layers_of(result, tmp_path), layers_of(fixed, tmp_path / "fixed")
    for name in "mtrc":
        assert np.array_equal(automatic[name], same[name])
