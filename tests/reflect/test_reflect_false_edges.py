"""False edges: a checkerboard mirrored in a plate is false, one engraved or painted is true."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from support import checker_scenes as cs

from pipeline.bundle import load_bundle
from pipeline.reflect.edge_layers import explained_edges
from pipeline.reflect.edges import CAUSES, REFLECTION

pytestmark = pytest.mark.bpy
WITHIN_PX = 1.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return cs.render(tmp_path_factory.mktemp("checker") / "scene")


def average_precision(scores, positive):
    """Area under precision over recall, each score a threshold; equal scores fall together."""
    thresholds = np.unique(scores)[::-1]
    taken = scores[None, :] >= thresholds[:, None]
    hits = (taken & positive).sum(axis=1)
    precision, recall = hits / taken.sum(axis=1), hits / positive.sum()
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def test_average_precision_of_known_rankings():
    positive = np.array([True, False, True, False])
    assert average_precision(np.array([4.0, 3, 2, 1]), positive) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.zeros(4), positive) == pytest.approx(0.5)


def drawn(camera, points):
    """(h, w) the distance of each pixel's centre to the nearest of world *points*, pixels."""
    fine = 4
    canvas = np.ones((camera.height * fine, camera.width * fine), np.uint8)
    x, y = np.floor(cs.pixels_of(camera, points) * fine).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < canvas.shape[1]) & (y < canvas.shape[0])
    canvas[y[inside], x[inside]] = 0
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / fine
    return distance[fine // 2 :: fine, fine // 2 :: fine]


def mirrored_lines(camera):
    """Distance to the lines of the virtual board below the plate, and to its outline, where the plate shows it."""
    board = [[cs.LEFT[cs.MIRROR], cs.BOARD_Y, 0.0], [cs.SIDE, 0, 0], [0, 0, -cs.SIDE]]
    outline = cs.lines(*board, inner=False)
    eye = -np.array(camera.cam_from_world).reshape(4, 4)[:3, :3].T @ np.array(camera.cam_from_world)[3::4][:3]
    share = eye[2] / (eye[2] - outline[:, 2])
    on_plate = eye[:2] + share[:, None] * (outline[:, :2] - eye[:2])
    seen = (np.abs(on_plate[:, 1]) < 0.05) & (np.abs(on_plate[:, 0] - cs.LEFT[cs.MIRROR] - 0.05) < 0.05)
    return drawn(camera, outline[seen])


def engraved_lines(camera, plate):
    return drawn(camera, cs.lines([cs.LEFT[plate], -0.05, 0], [cs.SIDE, 0, 0], [0, cs.SIDE, 0], inner=False))


def judged(folder, bundle):
    found = explained_edges(folder, bundle, bundle.views[0], ())
    camera, at = bundle.views[0].camera, (found.edges.rows, found.edges.columns)
    border = drawn(camera, _outline(cs.LEFT[cs.MIRROR]))[at]
    false = (mirrored_lines(camera)[at] <= WITHIN_PX) & (border > 3.0)
    doubtful = border <= 3.0  # where the plate ends and the mirror image with it, an edge is both
    return found, false, ~doubtful


def _outline(left):
    t = np.linspace(0, 1, 501)[:, None]
    c = np.array([[left, -0.05, 0.0]])
    x, y = np.array([cs.SIDE, 0, 0]), np.array([0, cs.SIDE, 0])
    return np.concatenate([c + x * t, c + y * t, c + x + y * t, c + y + x * t])


def test_mirrored_lines_are_false_and_engraved_and_painted_ones_true(folder):
    bundle = load_bundle(folder)
    found, false, counts = judged(folder, bundle)
    scores = found.edges.stops * found.shares[:, REFLECTION]
    assert false[counts].sum() > 100
    assert (~false[counts]).sum() > 300
    assert average_precision(scores[counts], false[counts]) > 0.9
    camera = bundle.views[0].camera
    for plate in (cs.ENGRAVED, cs.PAINTED):
        near = engraved_lines(camera, plate)[found.edges.rows, found.edges.columns] <= WITHIN_PX
        assert near.sum() > 100
        assert found.shares[near, REFLECTION].mean() < 0.05


def test_every_mirrored_line_is_found(folder):
    bundle = load_bundle(folder)
    found, false, _ = judged(folder, bundle)
    camera = bundle.views[0].camera
    far = np.ones((camera.height, camera.width), np.uint8)
    far[found.edges.rows[false], found.edges.columns[false]] = 0
    line = (mirrored_lines(camera) <= 0.5) & (drawn(camera, _outline(cs.LEFT[cs.MIRROR])) > 4.0)
    assert (cv2.distanceTransform(far, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[line] <= 2.0).mean() > 0.9


def test_light_alone_tells_paint_from_mirror_images(folder):
    """Without knowing where finishes change, colour, shade and sharpness still rank the edges."""
    bundle = load_bundle(folder)
    blind = replace(bundle, materials=tuple(replace(m, name="alike") for m in bundle.materials))
    found, false, counts = judged(folder, blind)
    scores = found.edges.stops * found.shares[:, REFLECTION]
    assert average_precision(scores[counts], false[counts]) > 0.9


def test_shares_add_up(folder):
    bundle = load_bundle(folder)
    found = explained_edges(folder, bundle, bundle.views[0], ())
    assert np.allclose(found.shares.sum(axis=1), 1.0, atol=1e-5)
    assert (found.shares >= 0).all()
    channels = found.channels()
    assert {values.dtype for values in channels.values()} == {np.dtype(np.float16)}
    assert np.array_equal(channels["contrast"] > 0, found.labels > 0)
    assert found.labels.max() <= len(CAUSES)
