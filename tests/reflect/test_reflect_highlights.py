"""Highlights in photos whose bright spots were placed by hand."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from support.shots import Shot
from support.synthetic_bundle import MadeView, camera, lamp_object, part_object

from pipeline import masks
from pipeline.bundle import WORLD_INDEX, load_bundle
from pipeline.dataset.tables import rows_to_table
from pipeline.photo_geometry import PhotoGeometry
from pipeline.reflect.components import connected_labels, grouped_median, pixel_solid_angles
from pipeline.reflect.highlights import highlight_rows
from pipeline.view_light import luminance, read_view_light

HEIGHT, WIDTH = 60, 80
BASE = 0.01


@dataclass
class Scene:
    """Two parts side by side, and light put where the test wants it."""

    key: np.ndarray = field(default_factory=lambda: np.full((HEIGHT, WIDTH, 3), BASE, np.float32))
    world: np.ndarray = field(default_factory=lambda: np.full((HEIGHT, WIDTH, 3), BASE / 4, np.float32))
    indirect: np.ndarray = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH, 3), np.float32))
    hits: np.ndarray = field(default_factory=lambda: np.full((HEIGHT, WIDTH), WORLD_INDEX))

    def shots(self, folder, *gains, saturation=10.0):
        instance = np.zeros((HEIGHT, WIDTH), np.uint16)
        instance[5:55, 5:40] = 1
        instance[5:55, 40:75] = 2
        face = np.where(instance > 0, 1, 0).astype(np.uint16)
        face[30:55, 5:75] = 2
        made = MadeView(
            {"key": self.key, "world": self.world},
            instance=instance,
            face=face,
            glossy_direct=self.key + self.world - self.indirect,
            probe_object=self.hits,
            objects=[
                part_object(1),
                part_object(2),
                lamp_object(3001, "bar_left", "key"),
                lamp_object(3002, "bar_right", "key"),
            ],
        )
        made.write(folder)
        bundle = load_bundle(folder)
        light = read_view_light(folder, bundle.views[0])
        return [Shot(light, f"made-000000-v0-p{i}", saturation, g) for i, g in enumerate(gains or ({},))]

    def rows(self, folder, saturation=10.0):
        return highlight_rows(folder, self.shots(folder, saturation=saturation))


def test_a_dull_view_has_no_highlights(tmp_path) -> None:
    assert Scene().rows(tmp_path / "b") == []


def test_one_spot_is_measured(tmp_path) -> None:
    scene = Scene()
    scene.key[10:14, 20:26] = 6.0
    scene.key[10:12, 20:22] = 30.0
    scene.hits[10:14, 20:26] = 3002
    (row,) = scene.rows(tmp_path / "b")
    assert (row["light_id"], row["light_kind"], row["light_group"]) == ("bar_right", "bar", "key")
    assert (row["instance_id"], row["area_px"], row["bbox"]) == (1, 24, [20, 10, 6, 4])
    assert row["peak_radiance"] == pytest.approx(30.0, rel=1e-4)
    assert row["clipped_px"] == [4, 4, 4]
    assert row["face_ids"] == [0]
    mask = masks.decode(row["mask_rle"])
    assert mask[10:14, 20:26].all()
    assert mask.sum() == 24
    per_pixel = 1.0 / 80.0**2  # small field: cos^3 is about 1 near the axis
    assert row["energy"] == pytest.approx((20 * 6.0 + 4 * 30.0) * per_pixel, rel=0.15)
    assert row["centroid"][0] == pytest.approx((4 * 30 * 21 + 20 * 6 * 23.4) / 240.0, abs=1e-3)
    assert rows_to_table("highlights", [row]).num_rows == 1


def test_diagonal_pixels_join_and_parts_do_not(tmp_path) -> None:
    scene = Scene()
    for step in range(8):
        scene.key[10 + step, 10 + step] = 8.0  # a diagonal line: one region
    scene.key[40:44, 36:44] = 8.0  # across the border of two parts: two
    scene.key[20:22, 60] = 8.0  # two pixels: too small
    rows = scene.rows(tmp_path / "b")
    assert [(r["instance_id"], r["area_px"]) for r in rows] == [(1, 8), (1, 16), (2, 16)]
    assert [r["highlight_id"] for r in rows] == [0, 1, 2]


def test_lamps_of_one_group_are_told_apart_by_the_probe(tmp_path) -> None:
    scene = Scene()
    scene.key[10:14, 10:30] = 8.0
    scene.hits[11:13, 11:18] = 3001  # the blurred image of a lamp is wider than its mirror image
    scene.hits[11:13, 24:28] = 3002
    left, right = scene.rows(tmp_path / "b")
    assert (left["light_id"], right["light_id"]) == ("bar_left", "bar_right")
    assert left["area_px"] + right["area_px"] == 80
    assert left["bbox"][0] + left["bbox"][2] == right["bbox"][0]
    assert abs(right["bbox"][0] - 21) <= 1  # half way between columns 17 and 24


def test_a_group_whose_lamps_the_probe_never_meets_names_its_first(tmp_path) -> None:
    scene = Scene()
    scene.key[10:14, 10:20] = 8.0
    (row,) = scene.rows(tmp_path / "b")
    assert row["light_id"] == "bar_left"


def test_bright_inter_reflections_are_no_highlights(tmp_path) -> None:
    scene = Scene()
    scene.key[10:20, 10:20] = 8.0
    scene.indirect[10:20, 10:20] = 6.0
    assert scene.rows(tmp_path / "b") == []


def test_the_world_is_an_emitter_without_a_lamp(tmp_path) -> None:
    scene = Scene()
    scene.world[10:14, 10:20] = 8.0
    scene.hits[10:14, 10:20] = 3001  # even where the mirror ray meets a lamp that is dark
    (row,) = scene.rows(tmp_path / "b")
    assert (row["light_id"], row["light_kind"], row["light_group"]) == ("world", "surroundings", "world")


def test_lamps_compete_by_their_brightness_in_the_photo(tmp_path) -> None:
    scene = Scene()
    scene.key[10:14, 10:20] = 6.0
    scene.world[10:14, 10:20] = 5.0
    folder = tmp_path / "b"
    rows = highlight_rows(folder, scene.shots(folder, {}, {"world": 2.0}, {"key": 0.0, "world": 0.0}))
    assert [(r["photo_id"][-2:], r["light_group"], r["peak_radiance"]) for r in rows] == [
        ("p0", "key", pytest.approx(6.0, rel=1e-3)),
        ("p1", "world", pytest.approx(10.0, rel=1e-3)),
    ]


def test_what_stands_out_counts_even_far_below_saturation(tmp_path) -> None:
    scene = Scene()
    scene.key[10:14, 10:20] = 8 * BASE
    scene.key[40:54, 10:20] = 3 * BASE
    (row,) = scene.rows(tmp_path / "b", saturation=1000.0)
    assert row["bbox"] == [10, 10, 10, 4]


def test_a_face_that_mirrors_the_lamp_all_over_is_one_highlight(tmp_path) -> None:
    """Its median is the highlight itself: only saturation tells."""
    scene = Scene()
    scene.key[30:55, 5:40] = 8.0
    (row,) = scene.rows(tmp_path / "b")
    assert (row["area_px"], row["face_ids"]) == (25 * 35, [1])
    assert scene.rows(tmp_path / "c", saturation=1000.0) == []


def test_three_hundred_spots(tmp_path) -> None:
    scene = Scene()
    y, x = np.mgrid[6:54:3, 6:39:3]
    for dy in (0, 1):
        for dx in (0, 1):
            scene.key[y + dy, x + dx] = 9.0
            scene.key[y + dy, x + dx + 35] = 9.0
    rows = scene.rows(tmp_path / "b")
    assert len(rows) == 2 * y.size == 352
    assert {r["area_px"] for r in rows} == {4}
    union = sum(masks.decode(r["mask_rle"]).astype(int) for r in rows)
    assert np.array_equal(union > 0, luminance(scene.key) > 1.0)
    assert union.max() == 1


def test_connected_regions_agree_with_opencv() -> None:
    import cv2

    image = np.random.default_rng(2).random((40, 50)) < 0.35
    y, x = np.nonzero(image)
    labels = connected_labels(y, x, np.zeros(y.size, np.int64), image.shape)
    expected = cv2.connectedComponents(image.astype(np.uint8), connectivity=8)[1][y, x]
    pairs = set(zip(labels.tolist(), expected.tolist(), strict=True))
    assert len(pairs) == labels.max() + 1 == expected.max()
    assert list(dict.fromkeys(labels.tolist())) == list(range(labels.max() + 1))


def test_medians_by_group_agree_with_numpy() -> None:
    rng = np.random.default_rng(4)
    group, values = rng.integers(0, 5, 201), rng.random(201).astype(np.float32)
    medians = grouped_median(values, group)
    for g in range(5):
        inside = np.sort(values[group == g])
        assert (medians[group == g] == inside[(inside.size - 1) // 2]).all()


def test_solid_angles_add_up_to_that_of_the_frame() -> None:
    """A pyramid of half widths a, b at distance 1 has 4 asin(a b / sqrt((1 + a^2) (1 + b^2)))."""
    view = camera(200, 100, 120.0)
    y, x = np.mgrid[:100, :200]
    a, b = 100 / 120.0, 50 / 120.0
    expected = 4.0 * np.arcsin(a * b / np.sqrt((1 + a * a) * (1 + b * b)))
    assert pixel_solid_angles(view, y.ravel(), x.ravel()).sum() == pytest.approx(expected, rel=1e-4)


def test_highlights_lie_in_the_pixels_of_a_photo_whose_lens_distorts(tmp_path) -> None:
    scene = Scene()
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    spot = np.hypot(x - 16.0, y - 14.0) < 6.0
    scene.key[spot] = 50.0
    scene.hits = np.where(spot, 3001, scene.hits)
    (shot,) = scene.shots(tmp_path)
    plain = highlight_rows(tmp_path, [shot])
    pinhole = shot.geometry
    fx, fy, cx, cy = pinhole.view
    lens = PhotoGeometry(WIDTH, HEIGHT, pinhole.view, (1.1 * fx, 1.1 * fy, cx, cy), (-0.25, 0.0, 0.0, 0.0, 0.0))
    moved = highlight_rows(tmp_path, [shot, replace(shot, lens=lens), shot])
    assert [row["area_px"] for row in moved] == [plain[0]["area_px"], moved[1]["area_px"], plain[0]["area_px"]]
    assert moved[1]["centroid"] == pytest.approx(lens.photo_points(np.array([plain[0]["centroid"]]))[0], abs=0.35)
    assert np.hypot(*np.subtract(moved[1]["centroid"], plain[0]["centroid"])) > 0.8
    assert moved[1]["energy"] == pytest.approx(plain[0]["energy"], rel=0.06)
    assert masks.decode(moved[1]["mask_rle"]).sum() == moved[1]["area_px"]
    assert moved[1]["light_id"] == plain[0]["light_id"] == "bar_left"


def test_highlights_follow_the_light_that_each_row_gathers(tmp_path) -> None:
    """A lamp that is dark while the upper rows are exposed makes no highlight there."""
    scene = Scene()
    scene.key[10:20, 10:20] = scene.key[40:50, 10:20] = 50.0
    (shot,) = scene.shots(tmp_path)
    rows = np.ones((HEIGHT, 3), np.float32)
    rows[:30] = 0.0

    class Rolling(Shot):
        @property
        def group_gains(self):
            return {"key": rows, "world": np.ones(3, np.float32)}

        @property
        def clipped(self):
            return np.zeros((HEIGHT, WIDTH, 3), bool)

    found = highlight_rows(tmp_path, [Rolling(shot.light)])
    assert [row["bbox"] for row in found] == [[10, 40, 10, 10]]
