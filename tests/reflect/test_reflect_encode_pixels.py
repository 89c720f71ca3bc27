"""Encoding a mask from its pixels gives the same text as encoding it whole."""

import numpy as np
import pytest

from pipeline import masks


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
def test_same_text_as_the_whole_mask(share: float) -> None:
    rng = np.random.default_rng(1)
    mask = rng.random((23, 31)) < share
    rows, columns = np.nonzero(mask)
    order = rng.permutation(rows.size)
    assert masks.encode_pixels(rows[order], columns[order], mask.shape) == masks.encode(mask)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (22, 30), (0, 30)])
def test_single_pixels_in_the_corners(row: int, column: int) -> None:
    mask = np.zeros((23, 31), bool)
    mask[row, column] = True
    text = masks.encode_pixels(np.array([row]), np.array([column]), mask.shape)
    assert text == masks.encode(mask)
    assert np.array_equal(masks.decode(text), mask)
