"""The path of a clip in space: even steps, one elevation, parts carried by the belt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.arrange.arrangement import matrix
from pipeline.arrange.cameras import Subject
from pipeline.arrange.path import longer_belt, place_path
from pipeline.arrange.supports import Enclosure, Extent
from pipeline.spec.clip import ClipPath
from pipeline.spec.draw_clips import path_cameras
from pipeline.spec.scene import CameraSpec

FIRST = CameraSpec(0, 0.3, 0.6, 0.0, 0.5, None, 35.0, 13.1, 64, 48, (0.1, 0.0, 0.0))
CLOUD = np.array([[x, y, z] for x in (-0.05, 0.05) for y in (-0.03, 0.03) for z in (0.0, 0.02)])
SUBJECT = Subject(np.array([0.0, 0.0, 0.01]), 0.06, [CLOUD], None)


def positions(path: ClipPath, first: CameraSpec = FIRST, subject: Subject = SUBJECT) -> np.ndarray:
    """(frames, 3) where the cameras are."""
    poses = [matrix(camera.cam_from_world) for camera in place_path(path_cameras(first, path), subject, path)]
    return np.array([-pose[:3, :3].T @ pose[:3, 3] for pose in poses])


def test_an_orbit_is_a_level_arc_of_even_steps() -> None:
    found = positions(ClipPath(9, 30.0, "camera_orbit", 0.8))
    target = SUBJECT.centre + np.array([0.006, 0.0, 0.0])
    assert np.linalg.norm(found - target, axis=1) == pytest.approx(np.full(9, 0.5), abs=1e-9)
    assert np.ptp(found[:, 2]) < 1e-9
    angles = np.arctan2(*(found - target)[:, [1, 0]].T)
    assert np.diff(angles) == pytest.approx(np.full(8, 0.1), abs=1e-8)


def test_a_dolly_is_a_straight_line_towards_the_target() -> None:
    found = positions(ClipPath(5, 30.0, "camera_dolly", -0.4))
    target = SUBJECT.centre + np.array([0.006, 0.0, 0.0])
    assert np.linalg.norm(found - target, axis=1) == pytest.approx([0.5, 0.45, 0.4, 0.35, 0.3], abs=1e-8)
    steps = np.diff(found, axis=0)
    assert np.linalg.matrix_rank(steps, tol=1e-8) == 1


def test_a_blocked_frame_raises_the_whole_path() -> None:
    """Behind a high wall every frame is raised, all by the same angle: no camera jumps."""
    walled = replace(SUBJECT, enclosure=Enclosure(0.2, 0.1, 0.12))
    path = ClipPath(7, 30.0, "camera_orbit", 1.5)
    free, raised = positions(path), positions(path, subject=walled)
    assert (raised[:, 2] > free[:, 2] + 0.01).all()
    assert np.ptp(raised[:, 2]) < 1e-9


def test_a_still_camera_watches_the_belt() -> None:
    path = ClipPath(4, 30.0, "part_conveyor", 0.12)
    assert np.ptp(positions(path), axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert longer_belt(Extent(0.1, 0.1, 0.1, 0.1), path).half_x == pytest.approx(0.16)
    assert longer_belt(Extent(0.1, 0.1, 0.1, 0.1), None).half_x == 0.1
