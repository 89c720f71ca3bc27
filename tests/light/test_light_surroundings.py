"""Rooms and far environments as numbers: what they hold, how bright they are, that seeds vary and repeat them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh

from pipeline.bundle import world_texels
from pipeline.light.dice import Dice
from pipeline.light.far import picture_irradiance, texel_directions
from pipeline.light.surroundings import _ROOMS, build_surroundings, far_picture
from pipeline.spec.scene import SurroundingsSpec
from pipeline.tables import table

ROOMS = tuple(_ROOMS)
FAR = tuple(name for name, row in table("surroundings").items() if row["kind"] == "far")
WEIGHTS = np.array([0.2126, 0.7152, 0.0722])
REACH = (1.0, 0.8)
SHELL = {
    "floor",
    "wall",
    "ceiling",
    "beam",
    "cable_tray",
    "floor_marking",
    "crane",
    "lamp_housing",
    "cyclorama",
    "profile",
}
CHARACTER = {
    "workshop_room": {"person", "door", "window_frame", "lamp_housing", "floor_marking", "beam", "skyline"},
    "machine_hall": {"person", "crane", "robot", "fence", "machine", "window_frame", "lamp_housing"},
    "packing_area": {"person", "box", "window_frame", "lamp_housing", "floor_marking"},
    "metrology_laboratory": {"person", "door", "window_frame", "lamp_housing"},
    "inspection_cell": {"person", "profile", "lamp_housing"},
    "softlit_studio_room": {"person", "cyclorama", "flag", "tripod", "window_frame", "lamp_housing"},
}


def room_of(name, seed):
    return _ROOMS[name](("lamps", "windows"), Dice(seed, name))


def as_trimesh(things):
    return trimesh.util.concatenate([trimesh.Trimesh(t.vertices, t.triangles, process=False) for t in things])


def owner_seen(things, rays):
    """Index of the thing that each ray from the table's middle meets first."""
    mesh = as_trimesh(things)
    triangle = mesh.ray.intersects_first(np.zeros_like(rays), rays)
    assert (triangle >= 0).all()
    return np.repeat(np.arange(len(things)), [len(t.triangles) for t in things])[triangle]


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("seed", [0, 7])
def test_a_room_holds_what_makes_it_one_and_stays_light(name, seed):
    room = room_of(name, seed)
    labels = {piece.label for piece in room.pieces}
    assert labels >= CHARACTER[name] | {"floor", "wall", "ceiling"}
    assert len({lamp.light_id for lamp in room.lamps}) == len(room.lamps)
    assert {lamp.group for lamp in room.lamps} == {"lamps", "windows"}
    assert sum(len(thing.triangles) for thing in (*room.lamps, *room.pieces)) < 25_000
    assert len(room.pieces) < 150


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_stands_near_the_table_or_outside_the_shell(name, seed):
    room = room_of(name, seed)
    shell = np.concatenate([p.vertices for p in room.pieces if p.label in ("floor", "wall", "ceiling")])
    for thing in (*room.lamps, *room.pieces):
        if thing.label in SHELL if hasattr(thing, "label") else False:
            continue
        assert np.hypot(thing.vertices[:, 0], thing.vertices[:, 1]).min() >= room.clear_radius - 0.01 or (
            thing.vertices[:, 2].min() >= room.clear_height - 0.01
        )
        assert (thing.vertices >= shell.min(axis=0) - 0.3).all()
        assert (thing.vertices <= shell.max(axis=0) + 0.3).all()


@pytest.mark.parametrize("name", ROOMS)
def test_seeds_vary_a_room_and_repeat_it(name):
    one, again, other = room_of(name, 4), room_of(name, 4), room_of(name, 5)
    assert len(one.pieces) == len(again.pieces)
    for a, b in zip((*one.lamps, *one.pieces), (*again.lamps, *again.pieces), strict=True):
        assert a.vertices.tobytes() == b.vertices.tobytes()
        assert a.material == b.material
    walls = [{p.material.base_color for p in r.pieces if p.label == "wall"} for r in (one, other)]
    assert walls[0] != walls[1]
    sizes = [np.ptp(next(p for p in r.pieces if p.label == "floor").vertices, axis=0) for r in (one, other)]
    assert not np.allclose(sizes[0], sizes[1])


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_s_emitters_give_the_declared_illuminance_past_what_stands_in_the_way(name):
    around = build_surroundings(SurroundingsSpec(name, 0.9, 0.45, None, 11), REACH)
    rng = np.random.default_rng(3)
    u, v = rng.random((2, 400_000))
    rays = np.stack([np.sqrt(u) * np.cos(math.tau * v), np.sqrt(u) * np.sin(math.tau * v), np.sqrt(1 - u)], axis=1)
    things = (*around.lamps, *around.pieces)
    glow = [WEIGHTS @ lamp.material.radiance for lamp in around.lamps] + [0.0] * len(around.pieces)
    assert float(np.array(glow)[owner_seen(things, rays)].mean()) == pytest.approx(0.45, rel=0.03)


