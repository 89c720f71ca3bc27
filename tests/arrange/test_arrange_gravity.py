"""Bins, heaps, stacks, pockets, vices and fixtures: contact, rest, determinism, refusals."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
import trimesh

from pipeline.arrange import pieces_cache
from pipeline.arrange.arrange import arrange
from pipeline.arrange.arrangement import Arrangement, matrix
from pipeline.arrange.bins import DRAFT
from pipeline.arrange.pieces import convex_pieces
from pipeline.arrange.pieces_cache import remembered_pieces
from pipeline.arrange.settle import Body, Box, floor, settle
from pipeline.errors import InputError
from pipeline.records import canonical_json
from pipeline.spec.scene import SceneSpec

sys.path.insert(0, str(Path(__file__).parent))
from test_arrange_scene import MESHES, PARTS, _part, _scene

DEEPEST_M = 1e-4
"""Parts may sink into one another by what nobody sees: 0.1 mm."""
THING_DEEPEST_M = 4e-4
"""Distractors are light and thin: a heavy part on top presses them into what they lie on by up to 0.4 mm."""


def _of(kind: str, count: int = 6, **changes: object) -> SceneSpec:
    scene = _scene(kind, count)
    return dataclasses.replace(scene, arrangement=dataclasses.replace(scene.arrangement, **changes))  # type: ignore[arg-type]


def _meshes(arrangement: Arrangement) -> list[trimesh.Trimesh]:
    return [MESHES[i.part_id].copy().apply_transform(matrix(i.world_from_part)) for i in arrangement.items]


def _deepest(meshes: list[trimesh.Trimesh]) -> float:
    """How deep any part's surface samples or vertices lie in another part, metres."""
    deepest = 0.0
    for i, mesh in enumerate(meshes):
        for j, other in enumerate(meshes):
            if i == j or np.any(mesh.bounds[0] > other.bounds[1]) or np.any(mesh.bounds[1] < other.bounds[0]):
                continue
            points = np.concatenate([np.array(mesh.vertices), np.array(mesh.sample(300, seed=2))])
            # The test's parts are convex: depth is the least distance to any plane of the other's hull.
            hull = trimesh.convex.convex_hull(other)
            inside = -(points @ hull.face_normals.T - np.sum(hull.triangles[:, 0] * hull.face_normals, axis=1))
            deepest = max(deepest, float(inside.min(axis=1).max()))
    return deepest


@pytest.mark.parametrize("kind", ["bin", "pile", "stack"])
def test_parts_at_rest_touch_and_do_not_sink_into_one_another(kind: str) -> None:
    meshes = _meshes(arrange(_of(kind), PARTS))
    assert _deepest(meshes) < DEEPEST_M
    assert min(mesh.bounds[0, 2] for mesh in meshes) > -DEEPEST_M
    assert min(mesh.bounds[0, 2] for mesh in meshes) < 3e-4


def test_a_stack_is_held_up_by_what_is_below() -> None:
    """Statics: the centre of mass of all that is above a contact lies over the part below."""
    boxes = _of("stack", 3)
    boxes = dataclasses.replace(
        boxes, items=tuple(dataclasses.replace(item, part_id="box", pose_quantile=0.0) for item in boxes.items)
    )
    meshes = sorted(_meshes(arrange(boxes, PARTS)), key=lambda mesh: mesh.center_mass[2])
    assert [round(1000 * m.center_mass[2]) for m in meshes] == [10, 30, 50]
    for k in range(2):
        above = np.mean([mesh.center_mass for mesh in meshes[k + 1 :]], axis=0)
        assert shapely.MultiPoint(meshes[k].vertices[:, :2]).convex_hull.contains(shapely.Point(*above[:2]))


def test_parts_lie_within_the_bin_they_were_given() -> None:
    size = (0.3, 0.2, 0.12)
    meshes = _meshes(arrange(_of("bin", container_m=size), PARTS))
    points = np.concatenate([mesh.vertices for mesh in meshes])
    lean = DRAFT * np.maximum(points[:, 2], 0.0)
    assert (np.abs(points[:, 0]) - lean).max() < 0.15 + DEEPEST_M
    assert (np.abs(points[:, 1]) - lean).max() < 0.10 + DEEPEST_M


@pytest.mark.parametrize(("size", "count"), [((0.1, 0.06, 0.05), 9), ((0.05, 0.3, 0.05), 2)])
def test_a_bin_that_cannot_hold_its_parts_is_refused(size: tuple[float, float, float], count: int) -> None:
    with pytest.raises(InputError, match=rf"holds its {count} parts.*container_mm = .*cm3.*fewer parts"):
        arrange(_of("bin", count, container_m=size), PARTS)


def test_another_process_lets_the_parts_fall_alike() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_arrange_gravity import PARTS, _of, arrange, canonical_json\n"
        "print(canonical_json(arrange(_of('bin'), PARTS).items))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert there.stdout.strip() == canonical_json(arrange(_of("bin"), PARTS).items)


