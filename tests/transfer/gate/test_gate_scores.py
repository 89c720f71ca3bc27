"""Each score by itself, against motions, colours and contrasts that are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.gate_scenes import HEIGHT, WIDTH, drawn_scene, region, truth_of

from pipeline.transfer.gate import align, colour, edges, features, flow, marks, tone
from pipeline.transfer.gate.benign import to_codes, to_display, to_linear


def textured_disc(shift=(0.0, 0.0), scale=1.0) -> np.ndarray:
    """A disc with rings and spokes, drawn exactly at any place and size: no resampling."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    dx, dy = (x - 160 - shift[0]) / scale, (y - 120 - shift[1]) / scale
    radius = np.hypot(dx, dy)
    inside = 1 / (1 + np.exp((radius - 60) * scale / 0.6))
    pattern = 160 + 30 * np.sin(radius / 4) + 25 * np.sin(5 * np.arctan2(dy, dx))
    return np.repeat((80 + inside * (pattern - 80))[..., None], 3, axis=2)


def disc_truth():
    photo = to_codes(textured_disc())
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return photo, truth_of((np.hypot(x - 160, y - 120) < 60).astype(np.uint16), photo)


def aligned(picture) -> align.Alignment:
    photo, truth = disc_truth()
    before, after = (features.features_of(image).soft for image in (photo, picture))
    return align.part_alignment(before, align.slopes(before), after, truth.parts[0])


@pytest.mark.parametrize("shift", [(0.7, 0.0), (-1.3, 0.9), (3.0, -2.0)])
def test_alignment_finds_a_known_shift(shift):
    found = aligned(to_codes(textured_disc(shift)))
    assert found.shift_px == pytest.approx(np.hypot(*shift), abs=0.05)
    assert found.scale < 0.001


@pytest.mark.parametrize("scale", [0.98, 1.01, 1.03])
def test_alignment_finds_a_known_change_of_size(scale):
    found = aligned(to_codes(textured_disc(scale=scale)))
    assert found.scale == pytest.approx(abs(scale - 1), rel=0.1)
    assert found.shift_px < 0.05


def drift_of(picture):
    photo, truth = disc_truth()
    outlines = edges.outlines_of(truth)
    before, after = (edges.profiles(features.features_of(image).grey, outlines) for image in (photo, picture))
    return outlines, edges.drift(before, after), truth


@pytest.mark.parametrize("shift", [(1.5, 0.0), (0.0, -2.5)])
def test_drift_is_the_shift_along_the_normal(shift):
    outlines, found, _ = drift_of(to_codes(textured_disc(shift)))
    assert found.found.mean() > 0.95
    expected = outlines.normals @ np.array(shift)
    assert np.median(np.abs(found.moved - expected)[found.found]) < 0.15


def test_normals_point_outwards_on_every_outline():
    outlines, _, _ = drift_of(disc_truth()[0])
    outward = outlines.points - np.array([160, 120])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    assert np.abs((outlines.normals * outward).sum(axis=1)).min() > 0.95


def test_a_lost_outline_is_told_from_a_kept_one():
    photo, truth = disc_truth()
    half = photo.copy()
    half[:, 160:] = 80
    for picture, lost in ((photo, 0.0), (np.full_like(photo, 80), 1.0), (half, 0.5)):
        outlines, found, _ = drift_of(picture)
        assert edges.part_edges(outlines, found, truth.parts[0]).lost == pytest.approx(lost, abs=0.08)


def test_a_ramp_has_no_edge_to_follow():
    x = np.broadcast_to(np.linspace(50, 200, WIDTH), (HEIGHT, WIDTH))
    photo = to_codes(np.repeat(x[..., None], 3, axis=2))
    truth = truth_of((np.indices((HEIGHT, WIDTH))[1] > 160).astype(np.uint16), photo)
    outlines = edges.outlines_of(truth)
    before = edges.profiles(features.features_of(photo).grey, outlines)
    assert not edges.drift(before, before).usable.any()


def test_flow_is_the_motion_of_the_inside():
    photo, truth = drawn_scene(0)
    grey = features.features_of(photo)
    moved = features.features_of(np.roll(photo, 2, axis=1))
    field = flow.flow_of(grey.grey8, moved.grey8)
    structure = flow.texture(grey.grey)
    assert flow.part_flow(field, structure, truth.parts[0]) == pytest.approx(2.0, abs=0.2)


