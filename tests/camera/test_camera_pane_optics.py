"""Panes: Fresnel against the textbook's angles, energy against counted beams, the double image against traced rays."""

from __future__ import annotations

import numpy as np
import pytest
from support.panes import camera_with_pane, fresnel_by_angles, slab_energies

from pipeline.pane_optics import (
    GHOSTS,
    displacement,
    fresnel,
    ghost_map,
    pane_geometry,
    reflectances,
    reflected,
    transmittance,
    transmitted,
)

ANGLES_DEG = np.array([1.0, 15.0, 30.0, 45.0, 56.3, 60.0, 70.0, 80.0])


@pytest.mark.parametrize("index", [1.333, 1.5, 1.585])
def test_one_face_follows_the_sine_and_tangent_laws(index):
    angles = np.deg2rad(ANGLES_DEG)
    assert fresnel(np.cos(angles), index) == pytest.approx(fresnel_by_angles(angles, index), rel=1e-9, abs=1e-12)


def test_one_face_at_the_angles_that_books_print():
    mean = fresnel(np.cos(np.deg2rad([0.0, 45.0, 60.0, 70.0, 80.0])), 1.5).mean(axis=0)
    assert mean == pytest.approx([0.040, 0.050, 0.089, 0.171, 0.388], abs=6e-4)
    assert fresnel(np.cos(np.arctan(1.5)), 1.5)[1] == pytest.approx(0.0, abs=1e-15)  # Brewster's angle


@pytest.mark.parametrize("angle_deg", [0.0, 20.0, 45.0, 60.0, 75.0, 84.0])
def test_the_whole_pane_has_the_energies_of_all_its_beams(angle_deg):
    through, back = slab_energies(np.deg2rad(angle_deg), 1.52)
    cosine = np.array([np.cos(np.deg2rad(angle_deg))])
    assert transmittance(cosine, 1.52)[0] == pytest.approx(through, rel=1e-9)
    shares = reflectances(cosine, 1.52)[:, 0]
    assert shares.sum() == pytest.approx(sum(back), rel=1e-9)
    assert shares[:GHOSTS] == pytest.approx(back[:GHOSTS], rel=1e-9)
    assert shares.sum() + transmittance(cosine, 1.52)[0] == pytest.approx(1.0, abs=1e-12)


def test_air_reflects_nothing():
    assert reflectances(np.array([0.5, 1.0]), 1.0) == pytest.approx(0.0, abs=1e-15)
    assert transmittance(np.array([0.5, 1.0]), 1.0) == pytest.approx(1.0)


def refracted(direction: np.ndarray, normal: np.ndarray, ratio: float) -> np.ndarray:
    """Snell's law for unit vectors; *normal* against *direction*, *ratio* of the indices before and behind."""
    cosine = -(direction @ normal)
    return ratio * direction + (ratio * cosine - np.sqrt(1.0 - ratio**2 * (1.0 - cosine**2))) * normal


@pytest.mark.parametrize(("tilt_deg", "azimuth_deg"), [(0.0, 0.0), (20.0, 0.0), (45.0, 30.0), (35.0, -120.0)])
def test_a_ghost_shows_what_a_traced_ray_meets(tilt_deg, azimuth_deg):
    """A ray is refracted into the pane, mirrored at its back and refracted out, and meets a wall on the camera's side.
    The front face shows that point of the wall in the pixel that the map names."""
    camera, pane = camera_with_pane(tilt_deg, azimuth_deg, thickness_m=0.01, index=1.52, distance_m=0.2)
    geometry = pane_geometry(camera, pane)
    normal = geometry.normal
    mirror = np.eye(3) - 2.0 * np.outer(normal, normal)
    met = geometry.rays * geometry.to_pane[..., None]
    away = geometry.rays @ mirror
    wall_normal, wall_at = away[24, 32] + (0.1, -0.2, 0.1), met[24, 32] + 0.8 * away[24, 32]
    distance = ((wall_at - met) @ wall_normal) / (away @ wall_normal)
    x, y = ghost_map(geometry, distance)
    for row, column in ((5, 7), (24, 32), (40, 60)):
        inside = refracted(geometry.rays[row, column], normal, 1.0 / 1.52)
        entry = met[row, column]
        leaves = entry + 2.0 * 0.01 / -(inside @ normal) * (inside - (inside @ normal) * normal)
        outgoing = away[row, column]
        point = leaves + outgoing * ((wall_at - leaves) @ wall_normal) / (outgoing @ wall_normal)
        centre = geometry.to_pane[row, column] * geometry.rays[row, column]
        virtual = centre + mirror @ (point - centre)  # the wall's point behind the pane, where the front face shows it
        expected = camera.fx * virtual[:2] / virtual[2] + (camera.cx, camera.cy)
        assert (x[row, column], y[row, column]) == pytest.approx(tuple(expected), abs=0.02)