@pytest.mark.parametrize("name", ["workshop_room", "machine_hall", "packing_area"])
def test_safety_colours_cover_one_to_five_percent_of_what_the_table_sees(name):
    shares = []
    rays = texel_directions(64).reshape(-1, 3)
    weights = np.sqrt(1.0 - rays[:, 2] ** 2)
    for seed in range(3):
        room = room_of(name, seed)
        colors = np.array([(0, 0, 0)] * len(room.lamps) + [piece.material.base_color for piece in room.pieces])
        vivid = (colors.max(axis=1) > 0.35) & (colors.min(axis=1) < 0.2 * colors.max(axis=1))
        shares.append(weights[vivid[owner_seen((*room.lamps, *room.pieces), rays)]].sum() / weights.sum())
    assert 0.01 < np.mean(shares) < 0.05


@pytest.mark.parametrize("name", FAR)
def test_a_far_environment_is_labelled_throughout_and_its_lamps_are_what_glows(name):
    picture = far_picture(table("surroundings")[name], Dice(3, name))
    assert picture.radiance.shape == (512, 1024, 3)
    assert picture.radiance.dtype == np.float32
    assert np.isfinite(picture.radiance).all()
    assert picture.radiance.min() >= 0.0
    kinds = {entry.value: entry for entry in picture.names}
    assert set(np.unique(picture.labels)) <= set(kinds)
    assert all(entry.id.startswith("far:") for entry in picture.names)
    light = np.isin(picture.labels, [value for value, entry in kinds.items() if entry.kind == "light"])
    brightness = picture.radiance @ WEIGHTS
    assert np.median(brightness[light]) > 3 * np.median(brightness[~light])
    floor = [v for v, entry in kinds.items() if entry.label in ("floor", "ground")]
    assert np.isin(picture.labels[-40:], floor).mean() > 0.7


def test_far_environments_vary_by_seed_and_repeat():
    row = table("surroundings")["far_overcast"]
    one, again, other = (far_picture(row, Dice(seed, "x")) for seed in (1, 1, 2))
    assert one.radiance.tobytes() == again.radiance.tobytes()
    assert np.array_equal(one.labels, again.labels)
    assert (one.labels != other.labels).mean() > 0.02


def test_the_overcast_sky_is_three_times_as_bright_overhead_as_at_the_horizon():
    sums = np.zeros(512)
    for seed in range(4):
        sums += (far_picture(table("surroundings")["far_overcast"], Dice(seed, "sky")).radiance @ WEIGHTS).mean(axis=1)
    height = np.radians(90 - (np.arange(512) + 0.5) * 180 / 512)
    high, low = sums[:60].mean(), sums[160:185].mean()
    expected = (1 + 2 * np.sin(height[:60])).mean() / (1 + 2 * np.sin(height[160:185])).mean()
    assert high / low == pytest.approx(expected, rel=0.12)


def test_picture_irradiance_is_the_integral_over_the_upper_hemisphere():
    rng = np.random.default_rng(0)
    rows, columns = 32, 64
    picture = rng.random((rows, columns, 3)).astype(np.float32)
    u, v = rng.random((2, 400_000))
    rays = np.stack([np.sqrt(u) * np.cos(math.tau * v), np.sqrt(u) * np.sin(math.tau * v), np.sqrt(1 - u)], axis=1)
    seen = picture[world_texels(rays, (rows, columns), 0.0)] @ WEIGHTS
    assert picture_irradiance(picture) == pytest.approx(math.pi * seen.mean(), rel=0.005)
    assert picture_irradiance(np.ones((rows, columns, 3), np.float32)) == pytest.approx(math.pi, rel=1e-6)


@pytest.mark.parametrize("yaw", [0.0, 1.3, -2.0])
def test_directions_and_texels_are_inverse_under_any_turn(yaw):
    rows = 24
    still = texel_directions(rows).reshape(-1, 3)
    c, s = math.cos(yaw), math.sin(yaw)
    turned = still @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    row, column = world_texels(turned, (rows, 2 * rows), yaw)
    assert np.array_equal(row * 2 * rows + column, np.arange(2 * rows * rows))