def test_the_tone_curve_is_the_gamma_that_was_applied():
    photo, _ = drawn_scene(1)
    grey = features.features_of(photo).grey8
    bent = to_codes(255 * (grey / 255.0) ** 0.8)
    curve = tone.tone_of(*(image.astype(np.float32).ravel() for image in (grey, bent)), (0.0, 255.0))
    levels = np.unique(grey)[5:-5].astype(np.float32)
    assert np.abs(curve.of(levels) - 255 * (levels / 255.0) ** 0.8).max() < 2.5


@pytest.mark.parametrize("gain", [0.5, 0.75])
def test_chroma_does_not_change_with_exposure(gain):
    patch = np.full((16, 16, 3), (180, 140, 90), dtype=np.uint8)
    darker = to_codes(255 * to_display(gain * to_linear(patch)))
    (one, _), (two, _) = (features.coarse_colour(image, image.max(axis=2)) for image in (patch, darker))
    assert np.abs(one - two)[..., 1:].max() < 0.6
    assert np.abs(one - two)[..., 0].min() > 5


def test_chroma_of_a_part_is_the_lab_distance_and_a_tint_of_all_is_none():
    photo, truth = drawn_scene(2)
    masks = colour.colour_truth(truth)
    before = features.features_of(photo)

    def chroma(picture, number):
        after = features.features_of(picture)
        return colour.part_chroma(before, after, colour.global_tint(before, after, masks), masks.parts[number])

    tinted = to_codes(photo * np.array([1.05, 1.0, 0.93]))
    assert chroma(tinted, 0) < 1.5
    only = np.where((truth.instance == 1)[..., None], tinted, photo)
    lab = [cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for image in (photo, only)]
    at = truth.instance == 1
    expected = np.linalg.norm([(lab[1] - lab[0])[..., axis][at].mean() for axis in (1, 2)])
    lightness = lab[0][..., 0][at].mean()
    assert chroma(only, 0) == pytest.approx(expected * 66 / (lightness + 16), rel=0.2)
    assert chroma(only, 1) < 0.3


def test_a_blob_has_the_area_that_was_painted():
    photo, truth = drawn_scene(3)
    masks = colour.colour_truth(truth)
    painted = photo.copy()
    painted[20:44, 140:180] = (170, 165, 160)
    before, after = features.features_of(photo), features.features_of(painted)
    area = colour.background_blob(colour.unexplained(before, after, masks.background), masks) * masks.unit_px
    assert 24 * 40 <= area <= (24 + 8) * (40 + 8)  # smoothing adds a cell of 4 px on each side
    assert colour.background_blob(colour.unexplained(before, before, masks.background), masks) == 0.0


def test_a_small_blob_counts_beside_a_part_that_fills_the_frame():
    photo, _ = drawn_scene(3)
    ids = np.zeros(photo.shape[:2], np.uint16)
    ids[:, WIDTH // 2 :] = 1
    painted = photo.copy()
    painted[20:44, 20:60] = (170, 165, 160)
    before, after = features.features_of(photo), features.features_of(painted)
    masks = colour.colour_truth(truth_of(ids, photo))
    share = 0.01 * colour.background_blob(colour.unexplained(before, after, masks.background), masks)
    assert 24 * 40 <= share * HEIGHT * WIDTH <= (24 + 8) * (40 + 8)


def test_what_was_painted_over_is_measured_as_it_was_painted_and_tone_is_not():
    photo, truth = drawn_scene(3)
    masks = colour.colour_truth(truth)
    before = features.features_of(photo)
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab[..., 0] += 8.0 * np.sin(np.arange(WIDTH) * (2 * np.pi / 60))  # waves: no curve of the whole explains them
    after = features.features_of(to_codes(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)))
    over = colour.painted_over(colour.unexplained(before, after, masks.background), masks.background)
    assert over == pytest.approx(8.0 / np.sqrt(2), rel=0.2)  # half of a sine is above; tone takes a little
    exposed = to_linear(photo) * np.array([1.3, 1.2, 1.1], np.float32)
    brighter = features.features_of(to_codes(255 * to_display(exposed)))
    rest = colour.unexplained(before, brighter)
    assert max(colour.painted_over(rest, mask) for mask in masks.parts) < 2.0
    assert colour.painted_over(rest, np.zeros_like(masks.background)) is None


def test_black_that_stays_black_is_part_of_the_tone_curve():
    before = np.r_[np.zeros(4000), np.linspace(45, 60, 1000)].astype(np.float32)
    after = np.r_[np.zeros(4000), np.linspace(53, 70, 1000)].astype(np.float32)
    assert np.abs(tone.tone_of(before, after, (0.0, 100.0)).of(before) - after).max() < 1.0


