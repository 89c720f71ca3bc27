"""Run-length masks against counting pixels by hand."""

import json

import numpy as np
import pytest
from pycocotools import mask as coco

from pipeline import masks


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_decode_is_the_inverse_of_encode(share: float) -> None:
    mask = np.random.default_rng(7).random((37, 53)) < share
    text = masks.encode(mask)
    assert text.isascii()
    assert np.array_equal(masks.decode(text), mask)
    assert masks.area(text) == int(mask.sum())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
def test_pycocotools_reads_the_same_mask(share: float) -> None:
    mask = np.random.default_rng(11).random((211, 97)) < share
    value = json.loads(masks.encode(mask))
    assert np.array_equal(coco.decode(value).astype(bool), masks.decode(masks.encode(mask)))
    assert int(coco.area(value)) == masks.area(masks.encode(mask))
    assert tuple(coco.toBbox(value)) == masks.bbox(masks.encode(mask))


def test_box_is_the_smallest_one() -> None:
    mask = np.zeros((20, 30), dtype=np.uint16)
    mask[4:9, 11:18] = 900
    mask[6, 20] = 1
    assert masks.bbox(masks.encode(mask)) == (11, 4, 10, 5)
    assert masks.box_of(mask != 0) == (11, 4, 10, 5)
    assert masks.bbox(masks.encode(np.zeros((4, 4)))) == (0, 0, 0, 0)
    assert masks.box_of(np.zeros((4, 4), dtype=bool)) is None


def test_long_runs_survive() -> None:
    mask = np.zeros((2000, 1500), dtype=bool)
    mask[:, 700:] = True
    assert np.array_equal(masks.decode(masks.encode(mask)), mask)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "not json",
        '{"size":[4],"counts":"0"}',
        '{"size":[4,-1],"counts":"0"}',
        '{"size":[4,4],"counts":"\\u00ff"}',
        '{"size":[4,4],"counts":"o"}',
    ],
)
def test_what_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|Expecting"):
        masks.decode(text)


def test_a_mask_of_another_size_is_refused_before_it_reaches_the_decoder() -> None:
    value = json.loads(masks.encode(np.ones((50, 50))))
    value["size"] = [5, 5]
    with pytest.raises(ValueError, match="2500"):
        masks.area(json.dumps(value))


def test_a_stack_of_masks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(h, w\)"):
        masks.encode(np.zeros((2, 3, 4)))
