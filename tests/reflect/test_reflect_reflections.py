"""Reflections from a mirror probe made by hand, and one computed from a mirror sphere's geometry."""

import numpy as np
import pytest
from support.synthetic_bundle import MadeView, lamp_object, part_object, support_object

from pipeline import masks
from pipeline.bundle import WORLD_INDEX
from pipeline.dataset.tables import rows_to_table
from pipeline.reflect.reflections import reflection_rows

OBJECTS = [
    part_object(1),
    part_object(2),
    support_object(1001),
    support_object(2001, "wall"),
    support_object(2002, "wall"),
    lamp_object(3001, "key_bar", "key"),
]


def _rows(tmp_path, instance, hits, distance=None):
    made = MadeView(
        {"key": np.ones((*instance.shape, 3), np.float32)},
        instance=instance.astype(np.uint16),
        probe_object=hits,
        probe_distance=np.ones(instance.shape) if distance is None else distance,
        objects=OBJECTS,
    )
    return reflection_rows(made.write(tmp_path / "bundle"))


@pytest.fixture
def layers():
    instance = np.zeros((20, 30), int)
    instance[2:12, 3:13] = 1
    instance[8:18, 15:25] = 2
    hits = np.zeros((20, 30), int)
    hits[2:12, 3:13] = 1001
    hits[2:4, 3:13] = 3001
    hits[4:5, 3:13] = 2
    hits[5:6, 3:13] = 1
    hits[6, 3:13] = 0  # the probe shows nothing here
    hits[8:18, 15:25] = WORLD_INDEX
    hits[8:10, 15:25] = 2001
    hits[17, 15:25] = 2002
    hits[0, :] = 3001  # off the parts: a lamp seen directly
    return instance, hits


def test_kinds_areas_and_masks(tmp_path, layers) -> None:
    instance, hits = layers
    rows = _rows(tmp_path, instance, hits)
    table = {(r["instance_id"], r["reflected_kind"], r["reflected_id"]): r for r in rows}
    areas = {key: row["area_px"] for key, row in table.items()}
    assert areas == {
        (1, "self", "1"): 10,
        (1, "part", "2"): 10,
        (1, "light", "key_bar"): 20,
        (1, "surroundings", "table"): 50,
        (2, "surroundings", "wall"): 30,
        (2, "surroundings", "world"): 70,
    }
    assert list(table) == list(areas)
    assert table[1, "light", "key_bar"]["share"] == pytest.approx(0.2)
    shares = [sum(r["share"] for r in rows if r["instance_id"] == i) for i in (1, 2)]
    assert shares == pytest.approx([0.9, 1.0])
    wall = masks.decode(table[2, "surroundings", "wall"]["mask_rle"])
    assert np.array_equal(wall, (instance == 2) & ((hits == 2001) | (hits == 2002)))
    assert rows_to_table("reflections", rows).num_rows == 6


def test_distance_is_the_mean_and_the_world_has_none(tmp_path, layers) -> None:
    instance, hits = layers
    distance = np.where(hits == WORLD_INDEX, 0.0, 0.25)
    distance[2, 3:13] = 0.75
    rows = {
        (r["instance_id"], r["reflected_id"]): r["mean_distance_m"] for r in _rows(tmp_path, instance, hits, distance)
    }
    assert rows[1, "key_bar"] == pytest.approx(0.5)
    assert rows[1, "table"] == pytest.approx(0.25)
    assert rows[2, "world"] is None


def test_empty_view(tmp_path) -> None:
    assert _rows(tmp_path, np.zeros((5, 5), int), np.zeros((5, 5), int)) == []


def test_unlisted_object_is_an_error(tmp_path) -> None:
    with pytest.raises(ValueError, match="object 77"):
        _rows(tmp_path, np.ones((5, 5), int), np.full((5, 5), 77))
