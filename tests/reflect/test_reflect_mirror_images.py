"""Mirror images of parts, against a render of the part turned over at the mirror."""

from __future__ import annotations

import numpy as np
import pytest
from support import mirror_scenes as ms

from pipeline import masks
from pipeline.bundle import read_ids, view_folder
from pipeline.reflect.mirror_images import mirror_image_rows
from pipeline.surface.material import PlainMaterial

pytestmark = pytest.mark.bpy


def _instances(bundle) -> np.ndarray:
    return read_ids(view_folder(bundle, 0) / "instance.png")


@pytest.fixture(scope="module")
def polished(tmp_path_factory):
    """Bundle of the ball over a polished plate."""
    return ms.render(tmp_path_factory.mktemp("mirror") / "polished")


def test_the_mask_is_that_of_the_ball_turned_over(polished, tmp_path) -> None:
    virtual = ms.render(tmp_path / "virtual", ms.BALL_CENTRE * [1, 1, -1], plate=None, samples=1)
    plate = _instances(polished) == ms.PLATE
    expected = (_instances(virtual) == ms.BALL) & plate
    rows = [row for row in mirror_image_rows(polished) if row["mirror_id"] == str(ms.PLATE)]
    assert len(rows) == 1
    (row,) = rows
    found = masks.decode(row["mask_rle"])
    assert expected.sum() > 300
    assert (found & expected).sum() / (found | expected).sum() > 0.98
    assert tuple(row["bbox"]) == masks.box_of(found)
    assert (row["instance_id"], row["category"], row["mirror_kind"]) == (ms.BALL, "ball", "part")
    assert row["clarity"] > 0.8
    # From the plate to the ball's near side and no farther than to its middle.
    assert ms.BALL_CENTRE[2] - ms.BALL_RADIUS < row["mean_distance_m"] < 3 * ms.BALL_CENTRE[2]


def test_the_ball_shows_the_plate(polished) -> None:
    rows = [row for row in mirror_image_rows(polished) if row["mirror_id"] == str(ms.BALL)]
    assert {row["instance_id"] for row in rows} == {ms.PLATE}


def test_a_varnished_table_shows_a_faint_image_and_a_matt_one_none(tmp_path) -> None:
    black = {"color": (0.01, 0.01, 0.01), "specular": 1.5}
    glossy = ms.render(tmp_path / "glossy", plate=_plain(0.02, **black))
    (row,) = (row for row in mirror_image_rows(glossy) if row["mirror_kind"] == "support")
    assert row["mirror_id"] == "plate"
    assert row["clarity"] > 0.3
    matt = ms.render(tmp_path / "matt", plate=_plain(0.8, color=(0.6, 0.6, 0.6), specular=1.5))
    assert not [row for row in mirror_image_rows(matt) if row["mirror_kind"] == "support"]


def _plain(roughness: float, color: tuple[float, float, float], specular: float) -> PlainMaterial:
    return PlainMaterial("table", color, roughness, specular, 0.0, 0.01)


def test_no_part_no_rows(tmp_path) -> None:
    empty = ms.render(tmp_path / "empty", plate=_plain(0.3, (0.5, 0.5, 0.5), 1.5), ball=None, samples=1)
    assert mirror_image_rows(empty) == []
