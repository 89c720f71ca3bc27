"""Instance truth against spheres and boxes whose pictures are known in closed form."""

import json

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation
from support.synthetic_bundle import MadeView, ball, camera, moved, part_object, part_of_mesh, photo, scene_of

from pipeline import masks
from pipeline.arrange.arrangement import PlacedItem
from pipeline.bundle import BundleFinish
from pipeline.dataset.tables import rows_to_table
from pipeline.errors import InputError
from pipeline.truth.instances import instance_rows
from pipeline.truth.projection import box_corners, canvas_box, intersection, pixel_box
from pipeline.truth.silhouette import PartCaster

RADIUS = 0.02
VIEW = camera(160, 120, 200.0)


def analytic_ball(centre, view=VIEW, radius: float = RADIUS, margin: int = 0) -> np.ndarray:
    """Pixels whose centre ray meets a sphere: the discriminant of the ray's quadratic, on a canvas with a margin."""
    x = (np.arange(-margin, view.width + margin) + 0.5 - view.cx) / view.fx
    y = (np.arange(-margin, view.height + margin) + 0.5 - view.cy) / view.fy
    rays = np.stack([*np.meshgrid(x, y), np.ones((y.size, x.size))], axis=-1)
    along = rays @ np.array(centre)
    return along**2 - (rays**2).sum(axis=-1) * (np.dot(centre, centre) - radius**2) >= 0.0


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def _rows(tmp_path, centres, visible, parts=None, view=VIEW, rotation=None):
    """Rows for parts at *centres*; *visible* is the instance layer."""
    items = [PlacedItem(i + 1, "ball", moved(*c, rotation)) for i, c in enumerate(centres)]
    made = MadeView(
        {"key": np.ones((view.height, view.width, 3), np.float32)},
        instance=visible.astype(np.uint16),
        objects=[part_object(i + 1) for i in range(len(centres))],
        items=items,
        finishes=[BundleFinish(1, 0, "turned", 0.8, 0.2, 0.1, "C")],
        camera=view,
    )
    scene = scene_of([photo()], range(1, len(centres) + 1), view)
    return instance_rows(made.write(tmp_path / "bundle"), parts or {"ball": ball(RADIUS)}, scene)


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.2), (0.03, -0.02, 0.15), (-0.05, 0.03, 0.3)])
def test_silhouette_of_a_sphere_is_the_analytic_ellipse(tmp_path, centre) -> None:
    expected = analytic_ball(centre)
    (row,) = _rows(tmp_path, [centre], np.zeros((120, 160)))
    full = masks.decode(row["mask_full_rle"])
    assert iou(full, expected) > 0.99
    assert row["px_full"] == pytest.approx(expected.sum(), rel=0.01)
    box = np.array(row["bbox_full"])
    assert np.abs(box - np.array(masks.box_of(expected))).max() <= 1
    assert not row["truncated"]


def test_visible_part_of_a_covered_sphere(tmp_path) -> None:
    near, far = analytic_ball((0.015, 0.0, 0.2)), analytic_ball((0.0, 0.0, 0.25))
    layer = np.where(near, 1, np.where(far, 2, 0))
    first, second = _rows(tmp_path, [(0.015, 0.0, 0.2), (0.0, 0.0, 0.25)], layer)
    assert first["visible_fraction"] == pytest.approx(1.0, abs=0.01)
    assert second["px_visible"] == np.count_nonzero(layer == 2)
    assert second["visible_fraction"] == pytest.approx((far & ~near).sum() / far.sum(), abs=0.01)
    assert np.array_equal(masks.decode(second["mask_rle"]), layer == 2)
    assert second["bbox_visible"] == list(masks.box_of(layer == 2))
    for row in (first, second):
        assert not (masks.decode(row["mask_rle"]) & ~masks.decode(row["mask_full_rle"])).any()


def test_truncated_sphere_counts_its_pixels_beyond_the_frame(tmp_path) -> None:
    centre = (-0.08, 0.01, 0.2)  # its middle projects onto the left border
    (row,) = _rows(tmp_path, [centre], np.where(analytic_ball(centre), 1, 0))
    whole = analytic_ball(centre, margin=100)
    assert row["truncated"]
    assert row["px_full"] == pytest.approx(whole.sum(), rel=0.01)
    assert row["visible_fraction"] == pytest.approx(analytic_ball(centre).sum() / whole.sum(), abs=0.01)
    assert 0.4 < row["visible_fraction"] < 0.6
    assert row["bbox_full"][0] < 0


def test_unseen_instances_have_rows(tmp_path) -> None:
    rows = _rows(tmp_path, [(0.0, 0.0, -0.5), (5.0, 0.0, 0.2)], np.zeros((120, 160)))
    for row in rows:
        assert (row["px_visible"], row["px_full"], row["visible_fraction"]) == (0, 0, 0.0)
        assert (row["bbox_visible"], row["bbox_full"], row["truncated"]) == (None, None, False)
        assert masks.area(row["mask_full_rle"]) == 0
    assert rows_to_table("instances", rows).num_rows == 2


