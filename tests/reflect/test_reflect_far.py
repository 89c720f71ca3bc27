"""Mirror rays into a labelled far environment: what they show, by the direction they leave in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.synthetic_bundle import MadeView, part_object

from pipeline.bundle import (
    BUNDLE_FILE,
    FIRST_FAR,
    WORLD_INDEX,
    WORLD_LABELS_FILE,
    BundleWorld,
    WorldLabel,
    load_bundle,
    view_folder,
    write_exr,
    write_ids,
)
from pipeline.records import to_dict, write_json
from pipeline.reflect.lamps import emitters_of
from pipeline.reflect.reflections import read_hits, reflection_rows

LABELS = (
    WorldLabel(1, "surroundings", "far:wall", "wall"),
    WorldLabel(2, "light", "far:window_0", "window"),
    WorldLabel(3, "surroundings", "far:floor", "floor"),
)


def made(tmp_path, yaw):
    """A part of 4 x 8 pixels: its rays go up-left (+y), along +x, down, and (one row) to nothing."""
    instance = np.ones((4, 8), np.uint16)
    hits = np.full((4, 8), WORLD_INDEX)
    hits[3] = 0
    folder = MadeView(
        {"world": np.ones((4, 8, 3), np.float32)},
        instance=instance,
        probe_object=hits,
        probe_distance=np.zeros((4, 8)),
        objects=[part_object(1)],
    ).write(tmp_path / "bundle")
    c, s = np.cos(yaw), np.sin(yaw)
    rays = np.zeros((4, 8, 3), np.float32)
    rays[0] = (-0.6 * s, 0.6 * c, 0.8)  # +y, turned with the picture
    rays[1] = (c, s, 0.0)
    rays[2] = (0.0, 0.0, -1.0)
    probe = {"object": np.float32(hits), "distance": np.zeros((4, 8), np.float32)}
    probe |= {f"direction.{axis}": rays[..., i] for i, axis in enumerate("XYZ")}
    write_exr(view_folder(folder, 0) / "reflection.exr", probe)
    labels = np.ones((16, 32), np.uint16)
    labels[2:5, 6:10] = 2  # a quarter to the left of the middle, 53 degrees up
    labels[12:] = 3
    write_ids(folder / WORLD_LABELS_FILE, labels)
    bundle = replace(load_bundle(folder), world=BundleWorld("world", yaw, LABELS))
    write_json(folder / BUNDLE_FILE, to_dict(bundle))
    return folder


@pytest.mark.parametrize("yaw", [0.0, 0.9, -2.5])
def test_rows_name_what_lies_in_the_direction_of_the_ray(tmp_path, yaw):
    rows = reflection_rows(made(tmp_path, yaw))
    areas = {(row["reflected_kind"], row["reflected_id"]): row["area_px"] for row in rows}
    assert areas == {("light", "far:window_0"): 8, ("surroundings", "far:wall"): 8, ("surroundings", "far:floor"): 8}
    assert all(row["mean_distance_m"] is None for row in rows)


def test_painted_lamps_are_the_emitters_of_the_world_s_group(tmp_path):
    folder = made(tmp_path, 0.0)
    bundle = load_bundle(folder)
    (emitter,) = emitters_of(bundle, bundle.views[0]).all
    assert (emitter.light_id, emitter.kind, emitter.index) == ("far:window_0", "window", FIRST_FAR + 2)
    assert (read_hits(folder, bundle, bundle.views[0])[0] == emitter.index).all()


def test_a_label_that_the_bundle_does_not_list_is_an_error(tmp_path):
    folder = made(tmp_path, 0.0)
    write_ids(folder / WORLD_LABELS_FILE, np.full((16, 32), 9, np.uint16))
    with pytest.raises(ValueError, match="holds 9"):
        reflection_rows(folder)
