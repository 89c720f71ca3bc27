"""Scenes for the light tests: one arrangement on a table, cameras at given places."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.arrange.arrangement import Arrangement, PlacedCamera, SupportMesh
from pipeline.spec.scene import ArrangementSpec, RenderSpec, RigSpec, SceneSpec, SurroundingsSpec


def _camera(
    azimuth_deg: float, elevation_deg: float, distance: float, target: tuple[float, float, float]
) -> PlacedCamera:
    """A camera that looks at *target*; 640x480, 40 degrees wide."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    flat = math.cos(elevation)
    outward = np.array([math.cos(azimuth) * flat, math.sin(azimuth) * flat, math.sin(elevation)])
    right = np.cross(-outward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = [right, np.cross(-outward, right), -outward]
    pose[:3, 3] = -pose[:3, :3] @ (np.array(target) + distance * outward)
    focal = 320.0 / math.tan(math.radians(20.0))
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), focal, focal, 320.0, 240.0, 640, 480)


def _arrangement(radius: float = 0.12, directions: tuple[tuple[float, float, float], ...] = ()) -> Arrangement:
    corners = np.array([[-0.6, -0.4, 0.0], [0.6, -0.4, 0.0], [0.6, 0.4, 0.0], [-0.6, 0.4, 0.0]])
    normals = np.tile(np.array([[0.0, 0.0, 1.0]], dtype=np.float32), (4, 1))
    table = SupportMesh("table", "wood", corners, normals, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))
    centre = (0.01, -0.02, 0.4 * radius)
    wanted = directions or ((-80.0, 40.0, 6.0 * radius), (30.0, 55.0, 8.0 * radius))
    cameras = tuple(replace(_camera(*place, centre), camera_index=number) for number, place in enumerate(wanted))
    return Arrangement((), (table,), cameras, centre, radius)


def _scene(
    rig: str = "studio_softboxes", surroundings: str = "workshop_room", ratio: float = 0.3, yaw: float = 0.4
) -> SceneSpec:
    return SceneSpec(
        schema_version=1,
        dataset="t",
        index=0,
        scene_id="t-000000",
        seed=1,
        split="train",
        items=(),
        arrangement=ArrangementSpec("table", "wood", 0.01, 1),
        rigs=(RigSpec(rig, yaw, 1.0),),
        surroundings=SurroundingsSpec(surroundings, 0.7, ratio),
        cameras=(),
        twins=False,
        render=RenderSpec(16, True, 1),
        photos=(),
    )


@pytest.fixture
def make_arrangement() -> Callable[..., Arrangement]:
    return _arrangement


@pytest.fixture
def make_scene() -> Callable[..., SceneSpec]:
    return _scene
