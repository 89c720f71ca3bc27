"""What supports are made of: closed and outward, clear of the parts, of the given size, refused when too small."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
import trimesh

from pipeline.arrange.arrange import arrange
from pipeline.arrange.bins import DRAFT, LIP_M, WALL_CLEARANCE_M, bin_mesh
from pipeline.arrange.conveyor import conveyor
from pipeline.arrange.distractors import _MAKERS
from pipeline.arrange.extrude import circle, hexagon, prism
from pipeline.arrange.settle import walls
from pipeline.arrange.sweep import Mesh
from pipeline.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
from test_arrange_gravity import DEEPEST_M, _meshes, _of
from test_arrange_scene import PARTS


def _solid(mesh: Mesh) -> trimesh.Trimesh:
    """*mesh* closed by position; asserts that it is, and that its normals lean with its triangles."""
    vertices, normals, triangles = mesh
    split = trimesh.Trimesh(vertices, triangles, process=False)
    leaning = np.einsum("ijk,ik->ij", normals[triangles], split.face_normals)
    assert leaning[split.area_faces > 1e-11].min() > 0.9
    split.merge_vertices(merge_norm=True, merge_tex=True)
    assert split.is_watertight
    assert split.is_winding_consistent
    assert split.volume > 0
    return split


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_prism_has_its_outline_s_area_times_its_length(axis: str) -> None:
    outline = hexagon((0.02, 0.01), 0.02).difference(circle((0.02, 0.01), 0.005))
    solid = _solid(prism(outline, 0.03, 0.08, axis))  # type: ignore[arg-type]
    assert solid.volume == pytest.approx(outline.area * 0.05)
    span = solid.bounds[:, "xyz".index(axis)]
    assert np.allclose(span, [0.03, 0.08])


def test_a_round_of_a_prism_is_shaded_round_and_its_corners_are_sharp() -> None:
    vertices, normals, _ = prism(circle((0.0, 0.0), 0.01), 0.0, 0.02, "z")
    wall = np.abs(normals[:, 2]) < 0.5
    assert np.allclose(normals[wall, :2], vertices[wall, :2] / 0.01, atol=1e-6)
    _, flat, _ = prism(shapely.box(0.0, 0.0, 0.01, 0.02), 0.0, 0.02, "z")
    assert np.allclose(np.max(np.abs(flat), axis=1), 1.0)


@pytest.mark.parametrize("size", [(0.3, 0.2, 0.12), (0.08, 0.06, 0.04)])
def test_a_bin_s_inside_has_the_given_size_and_its_ribs_stay_outside(size: tuple[float, float, float]) -> None:
    solid = _solid(bin_mesh(*size))
    # Seen from the middle at half height, the first surface in each direction is the drafted wall.
    origin = np.array([[0.0, 0.0, 0.5 * size[2]]])
    for axis, half in ((0, size[0] / 2), (1, size[1] / 2)):
        for sign in (-1.0, 1.0):
            direction = np.zeros((1, 3))
            direction[0, axis] = sign
            hits = solid.ray.intersects_location(origin, direction)[0]
            nearest = np.min(np.abs(hits[:, axis]))
            assert nearest == pytest.approx(half + DRAFT * 0.5 * size[2], abs=2e-5)
    assert solid.bounds[1, 2] == pytest.approx(size[2], abs=1e-6)
    # A grid of the free space inside, at the clearance that parts keep, holds no material.
    free = [np.linspace(-1.0, 1.0, 24) * (half / 2 - WALL_CLEARANCE_M) for half in size[:2]]
    grid = np.stack(np.meshgrid(*free, np.linspace(2e-4, size[2], 9)), axis=-1).reshape(-1, 3)
    assert not solid.contains(grid).any()
    assert len(solid.split()) > 10


def test_bins_of_one_size_stack() -> None:
    """The foot stands within the rim's opening, and below what the floor is."""
    vertices, _, _ = bin_mesh(0.3, 0.2, 0.12)
    foot = vertices[vertices[:, 2] < -0.0079]
    assert len(foot) > 0
    assert np.abs(foot[:, 0]).max() < 0.15 + DRAFT * 0.12
    assert np.abs(vertices[:, 0]).max() >= 0.15 + LIP_M


def test_walls_of_the_physics_are_those_of_the_bin() -> None:
    """Corners of the turned boxes: their inner faces pass through the floor's edge and lean by the draft."""
    for box in walls(0.15, 0.1, 1.0, DRAFT):
        turn = trimesh.transformations.quaternion_matrix(box.turn)[:3, :3]
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        corners = np.array(box.middle) + (signs * box.half) @ turn.T
        axis = 0 if abs(box.middle[0]) > abs(box.middle[1]) else 1
        inner = (0.15, 0.1)[axis]
        reach = np.sign(box.middle[axis]) * corners[:, axis] - inner - DRAFT * corners[:, 2]
        assert reach.min() == pytest.approx(0.0, abs=1e-9)
        assert np.sum(np.isclose(reach, reach.min(), atol=1e-9)) == 4


