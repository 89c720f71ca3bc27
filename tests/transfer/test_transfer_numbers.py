"""Settings, tiles, residuals, controls and prompts: everything that needs no torch."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.spec.draw import draw_scene
from pipeline.spec.load import load_spec
from pipeline.spec.prompt_template import DEFAULT_TEMPLATE, template_problem
from pipeline.spec.sampling import schedule_steps
from pipeline.tables import assets_root, names, table
from pipeline.transfer.controls import canny_control, depth_control, normal_control
from pipeline.transfer.prompts import scene_prompt, word
from pipeline.transfer.residual import change_weight, low_pass_regions, plain_transfer, residual_transfer
from pipeline.transfer.settings import ControlUse, PaintSettings, ResidualSettings, TransferSettings
from pipeline.transfer.tiles import blend_weights, windows


@pytest.mark.parametrize("strength", [-0.1, 0.0, 1.01, float("nan"), float("inf")])
def test_strengths_outside_0_to_1_are_refused(strength):
    with pytest.raises(InputError, match="expected a strength above 0"):
        TransferSettings(strength=strength)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unet_calls": 0},
        {"guidance": float("nan")},
        {"scheduler": "plms"},
        {"method": "magic"},
        {"batch": 0},
        {"tile_px": 500},
        {"overlap_px": 300},
        {"controls": (ControlUse("depth"), ControlUse("depth"))},
    ],
)
def test_settings_outside_their_range_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        TransferSettings(**wrong)


def test_painting_outside_the_trained_sizes_is_refused():
    for wrong in ({"width": 500}, {"height": 2048}, {"steps": 0}):
        with pytest.raises(InputError, match="expected"):
            PaintSettings(**wrong)


def test_a_schedule_never_has_zero_steps_and_never_exceeds_the_strength():
    for calls in range(1, 40):
        for strength in np.linspace(0.01, 1, 100):
            steps = schedule_steps(calls, float(strength))
            assert steps >= calls >= 1
            assert calls / steps <= strength + 1e-6
            assert steps == calls or calls / (steps - 1) > strength - 1e-6


@pytest.mark.parametrize(("height", "width"), [(64, 64), (100, 64), (129, 300), (97, 131)])
def test_weights_of_tiles_add_up_to_one_and_fall_to_zero_at_inner_borders(height, width):
    tiles = windows(height, width, 64, 16)
    total = np.zeros((height, width))
    for tile, weight in zip(tiles, blend_weights(tiles, height, width, 16), strict=True):
        total[tile.slices] += weight
        inner = [
            edge
            for edge, is_inner in (
                (weight[0], tile.top > 0),
                (weight[-1], tile.bottom < height),
                (weight[:, 0], tile.left > 0),
                (weight[:, -1], tile.right < width),
            )
            if is_inner
        ]
        assert all(edge.max() < 0.01 for edge in inner)
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_neighbouring_tiles_overlap_by_at_least_what_was_asked():
    for length in range(65, 400):
        tiles = windows(length, 64, 64, 16)
        assert (tiles[0].top, tiles[-1].bottom) == (0, length)
        assert min(a.bottom - b.top for a, b in itertools.pairwise(tiles)) >= 16


def scene(side=96):
    rng = np.random.default_rng(1)
    photo = cv2.GaussianBlur(rng.integers(0, 256, (side, side, 3), dtype=np.uint8), (0, 0), 2)
    instances = np.zeros((side, side), np.uint16)
    cv2.circle(instances, (side // 2, side // 2), side // 4, 3, -1)
    return photo, instances


def test_a_result_that_equals_the_round_trip_leaves_the_photo_alone():
    photo, instances = scene()
    lossy = cv2.GaussianBlur(photo, (0, 0), 3).astype(np.float32) / 255
    assert np.array_equal(residual_transfer(photo, lossy, lossy, ResidualSettings(), instances), photo)


def test_a_constant_change_arrives_in_full_away_from_silhouettes():
    photo = np.full((96, 96, 3), 100, np.uint8)
    _, instances = scene()
    trip = np.full((96, 96, 3), 0.3, np.float32)
    out = residual_transfer(photo, trip + np.float32(20 / 255), trip, ResidualSettings(), instances)
    distance = np.abs(np.hypot(*(np.mgrid[:96, :96] - 48)) - 24)
    assert (out[distance > 8] == 120).all()
    assert (out[distance < 2] == 100).all()


def test_the_low_pass_has_the_response_of_a_gaussian():
    settings = ResidualSettings(sigma_background_px=2.0)
    x = np.arange(256)
    for period in (8, 16, 64):
        wave = np.cos(2 * np.pi * x / period).astype(np.float32)
        change = np.repeat(np.tile(wave, (64, 1))[..., None], 3, axis=2)
        out = low_pass_regions(change, np.zeros((64, 256), np.uint16), settings)
        expected = np.exp(-2 * (np.pi * 2.0 / period) ** 2)
        assert out[32, 64:192, 0] == pytest.approx(expected * wave[64:192], abs=2e-3)


def test_nothing_bleeds_across_a_silhouette():
    _, instances = scene()
    change = np.zeros((96, 96, 3), np.float32)
    change[instances == 3] = 1
    out = low_pass_regions(change, instances, ResidualSettings(sigma_part_px=4, sigma_background_px=4))
    np.testing.assert_allclose(out[instances == 3], 1, atol=1e-5)
    assert np.abs(out[instances == 0]).max() < 1e-6


@pytest.mark.parametrize("method", ["plain", "residual"])
def test_protected_pixels_keep_their_bytes(method):
    photo, instances = scene()
    rng = np.random.default_rng(2)
    result = rng.random((96, 96, 3), dtype=np.float32)
    protected = np.zeros((96, 96), bool)
    protected[20:30, 50:70] = True
    if method == "plain":
        out = plain_transfer(photo, result, protected, 3.0)
    else:
        out = residual_transfer(photo, result, np.full_like(result, 0.5), ResidualSettings(), instances, protected)
    assert np.array_equal(out[protected], photo[protected])
    assert (out != photo).any(axis=-1)[~protected].mean() > 0.5


def test_the_weight_rises_monotonically_away_from_a_protected_region():
    protected = np.zeros((64, 64), bool)
    protected[:, :20] = True
    weight = change_weight(np.zeros((64, 64), np.uint16), protected, ResidualSettings(ramp_px=6))
    row = weight[32]
    assert (row[:20] == 0).all()
    assert (np.diff(row[19:27]) > 0).sum() >= 6
    assert (row[27:] == 1).all()


def test_depth_is_white_where_near_and_black_where_nothing_is():
    depth = np.array([[0.5, 1.0, 2.0, 0.0]], np.float32)
    grey = depth_control(depth)[0, :, 0]
    # 1/d: 2, 1, 0.5 -> (2 - 0.5) / 1.5, (1 - 0.5) / 1.5, 0
    assert grey.tolist() == [255, 85, 0, 0]


def test_normals_are_blue_in_front_red_at_the_left_green_on_top():
    front, left, top = (0, 0, -1), (-1, 0, 0), (0, -1, 0)  # OpenCV: x right, y down, z away from the camera
    colours = normal_control(np.array([[front, left, top, (0, 0, 0)]], np.float32))[0]
    assert colours.tolist() == [[128, 128, 255], [255, 128, 128], [128, 255, 128], [128, 128, 255]]


def test_canny_lines_lie_on_silhouettes_depth_steps_and_creases_and_nowhere_else():
    depth = np.full((40, 40), 2.0, np.float32)
    normal = np.zeros((40, 40, 3), np.float32)
    normal[..., 2] = -1
    instances = np.zeros((40, 40), np.uint16)
    instances[5:35, 5:35] = 1
    depth[5:35, 20:35] = 1.5  # a step within the part
    normal[20:35, 5:20] = (0, -1, 0)  # a crease
    lines = canny_control(depth, normal, instances)[..., 0] > 0
    assert lines[5, 6:34].all()
    assert lines[6:34, 5].all()
    assert lines[6:34, 20].all()
    assert lines[20, 6:19].all()
    assert not lines[8:18, 8:18].any()
    assert not lines[:4].any()
    smooth = canny_control(
        np.tile(np.linspace(1, 1.4, 40, dtype=np.float32), (40, 1)), normal * 0 + (0, 0, -1), instances
    )
    assert not smooth[8:30, 8:30].any()


def quickstart():
    return draw_scene(load_spec(assets_root().parent / "scenes" / "quickstart.toml"), 0)


def test_prompts_name_what_the_scene_shows():
    drawn = quickstart()
    prompt = scene_prompt(DEFAULT_TEMPLATE, drawn, 0)
    for item in drawn.items[:1]:
        assert word("metals", item.metal) in prompt
        assert item.category.replace("_", " ") in prompt
    assert word("surroundings", drawn.surroundings.name) in prompt
    assert "{" not in prompt
    assert scene_prompt("just {rig}", drawn, 0) == "just " + word("rigs", drawn.rigs[0].name)


@pytest.mark.parametrize("template", ["{metal}", "{metals!r}", "{metals:>9}", "{metals", "{}", "{metals.x}", "  "])
def test_templates_with_unknown_fields_are_refused(template):
    assert "expected" not in (template_problem(template) or "expected")
    with pytest.raises(InputError, match="expected a prompt"):
        scene_prompt(template, quickstart(), 0)


def test_every_word_belongs_to_an_entry_and_is_plain_english():
    for kind, words in table("prompt_words").items():
        assert set(words) <= set(names(kind)), kind
        for name in names(kind):
            text = word(kind, name)
            assert not any(letter.isdigit() or letter == "_" for letter in text), text
