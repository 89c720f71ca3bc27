"""Patches of cast light in views whose layers were made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.synthetic_bundle import MadeView, lamp_object, part_object, support_object

from pipeline import masks
from pipeline.bundle import view_folder, write_ids
from pipeline.dataset.tables import rows_to_table
from pipeline.layers import write_cast_light
from pipeline.reflect.cast_light import LEAST_AREA_PX, cast_light_rows

HEIGHT, WIDTH = 48, 64
TABLE = 0.5


class Cast:
    """A white table with two parts; the tests put cast light onto it."""

    def __init__(self) -> None:
        self.groups = {name: np.zeros((HEIGHT, WIDTH, 3), np.float32) for name in ("key", "fill")}
        self.error = np.zeros((HEIGHT, WIDTH), np.float32)
        self.thrower = np.zeros((HEIGHT, WIDTH), np.uint16)
        self.lamp = np.zeros((HEIGHT, WIDTH), np.uint16)
        self.receiver = np.full((HEIGHT, WIDTH), 1001, np.uint16)

    def throw(self, place, radiance: float, instance: int = 1, group: str = "key", lamp: int = 3001) -> None:
        self.groups[group][place] = radiance
        self.thrower[place], self.lamp[place] = instance, lamp

    def rows(self, folder: Path) -> list[dict]:
        cast = self.groups["key"] + self.groups["fill"]
        made = MadeView(
            {"key": cast + np.float32(TABLE), "fill": 0 * cast},
            objects=[
                part_object(1),
                part_object(2),
                support_object(1001),
                lamp_object(3001, "bar_left", "key"),
                lamp_object(3002, "softbox", "fill", "softbox"),
            ],
        )
        made.write(folder)
        layers = view_folder(folder, 0)
        write_cast_light(layers / "cast_light.exr", self.groups, self.error)
        for name, ids in (("thrower", self.thrower), ("cast_lamp", self.lamp), ("object", self.receiver)):
            write_ids(layers / f"{name}.png", ids)
        return cast_light_rows(folder)


def test_one_streak_is_measured(tmp_path) -> None:
    cast = Cast()
    cast.throw(np.s_[10:14, 20:30], 0.25)
    cast.throw(np.s_[10:14, 20:22], 0.5)
    cast.groups["fill"][10:14, 20:30] = 0.125
    cast.error[10:14, 20:30] = 0.0625
    (row,) = cast.rows(tmp_path / "b")
    assert (row["instance_id"], row["light_id"], row["light_kind"]) == (1, "bar_left", "bar")
    assert (row["light_group"], row["receiver_kind"], row["receiver_id"]) == ("key", "surroundings", "table")
    assert (row["area_px"], row["bbox"]) == (40, [20, 10, 10, 4])
    mask = masks.decode(row["mask_rle"])
    assert mask[10:14, 20:30].all()
    assert mask.sum() == 40
    assert row["peak_radiance"] == pytest.approx(0.625)
    total = 8 * 0.625 + 32 * 0.375
    assert row["contrast"] == pytest.approx(total / (40 * TABLE), rel=1e-4)
    assert row["peak_contrast"] == pytest.approx(0.625 / TABLE, rel=1e-4)
    assert row["share"] == pytest.approx((8 * 0.5 + 32 * 0.25) / total, rel=1e-4)
    assert row["centroid"] == pytest.approx([(8 * 0.625 * 21 + 32 * 0.375 * 26) / total, 12.0], rel=1e-4)
    assert row["error"] == pytest.approx((8 * 0.1 + 32 / 6) / 40, rel=1e-4)
    assert rows_to_table("cast_light", [row]).num_rows == 1


def test_throwers_part_a_patch_and_lamps_do_not(tmp_path) -> None:
    cast = Cast()
    cast.throw(np.s_[10:20, 10:20], 0.25, instance=1)
    cast.throw(np.s_[10:20, 20:24], 0.25, instance=2)
    cast.throw(np.s_[20:24, 10:16], 0.25, instance=1, group="fill", lamp=3002)
    cast.throw(np.s_[30:40, 40:50], 0.25, instance=1)
    rows = cast.rows(tmp_path / "b")
    assert [(row["instance_id"], row["area_px"]) for row in rows] == [(1, 124), (1, 100), (2, 40)]
    assert [row["cast_light_id"] for row in rows] == [0, 1, 2]
    assert {row["light_id"] for row in rows} == {"bar_left"}


def test_what_nobody_would_see_is_no_patch(tmp_path) -> None:
    cast = Cast()
    cast.throw(np.s_[2:12, 2:12], 0.045 * TABLE)  # too faint everywhere
    cast.throw(np.s_[20:30, 2:12], 0.08 * TABLE)  # nowhere bright enough to be a feature
    cast.throw(np.s_[20:30, 30:40], 0.25)  # too uncertain
    cast.error[20:30, 30:40] = 0.1
    cast.throw(np.s_[40 : 40 + LEAST_AREA_PX // 4, 50:53], 0.25)  # too small
    assert cast.rows(tmp_path / "b") == []


def test_a_faint_rim_belongs_to_the_patch_that_it_surrounds(tmp_path) -> None:
    cast = Cast()
    cast.throw(np.s_[20:30, 20:30], 0.06 * TABLE)
    cast.throw(np.s_[24:26, 24:26], 0.5)
    (row,) = cast.rows(tmp_path / "b")
    assert row["area_px"] == 100


def test_a_receiver_may_be_a_part(tmp_path) -> None:
    cast = Cast()
    cast.throw(np.s_[10:20, 10:20], 0.25)
    cast.receiver[10:20, 12:20] = 2
    (row,) = cast.rows(tmp_path / "b")
    assert (row["receiver_kind"], row["receiver_id"]) == ("part", "2")


def test_a_bundle_without_cast_light_has_no_rows(tmp_path) -> None:
    MadeView({"key": np.ones((4, 4, 3), np.float32)}).write(tmp_path / "b")
    assert cast_light_rows(tmp_path / "b") == []