def test_parts_in_a_bin_stay_clear_of_its_walls() -> None:
    arrangement = arrange(_of("bin", 8, container_m=(0.2, 0.14, 0.12)), PARTS)
    solid = trimesh.Trimesh(arrangement.supports[0].vertices, arrangement.supports[0].triangles, process=False)
    points = np.concatenate([np.concatenate([m.vertices, m.sample(200, seed=1)]) for m in _meshes(arrangement)])
    points = points[points[:, 2] > 2e-3]
    assert not solid.contains(points).any()


def test_a_conveyor_s_pieces_are_closed_and_its_rollers_stay_below_the_belt() -> None:
    pieces = {s.label: (s.vertices, s.normals, s.triangles) for s in conveyor("wood", 0.7, 0.15)}
    solids = {label: _solid(mesh) for label, mesh in pieces.items()}
    assert solids["conveyor_roller"].bounds[1, 2] < 0.0
    assert solids["conveyor_belt"].bounds[1, 2] == pytest.approx(0.0, abs=1e-12)
    # Two drums, their shafts and the return rollers touch nothing of the belt.
    assert not solids["conveyor_belt"].contains(solids["conveyor_roller"].vertices).any()
    assert not solids["conveyor_frame"].contains(solids["conveyor_belt"].vertices).any()


@pytest.mark.parametrize("kind", ["tray", "pocket_tray"])
def test_a_tray_has_the_given_size(kind: str) -> None:
    size = (0.6, 0.5, 0.03)
    arrangement = arrange(_of(kind, 5, container_m=size), PARTS)
    tray = arrangement.supports[0]
    if kind == "tray":
        solid = trimesh.Trimesh(tray.vertices, tray.triangles, process=False)
        rays = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        hits, ray, _ = solid.ray.intersects_location(np.tile([0.0, 0.0, 0.015], (2, 1)), rays)
        for axis in (0, 1):
            assert hits[ray == axis][:, axis].min() == pytest.approx(size[axis] / 2 + 0.06 * 0.015, abs=1e-5)
        assert tray.vertices[:, 2].max() == pytest.approx(size[2], abs=1e-6)
    else:
        assert np.allclose(np.ptp(tray.vertices, axis=0), size, atol=1e-6)
    points = np.concatenate([mesh.vertices for mesh in _meshes(arrangement)])
    inside = trimesh.Trimesh(tray.vertices, tray.triangles, process=False).contains(
        points + np.array([0, 0, DEEPEST_M])
    )
    assert not inside.any()


@pytest.mark.parametrize("kind", ["tray", "pocket_tray"])
def test_a_tray_that_cannot_hold_its_parts_is_refused(kind: str) -> None:
    with pytest.raises(InputError, match=rf"{kind} that holds its parts.*need \d+ x \d+ mm.*container_mm = 100 x 80"):
        arrange(_of(kind, 6, container_m=(0.1, 0.08, 0.03)), PARTS)
    with pytest.raises(InputError, match=r"high, found arrangement.container_mm with a height of 2 mm"):
        arrange(_of(kind, 2, container_m=(0.5, 0.5, 0.002)), PARTS)


@pytest.mark.parametrize("name", sorted(_MAKERS))
def test_distractors_are_closed_and_their_normals_point_outward(name: str) -> None:
    vertices, _, _ = mesh = _MAKERS[name][0](1.0)
    if name in ("pen", "cap"):  # sharp shoulders in a few rings of a tube lean more than a wall does
        split = trimesh.Trimesh(vertices, mesh[2], process=False)
        split.merge_vertices(merge_norm=True, merge_tex=True)
        assert split.is_watertight
    else:
        _solid(mesh)


def test_jaws_are_serrated_about_one_plane_that_touches_the_part() -> None:
    arrangement = arrange(_of("vice", 1), PARTS)
    jaws = next(s for s in arrangement.supports if s.label == "vice_jaw")
    part = _meshes(arrangement)[0]
    hull = trimesh.convex.convex_hull(part)
    depth = -(jaws.vertices @ hull.face_normals.T - np.sum(hull.triangles[:, 0] * hull.face_normals, axis=1))
    assert depth.min(axis=1).max() < DEEPEST_M
    lands = np.abs(depth.min(axis=1)) < DEEPEST_M
    assert lands.sum() > 20


@pytest.mark.parametrize("kind", ["tray", "pocket_tray", "bin"])
def test_no_tray_or_bin_reaches_over_its_table_s_edge(kind: str) -> None:
    arrangement = arrange(_of(kind, 3, container_m=(1.6, 1.3, 0.08)), PARTS)
    held, table = arrangement.supports[:2]
    assert table.label == "table"
    assert (table.vertices[:, :2].min(axis=0) < held.vertices[:, :2].min(axis=0)).all()
    assert (table.vertices[:, :2].max(axis=0) > held.vertices[:, :2].max(axis=0)).all()
    assert held.vertices[:, 2].min() - table.vertices[:, 2].max() == pytest.approx(1e-5, abs=1e-9)