def test_part_around_the_camera_is_seen_everywhere(tmp_path) -> None:
    (row,) = _rows(tmp_path, [(0.0, 0.0, 0.0)], np.ones((120, 160)), {"ball": ball(0.5)})
    assert row["bbox_full"] == list(canvas_box(VIEW))
    assert row["px_full"] == 9 * 120 * 160
    assert row["truncated"]


def test_pose_and_box_of_a_turned_brick(tmp_path) -> None:
    """A brick off its own origin: the eight corners are the mesh's own vertices, moved by the pose."""
    rotation = Rotation.from_euler("xyz", [20.0, 40.0, -70.0], degrees=True).as_matrix()
    mesh = trimesh.creation.box((0.02, 0.04, 0.01))
    mesh.apply_translation((0.005, -0.003, 0.02))
    (row,) = _rows(tmp_path, [(0.01, 0.0, 0.25)], np.zeros((120, 160)), {"ball": part_of_mesh(mesh)}, rotation=rotation)
    pose = np.array(row["model_to_camera"]).reshape(4, 4)
    np.testing.assert_allclose(pose[:3, :3], rotation, atol=1e-12)
    np.testing.assert_allclose(pose[:3, 3], (0.01, 0.0, 0.25))
    corners = np.array(row["box3d_corners"]).reshape(8, 3)
    vertices = mesh.vertices @ rotation.T + (0.01, 0.0, 0.25)
    distances = np.linalg.norm(corners[:, None] - vertices[None], axis=-1)
    assert distances.min(axis=1).max() < 1e-9
    assert len(set(distances.argmin(axis=1))) == 8
    pixels = vertices[:, :2] / vertices[:, 2:] * 200.0 + (80.0, 60.0)
    x, y, width, height = row["bbox_full"]
    assert [x, y] == pytest.approx(pixels.min(axis=0), abs=1.0)
    assert [x + width, y + height] == pytest.approx(pixels.max(axis=0), abs=1.0)
    full = masks.decode(row["mask_full_rle"])
    hull = trimesh.PointCloud(np.c_[pixels, np.zeros(8)] + np.random.default_rng(0).normal(0, 1e-9, (8, 3)))
    import scipy.spatial

    area = scipy.spatial.ConvexHull(hull.vertices[:, :2]).volume
    assert full.sum() == pytest.approx(area, rel=0.02)


def test_silhouettes_have_no_pinholes() -> None:
    """Rays through shared edges and vertices must not slip through: the mesh is lined up with the pixel grid."""
    grid = trimesh.creation.box((0.04, 0.04, 0.01))
    for _ in range(4):
        grid = grid.subdivide()
    view = camera(128, 128, 128.0)
    pose = np.eye(4)
    pose[2, 3] = 0.105
    box = pixel_box(view, np.asarray(grid.vertices) + np.array([0.0, 0.0, 0.105]))
    mask = PartCaster(grid.vertices, grid.faces.astype(np.int32)).silhouette(view, pose, box)
    assert mask[1:-1, 1:-1].all()


def test_labels_come_from_spec_bundle_and_part(tmp_path) -> None:
    (row,) = _rows(tmp_path, [(0.0, 0.0, 0.2)], np.zeros((120, 160)))
    assert (row["category"], row["metal"], row["finish"]) == ("sphere", "steel", "turned")
    assert (row["finishes"], row["ra_um"]) == ({"0": "turned"}, {"0": 0.8})
    assert json.loads(row["symmetries"]) == {"discrete": [], "continuous": [[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]]}
    assert row["distance_m"] == pytest.approx(0.2, abs=1e-4)


def test_missing_part_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match=r"expected the parts \['ball'\], found \['cube'\]"):
        _rows(tmp_path, [(0.0, 0.0, 0.2)], np.zeros((120, 160)), {"cube": ball()})


def test_boxes() -> None:
    assert intersection((0, 0, 4, 4), (2, 3, 9, 9)) == (2, 3, 2, 1)
    assert intersection((0, 0, 4, 4), (4, 0, 2, 2)) is None
    corners = box_corners(np.array([[0.0, 1.0, 2.0], [3.0, 5.0, 7.0]]))
    assert corners[0].tolist() == [0.0, 1.0, 2.0]
    assert corners[1].tolist() == [0.0, 1.0, 7.0]
    assert corners[7].tolist() == [3.0, 5.0, 7.0]
    point = np.array([[0.0, 0.0, 1.0]])  # projects onto the corner of four pixels: no centre lies on it
    assert pixel_box(VIEW, point) is None