def test_distractors_are_labelled_and_clear_of_the_parts() -> None:
    for kind in ("table", "pile"):
        arrangement = arrange(_of(kind, 4, distractors=3), PARTS)
        things = [s for s in arrangement.supports if s.label.startswith("distractor:")]
        assert len(things) == 3
        for thing in things:
            assert thing.vertices[:, 2].min() > -THING_DEEPEST_M
            for mesh in _meshes(arrangement):
                hull = trimesh.convex.convex_hull(mesh)
                depth = -(
                    thing.vertices @ hull.face_normals.T - np.sum(hull.triangles[:, 0] * hull.face_normals, axis=1)
                )
                assert depth.min(axis=1).max() < THING_DEEPEST_M


def test_vice_jaws_touch_opposite_flanks_and_nothing_else() -> None:
    arrangement = arrange(_of("vice", 1), PARTS)
    part = _meshes(arrangement)[0]
    jaws = next(s for s in arrangement.supports if s.label == "vice_jaw")
    hull = trimesh.convex.convex_hull(part)
    depth = -(jaws.vertices @ hull.face_normals.T - np.sum(hull.triangles[:, 0] * hull.face_normals, axis=1))
    assert depth.min(axis=1).max() < DEEPEST_M
    jaw = trimesh.Trimesh(jaws.vertices, jaws.triangles, process=False)
    samples, faces = part.sample(800, return_index=True, seed=4)
    touching = trimesh.proximity.closest_point(jaw, np.array(samples))[1] < 1e-4
    sideways = part.face_normals[faces][touching & (np.abs(part.face_normals[faces][:, 2]) < 0.1)]
    assert len(sideways) > 20
    assert np.allclose(np.abs(sideways @ sideways[0]), 1.0)
    assert (sideways @ sideways[0]).min() < -0.99


def test_a_part_without_flanks_is_refused_by_the_vice() -> None:
    ball = _part("ball", trimesh.creation.icosphere(5, 0.02))
    scene = _of("vice", 1)
    scene = dataclasses.replace(scene, items=(dataclasses.replace(scene.items[0], part_id="ball"),))
    with pytest.raises(InputError, match=r"two opposite flanks.*ball"):
        arrange(scene, {"ball": ball})


@pytest.mark.parametrize("kind", ["pocket_tray", "vice", "fixture", "bin"])
def test_holders_are_solid_and_leave_the_parts_alone(kind: str) -> None:
    arrangement = arrange(_of(kind, 2), PARTS)
    parts = np.concatenate([mesh.vertices for mesh in _meshes(arrangement)])
    for support in arrangement.supports:
        split = trimesh.Trimesh(support.vertices, support.triangles, process=False)
        leaning = np.einsum("ijk,ik->ij", support.normals[support.triangles], split.face_normals)
        assert leaning[split.area_faces > 1e-10].min() > 0.9
        solid = split.copy()
        solid.merge_vertices(merge_norm=True, merge_tex=True)
        assert solid.is_watertight
        assert solid.volume > 0
        inside = split.contains(parts)
        if inside.any():
            assert np.abs(trimesh.proximity.closest_point(split, parts[inside])[1]).max() < DEEPEST_M


def test_a_ring_is_cut_into_pieces_that_leave_its_hole_open() -> None:
    ring = trimesh.creation.annulus(0.01, 0.02, 0.006, sections=64)
    pieces = convex_pieces(np.array(ring.vertices), np.array(ring.faces, dtype=np.int32))
    hulls = [trimesh.convex.convex_hull(points) for points in pieces]
    centre = np.array([[0.0, 0.0, 0.0], [0.006, 0.0, 0.0]])
    assert not any(hull.contains(centre).any() for hull in hulls)
    assert sum(hull.volume for hull in hulls) == pytest.approx(ring.volume, rel=0.12)


def test_pieces_are_remembered_and_a_damaged_memory_is_cut_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("GLINT_CACHE", str(tmp_path))
    mesh = trimesh.creation.annulus(0.01, 0.02, 0.01)
    vertices, triangles = np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32)
    cut = convex_pieces(vertices, triangles)
    for _ in range(2):
        again = remembered_pieces(vertices, triangles)
        assert all(np.array_equal(a, b) for a, b in zip(cut, again, strict=True))
    (entry,) = (tmp_path / "pieces").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(pieces_cache, "convex_pieces", lambda *_: pytest.fail("cut although it is remembered"))
        remembered_pieces(vertices, triangles)
    entry.write_bytes(b"damaged")
    assert all(np.array_equal(a, b) for a, b in zip(cut, remembered_pieces(vertices, triangles), strict=True))


def test_what_rolls_for_ever_is_braked():
    """A ball on an endless floor that starts to roll: without the brake it would still be rolling after a second."""
    ball = np.array(trimesh.creation.icosphere(4, 0.02).vertices)
    pose = np.eye(4)
    pose[:3, 3] = [0.0, 0.0, 0.5]
    tilted = Box((0.0, 0.0, 0.2), (0.1, 0.1, 0.001))
    rest = settle([Body([ball], pose, 0.02)], (floor(), tilted), longest_s=0.2)
    assert rest.at_rest
    assert rest.seconds > 0.2