@pytest.mark.parametrize("tilt_deg", [10.0, 30.0, 45.0, 60.0])
def test_the_shift_in_the_middle_of_the_picture_is_the_formula(tilt_deg):
    camera, pane = camera_with_pane(tilt_deg, 0.0, thickness_m=0.004, index=1.5, distance_m=0.3, width=65, height=49)
    geometry = pane_geometry(camera, pane)
    x, y = ghost_map(geometry, np.full((49, 65), 1.7))
    theta = np.deg2rad(tilt_deg)
    inner = np.arcsin(np.sin(theta) / 1.5)
    expected = camera.fx * 2 * 0.004 * np.tan(inner) * np.cos(theta) / (0.3 + 1.7)
    assert np.hypot(x[24, 32] - 32.5, y[24, 32] - 24.5) == pytest.approx(expected, rel=0.005)
    length = np.linalg.norm(np.cross(displacement(geometry)[24, 32], geometry.rays[24, 32]))
    assert length == pytest.approx(2 * 0.004 * np.tan(inner) * np.cos(theta), rel=1e-9)


def test_far_things_have_no_double_image():
    camera, pane = camera_with_pane(45.0, 0.0, thickness_m=0.01, index=1.5, distance_m=0.2)
    geometry = pane_geometry(camera, pane)
    picture = np.random.default_rng(1).random((48, 64, 3), dtype=np.float32)
    share = 1.0 - transmittance(geometry.cosine, 1.5)
    seen = reflected(picture, geometry, np.zeros((48, 64)))
    assert seen == pytest.approx(picture * share[..., None], rel=1e-4, abs=1e-5)


def test_a_bright_spot_has_two_images_with_the_energies_of_the_faces():
    camera, pane = camera_with_pane(40.0, 0.0, thickness_m=0.02, index=1.5, distance_m=0.2)
    geometry = pane_geometry(camera, pane)
    picture = np.zeros((48, 64, 3), np.float32)
    picture[24, 30] = 1.0
    seen = reflected(picture, geometry, np.full((48, 64), 0.4))[..., 0]
    shares = reflectances(geometry.cosine[24:25, 30], 1.5)[:, 0]
    assert seen[24, 30] == pytest.approx(shares[0], rel=1e-3)
    ghost = seen.copy()
    ghost[24, 30] = 0.0
    columns = np.arange(64)
    where = float((ghost.sum(axis=0) * columns).sum() / ghost.sum())
    assert ghost.sum() == pytest.approx(shares[1:].sum(), rel=0.05)  # the ghost is 3 % smaller
    x, _ = ghost_map(geometry, np.full((48, 64), 0.4))
    # The ghost lies where its own pixels look up the spot: at p with p + shift(p) = spot.
    expected = float(np.interp(30.5, x[24], columns + 0.5)) - 0.5
    assert where == pytest.approx(expected, abs=0.1)
    assert abs(expected - 30) > 1.0


def test_what_passes_keeps_its_place():
    camera, pane = camera_with_pane(30.0, 0.0)
    geometry = pane_geometry(camera, pane)
    picture = np.random.default_rng(2).random((48, 64, 3), dtype=np.float32)
    share = transmittance(geometry.cosine, pane.refractive_index)
    assert transmitted(picture, geometry) == pytest.approx(picture * share[..., None], rel=1e-6)
    assert transmitted(picture[..., 0], geometry) == pytest.approx(picture[..., 0] * share, rel=1e-6)


def test_a_pane_beside_the_rays_is_refused():
    camera, pane = camera_with_pane(0.0, 0.0, distance_m=0.2)
    turned = np.array(pane.world_from_pane).reshape(4, 4)
    turned[:3, 3] *= -1.0
    behind = type(pane)(**{**pane.__dict__, "world_from_pane": tuple(turned.ravel())})
    with pytest.raises(ValueError, match="expected a pane before camera 0"):
        pane_geometry(camera, behind)
