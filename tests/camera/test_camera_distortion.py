"""Distortion: against OpenCV's projection, and image and truth moved by the same map."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.synthetic_bundle import camera

from pipeline.bundle import BundleView
from pipeline.camera.distortion import moved_light, photo_geometry
from pipeline.camera.hardware import lens_named
from pipeline.errors import InputError
from pipeline.photo_geometry import PhotoGeometry, geometry_of_rows

KIT, MACRO, MACHINE = lens_named("kit_zoom"), lens_named("macro_100mm"), lens_named("c_mount_25mm")
STRONG = replace(KIT, name="strong", distortion=(-0.12, 0.03, 0.004, -0.003, 0.01))
PINCUSHION = replace(KIT, name="pincushion", distortion=(0.05, 0.0, 0.0, 0.0, 0.0))
LENSES = [KIT, MACHINE, STRONG, PINCUSHION]


def _view(width: int = 640, height: int = 480, focal_px: float = 800.0, **changes: float) -> BundleView:
    placed = replace(camera(width, height, focal_px), **changes)
    return BundleView("made-000000-v0", 0, placed, "any", 0, ("key",))


def _matrix(values: tuple[float, float, float, float]) -> np.ndarray:
    fx, fy, cx, cy = values
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)
def test_points_lie_where_opencv_projects_them(lens) -> None:
    geometry = photo_geometry(lens, 1.0, _view(fx=790.0, fy=805.0, cx=322.0, cy=236.5))
    rng = np.random.default_rng(2)
    points = rng.uniform((0, 0), (640, 480), (500, 2))
    fx, fy, cx, cy = geometry.view
    rays = np.stack([(points[:, 0] - cx) / fx, (points[:, 1] - cy) / fy, np.ones(500)], axis=-1)
    expected, _ = cv2.projectPoints(
        rays, np.zeros(3), np.zeros(3), _matrix(geometry.photo), np.array(geometry.distortion)
    )
    np.testing.assert_allclose(geometry.photo_points(points), expected[:, 0], atol=1e-9)
    np.testing.assert_allclose(geometry.view_points(geometry.photo_points(points)), points, atol=1e-6)


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)
def test_maps_are_exact_and_the_photo_lies_within_the_render(lens) -> None:
    geometry = photo_geometry(lens, 1.0, _view(641, 479))
    y, x = np.mgrid[0:479, 0:641]
    centres = np.stack([x.ravel(), y.ravel()], axis=-1) + 0.5
    exact = geometry.view_points(centres) - 0.5
    for axis, values in enumerate(geometry.source()):
        np.testing.assert_allclose(values.ravel(), exact[:, axis], atol=0.004)
    for scale in (1.0, 1.0 + lens.ca_red, 1.0 + lens.ca_blue):
        u, v = geometry.source(scale)
        assert u.min() > -0.005
        assert u.max() < 640.005
        assert v.min() > -0.005
        assert v.max() < 478.005
    # The smallest such zoom: somewhere the photo's border touches the render's.
    u, v = geometry.source(min(1.0, 1.0 + lens.ca_blue))
    assert min(u.min(), v.min(), 640 - u.max(), 478 - v.max()) < 0.01


def test_photo_rows_are_those_that_pixels_fall_on() -> None:
    geometry = photo_geometry(STRONG, 1.0, _view())
    rows = geometry.photo_rows()
    for column, row in ((3, 5), (320, 240), (636, 470)):
        exact = geometry.photo_points(np.array([[column + 0.5, row + 0.5]]))[0, 1]
        assert abs(rows[row, column] + 0.5 - np.clip(exact, 0.5, 479.5)) <= 0.51


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)
def test_warped_image_and_warped_truth_agree_at_the_corners(lens) -> None:
    """Discs in image and id layer: their centroids in the photo, found in either, and where the formula puts them."""
    geometry = photo_geometry(lens, 1.0, _view())
    image = np.zeros((480, 640, 3), np.float32)
    ids = np.zeros((480, 640), np.uint16)
    centres = [(60, 60), (580, 60), (60, 420), (580, 420), (320, 240), (320, 60), (60, 240)]
    for number, (x, y) in enumerate(centres, start=1):
        down, across = np.mgrid[0:480, 0:640] + 0.5
        disc = np.hypot(down - y - 0.3, across - x - 0.2) < 20.0
        image[disc] = number
        ids[disc] = number
    seen, truth = moved_light(image, lens, geometry)[..., 1], geometry.warp(ids)
    for number in range(1, len(centres) + 1):
        near = cv2.dilate((truth == number).astype(np.uint8), np.ones((7, 7))) > 0
        light = _centroid(np.where(near, seen, 0.0))
        label = _centroid(truth == number)
        exact = geometry.photo_points(np.argwhere(ids == number)[:, ::-1] + 0.5).mean(axis=0)
        assert np.hypot(*(light - label)) < 0.25
        assert np.hypot(*(light - exact)) < 0.15  # a disc is not scaled evenly
        assert (truth == number).sum() == pytest.approx(seen[near].sum() / number, rel=0.1)


def test_edges_of_warped_truth_lie_on_the_edges_of_the_warped_image() -> None:
    """A slanted edge through the corner: where the image crosses half, the labels change, row by row."""
    geometry = photo_geometry(STRONG, 1.0, _view())
    y, x = np.mgrid[0:480, 0:640]
    left = x + 0.5 < 500 + 0.3 * (y + 0.5)
    seen = moved_light(np.repeat(left[..., None], 3, axis=-1).astype(np.float32), STRONG, geometry)[..., 1]
    truth = geometry.warp(left)
    offsets = [seen[row, 480:].sum() - truth[row, 480:].sum() for row in range(480)]
    assert abs(np.mean(offsets)) < 0.05
    assert np.abs(np.convolve(offsets, np.ones(24) / 24, "valid")).max() < 0.25


@pytest.mark.parametrize("lens", [MACHINE, KIT, STRONG], ids=lambda lens: lens.name)
def test_dots_near_a_corner_are_registered_to_a_quarter_of_a_pixel(lens) -> None:
    """Every dot, down to 4 px of radius; MACHINE is the worst lens for it: its shift is 0.4 px over a whole corner."""
    geometry = photo_geometry(lens, 1.0, _view(1024, 768))
    down, across = np.mgrid[0:768, 0:1024] + 0.5
    rng = np.random.default_rng(4)
    offsets = []
    for x, y in ((60, 60), (964, 60), (60, 708), (964, 708)):
        for _ in range(6):
            middle = np.array([x, y]) + rng.uniform(-30, 30, 2)
            dot = np.hypot(across - middle[0], down - middle[1]) < rng.uniform(4, 14)
            image = np.repeat(dot[..., None], 3, axis=-1).astype(np.float32)
            offsets.append(_centroid(moved_light(image, lens, geometry)[..., 1]) - _centroid(geometry.warp(dot)))
    corners = np.reshape(offsets, (4, 6, 2)).mean(axis=1)
    assert np.hypot(*corners.T).max() < 0.1
    assert np.hypot(*np.transpose(offsets)).max() < 0.25


def test_lines_and_specks_survive_and_layers_keep_together() -> None:
    geometry = photo_geometry(KIT, 1.0, _view())
    zoomed = 1.0 / geometry.source_area(np.array([240]), np.array([320]))[0]
    specks = np.zeros((480, 640), bool)
    specks[5::20, 5::20] = True
    assert geometry.warp(specks).sum() == pytest.approx(specks.sum(), rel=0.12)
    line = np.zeros((480, 640), bool)
    line[100] = True
    assert geometry.warp(line).any(axis=0).mean() > 0.9
    assert zoomed == pytest.approx(1.0, abs=0.1)
    ids = (np.add.outer(np.arange(480) // 37, np.arange(640) // 23) % 5).astype(np.uint16)
    faces = (np.arange(640) // 7 % 3)[None, :] * np.ones((480, 1), int)
    rows, columns = geometry.shown(ids, faces)
    pair = ids.astype(int) * 10 + faces
    np.testing.assert_array_equal(
        geometry.warp(pair, ids, faces), geometry.warp(ids, ids, faces) * 10 + faces[rows, columns]
    )
    away = np.hypot(rows - geometry.source()[1], columns - geometry.source()[0])
    assert away.max() < 1.45  # one of the four about the place


def test_green_moves_as_the_truth_and_red_and_blue_by_their_own_scale() -> None:
    lens = replace(MACRO, ca_red=0.004, ca_blue=-0.003)
    geometry = photo_geometry(lens, 1.0, _view())
    assert geometry.is_pinhole
    image = np.zeros((480, 640, 3), np.float32)
    image[35:45, 35:45] = 1.0
    seen = moved_light(image, lens, geometry)
    np.testing.assert_array_equal(seen[..., 1], image[..., 1])
    middle = np.array([320.0, 240.0])
    for channel, scale in ((0, 1.004), (2, 0.997)):
        expected = middle + (np.array([40.0, 40.0]) - middle) * scale
        assert _centroid(seen[..., channel]) == pytest.approx(expected, abs=0.03)


def test_moved_light_keeps_radiance_and_pinholes_keep_every_bit() -> None:
    flat = np.full((480, 640, 3), 0.37, np.float32)
    np.testing.assert_allclose(moved_light(flat, STRONG, photo_geometry(STRONG, 1.0, _view())), flat, rtol=1e-5)
    noise = np.random.default_rng(0).random((480, 640, 3)).astype(np.float32)
    for lens, scale in ((MACRO, 1.0), (replace(KIT, ca_red=0.0, ca_blue=0.0), 0.0)):
        geometry = photo_geometry(lens, scale, _view())
        assert geometry.is_pinhole
        np.testing.assert_array_equal(moved_light(noise, lens, geometry), noise)
        assert geometry.warp(noise) is noise


def test_area_of_a_pixel_is_that_of_its_corners_in_the_render() -> None:
    geometry = photo_geometry(STRONG, 1.0, _view())
    rows, columns = np.array([5, 240, 470]), np.array([8, 320, 600])
    for row, column, area in zip(rows, columns, geometry.source_area(rows, columns), strict=True):
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + np.array([column, row])
        x, y = geometry.view_points(corners).T
        shoelace = 0.5 * abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
        assert area == pytest.approx(shoelace, rel=1e-3)


def test_views_of_any_focal_length_share_a_map() -> None:
    first, second = (photo_geometry(KIT, 1.0, _view(focal_px=f)) for f in (800.0, 1234.5))
    assert first.distortion != second.distortion
    assert first.source()[0] is second.source()[0]
    corner = np.array([[0.5, 0.5]])
    np.testing.assert_allclose(first.photo_points(corner), second.photo_points(corner), atol=1e-9)


@pytest.mark.parametrize("distortion", [(-0.5, 0, 0, 0, 0), (0.2, -0.4, 0, 0, 0), (0, 0, 0.4, 0, 0)])
def test_a_distortion_that_folds_the_picture_over_is_named(distortion) -> None:
    lens = replace(KIT, name="folded", distortion=tuple(map(float, distortion)))
    with pytest.raises(InputError, match=r"lens folded.*folds the picture over"):
        photo_geometry(lens, 1.0, _view())
    with pytest.raises(InputError, match=r"kit_zoom.*distortion_scale 20"):
        photo_geometry(KIT, 20.0, _view())


def test_rows_without_a_camera_of_their_own_are_pinholes() -> None:
    view = {"width": 8, "height": 6, "fx": 10.0, "fy": 10.0, "cx": 4.0, "cy": 3.0}
    assert geometry_of_rows(view, {"fx": None}).is_pinhole
    row = {"fx": 10.2, "fy": 10.2, "cx": 4.0, "cy": 3.0, "distortion": [-0.1, 0.0, 0.0, 0.0, 0.0]}
    geometry = geometry_of_rows(view, row)
    assert geometry == PhotoGeometry(8, 6, (10.0, 10.0, 4.0, 3.0), (10.2, 10.2, 4.0, 3.0), (-0.1, 0.0, 0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="6 rows and 8 columns"):
        geometry.warp(np.zeros((8, 6)))


def _centroid(weights: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[0 : weights.shape[0], 0 : weights.shape[1]] + 0.5
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()
