"""Masks of defects against the pictures: what differs from the defect-free twin, and nothing else."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from support.defect_scenes import TOP, block, defect, flawed, item, plate, render

from pipeline import masks
from pipeline.arrange.arrangement import matrix
from pipeline.bundle import load_bundle, read_exr, read_ids, view_folder
from pipeline.dataset.tables import rows_to_table
from pipeline.layers import read_layer
from pipeline.truth.defects import defect_rows

pytestmark = [pytest.mark.bpy, pytest.mark.slow]

DRAWN = (
    defect("dent", 1, size_quantile=0.75, severity=0.9, seed=3),
    defect("rust", 2, size_quantile=0.3, seed=4),
    defect("scratch", 3, size_quantile=0.6, severity=0.9, seed=5),
    defect("fingerprint", 4, size_quantile=0.0, severity=1.0, seed=6),
    defect("porosity", 5, size_quantile=0.4, seed=7),
)
CUT = (
    defect("chip", 1, size_quantile=0.95, severity=0.9, face_quantile=0.72),
    defect("burr", 2, face_quantile=0.2, severity=0.9),
)


def grown(mask: np.ndarray, pixels: int = 1) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)).astype(bool)


def pictures(out) -> list[np.ndarray]:
    return [read_layer(view_folder(out, k), "noisy") for k in (0, 1)]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    part = block()
    return render(tmp_path_factory.mktemp("drawn"), part, flawed(part, *DRAWN), item(*DRAWN))


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    part = block()
    return render(tmp_path_factory.mktemp("cut"), part, flawed(part, *CUT), item(*CUT))


def test_a_twin_differs_only_within_the_masks(drawn) -> None:
    flaw, twin = pictures(drawn)
    rows = defect_rows(drawn)
    every = np.any([masks.decode(row["mask_rle"]) for row in rows], axis=0)
    differs = (flaw != twin).any(axis=-1)
    assert differs.any()
    assert not (differs & ~grown(every)).any(), "pixels away from every defect are the same bits"


def test_most_of_each_mask_differs_from_the_twin(drawn) -> None:
    flaw, twin = pictures(drawn)
    differs = (flaw != twin).any(axis=-1)
    seen = [row for row in defect_rows(drawn) if row["area_px"] > 0]
    assert len(seen) >= 3
    for row in seen:
        mask = masks.decode(row["mask_rle"])
        assert differs[mask].mean() > 0.7, row["kind"]


def test_geometry_layers_of_a_drawn_defect_are_those_of_the_twin(drawn) -> None:
    for name in ("depth.exr", "normal.exr", "position.exr", "face.png", "instance.png"):
        one, two = (view_folder(drawn, k) / name for k in (0, 1))
        assert one.read_bytes() == two.read_bytes(), name


def test_a_dent_covers_the_pixels_of_its_circle(drawn) -> None:
    """Against the closed form: the circle's projection, computed pixel by pixel without raster or chart."""
    bundle = load_bundle(drawn)
    placed = next(d for d in bundle.defects if d.kind == "dent")
    row = next(r for r in defect_rows(drawn) if r["kind"] == "dent")
    camera = bundle.views[0].camera
    position = np.stack([read_exr(view_folder(drawn, 0) / "position.exr")[a] for a in "XYZ"], axis=-1)
    face = read_ids(view_folder(drawn, 0) / "face.png")
    away = np.linalg.norm(position - np.array(placed.centre_m), axis=-1)
    circle = (away < placed.size_m[0] / 2) & np.isin(face, np.array(placed.face_ids) + 1)
    mask = masks.decode(row["mask_rle"])
    assert not (circle & ~mask).any()
    assert not (mask & ~grown(circle)).any()
    # Area on the surface: pixels times what each covers there.
    normal = np.stack([read_exr(view_folder(drawn, 0) / "normal.exr")[a] for a in "XYZ"], axis=-1)
    pose = matrix(camera.cam_from_world)
    centre = pose[:3, :3] @ np.array(placed.centre_m) + pose[:3, 3]
    cosine = abs(float(normal[circle].mean(axis=0) @ centre)) / float(np.linalg.norm(centre))
    solid = float(np.linalg.norm(centre)) ** 2 * (centre[2] / np.linalg.norm(centre)) ** 3
    area = row["covered_px"] / (camera.fx * camera.fy) * solid / cosine
    assert area == pytest.approx(math.pi / 4 * placed.size_m[0] ** 2, rel=0.03)


