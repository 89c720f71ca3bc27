"""Panes where they stand: pose, size, the context camera, and what is refused before anything is rendered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from support.panes import IDENTITY, glass, wall

from pipeline.arrange.arrangement import PlacedCamera, matrix
from pipeline.arrange.panes import place_pane
from pipeline.errors import InputError

CAMERA = PlacedCamera(0, IDENTITY, 100.0, 100.0, 32.0, 24.0, 64, 48)
FAR = [wall(1.0)]


def moved_camera() -> PlacedCamera:
    pose = trimesh.transformations.euler_matrix(0.4, -1.1, 2.0)
    pose[:3, 3] = (0.3, -0.2, 0.7)
    return replace(CAMERA, cam_from_world=tuple(float(v) for v in pose.ravel()))


@pytest.mark.parametrize("camera", [CAMERA, moved_camera()])
@pytest.mark.parametrize(("tilt", "azimuth"), [(0.0, 0.0), (25.0, 70.0), (50.0, -160.0)])
def test_it_stands_on_the_axis_at_its_distance_and_leans_by_its_tilt(camera, tilt, azimuth):
    world_from_camera = np.linalg.inv(matrix(camera.cam_from_world))
    behind = wall(3.0)[0] @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    pane = place_pane(glass(tilt, azimuth, distance_m=0.25), camera, [(behind, wall(3.0)[1])])
    pose = matrix(camera.cam_from_world) @ matrix(pane.world_from_pane)
    assert pose[:3, 3] == pytest.approx([0.0, 0.0, 0.25], abs=1e-12)
    assert pose[:3, :3].T @ pose[:3, :3] == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
    assert np.rad2deg(np.arccos(-pose[2, 2])) == pytest.approx(tilt, abs=1e-5)
    if tilt > 0:
        assert np.rad2deg(np.arctan2(pose[1, 2], pose[0, 2])) == pytest.approx(azimuth)


@pytest.mark.parametrize(("tilt", "azimuth"), [(0.0, 0.0), (40.0, 35.0)])
def test_every_ray_of_the_frame_meets_it_and_it_is_not_much_larger(tilt, azimuth):
    pane = place_pane(glass(tilt, azimuth, distance_m=0.2), CAMERA, [wall(9.0, 90.0)])
    pane_from_camera = np.linalg.inv(matrix(pane.world_from_pane))
    corners = np.array([[x, y, 100.0] for x in (-32.0, 32.0) for y in (-24.0, 24.0)])
    directions = corners @ pane_from_camera[:3, :3].T
    start = pane_from_camera[:3, 3]
    met = start + directions * (-start[2] / directions[:, 2])[:, None]
    reach = np.abs(met[:, :2]).max(axis=0) / (np.array(pane.size_m) / 2)
    assert (reach < 1.0).all()
    assert (reach > 0.9).all()


def test_a_share_is_measured_to_the_nearest_thing_in_the_frame():
    ball = trimesh.creation.icosphere(4, 0.1)
    ball.apply_translation((0.0, 0.0, 0.6))
    beside = trimesh.creation.icosphere(2, 0.05)
    beside.apply_translation((0.5, 0.0, 0.2))  # outside the frame
    things = [(np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)) for mesh in (ball, beside)]
    pane = place_pane(glass(0.0, distance_m=None, share=0.4, thickness_m=0.01), CAMERA, [*things, wall(1.0)])
    assert matrix(pane.world_from_pane)[2, 3] == pytest.approx(0.4 * (0.5 - 0.01), rel=1e-3)


def test_a_tilted_pane_keeps_off_a_table_that_has_no_vertex_in_the_frame():
    free = 0.98  # where a tilted pane's lower edge meets the wall at z = 1: less than on the axis
    spec = glass(30.0, 0.0, distance_m=None, share=1.0 - 1e-9, thickness_m=0.001)
    pane = place_pane(spec, CAMERA, FAR)
    pose = matrix(pane.world_from_pane)
    assert pose[2, 3] < free
    edge = np.array([-32.0, 0.0, 100.0]), np.array([32.0, 0.0, 100.0])
    reached = [ray * (pose[:3, 2] @ pose[:3, 3]) / (pose[:3, 2] @ ray) for ray in edge]
    assert max(point[2] for point in reached) == pytest.approx(1.0, abs=0.003)


def test_the_context_camera_looks_where_the_pane_mirrors():
    camera = moved_camera()
    world_from_camera = np.linalg.inv(matrix(camera.cam_from_world))
    behind = wall(3.0)[0] @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    pane = place_pane(glass(20.0, 50.0), camera, [(behind, wall(3.0)[1])])
    pose, context = matrix(camera.cam_from_world), matrix(pane.context.cam_from_world)
    assert np.linalg.det(context[:3, :3]) == pytest.approx(1.0)
    assert -context[:3, :3].T @ context[:3, 3] == pytest.approx(-pose[:3, :3].T @ pose[:3, 3])
    normal = matrix(pane.world_from_pane)[:3, 2]
    forward = pose[2, :3]
    assert context[2, :3] == pytest.approx(forward - 2 * (forward @ normal) * normal)
    # What the pane shows on the right, the context camera has on its left, at the same height.
    ray = np.array([0.2, 0.1, 1.0]) @ pose[:3, :3]
    mirrored = context[:3, :3] @ (ray - 2 * (ray @ normal) * normal)
    assert mirrored == pytest.approx([-0.2, 0.1, 1.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thickness_m": 0.0}, "expected a pane thicker than 0, found 0 m"),
        ({"thickness_m": -0.001}, "expected a pane thicker than 0, found -0.001 m"),
        ({"index": 0.9}, "expected a refractive index of at least 1"),
        ({"distance_m": -0.1}, "behind the camera if negative"),
        ({"distance_m": 0.0}, "at least 0.002 m before the lens, found 0 m"),
        ({"distance_m": 0.9999}, "where it would stand in a part or what carries it, found 0.9999 m"),
        ({"distance_m": 0.98, "tilt_deg": 15.0}, "would stand in a part"),
        ({"distance_m": 2.0}, "nearer than 0.996 m"),
        ({"tilt_deg": 75.0}, "to cover the whole frame"),
        ({"tilt_deg": 89.0}, "found a ray at 107 degrees"),
        ({"distance_m": None, "thickness_m": 1.5}, "raise glass.distance_m, or the distance of the camera"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(changes, message):
    spec = glass(**{"tilt_deg": 0.0, **changes})
    with pytest.raises(InputError, match="expected") as error:
        place_pane(spec, CAMERA, FAR)
    assert message in str(error.value)
