"""Symmetries of shapes whose rotation groups are known."""

import numpy as np
import pytest
import trimesh

from pipeline.parts.child import Job, read_here
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.topology import extent


def read_mesh(mesh, tmp_path):
    mesh.export(tmp_path / "part.stl")
    return read_here(Job(str(tmp_path / "part.stl"), None, Tolerance(), Limits(), ""))


def group_of(part):
    return [np.array(m).reshape(4, 4) for m in part.info.symmetries.discrete]


def distance_to(triangles, point):
    nearest = trimesh.triangles.closest_point(triangles, np.broadcast_to(point, (len(triangles), 3)))
    return np.linalg.norm(nearest - point, axis=1).min()


@pytest.mark.parametrize(
    ("name", "motions"),
    [("drilled_box_mm.step", 3), ("drilled_box_inch.igs", 3), ("gear12.step", 23), ("assembly.step", 0),
     ("loft.step", 0), ("box_and_curve.step", 23)],
)  # fmt: skip
def test_number_of_rotations(part_of, name, motions):
    part = part_of(name)
    assert len(part.info.symmetries.discrete) == motions
    assert part.info.symmetries.continuous == ()


@pytest.mark.parametrize(("name", "axis", "flips"), [("cylinder.step", (0, 1, 0), 1), ("ring.step", (0, 0, 1), 0),
                                                     ("knob.step", (0, 0, 1), 0)])  # fmt: skip
def test_round_parts_have_one_axis(part_of, name, axis, flips):
    symmetries = part_of(name).info.symmetries
    ((direction, offset),) = symmetries.continuous
    assert np.allclose(np.abs(direction), axis, atol=1e-6)
    assert len(symmetries.discrete) == flips
    if name == "cylinder.step":
        assert np.allclose((offset[0], offset[2]), (1e-3, 3e-3), atol=1e-6)


@pytest.mark.parametrize("name", ["drilled_box_mm.step", "gear12.step"])
def test_motions_are_a_group_of_rigid_motions_that_map_vertices_onto_the_part(part_of, name):
    part = part_of(name)
    triangles = part.vertices[part.triangles]
    motions = group_of(part)
    for motion in motions:
        assert np.allclose(motion[:3, :3] @ motion[:3, :3].T, np.eye(3), atol=1e-6)
        assert np.linalg.det(motion[:3, :3]) == pytest.approx(1)
        points = trimesh.transform_points(part.vertices[::29], motion)
        assert max(distance_to(triangles, point) for point in points) < 2e-3 * part.info.diameter_m
    everything = np.stack([np.eye(4), *motions])
    for one in everything[:6]:
        for two in everything[:6]:
            assert np.abs(everything - one @ two).max(axis=(1, 2)).min() < 1e-3


def test_one_missing_hole_breaks_the_symmetry(part_of):
    assert len(part_of("plate_6_holes.step").info.symmetries.discrete) == 11
    five = part_of("plate_5_holes.step").info.symmetries
    assert five.continuous == ()
    assert len(five.discrete) == 1  # the half turn about the line through the gap


def test_mirror_images_are_no_symmetry(part_of):
    """An L plate with unequal legs is mirrored by its middle plane, but no rotation maps it onto itself."""
    assert part_of("ell.step").info.symmetries.discrete == ()


def test_a_ball_turns_about_more_than_one_axis(tmp_path):
    part = read_mesh(trimesh.creation.icosphere(subdivisions=4, radius=10), tmp_path)
    axes = np.array([axis for axis, _ in part.info.symmetries.continuous])
    assert np.linalg.matrix_rank(axes, tol=0.1) >= 2
    assert len(part.info.resting_poses) == 1
    assert extent(part.vertices) == pytest.approx(0.02, rel=1e-3)
