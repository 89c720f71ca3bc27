"""Panes for tests, and their energies computed another way: by angles instead of cosines, beam by beam."""

from __future__ import annotations

import numpy as np

from pipeline.arrange.arrangement import PlacedCamera, PlacedPane
from pipeline.arrange.panes import place_pane
from pipeline.spec.scene import GlassSpec

IDENTITY = tuple(float(v) for v in np.eye(4).ravel())


def glass(
    tilt_deg: float = 20.0,
    azimuth_deg: float = 0.0,
    thickness_m: float = 0.004,
    index: float = 1.5,
    distance_m: float | None = 0.2,
    share: float = 0.5,
) -> GlassSpec:
    return GlassSpec(
        "display_pane", thickness_m, index, np.deg2rad(tilt_deg), np.deg2rad(azimuth_deg), distance_m, share
    )


def wall(z: float, half: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """A square across the z axis."""
    vertices = np.array([[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]])
    return vertices, np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def camera_with_pane(
    tilt_deg: float,
    azimuth_deg: float = 0.0,
    thickness_m: float = 0.004,
    index: float = 1.5,
    distance_m: float = 0.2,
    width: int = 64,
    height: int = 48,
    focal_px: float = 120.0,
) -> tuple[PlacedCamera, PlacedPane]:
    """A camera at the origin that looks along z, and a pane before it."""
    camera = PlacedCamera(0, IDENTITY, focal_px, focal_px, width / 2, height / 2, width, height)
    spec = glass(tilt_deg, azimuth_deg, thickness_m, index, distance_m)
    return camera, place_pane(spec, camera, [wall(50.0, 100.0)])


def fresnel_by_angles(angle: np.ndarray, index: float) -> np.ndarray:
    """(2, ...) reflectance by the sine and the tangent law; *angle* above 0."""
    inner = np.arcsin(np.sin(angle) / index)
    return np.stack(
        [
            np.sin(angle - inner) ** 2 / np.sin(angle + inner) ** 2,
            np.tan(angle - inner) ** 2 / np.tan(angle + inner) ** 2,
        ]
    )


def slab_energies(angle: float, index: float, beams: int = 400) -> tuple[float, list[float]]:
    """(transmitted, [reflected by the front face, after one round trip, after two ...]) of unpolarised light.

    Each polarisation's energy is followed from face to face until nothing is left inside.
    """
    faces = [((index - 1) / (index + 1)) ** 2] * 2 if angle == 0.0 else fresnel_by_angles(np.array(angle), index)
    through, back = 0.0, np.zeros(beams)
    for face in faces:
        back[0] += face / 2
        inside = (1 - face) / 2
        for order in range(1, beams):
            through += inside * (1 - face)  # leaves by the back face
            inside *= face
            back[order] += inside * (1 - face)  # leaves by the front face
            inside *= face
    return through, back.tolist()
