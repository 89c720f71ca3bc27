"""Where a depth sensor fails, against closed forms: mirror directions, shadows of a ball, stretched patterns."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from support import synthetic_bundle as made

from pipeline.reflect.depth_sensor import CAUSES, FAILURE, Reading, Surfaces, _brdf, depth_failure
from pipeline.reflect.line_of_sight import Occluders, visible_mesh

CAMERA = made.camera(320, 240, 400.0)
READING = Reading(1.0, -6.0)
BALL, RADIUS = np.array([0.02, 0.0, 0.8]), 0.06
RIGHT = np.array([0.1, 0.0, 0.0], np.float32)


def rays():
    """(h, w, 3) directions with z = 1 through the pixel centres."""
    x = (np.arange(CAMERA.width) + 0.5 - CAMERA.cx) / CAMERA.fx
    y = (np.arange(CAMERA.height) + 0.5 - CAMERA.cy) / CAMERA.fy
    return np.stack([*np.meshgrid(x, y), np.ones((CAMERA.height, CAMERA.width))], axis=-1)


def surfaces(depth, normal=(0.0, 0.0, -1.0), **changes):
    """Surfaces at *depth* (h, w) along the axis; matt white unless *changes* say so."""
    rows, columns = np.nonzero(depth > 0)
    count = rows.size
    given = Surfaces(
        camera=CAMERA,
        rows=rows,
        columns=columns,
        point=np.float32((rays() * depth[..., None])[rows, columns]),
        normal=np.float32(np.broadcast_to(normal, (count, 3))),
        diffuse=np.ones(count, np.float32),
        glossy=np.zeros(count, np.float32),
        alpha=np.full(count, 0.3, np.float32),
        mirrored_m=np.zeros(count, np.float32),
    )
    return replace(given, **{name: np.full(count, value, np.float32) for name, value in changes.items()})


def picture(given, values):
    layer = np.zeros((CAMERA.height, CAMERA.width))
    layer[given.rows, given.columns] = values
    return layer


PLANE = np.ones((CAMERA.height, CAMERA.width))


def failure(given, place=RIGHT, hidden=None):
    return depth_failure(given, place, np.zeros(given.rows.size, bool) if hidden is None else hidden, READING)


def test_a_white_matt_plane_is_read_everywhere():
    priors = failure(surfaces(PLANE))
    assert set(priors) == {*CAUSES, FAILURE}
    assert all(values.max() < 0.1 for values in priors.values())


def test_polished_metal_saturates_where_it_mirrors_the_projector_and_is_dark_elsewhere():
    given = surfaces(PLANE, diffuse=0.0, glossy=0.6, alpha=0.004)
    priors = failure(given)
    bright = picture(given, priors["saturation"]) == 1.0
    assert 4 < bright.sum() < 0.05 * bright.size
    centre = np.argwhere(bright).mean(axis=0) + 0.5
    # A plane at 1 m mirrors the projector halfway between it and the camera.
    assert centre == pytest.approx([CAMERA.cy, CAMERA.cx + 0.05 * CAMERA.fx], abs=0.5)
    away = np.hypot(given.columns - CAMERA.cx - 0.05 * CAMERA.fx, given.rows - CAMERA.cy) > 0.32 * CAMERA.fx
    assert priors["dark"][away].min() == 1.0
    assert (priors["dark"][bright.ravel()] == 0.0).all()


def test_a_rough_lobe_returns_what_it_gets():
    """Seen from above, GGX facets steeper than 45 degrees, a share of a^2 / (1 + a^2), throw light down; masking takes
    a little of the rest (a white furnace)."""
    cos, turn = np.meshgrid((np.arange(8000) + 0.5) / 8000, (np.arange(8) + 0.5) / 8 * 2 * np.pi)
    sin = np.sqrt(1 - cos**2)
    light = np.stack([sin * np.cos(turn), sin * np.sin(turn), -cos], axis=-1).reshape(-1, 3)
    count = len(light)
    base = surfaces(PLANE)
    for alpha, masked in ((0.1, 0.005), (0.3, 0.06), (0.6, 0.15)):
        lobe = replace(
            base,
            normal=np.tile([0.0, 0.0, -1.0], (count, 1)),
            diffuse=np.zeros(count),
            glossy=np.ones(count),
            alpha=np.full(count, alpha),
        )
        view = np.tile([0.0, 0.0, -1.0], (count, 1))
        value = _brdf(lobe, light, view, -light[:, 2], np.ones(count))
        returned, most = float((value * -light[:, 2]).mean() * 2 * math.pi), 1 / (1 + alpha**2)
        assert most - masked < returned < most
    matt = replace(lobe, diffuse=np.ones(count), glossy=np.zeros(count))
    assert _brdf(matt, light, view, -light[:, 2], np.ones(count)) == pytest.approx(1 / math.pi)


@pytest.mark.parametrize(("degrees", "expected"), [(45, 0.0), (60, 0.0), (75.52, 0.5), (84, 1.0)])
def test_a_pattern_stretched_at_a_slant(degrees, expected):
    """A plane through the axis, tilted towards the camera: stretched twice at 60 degrees, four times at 75.5."""
    tilt = math.radians(degrees)
    given = surfaces(PLANE, normal=(0.0, math.sin(tilt), -math.cos(tilt)))
    middle = (np.abs(given.columns + 0.5 - CAMERA.cx) < 1) & (np.abs(given.rows + 0.5 - CAMERA.cy) < 1)
    found = failure(given, np.array([0.0, 0.0, 0.0], np.float32))["grazing"][middle]
    assert found == pytest.approx(expected, abs=0.04)


def ball_over_plane():
    """Depth (h, w) of the ball before the plane z = 1, and whether the ball is seen."""
    ray = rays()
    a, b, c = (ray**2).sum(-1), ray @ BALL, BALL @ BALL - RADIUS**2
    root = b**2 - a * c
    near = (b - np.sqrt(np.maximum(root, 0.0))) / a
    return np.where(root > 0, near, 1.0), root > 0


def analytic_shadow(points, place):
    """Whether the ball stands between (n, 3) points and the place."""
    way = place - points
    share = np.clip(((BALL - points) * way).sum(1) / (way**2).sum(1), 0, 1)
    return np.linalg.norm(points + share[:, None] * way - BALL, axis=1) < RADIUS


@pytest.mark.parametrize(("as_part", "least"), [(True, 0.98), (False, 0.7)])
def test_the_shadow_of_a_ball(as_part, least):
    """Exact with the ball's mesh; from its visible half alone the far border is a little small."""
    depth, on_ball = ball_over_plane()
    objects = np.where(on_ball, 1 if as_part else 1002, 1001).astype(np.uint16)
    mesh = trimesh.creation.icosphere(5, RADIUS)
    parts = [(mesh.vertices + BALL, np.asarray(mesh.faces, np.int32))] if as_part else []
    visible = visible_mesh(CAMERA, np.float32(depth), objects, on_ball & as_part)
    given = surfaces(depth)
    on_plane = ~on_ball[given.rows, given.columns]
    points = given.point[on_plane] + np.float32([0, 0, -0.005])
    for place in (RIGHT, np.array([-0.05, 0.2, 0.1], np.float32)):
        found, expected = Occluders([*parts, visible]).hidden(points, place), analytic_shadow(points, place)
        assert expected.sum() > 50
        assert (found & expected).sum() / (found | expected).sum() > least


