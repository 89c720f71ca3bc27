"""The picture shows the part where it must be, in the colours of its faces, and the lines of `describe` are right."""

import cv2
import numpy as np
import pytest

from pipeline.parts.measure import describe
from pipeline.parts.picture import TINTS, draw_part


def test_picture_shows_every_visible_kind_of_face(part_of, tmp_path):
    draw_part(part_of("knob.step"), tmp_path / "knob.png", size=320)
    image = cv2.imread(str(tmp_path / "knob.png"))[..., ::-1].astype(float)
    assert image.shape == (320, 320, 3)
    body = image[30:295]  # without title and legend
    chroma = body - body.mean(axis=2, keepdims=True)
    for kind in ("cone", "sphere", "cylinder"):
        tint = np.array(TINTS[kind]) - np.mean(TINTS[kind])
        likeness = (chroma @ tint) / np.maximum(np.linalg.norm(chroma, axis=2) * np.linalg.norm(tint), 1)
        assert (likeness > 0.97).sum() > 300
    edge = np.concatenate([body[:, :4].reshape(-1, 3), body[:, -4:].reshape(-1, 3)])
    assert np.ptp(edge, axis=1).max() < 3  # the backdrop is grey and the part does not touch the border


def test_same_part_same_picture(part_of, tmp_path):
    for name in ("one.png", "two.png"):
        draw_part(part_of("gear12.step"), tmp_path / name, size=160)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_picture_that_cannot_be_written(part_of, tmp_path):
    with pytest.raises(OSError, match="cannot write"):
        draw_part(part_of("gear12.step"), tmp_path / "no folder" / "gear.png", size=64)


def test_description(part_of):
    lines = dict(describe(part_of("drilled_box_inch.step")))
    assert lines["units"] == "inch, named by the file"
    assert lines["size"] == "60 x 40 x 20 mm (2.362 x 1.575 x 0.7874 inch)"
    assert float(lines["volume"].split()[0]) == pytest.approx(48 - np.pi * 2, rel=1e-3)
    assert lines["watertight"] == "yes"
    assert lines["faces"].startswith("7: 6 plane")
    assert "1 cylinder (1 inner)" in lines["faces"]
    assert "skipped" not in lines
    assert "curve" in dict(describe(part_of("box_and_curve.step")))["skipped"]
