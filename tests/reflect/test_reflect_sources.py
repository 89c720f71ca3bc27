"""What mirrors show: a polished ball and plate before labelled boxes, against rays that were cast without Blender."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support import boxed_mirrors as bm

from pipeline.bundle import WORLD_INDEX, load_bundle, read_exr, read_ids, view_folder
from pipeline.reflected_sources import KINDS, LIGHT, PART, SELF, SURROUNDINGS, read_hits, reflected_sources

pytestmark = pytest.mark.bpy

KIND_OF = {bm.BALL: PART, bm.PLATE: PART, bm.RED: PART, bm.BLUE: PART, bm.LAMP: LIGHT}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bm.rendered(tmp_path_factory.mktemp("mirrors"))


@pytest.fixture(scope="module")
def expected(bundle):
    """Hits of camera rays, of rays mirrored once and twice; directions of the latter two."""
    origins, directions = bm.camera_rays(load_bundle(bundle).views[0].camera)
    bounces = [bm.cast(origins, directions)]
    paths = [directions]
    for _ in range(2):
        reach = np.where(np.isfinite(bounces[-1].distance), bounces[-1].distance, 0)[..., None]
        origins = origins + paths[-1] * reach
        paths.append(bm.mirrored(paths[-1], bounces[-1].normal))
        bounces.append(bm.cast(origins, paths[-1]))
    return bounces, paths


def metal(expected, erode=1):
    """Pixels of ball and plate, away from their outlines."""
    shown = expected[0][0].index
    masks = [(shown == index).astype(np.uint8) for index in (bm.BALL, bm.PLATE)]
    kernel = np.ones((2 * erode + 1,) * 2, np.uint8)
    return np.any([cv2.erode(mask, kernel) > 0 for mask in masks], axis=0)


def away_from_edges(index):
    """Pixels whose neighbours show the same."""
    values = index.astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    return cv2.dilate(values, kernel) == cv2.erode(values, kernel)


def test_the_reflected_object_is_the_analytic_one(bundle, expected) -> None:
    sources, core = reflected_sources(bundle, "mirrors-v0"), metal(expected)
    index = expected[0][1].index
    judged = core & away_from_edges(index)
    assert set(np.unique(index[judged])) >= {bm.RED, bm.BLUE, bm.TABLE, bm.WALL, bm.PLATE, WORLD_INDEX}
    assert (sources.object == index)[judged].mean() >= 0.995
    assert (sources.object == index)[core].mean() >= 0.98


def test_direction_and_point_are_the_analytic_ones(bundle, expected) -> None:
    sources = reflected_sources(bundle, "mirrors-v0")
    (_, hits, _), (_, direction, _) = expected
    judged = metal(expected) & away_from_edges(hits.index) & (sources.object == hits.index)
    cosine = np.sum(sources.direction.astype(np.float64) * direction, axis=-1)[judged]
    sine = np.linalg.norm(np.cross(sources.direction.astype(np.float64), direction), axis=-1)[judged]
    angle = np.degrees(np.arctan2(sine, cosine))
    assert np.quantile(angle, 0.995) < 0.1
    near = judged & (hits.index != WORLD_INDEX)
    start = bm.camera_rays(load_bundle(bundle).views[0].camera)
    first = start[0] + start[1] * np.where(near, expected[0][0].distance, 0)[..., None]
    point = first + direction * np.where(near, hits.distance, 0)[..., None]
    error = np.linalg.norm(sources.point - point, axis=-1)[near]
    assert near.sum() > 500
    assert np.quantile(error, 0.995) < 0.001 * bm.SIZE_M
    assert not sources.point[sources.object == WORLD_INDEX].any()


def test_the_direction_is_that_in_which_the_probe_looked(bundle) -> None:
    sources = reflected_sources(bundle, "mirrors-v0")
    probe = read_exr(view_folder(bundle, 0) / "reflection.exr", ("direction.",))
    looked = np.stack([probe[f"direction.{axis}"] for axis in "XYZ"], axis=-1)
    far = sources.object == WORLD_INDEX
    assert far.sum() > 500
    assert np.abs(sources.direction - looked)[far].max() < 1e-4


def test_kinds_and_faces(bundle, expected) -> None:
    sources = reflected_sources(bundle, "mirrors-v0")
    shown = read_ids(view_folder(bundle, 0) / "object.png")
    for index in np.unique(sources.object[sources.object > 0]):
        met = (sources.object == index) & (shown != index)
        assert set(np.unique(sources.kind[met])) <= {KIND_OF.get(int(index), SURROUNDINGS)}
    assert not sources.kind[sources.object == 0].any()
    assert (sources.kind[(sources.object == shown) & (shown > 0)] == SELF).all()
    plate = metal(expected) & (sources.object == bm.PLATE)
    assert set(np.unique(sources.face[plate])) == {3}
    box = metal(expected) & (sources.object == bm.RED)
    assert set(np.unique(sources.face[box])) <= set(range(1, 7))
    assert len(np.unique(sources.face[box])) > 1
    assert KINDS[PART - 1] == "part"


def test_the_second_bounce_is_the_analytic_one(bundle, expected) -> None:
    record = load_bundle(bundle)
    found = read_hits(bundle, record, record.views[0], "reflection2.exr")
    (_, first, second), _ = expected
    judged = metal(expected) & away_from_edges(first.index) & away_from_edges(second.index)
    far = judged & (first.index == WORLD_INDEX)
    assert far.any()
    assert not found[far].any()
    near = judged & (first.index != WORLD_INDEX) & (first.index != bm.LAMP)
    assert len(np.unique(second.index[near])) >= 4
    assert (found == second.index)[near].mean() >= 0.99
    distance = read_exr(view_folder(bundle, 0) / "reflection2.exr", ("distance",))["distance"]
    agree = near & (found == second.index) & (second.index != WORLD_INDEX)
    assert np.quantile(np.abs(distance - second.distance)[agree], 0.98) < 0.002 * bm.SIZE_M


def test_rough_rays_are_followed_from_metal_only(bundle) -> None:
    files = view_folder(bundle, 0)
    rough, shown = read_exr(files / "rough_reflection.exr"), read_ids(files / "object.png")
    metal = np.isin(shown, (bm.BALL, bm.PLATE))
    assert (rough["rays"][metal] > 0).mean() > 0.98
    assert not any(values[~metal].any() for values in rough.values())
    polished = metal & (rough["share"] == 1) & (rough["rays"] == 1)
    hits = reflected_sources(bundle, "mirrors-v0").object
    assert polished.sum() > 1000
    assert (rough["object"] == hits)[polished].mean() > 0.99


def test_unknown_view_is_named(bundle) -> None:
    with pytest.raises(KeyError, match="mirrors-v0"):
        reflected_sources(bundle, "mirrors-v7")


def test_truth_is_the_same_at_16_and_at_256_samples(tmp_path) -> None:
    size = {"width": 48, "height": 36, "alphas": (0.2, 0.2)}
    few, many = (bm.rendered(tmp_path / str(n), samples=n, **size) for n in (16, 256))
    radiance = {"light.exr", "terms.exr"}
    names = {path.name for path in view_folder(few, 0).iterdir()}
    assert {"reflection.exr", "reflection2.exr", "rough_reflection.exr", "direct.exr"} <= names
    for name in names - radiance:
        assert (view_folder(few, 0) / name).read_bytes() == (view_folder(many, 0) / name).read_bytes(), name
    assert (view_folder(few, 0) / "light.exr").read_bytes() != (view_folder(many, 0) / "light.exr").read_bytes()
