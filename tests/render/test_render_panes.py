"""Rendered panes: energies against Fresnel, the mirror against mirrored geometry, double images against real glass."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import pane_scenes as ps
from support import render_scenes as rs
from support.panes import camera_with_pane, fresnel_by_angles, glass, wall

from pipeline.arrange.arrangement import matrix
from pipeline.arrange.panes import place_pane
from pipeline.bundle import read_exr, view_folder
from pipeline.layers import read_parts
from pipeline.pane_optics import pane_geometry, reflected
from pipeline.view_light import read_view_light

pytestmark = pytest.mark.bpy

ANGLES_DEG = (0.0, 30.0, 45.0, 60.0)
PANE_FILES = ("mirror", "mirror_reflection", "context")
SLAB = Path(__file__).parents[1] / "support" / "slab_render.py"
BEHIND, BEFORE = (0.8, 0.5, 0.2), (2.0, 3.0, 7.0)


def square(centre, normal, half: float) -> ps.Corners:
    """A square that faces along *normal*."""
    normal = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    u = np.cross(normal, (0.3, 1.0, 0.2))
    u *= half / np.linalg.norm(u)
    return rs.quad(list(centre), list(u), list(np.cross(normal, u)))


def group(path: Path, name: str) -> np.ndarray:
    return read_parts(path)[f"group.{name}"]


@pytest.fixture(scope="module")
def even(tmp_path_factory):
    """An even wall of light behind panes at several angles, a box of other light all around the camera."""
    shots = [camera_with_pane(angle, 20.0, width=24, height=16, focal_px=90.0, distance_m=0.1) for angle in ANGLES_DEG]
    lamps = [
        ps.Lamp("behind", BEHIND, square((0.0, 0.0, 0.4), (0.0, 0.0, -1.0), 0.12)),
        ps.Lamp("before", BEFORE, ps.inward_box(5.0)),
    ]
    return ps.Room(lamps, shots).render(tmp_path_factory.mktemp("even"))


@pytest.mark.parametrize("number", range(len(ANGLES_DEG)))
def test_the_energies_of_m_t_and_r_are_those_of_fresnel(even, number):
    folder, bundle = even
    view = bundle.views[number]
    light = read_view_light(folder, view)
    columns = (np.arange(24) + 0.5 - 12.0) / 90.0
    rows = (np.arange(16) + 0.5 - 8.0) / 90.0
    rays = np.stack([*np.meshgrid(columns, rows), np.ones((16, 24))], axis=-1)
    normal = matrix(view.pane.world_from_pane)[:3, 2]
    angle = np.arccos(-(rays @ normal) / np.linalg.norm(rays, axis=-1))
    face = fresnel_by_angles(angle, view.pane.refractive_index)
    through, back = ((1 - face) / (1 + face)).mean(axis=0), (2 * face / (1 + face)).mean(axis=0)
    t = sum(light.groups.values())
    r = sum(light.pane.mirrored.values())
    expected_t, expected_r = through[..., None] * np.array(BEHIND), back[..., None] * np.array(BEFORE)
    assert t == pytest.approx(expected_t, rel=0.01)
    assert r == pytest.approx(expected_r, rel=0.01)
    assert (t + r).mean() == pytest.approx((expected_t + expected_r).mean(), rel=0.001)
    assert light.pane.mirrored["behind"].max() == 0.0
    assert back.mean() > (0.07 if number < 3 else 0.12)


def test_the_context_view_is_free_of_glass(even):
    folder, _ = even
    for number in range(len(ANGLES_DEG)):
        context = group(view_folder(folder, number) / "context.exr", "before")
        assert context == pytest.approx(np.broadcast_to(BEFORE, context.shape), rel=1e-4)


def tiled_room() -> tuple[list[ps.Lamp], list[ps.Thing]]:
    """Coloured tiles and grey plates at several depths behind the camera, nothing symmetrical."""
    lamps = [
        ps.Lamp("red", (6.0, 0.5, 0.2), square((0.25, 0.1, -0.5), (-0.2, 0.0, 1.0), 0.09)),
        ps.Lamp("red", (1.0, 2.0, 0.3), square((-0.3, 0.25, -0.9), (0.1, -0.1, 1.0), 0.14)),
        ps.Lamp("blue", (0.2, 0.6, 4.0), square((0.08, -0.06, -0.4), (0.0, 0.4, 1.0), 0.07)),
    ]
    things = [
        ps.Thing(square((0.0, 0.0, -1.5), (0.0, 0.0, 1.0), 1.5)),
        ps.Thing(square((0.1, 0.35, -0.6), (0.0, -0.5, 1.0), 0.1)),
    ]
    return lamps, things


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    """The mirror view of a pane, and an ordinary view of the same room mirrored about the pane by hand."""
    camera, _ = camera_with_pane(0.0, width=96, height=64, focal_px=70.0)
    pane = place_pane(glass(12.0, 30.0), camera, [wall(50.0, 100.0)])
    lamps, things = tiled_room()
    here = ps.Room(lamps, [(camera, pane), (camera, None)], things, samples=128)
    placed, normal = matrix(pane.world_from_pane)[:3, 3], matrix(pane.world_from_pane)[:3, 2]
    there = ps.Room(
        [replace(lamp, mesh=ps.mirrored(lamp.mesh, placed, normal)) for lamp in lamps],
        [(camera, None), (replace(pane.context, camera_index=0), None)],
        [replace(thing, mesh=ps.mirrored(thing.mesh, placed, normal)) for thing in things],
        samples=128,
    )
    plain = ps.Room(lamps, [(pane.context, None)], things, samples=128)
    base = tmp_path_factory.mktemp("rooms")
    return {name: room.render(base / name) for name, room in (("here", here), ("there", there), ("plain", plain))} | {
        "pane": pane,
        "camera": camera,
    }


def _close(a: np.ndarray, b: np.ndarray, share: float = 0.98) -> None:
    """Equal but for the noise of indirect light and the sampling of edges."""
    scale = np.maximum(np.abs(b), 0.05 * b.mean())
    smooth = cv2.blur(np.abs(a - b) / scale, (3, 3))
    assert a.mean() == pytest.approx(b.mean(), rel=0.005)
    assert (smooth.max(axis=-1) < 0.1).mean() > share


@pytest.mark.parametrize("name", ["red", "blue"])
def test_the_mirror_shows_what_an_ordinary_view_of_the_mirrored_room_shows(rooms, name):
    seen = group(view_folder(rooms["here"][0], 0) / "mirror.exr", name)
    expected = group(view_folder(rooms["there"][0], 0) / "light.exr", name)
    assert expected.std() > 0.1
    _close(seen, expected)


@pytest.mark.parametrize("name", ["red", "blue"])
def test_the_context_view_is_an_ordinary_view_from_there(rooms, name):
    seen = group(view_folder(rooms["here"][0], 0) / "context.exr", name)
    assert np.array_equal(seen, group(view_folder(rooms["plain"][0], 0) / "light.exr", name))
    assert seen.std() > 0.1


def test_the_context_shows_the_reflection_turned_about_with_parallax(rooms):
    """Both show the same two tiles, left and right exchanged; in the reflection they are farther away, so smaller."""
    folder = rooms["here"][0]
    mirror = group(view_folder(folder, 0) / "mirror.exr", "red")
    context = group(view_folder(folder, 0) / "context.exr", "red")
    gaps, sizes = [], []
    for image in (mirror, context):
        orange, green = image[..., 0] > 3.0, (image[..., 1] > 1.0) & (image[..., 0] < 2.0)
        gaps.append(np.argwhere(orange)[:, 1].mean() - np.argwhere(green)[:, 1].mean())
        sizes.append(orange.sum())
    assert gaps[0] > 10.0
    assert gaps[1] < -10.0
    assert sizes[0] < 0.6 * sizes[1]


def test_distances_are_measured_from_the_pane(rooms):
    """The far plate is the plane z = -1.5: its mirrored rays have a known length."""
    camera, pane = rooms["camera"], rooms["pane"]
    geometry = pane_geometry(camera, pane)
    probe = read_exr(view_folder(rooms["here"][0], 0) / "mirror_reflection.exr")
    mirror = np.eye(3) - 2.0 * np.outer(geometry.normal, geometry.normal)
    met, away = geometry.rays * geometry.to_pane[..., None], geometry.rays @ mirror
    expected = (-1.5 - met[..., 2]) / away[..., 2]
    plate = probe["object"] == 2001
    assert plate.mean() > 0.3
    assert probe["distance"][plate] == pytest.approx(expected[plate], rel=1e-4)


def test_a_pane_changes_nothing_of_the_ordinary_view(rooms):
    """It blocks no lamp: the view through it is, byte for byte, that of the same camera without a pane."""
    folder = rooms["here"][0]
    files = sorted(path.name for path in view_folder(folder, 1).iterdir())
    assert files == sorted(path.name for path in view_folder(folder, 0).iterdir() if path.stem not in PANE_FILES)
    for name in files:
        assert (view_folder(folder, 0) / name).read_bytes() == (view_folder(folder, 1) / name).read_bytes(), name


def test_the_same_job_has_the_same_bytes_denoised_too(tmp_path):
    camera, pane = camera_with_pane(12.0, 30.0, width=48, height=32, focal_px=40.0)
    lamps, things = tiled_room()
    runs = [ps.Room(lamps, [(camera, pane)], things, denoise=True).render(tmp_path / name)[0] for name in "ab"]
    for stem in PANE_FILES:
        first, second = ((view_folder(run, 0) / f"{stem}.exr").read_bytes() for run in runs)
        assert first == second
    assert "denoised.red" in read_parts(view_folder(runs[0], 0) / "mirror.exr")
    assert "denoised.red" in read_parts(view_folder(runs[0], 0) / "context.exr")


def test_the_pane_mirrors_the_camera_itself_and_the_context_view_looks_past_it(tmp_path):
    camera, pane = camera_with_pane(0.0, width=32, height=32, focal_px=60.0)
    body = ps.Thing(square((0.0, 0.0, -0.004), (0.0, 0.0, 1.0), 0.03), camera_visible=False, body_of=0)
    lamps = [ps.Lamp("room", (1.0, 1.0, 1.0), ps.inward_box(4.0))]
    folder, _ = ps.Room(lamps, [(camera, pane)], [body], analyser=0.4).render(tmp_path)
    probe = read_exr(view_folder(folder, 0) / "mirror_reflection.exr")
    assert probe["object"][16, 16] == 2001
    assert probe["object"][1, 1] == 3001
    assert probe["distance"][16, 16] == pytest.approx(0.204, rel=1e-3)
    context = group(view_folder(folder, 0) / "context.exr", "room")
    # What the filter before the lens lets through, as half floats of eight bits.
    assert context == pytest.approx(np.full_like(context, 0.4), rel=2.0**-9)
    assert group(view_folder(folder, 0) / "mirror.exr", "room")[1, 1] == pytest.approx(0.4, rel=2.0**-9)


@pytest.mark.slow
@pytest.mark.parametrize("tilt_deg", [15.0, 35.0])
def test_the_double_image_is_that_of_a_real_slab_of_glass(tmp_path, tilt_deg):
    """Cycles traces a small lamp in a slab with two faces that refract and reflect; the warp of the mirror view must
    put the second image at the same place, with the same strength."""
    thickness, index, distance = 0.03, 1.5, 0.25
    camera, pane = camera_with_pane(tilt_deg, 0.0, thickness, index, distance, width=160, height=120, focal_px=500.0)
    geometry = pane_geometry(camera, pane)
    mirror = np.eye(3) - 2.0 * np.outer(geometry.normal, geometry.normal)
    axis = np.array([0.0, 0.0, 1.0])
    lamp = np.array([0.0, 0.0, distance]) + 0.5 * (mirror @ axis)
    mesh = square(lamp, -(mirror @ axis), 0.0015)
    folder, _ = ps.Room([ps.Lamp("spot", (500.0, 500.0, 500.0), mesh)], [(camera, pane)], samples=64).render(
        tmp_path / "mirror"
    )
    files = view_folder(folder, 0)
    probe = read_exr(files / "mirror_reflection.exr")
    # Around the lamp lies nothing; the distance that holds there is the lamp's, as that of a wall behind it would be.
    far = np.where(probe["distance"] > 0, probe["distance"], 0.5)
    ours = reflected(group(files / "mirror.exr", "spot"), geometry, far)[..., 0]
    job = {
        "camera": [list(camera.cam_from_world), camera.fx, camera.width, camera.height],
        "pane": list(pane.world_from_pane),
        "thickness": thickness,
        "index": index,
        "lamp": mesh[0].tolist(),
        "radiance": 500.0,
        "out": str(tmp_path / "slab.exr"),
    }
    subprocess.run([sys.executable, str(SLAB)], input=json.dumps(job), text=True, check=True, capture_output=True)
    channels = read_exr(tmp_path / "slab.exr")
    real = next(image for name, image in channels.items() if name.endswith("Combined.R") or name == "R")
    (x, flux), (real_x, real_flux) = _two_spots(ours), _two_spots(real)
    assert abs(x[1] - x[0]) > 4.0
    assert x == pytest.approx(real_x, abs=0.1)
    assert flux == pytest.approx(real_flux, rel=0.04)


def _two_spots(image: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean column and sum of the two brightest spots, from left to right."""
    count, labels = cv2.connectedComponents((image > 0.05).astype(np.uint8))
    spots = []
    for label in range(1, count):
        rows, columns = np.nonzero(labels == label)
        values = image[rows, columns].astype(float)
        spots.append((float((values * (columns + 0.5)).sum() / values.sum()), float(values.sum())))
    spots.sort(key=lambda spot: -spot[1])
    assert len(spots) >= 2
    left, right = sorted(spots[:2])
    return [left[0], right[0]], [left[1], right[1]]