@pytest.mark.parametrize("kept", [1.0, 0.5, 0.0, -1.0])
def test_the_contrast_that_a_defect_keeps_is_the_one_painted(kept):
    y, x = np.mgrid[:60, :80].astype(np.float32)
    line = (np.abs(y - 30) < 1.5) & (x > 20) & (x < 60)
    base = 120 + 0.3 * x
    before, after = base - 40 * line, base - 40 * kept * line
    defect = region("defect 1/1 (scratch)", 1, line)
    found = marks.defect_mark(
        before.astype(np.float32), after.astype(np.float32), defect, np.ones(line.shape, dtype=bool)
    )
    assert found.kept == pytest.approx(kept, abs=0.03)


def test_grain_of_the_change_is_no_loss_of_a_faint_defect_and_hides_no_lost_one():
    line = np.zeros((60, 80), dtype=bool)
    line[29:31, 18:60] = True
    before = (120 - 10 * line).astype(np.float32)
    allowed, defect = np.ones(line.shape, dtype=bool), region("d", 1, line)
    kept, erased = [], []
    for seed in range(60):
        grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 28, line.shape), (0, 0), 0.8).astype(np.float32)
        kept.append(marks.defect_mark(before, before + grain, defect, allowed).kept)
        erased.append(marks.defect_mark(before, 120 + grain, defect, allowed).kept)
    assert np.quantile(kept, 0.05) > 0.85
    assert np.quantile(erased, 0.95) < 0.8


def test_a_defect_that_the_photo_does_not_show_is_not_judged():
    rng = np.random.default_rng(0)
    line = np.zeros((60, 80), dtype=bool)
    line[30, 20:60] = True
    before = (120 + rng.normal(0, 4, line.shape) - 3 * line).astype(np.float32)
    assert marks.defect_mark(before, before, region("d", 1, line), np.ones(line.shape, dtype=bool)) is None


@pytest.mark.parametrize("step", [0, 2, 5])
def test_a_highlight_is_found_where_it_went(step):
    y, x = np.mgrid[:60, :80].astype(np.float32)
    spots = [100 + 120 * np.exp(-0.5 * (((x - 40 - s) / 3) ** 2 + ((y - 30) / 3) ** 2)) for s in (0, step)]
    mask = region("h", 1, spots[0] > 140)
    found = marks.highlight_mark(*[spot.astype(np.float32) for spot in spots], mask, np.ones(x.shape, dtype=bool))
    assert found.moved_px == pytest.approx(step, abs=0.4)
    assert (found.kept < 0.75) == (step == 5)


def test_clipping_counts_what_came_and_went():
    identity = np.arange(256, dtype=np.float32)
    old = np.full((60, 80), 120, dtype=np.uint8)
    old[10:20, 10:30] = 255
    part = region("p", 1, np.ones(old.shape))
    assert marks.clipping_change(old, old, identity, part) == 0.0
    gone = np.full_like(old, 120)
    assert marks.clipping_change(old, gone, identity, part) == 1.0
    more = old.copy()
    more[40:50, 40:50] = 255
    assert marks.clipping_change(old, more, identity, part) == pytest.approx(0.5)
    darker = np.full(256, 0, dtype=np.float32) + identity * 0.8
    assert marks.clipping_change(old, (old * 0.8).astype(np.uint8), darker, part) == 0.0


@pytest.mark.parametrize("sign", [1, -1])
def test_light_and_dark_that_came_on_a_part_are_found_and_broad_shading_is_not(sign):
    rng = np.random.default_rng(4)
    old = (110 + 20 * rng.random((80, 100))).astype(np.float32)
    part = region("p", 1, np.ones(old.shape))

    def came(new, where=part):
        found = marks.marks_came(old, new, where)
        return (found.light_px, found.dark_px)[::sign]

    assert max(came(old + rng.normal(0, 4, old.shape).astype(np.float32))) <= 2
    assert came(old + np.linspace(-20, 20, 100, dtype=np.float32)[None]) == (0, 0)
    streak = old.copy()
    streak[40:44, 20:50] += sign * 60
    assert 90 <= came(streak)[0] <= 220
    assert came(streak)[1] == 0
    assert came(streak, region("q", 1, (np.indices(old.shape)[1] > 60))) == (0, 0)
    assert marks.marks_came(old, streak, region("r", 1, np.ones((3, 4)))) is None
