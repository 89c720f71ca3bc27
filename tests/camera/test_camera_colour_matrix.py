"""The sensor's colour matrix: crosstalk, its inverse, white points, a colour chart developed."""

import cv2
import numpy as np
import pytest
from support.colour_difference import chart, delta_e_2000, lab, linear_from_srgb, patch_means

from pipeline import tables
from pipeline.camera.colour_matrix import (
    REC709_FROM_XYZ,
    adaptation,
    camera_from_rec709,
    camera_neutral,
    rec709_from_balanced,
    rec709_from_camera,
    xyz_to_camera,
)
from pipeline.camera.expose import HEADROOM, Exposure, expose
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.mix import cct_rgb
from pipeline.camera.sensor import capture
from pipeline.camera.tone import develop_codes

NAMES = [name for name, row in tables.table("sensors").items() if row["colour"] != "mono"]
EVERY = pytest.mark.parametrize("name", NAMES)


@EVERY
def test_filters_overlap_and_the_inverse_undoes_it(name: str) -> None:
    sensor = sensor_named(name)
    matrix = camera_from_rec709(sensor)
    assert (matrix > 0.0).all()
    assert (matrix.argmax(axis=1) == [0, 1, 2]).all()
    np.testing.assert_allclose(matrix.sum(axis=1), sensor.response)
    np.testing.assert_allclose(rec709_from_camera(sensor) @ matrix, np.eye(3), atol=1e-12)
    assert np.reshape(tables.table("sensors")[name]["ccm"], (3, 3)).sum(axis=1) == pytest.approx([1.0] * 3, abs=2e-4)


def test_the_dslr_has_its_published_colour_matrix() -> None:
    """The camera's ColorMatrix for D65 in LibRaw's table, scaled to green = 1 under D65."""
    published = np.array([[7034, -804, -1014], [-4420, 12564, 2058], [-851, 1994, 5758]]) / 1e4
    d65 = np.array([0.95047, 1.0, 1.08883])
    expected = published / (published[1] @ d65)
    np.testing.assert_allclose(xyz_to_camera(sensor_named("dslr_fullframe")), expected, atol=5e-4)


@EVERY
@pytest.mark.parametrize("kelvin", [2500.0, 4000.0, 6504.0, 12000.0])
def test_white_of_any_light_becomes_white(name: str, kelvin: float) -> None:
    sensor = sensor_named(name)
    matrix = rec709_from_balanced(sensor, kelvin)
    balanced = camera_from_rec709(sensor) @ np.array(cct_rgb(kelvin)) / camera_neutral(sensor, kelvin)
    np.testing.assert_allclose(matrix @ balanced, 1.0, rtol=1e-9)
    np.testing.assert_allclose(adaptation(kelvin) @ np.array(cct_rgb(kelvin)), 1.0, rtol=1e-9)


@EVERY
def test_under_daylight_nothing_is_adapted(name: str) -> None:
    sensor = sensor_named(name)
    undone = rec709_from_balanced(sensor, 6504.0) @ np.diag(1.0 / camera_neutral(sensor, 6504.0))
    np.testing.assert_allclose(undone, rec709_from_camera(sensor), rtol=1e-6, atol=1e-9)


def test_adaptation_is_bradfords_published_matrix() -> None:
    """From illuminant A (2856 K) to D65 in XYZ, as B. Lindbloom tabulates it (brucelindbloom.com)."""
    published = np.array(
        [[0.8446965, -0.1179225, 0.3948108], [-0.1366303, 1.1041226, 0.1291718], [0.0798489, -0.1348999, 3.1924009]]
    )
    in_xyz = np.linalg.inv(REC709_FROM_XYZ) @ adaptation(2856.0) @ REC709_FROM_XYZ
    np.testing.assert_allclose(in_xyz, published, atol=0.02)


@EVERY
def test_a_colour_chart_keeps_its_colours(name: str) -> None:
    """Sensor, white balance, demosaicking, matrix and the sRGB tone: below 3 of CIEDE2000 for each of 24 patches."""
    sensor, (image, colours) = sensor_named(name), chart()
    exposure = expose(image, sensor, lens_named("macro_100mm"), 4.0, -0.7)
    frame = capture(image, exposure, sensor, 1)
    assert not frame.clipped.any()
    shown = linear_from_srgb(patch_means(develop_codes(frame.codes, sensor, 6504.0, "srgb").astype(float)))
    assert delta_e_2000(lab(shown / (exposure.exposure_scale[1] * HEADROOM)), lab(colours)).max() < 3.0


@EVERY
def test_warm_highlights_do_not_turn_green(name: str) -> None:
    """Seen at daylight balance, light of 3000 K goes from orange through yellow to white as it gets brighter."""
    sensor = sensor_named(name)
    stops = np.linspace(-4.0, 3.0, 400, dtype=np.float32)
    light = np.repeat((2.0**stops)[None, :, None] * np.float32(cct_rgb(3000.0)), 32, axis=0)
    response = np.array(sensor.response)
    frame = capture(light, Exposure(0.01, 1.0, 4.0, response, 1.0 / response), sensor, 1)
    shown = develop_codes(frame.codes, sensor, 6504.0, "filmic")[8:-8].mean(axis=0)
    red, green, blue = shown.T
    assert (red > green - 4.0).all()
    assert (green > blue - 4.0).all()
    assert shown[-20:].min() > 250.0


def test_a_grey_edge_gets_no_colour() -> None:
    """What an edge-aware interpolation leaves of it: less than one part in forty of the step, on the mean."""
    sensor = sensor_named("mv_global_shutter_color")
    y, x = np.mgrid[:96, :96]
    edge = np.where((x - 48.0) * 0.8 + (y - 48.0) * 0.6 > 0, 0.5, 0.03).astype(np.float32)
    light = cv2.GaussianBlur(np.repeat(edge[..., None], 3, axis=2), (0, 0), 0.6)
    response = np.array(sensor.response)
    codes = capture(light, Exposure(0.01, 1.0, 4.0, response, 1.0 / response), sensor, 1).codes
    spread = np.ptp(develop_codes(codes, sensor, 6504.0, "linear")[8:-8, 8:-8].astype(float), axis=-1)
    flat = np.ptp(develop_codes(codes, sensor, 6504.0, "linear")[8:40, 8:24].astype(float), axis=-1)
    assert spread.max() < 40.0
    assert spread.mean() - flat.mean() < 6.0


def test_without_the_matrix_the_chart_would_be_dull() -> None:
    """The test above can fail: balanced sensor values taken for Rec.709 are far off."""
    sensor, (_, colours) = sensor_named(NAMES[0]), chart()
    raw = colours @ camera_from_rec709(sensor).T / camera_neutral(sensor, 6504.0)
    assert delta_e_2000(lab(raw), lab(colours)).max() > 8.0


def test_the_colour_difference_is_the_published_one() -> None:
    """Four of the 34 pairs of Sharma, Wu and Dalal (2005)."""
    pairs = [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ]
    first, second, expected = (np.array(column) for column in zip(*pairs, strict=True))
    assert delta_e_2000(first, second) == pytest.approx(expected, abs=1e-4)