def test_a_scratch_is_as_long_in_pixels_as_its_ends_are_apart(drawn) -> None:
    bundle = load_bundle(drawn)
    placed = next(d for d in bundle.defects if d.kind == "scratch")
    row = next(r for r in defect_rows(drawn) if r["kind"] == "scratch")
    camera, pose = bundle.views[0].camera, placed.pose
    part_from_patch = np.linalg.inv(np.array(pose.patch_from_part).reshape(4, 4))
    direction = np.array([math.cos(pose.turn_rad), math.sin(pose.turn_rad), 0.0])
    ends = []
    for side in (-0.5, 0.5):
        point = part_from_patch @ np.append(side * placed.size_m[0] * direction, 1.0)
        seen = (matrix(camera.cam_from_world) @ point)[:3]
        ends.append(seen[:2] / seen[2] * camera.fx)
    rows, columns = np.nonzero(masks.decode(row["mask_rle"]))
    length = math.hypot(np.ptp(rows) + 1, np.ptp(columns) + 1)
    assert length == pytest.approx(float(np.linalg.norm(ends[1] - ends[0])), rel=0.08, abs=2.0)


def test_chip_and_burr_cover_what_came_nearer_or_went_away(cut) -> None:
    depth = [read_exr(view_folder(cut, k) / "depth.exr")["Z"] for k in (0, 1)]
    instance = [read_ids(view_folder(cut, k) / "instance.png") > 0 for k in (0, 1)]
    both = instance[0] & instance[1]
    moved = both & (np.abs(depth[0] - depth[1]) > 5e-5)
    rows = defect_rows(cut)
    every = np.any([masks.decode(row["mask_rle"]) for row in rows], axis=0)
    assert {row["kind"] for row in rows} == {"chip", "burr"}
    chip = masks.decode(next(row for row in rows if row["kind"] == "chip")["mask_rle"])
    assert chip.sum() > 10
    assert not (moved & ~grown(every)).any()
    assert moved[chip & both].mean() > 0.75
    gone = instance[1] & ~instance[0]
    assert not (gone & ~grown(every, 3)).any()


def test_a_missing_hole_covers_its_mouth_under_other_defects_too(tmp_path) -> None:
    """Against the twin: where the sound part shows the hole, the depth behind its mouth."""
    part = plate()
    specs = (defect("missing_feature", 1, face_quantile=0.2), defect("rust", 2, face_quantile=0.35))
    made = flawed(part, *specs, finish="machined")
    assert {3} <= set(made.placed[1].face_ids), "rust lies on the face that the hole opens in"
    out = render(tmp_path, part, made, item(*specs, finish="machined"), samples=1, away=2.0)
    depth = [read_exr(view_folder(out, k) / "depth.exr")["Z"] for k in (0, 1)]
    face = [read_ids(view_folder(out, k) / "face.png") for k in (0, 1)]
    row = next(row for row in defect_rows(out) if row["kind"] == "missing_feature")
    mask = masks.decode(row["mask_rle"])
    filled = (face[0] == 4) & ((face[1] != 4) | (depth[1] > depth[0] + 1e-4))
    assert mask.sum() > 20
    assert np.count_nonzero(mask ^ filled) <= 0.1 * mask.sum()


def test_rows_fit_their_table_and_twins_have_none(drawn, cut) -> None:
    rows = [*defect_rows(drawn), *defect_rows(cut)]
    assert {row["view_id"] for row in rows} == {"block-v0"}
    assert rows_to_table("defects", defect_rows(drawn)).num_rows == len(load_bundle(drawn).defects)
    for row in rows:
        mask = masks.decode(row["mask_rle"])
        assert row["area_px"] == mask.sum()
        assert 0.0 <= row["covered_px"] <= row["area_px"]
        assert row["visible"] == bool(mask.any())
        if row["bbox"] is not None:
            x, y, w, h = row["bbox"]
            assert -2 <= row["centre_px"][0] - x <= w + 2
            assert -2 <= row["centre_px"][1] - y <= h + 2


def test_the_top_carries_what_the_quantile_asks_for(drawn) -> None:
    assert all(TOP in defect.face_ids for defect in load_bundle(drawn).defects)