def test_what_stands_behind_the_projector_hides_nothing():
    wall = np.array([[-1.0, -1, 0.3], [1, -1, 0.3], [0, 1, 0.3]]), np.array([[0, 1, 2]], np.int32)
    point = np.array([[0.0, 0.0, 1.0]], np.float32)
    assert not Occluders([wall]).hidden(point, np.array([0.0, 0.0, 0.5]))[0]
    assert Occluders([wall]).hidden(point, np.array([0.0, 0.0, 0.1]))[0]
    assert not Occluders([]).hidden(point, np.array([0.0, 0.0, 0.1]))[0]


def test_no_curtain_hangs_before_a_gap():
    """Between a near and a far part of one object nothing is seen, so nothing is there."""
    depth = np.where(np.arange(CAMERA.width) < CAMERA.width // 2, 0.5, 1.0) * PLANE
    vertices, triangles = visible_mesh(CAMERA, np.float32(depth), np.ones_like(depth, np.uint16), depth < 0)
    z = vertices[triangles][..., 2]
    assert len(triangles) > 1000
    assert (z.min(axis=1) == z.max(axis=1)).all()


def test_what_cannot_be_seen_is_in_shadow_and_nothing_else():
    given = surfaces(PLANE, diffuse=0.0, glossy=0.6, alpha=0.02)
    hidden = given.columns < 40
    priors = failure(given, hidden=hidden)
    assert np.array_equal(priors["shadow"] == 1.0, hidden)
    assert priors["dark"][hidden].max() == 0.0
    assert priors[FAILURE][hidden].min() == 1.0
    behind = failure(surfaces(PLANE), np.array([0.0, 0.0, 1.5], np.float32))
    assert behind["shadow"].min() == 1.0


def test_a_mirror_shows_the_pattern_on_the_wall_beside_it():
    """A second path as bright as the direct return is even odds; without anything mirrored there is none."""
    given = surfaces(PLANE, diffuse=0.3, glossy=0.6, alpha=0.5, mirrored_m=0.0)
    assert failure(given)["second_path"].max() == 0.0
    # Straight back from the plane to a point nobody sees, twice as far away from the projector as the plane is.
    one = (np.abs(given.columns + 0.5 - CAMERA.cx) < 1) & (np.abs(given.rows + 0.5 - CAMERA.cy) < 1)
    mirrored = np.where(one, 0.5, 0.0).astype(np.float32)
    place = np.array([0.0, 0.0, 0.0], np.float32)
    priors = failure(replace(given, glossy=np.full(one.size, 0.5, np.float32), mirrored_m=mirrored), place)
    lobe = 0.5 * math.pi * (1 / (math.pi * 0.25)) * 0.25  # GGX at its peak, seen from where it is lit
    middle = float(np.median(np.linalg.norm(given.point, axis=1)))
    second, direct = 0.5 * 0.15 * (middle / 0.5) ** 2, (0.3 + lobe) * middle**2
    assert priors["second_path"][one] == pytest.approx(second / (second + direct), rel=0.02)
    assert priors["second_path"][~one].max() == 0.0


def test_a_mirrored_pixel_returns_what_it_returns_itself():
    """A black thing that the camera sees gives no second path, a white one does."""
    depth, on_ball = ball_over_plane()
    given = surfaces(depth)
    plane = ~on_ball[given.rows, given.columns]
    ball = np.argmin(np.linalg.norm(given.point - (BALL - [0, 0, RADIUS]), axis=1))
    target = given.point[ball]
    pixel = np.flatnonzero(plane)[1000]
    way = target - given.point[pixel]
    half = way / np.linalg.norm(way) - given.point[pixel] / np.linalg.norm(given.point[pixel])
    normal = given.normal.copy()
    normal[pixel] = half / np.linalg.norm(half)
    mirrored = np.zeros(plane.size, np.float32)
    mirrored[pixel] = np.linalg.norm(way)
    place = np.array([0.0, -0.02, 0.0], np.float32)
    for white, expected in ((1.0, True), (0.0, False)):
        diffuse = np.where(plane, 0.2, white).astype(np.float32)
        glossy = np.where(np.arange(plane.size) == pixel, 0.7, 0.0).astype(np.float32)
        seen = replace(given, normal=normal, mirrored_m=mirrored, diffuse=diffuse, glossy=glossy)
        assert (failure(seen, place)["second_path"][pixel] > 0.1) == expected


def test_causes_combine_as_if_independent():
    given = surfaces(PLANE, diffuse=0.0, glossy=0.6, alpha=0.1, mirrored_m=0.4)
    priors = failure(given)
    sound = np.prod([1 - priors[cause] for cause in CAUSES], axis=0)
    assert priors[FAILURE] == pytest.approx(1 - sound, abs=1e-6)
    assert all(values.min() >= 0 and values.max() <= 1 for values in priors.values())


def test_a_view_of_nothing():
    priors = failure(surfaces(np.zeros_like(PLANE)))
    assert all(values.shape == (0,) for values in priors.values())
