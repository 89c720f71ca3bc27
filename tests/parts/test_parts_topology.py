"""Welding, closedness, shells and fits on shapes made here."""

import math

import numpy as np
import pytest
import trimesh

from pipeline.parts.check import diameter_of
from pipeline.parts.fit import fit_surface
from pipeline.parts.surfaces import Surface, distance, moved, normal
from pipeline.parts.topology import closed_runs, count_open_edges, volume, weld


def soup(mesh):
    """Vertices of a mesh with every triangle on its own, and the triangles."""
    return np.asarray(mesh.triangles.reshape(-1, 3)), np.arange(3 * len(mesh.faces)).reshape(-1, 3)


def test_welded_soup_is_closed_and_one_triangle_less_is_not():
    vertices, triangles = soup(trimesh.creation.box((1, 2, 3)))
    group = weld(vertices)
    assert len(np.unique(group)) == 8
    assert count_open_edges(group[triangles]) == 0
    assert count_open_edges(group[triangles[1:]]) == 3
    assert count_open_edges(group[np.vstack([triangles[:1, ::-1], triangles[1:]])]) == 3


def test_weld_by_distance_joins_what_rounding_parted():
    vertices, triangles = soup(trimesh.creation.icosphere(subdivisions=2))
    vertices = vertices + np.random.default_rng(0).normal(0, 1e-8, vertices.shape)
    assert count_open_edges(weld(vertices)[triangles]) > 0
    assert count_open_edges(weld(vertices, 1e-6)[triangles]) == 0


def test_shells_that_touch_along_a_whole_face_are_kept_apart():
    one, two = trimesh.creation.box((1, 1, 1)), trimesh.creation.box((1, 1, 1))
    two.apply_translation((1, 0, 0))
    vertices = np.vstack([one.vertices, two.vertices])
    triangles = np.vstack([one.faces, two.faces + 8])
    faces = np.concatenate([np.unique(np.round(m.face_normals), axis=0, return_inverse=True)[1].reshape(-1) + 6 * i
                            for i, m in enumerate((one, two))]).astype(np.int32)  # fmt: skip
    assert closed_runs(weld(vertices)[triangles], faces).tolist() == [0] * 6 + [1] * 6


def test_volume_does_not_hang_on_the_origin():
    mesh = trimesh.creation.icosphere(subdivisions=3)
    far = mesh.vertices + 1e4
    assert volume(far, mesh.faces.astype(np.int32)) == pytest.approx(mesh.volume, rel=1e-8)


AXIS = tuple((np.array((1.0, 2.0, -0.5)) / math.sqrt(5.25)).tolist())
SURFACES = [
    Surface("plane", (0.1, 0.2, 0.3), AXIS),
    Surface("cylinder", (0.1, 0.2, 0.3), AXIS, 0.7),
    Surface("cone", (0.1, 0.2, 0.3), AXIS, half_angle=0.4),
    Surface("sphere", (0.1, 0.2, 0.3), (0.0, 0.0, 1.0), 0.7),
    Surface("torus", (0.1, 0.2, 0.3), AXIS, 0.7, 0.2),
]


def points_on(surface, count=300):
    """Random points pulled onto the surface along its normals."""
    points = np.random.default_rng(3).uniform(-1, 1, (count, 3))
    if surface.kind == "cone":
        above = (points - surface.origin) @ np.array(surface.axis) > 0.2
        points = points[above]
    for _ in range(60):
        points = points - distance(surface, points)[:, None] * normal(surface, points)
    return points


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.kind)
def test_normal_is_the_gradient_of_the_distance(surface):
    points = points_on(surface)
    assert np.abs(distance(surface, points)).max() < 1e-9
    step = 1e-6
    gradient = np.stack(
        [(distance(surface, points + step * e) - distance(surface, points - step * e)) / (2 * step) for e in np.eye(3)],
        axis=1,
    )
    assert np.abs(gradient - normal(surface, points)).max() < 1e-6


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.kind)
def test_moved_surface_holds_the_moved_points(surface):
    matrix = trimesh.transformations.rotation_matrix(1.1, (1, -2, 3), (0.3, 0, 1))
    matrix[:3, :3] *= 1.7
    points = trimesh.transform_points(points_on(surface), matrix)
    assert np.abs(distance(moved(surface, matrix), points)).max() < 1e-8


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("surface", SURFACES[:4], ids=lambda s: s.kind)
def test_fit_finds_the_surface_again(surface, sign):
    points = points_on(surface)
    found = fit_surface(points, sign * normal(surface, points), 1e-7, 1e-5)
    assert found is not None
    assert found.kind == surface.kind
    assert np.abs(distance(found, points)).max() < 1e-8
    assert found.radius == pytest.approx(surface.radius, abs=1e-7)
    assert found.half_angle == pytest.approx(surface.half_angle, abs=1e-7)


def test_fit_refuses_a_torus_and_a_dented_plane():
    torus = SURFACES[4]
    assert fit_surface(points_on(torus), normal(torus, points_on(torus)), 1e-5, 1e-3) is None
    plane = points_on(SURFACES[0])
    plane[5] += 1e-3 * np.array(AXIS)
    assert fit_surface(plane, np.tile(AXIS, (len(plane), 1)), 1e-5, 1e-3) is None


def test_diameter_of_few_and_of_many_points():
    points = np.random.default_rng(5).normal(size=(400, 3)) * (1, 2, 3)
    brute = np.linalg.norm(points[:, None] - points[None], axis=2).max()
    assert diameter_of(points) == pytest.approx(brute, rel=1e-12)
    ball = trimesh.creation.icosphere(subdivisions=6).vertices * (1, 1, 1.001)
    assert diameter_of(np.asarray(ball)) == pytest.approx(2.002, rel=1e-5)
