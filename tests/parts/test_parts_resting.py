"""Resting poses against statics, symmetry and trimesh's own estimate."""

import math

import numpy as np
import pytest
import trimesh
from shapely.geometry import MultiPoint, Point

from pipeline.parts.part import Symmetries
from pipeline.parts.resting import MOST_POSES, resting_poses

NONE = Symmetries((), ())


def poses_of(mesh, symmetries=NONE):
    return resting_poses(np.asarray(mesh.vertices), np.asarray(mesh.faces, dtype=np.int32), symmetries)


def matrices(poses):
    return [np.array(p.world_from_part).reshape(4, 4) for p in poses]


def lopsided():
    """An L of three cubes: no symmetry axis in its hull that is not in it, and tilting facets."""
    parts = [trimesh.creation.box((2, 1, 1.2)), trimesh.creation.box((0.7, 1, 2))]
    parts[0].apply_translation((1, 0, 0.6))
    parts[1].apply_translation((0.35, 0, 2.2))
    return trimesh.util.concatenate(parts)


@pytest.mark.parametrize("mesh", [lopsided(), trimesh.creation.cone(radius=1, height=3, sections=24)])
def test_every_pose_stands_on_the_plane_and_is_stable(mesh):
    poses = poses_of(mesh)
    assert sum(p.probability for p in poses) == pytest.approx(1)
    assert np.diff([p.probability for p in poses]).max() < 1e-9
    for matrix in matrices(poses):
        assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-9)
        assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
        points = trimesh.transform_points(mesh.vertices, matrix)
        assert points[:, 2].min() == pytest.approx(0, abs=1e-9)
        assert np.allclose(points[:, :2].min(axis=0), -points[:, :2].max(axis=0), atol=1e-9)
        feet = points[points[:, 2] < 1e-6, :2]
        assert len(feet) >= 3
        centre = trimesh.transform_points([mesh.center_mass], matrix)[0, :2]
        assert MultiPoint(feet).convex_hull.buffer(1e-6).contains(Point(centre))


def test_probabilities_agree_with_trimesh():
    mesh = lopsided()
    theirs = {}
    for matrix, probability in zip(*trimesh.poses.compute_stable_poses(mesh), strict=True):
        key = tuple(np.round(-matrix[2, :3], 2) + 0.0)
        theirs[key] = theirs.get(key, 0) + probability
    total = sum(theirs.values())
    for pose, matrix in zip(poses_of(mesh), matrices(poses_of(mesh)), strict=True):
        assert pose.probability == pytest.approx(theirs[tuple(np.round(-matrix[2, :3], 2) + 0.0)] / total, abs=0.02)


def test_a_box_lands_on_a_side_as_often_as_that_side_is_seen_from_its_middle():
    a, b, c = 3.0, 2.0, 1.0
    poses = poses_of(trimesh.creation.box((a, b, c)))

    def seen(width, height, distance):
        """Solid angle of a centred rectangle over the whole sphere, for both of its sides."""
        half = 4 * math.asin(width * height / math.sqrt((width**2 + 4 * distance**2) * (height**2 + 4 * distance**2)))
        return 2 * half / (4 * math.pi)

    expected = sorted([seen(a, b, c / 2), seen(a, c, b / 2), seen(b, c, a / 2)], reverse=True)
    assert [p.probability for p in poses] == pytest.approx(np.repeat(expected, 2) / 2, rel=1e-9)


def test_a_roly_poly_has_one_pose():
    ball = trimesh.creation.icosphere(subdivisions=4, radius=1)
    weight = trimesh.creation.cylinder(radius=0.4, height=0.5, sections=32)
    ball.vertices[ball.vertices[:, 2] < -0.9, 2] = -0.9
    weight.apply_translation((0, 0, -0.6))
    heavy = trimesh.util.concatenate([ball] + [weight] * 14)
    (pose,) = poses_of(heavy, Symmetries((), (((0.0, 0.0, 1.0), (0.0, 0.0, 0.0)),)))
    assert np.allclose(np.array(pose.world_from_part).reshape(4, 4)[2, :3], (0, 0, 1), atol=1e-6)


def test_round_flank_is_one_pose_with_its_axis_and_few_without():
    mesh = trimesh.creation.cylinder(radius=1, height=4, sections=64)
    axis = (((0.0, 0.0, 1.0), (0.0, 0.0, 0.0)),)
    flip = tuple(np.diag([1.0, -1.0, -1.0, 1.0]).reshape(-1).tolist())
    lying, standing = poses_of(mesh, Symmetries((flip,), axis))
    # each end takes the solid angle of a disc of radius 1 at distance 2
    ends = 1 - 2 / math.sqrt(5)
    assert standing.probability == pytest.approx(ends, rel=0.01)
    assert lying.probability == pytest.approx(1 - ends, rel=0.01)
    alone = poses_of(mesh)
    assert 3 <= len(alone) <= MOST_POSES
    assert sum(p.probability for p in alone) == pytest.approx(1)


def test_poses_do_not_depend_on_the_order_of_vertices():
    mesh = lopsided()
    order = np.random.default_rng(1).permutation(len(mesh.vertices))
    rank = np.argsort(order)
    shuffled = resting_poses(mesh.vertices[order], rank[mesh.faces].astype(np.int32), NONE)
    for one, two in zip(poses_of(mesh), shuffled, strict=True):
        assert one.world_from_part == pytest.approx(two.world_from_part, abs=1e-9)
        assert one.probability == pytest.approx(two.probability, abs=1e-9)
