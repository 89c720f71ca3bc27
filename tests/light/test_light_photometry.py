"""Form factors against closed forms and Monte-Carlo integration; shapes against their volumes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.light.photometry import form_factor
from pipeline.light.shapes import barrel, beam, box, facing_away, merged, rectangle, revolved, standing_box, tapered_box

UP = (0.0, 0.0, 1.0)
ORIGIN = (0.0, 0.0, 0.0)


def sampled_irradiance(vertices, triangles, samples=400_000, seed=3):
    """Irradiance of an upward receiver at the origin by sampling points on the triangles' areas."""
    rng = np.random.default_rng(seed)
    corners = vertices[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(cross, axis=1)
    chosen = rng.choice(len(corners), size=samples, p=doubled / doubled.sum())
    u, v = rng.random((2, samples))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    a, b, c = corners[chosen, 0], corners[chosen, 1], corners[chosen, 2]
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    squared = (points**2).sum(axis=1)
    receiver = np.clip(points[:, 2], 0, None) / np.sqrt(squared)
    emitter = np.clip(-(points * (cross / doubled[:, None])[chosen]).sum(axis=1), 0, None) / np.sqrt(squared)
    return 0.5 * doubled.sum() * float((receiver * emitter / squared).mean())


def disc(radius, height, segments=720):
    """A disc that looks down."""
    return revolved([(radius, height), (0.0, height)], segments)


def test_disc_above_the_receiver_has_the_textbook_form_factor():
    mesh = disc(0.7, 1.3)
    expected = math.pi * 0.7**2 / (0.7**2 + 1.3**2)
    assert form_factor(mesh.vertices, mesh.triangles, ORIGIN, UP) == pytest.approx(expected, rel=1e-4)


def test_closed_dome_gives_pi_and_nothing_more():
    angles = np.linspace(0.0, math.pi / 2, 40)
    mesh = revolved(np.stack([np.cos(angles), np.sin(angles)], axis=1), 80)
    assert form_factor(mesh.vertices, mesh.triangles, ORIGIN, UP) == pytest.approx(math.pi, rel=1e-9)


def test_walls_that_cross_the_horizon_agree_with_sampling():
    walls = merged([rectangle((2, 0.3, 0.4), (-1, 0, 0), 3, 2.6), rectangle((-0.4, 1.5, 0.2), (0.2, -1, 0.3), 1, 2)])
    exact = form_factor(walls.vertices, walls.triangles, ORIGIN, UP)
    assert exact == pytest.approx(sampled_irradiance(walls.vertices, walls.triangles), rel=0.01)


def test_a_lamp_shines_to_its_front_only():
    mesh = disc(0.5, 1.0)
    back = facing_away(mesh)
    assert form_factor(mesh.vertices, mesh.triangles, ORIGIN, UP) > 0.1
    assert form_factor(back.vertices, back.triangles, ORIGIN, UP) == 0.0


def volume(mesh):
    a, b, c = np.moveaxis(mesh.vertices[mesh.triangles], 1, 0)
    return float((a * np.cross(b, c)).sum() / 6.0)


def test_solids_are_closed_and_face_outwards():
    r1, r2 = 0.4 * 0.3, 0.2 * 0.1
    frustum = 0.5 / 3 * (r1 + r2 + (0.4 * 0.1 + 0.2 * 0.3) / 2)  # prismatoid of two rectangles
    assert volume(box((0, 1, 2), (1, 3, 5))) == pytest.approx(6.0)
    assert volume(standing_box(3, -2, (1, 2, 3), base=-0.9, turn=0.7)) == pytest.approx(6.0)
    assert volume(beam((1, 2, 3), (1, 4, 3), 0.5)) == pytest.approx(0.5)
    assert volume(tapered_box((1, 1, 1), (0.3, -1, 0.2), (0.4, 0.3), (0.2, 0.1), depth=0.5)) == pytest.approx(frustum)
    assert volume(barrel((1, 0, 0), (1, 2, 1), 0.3, 400)) == pytest.approx(math.pi * 0.09 * math.sqrt(5), rel=1e-3)


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 0, -1), (1, 2, 3), (-1, 0, 0.2)])
def test_rectangles_face_their_normal(normal):
    mesh = rectangle((0, 0, 0), normal, 2, 1)
    a, b, c = mesh.vertices[mesh.triangles[0]]
    facing = np.cross(b - a, c - a)
    assert facing @ normal / np.linalg.norm(normal) == pytest.approx(2.0)
