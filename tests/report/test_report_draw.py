"""Drawing: colours are what the numbers say, at the pixels that the masks say."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.report import draw


def test_masks_tint_inside_and_leave_the_outside() -> None:
    grey = np.full((20, 30, 3), 100, np.uint8)
    mask = np.zeros((20, 30), bool)
    mask[5:15, 5:15] = True
    drawn = draw.with_masks(grey, [mask], [(255, 0, 0)], fill=0.5)
    assert np.array_equal(drawn[10, 10], [177, 50, 50])
    assert np.array_equal(drawn[2, 25], [100, 100, 100])
    assert drawn[5, 10, 0] > 240  # the outline
    assert (grey == 100).all()


def test_boxes_lie_on_their_pixels() -> None:
    black = np.zeros((100, 200, 3), np.uint8)
    drawn = draw.with_boxes(black, [(20, 40, 60, 30)], ["a"], [(0, 255, 0)])
    assert drawn[69, 50, 1] > 200
    assert drawn[41, 79, 1] > 100
    assert not drawn[50:60, 30:60].any()
    assert not drawn[:, 90:].any()


def test_label_beyond_the_border_is_moved_inside() -> None:
    black = np.zeros((60, 80, 3), np.uint8)
    drawn = draw.with_boxes(black, [(70, 0, 30, 10)], ["long name ✓"], [(0, 0, 255)])
    reached = np.flatnonzero(drawn[..., 2].any(axis=0))
    assert reached.max() == 79
    assert reached.min() < 50


def test_false_color_runs_from_yellow_to_violet() -> None:
    depth = np.array([[1.0, 1.5, 2.0, 0.0]])
    drawn = draw.false_color(depth, depth > 0, 1.0, 2.0)
    assert np.allclose(drawn[0, 0], (253, 231, 37), atol=3)
    assert np.allclose(drawn[0, 2], (68, 1, 84), atol=3)
    assert tuple(drawn[0, 3]) == draw.BACKGROUND


def test_value_range_ignores_outside_and_outliers() -> None:
    values = np.concatenate([np.linspace(1, 2, 1000), [1e9, np.nan, np.inf]])
    inside = np.ones(len(values), bool)
    inside[-3] = False
    assert draw.value_range(values, inside) == pytest.approx((1.01, 1.99), abs=1e-3)
    assert draw.value_range(values, ~np.isfinite(values)) == (0.0, 1.0)


def test_normals_in_the_usual_colours() -> None:
    normals = np.array([[[0, 0, -1], [1, 0, 0], [0, -1, 0], [0, 0, 0]]], dtype=np.float32)
    drawn = draw.normal_colors(normals)[0].astype(int)
    assert np.allclose(drawn[0], [127, 127, 255], atol=1)
    assert np.allclose(drawn[1], [255, 127, 127], atol=1)
    assert np.allclose(drawn[2], [127, 255, 127], atol=1)
    assert tuple(drawn[3]) == draw.BACKGROUND


def test_ids_get_one_colour_each() -> None:
    ids = np.arange(37).reshape(1, 37)
    drawn = draw.id_colors(ids)
    assert len({tuple(pixel) for pixel in drawn[0].tolist()}) == 37
    assert tuple(drawn[0, 0]) == draw.BACKGROUND


def test_srgb_of_middle_grey() -> None:
    assert tuple(draw.srgb(np.full((1, 1, 3), 0.18), 1.0)[0, 0]) == (118, 118, 118)
    assert tuple(draw.srgb(np.array([[[2.0, -1.0, np.nan]]]), 1.0)[0, 0]) == (255, 0, 0)


def test_jpeg_and_back() -> None:
    picture = np.full((16, 24, 3), (200, 60, 20), np.uint8)
    assert np.allclose(draw.read_picture(draw.jpeg(picture, 95)), picture, atol=4)
    for data in (b"", b"not a picture"):
        with pytest.raises(OSError, match="PNG or JPEG"):
            draw.read_picture(data)


def test_contact_sheet_keeps_its_grid() -> None:
    pictures = [(f"p{i}", np.full((30, 40, 3), 50 * i, np.uint8)) for i in range(4)]
    sheet = draw.contact_sheet(pictures, 3, 80)
    assert sheet.shape == (2 * (60 + 24), 240, 3)
    assert sheet[84 + 54, 40, 0] == 150
    assert draw.contact_sheet(pictures[:2], 3, 80).shape == (84, 160, 3)
