"""Arrangements of boxes, cylinders and cones: contact, distance, determinism, supports, cameras."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import shapely
import trimesh

from pipeline.arrange.arrange import arrange
from pipeline.arrange.arrangement import matrix
from pipeline.arrange.bounds import bounding_sphere
from pipeline.arrange.cameras import CLEARANCE_M, LOWEST_M, clears, look_rotation
from pipeline.arrange.place import CONTACT_LIFT_M, choose_resting_pose
from pipeline.arrange.supports import Enclosure
from pipeline.errors import InputError
from pipeline.parts.part import Part, PartInfo, RestingPose, Symmetries
from pipeline.records import canonical_json
from pipeline.spec.scene import (
    ArrangementSpec,
    CameraSpec,
    ItemSpec,
    RenderSpec,
    RigSpec,
    SceneSpec,
    SurroundingsSpec,
)

KINDS = ["table", "conveyor", "tray"]


def _flat(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(v) for v in values.ravel())


def _part(name: str, mesh: trimesh.Trimesh) -> Part:
    """A Part with two resting poses: as modelled (70 %), and on its side."""
    side = trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0])
    info = PartInfo(
        name=name,
        source_file=f"{name}.stl",
        source_sha256="0" * 64,
        file_format="stl",
        units="m",
        units_source="assumed",
        solids=(),
        faces=(),
        bounds_m=(tuple(mesh.bounds[0]), tuple(mesh.bounds[1])),
        diameter_m=float(mesh.scale),
        volume_m3=float(mesh.volume),
        area_m2=float(mesh.area),
        watertight=True,
        tolerance_m=1e-5,
        exact_normals=False,
        skipped=(),
        resting_poses=(RestingPose(_flat(np.eye(4)), 0.7), RestingPose(_flat(side), 0.3)),
        symmetries=Symmetries((), ()),
    )
    return Part(
        info=info,
        vertices=np.array(mesh.vertices, dtype=np.float64),
        normals=np.array(mesh.vertex_normals, dtype=np.float32),
        triangles=np.array(mesh.faces, dtype=np.int32),
        face_of_triangle=np.zeros(len(mesh.faces), np.int32),
        solid_of_triangle=np.zeros(len(mesh.faces), np.int32),
    )


MESHES = {
    "box": trimesh.creation.box([0.06, 0.04, 0.02]),
    "rod": trimesh.creation.cylinder(radius=0.008, height=0.12, sections=48),
    "cone": trimesh.creation.cone(radius=0.03, height=0.05, sections=48),
}
PARTS = {name: _part(name, mesh) for name, mesh in MESHES.items()}

CAMERA = CameraSpec(
    camera_index=0,
    azimuth_rad=0.7,
    elevation_rad=0.6,
    roll_rad=0.0,
    distance_m=None,
    fill=0.8,
    focal_mm=35.0,
    sensor_width_mm=13.2,
    width=640,
    height=480,
    look_at_jitter=(0.0, 0.0, 0.0),
)


def _scene(kind: str = "table", count: int = 9, seed: int = 5, camera: CameraSpec = CAMERA) -> SceneSpec:
    generator = np.random.default_rng(seed)
    items = tuple(
        ItemSpec(
            instance_id=i + 1,
            part_id=list(PARTS)[i % len(PARTS)],
            part_file="assets:parts/none.step",
            part_units=None,
            category="thing",
            metal="aluminium",
            finish="turned",
            ra_quantile=0.5,
            alpha_scale=1.0,
            pose_quantile=float(generator.uniform()),
            yaw_rad=float(generator.uniform(0, 2 * np.pi)),
        )
        for i in range(count)
    )
    return SceneSpec(
        schema_version=1,
        dataset="test",
        index=0,
        scene_id="test-000000",
        seed=1,
        split="train",
        items=items,
        arrangement=ArrangementSpec(kind=kind, surface="wood", gap_m=0.004, seed=seed),  # type: ignore[arg-type]
        rigs=(RigSpec("none", 0.0, 1.0),),
        surroundings=SurroundingsSpec("none", 0.0, 0.1),
        cameras=(camera,),
        twins=False,
        render=RenderSpec(4, False, 0),
        photos=(),
    )


def _placed_meshes(kind: str = "table", count: int = 9, seed: int = 5) -> list[trimesh.Trimesh]:
    scene = _scene(kind, count, seed)
    return [
        MESHES[item.part_id].copy().apply_transform(matrix(item.world_from_part))
        for item in arrange(scene, PARTS).items
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_parts_keep_their_distance_and_rest_on_the_support(kind: str, seed: int) -> None:
    meshes = _placed_meshes(kind, seed=seed)
    footprints = [shapely.MultiPoint(mesh.vertices[:, :2]).convex_hull for mesh in meshes]
    for i, mesh in enumerate(meshes):
        assert mesh.vertices[:, 2].min() == pytest.approx(CONTACT_LIFT_M, abs=1e-9)
        for j in range(i):
            assert footprints[i].distance(footprints[j]) >= 0.004 - 1e-12
            # The same by another road: the nearest points of the surfaces in space.
            nearest = trimesh.proximity.closest_point(mesh, meshes[j].sample(60, seed=3))[1]
            assert nearest.min() >= 0.004 - 1e-9


def test_arrangement_is_compact_and_centred() -> None:
    meshes = _placed_meshes(count=18)
    points = np.concatenate([mesh.vertices for mesh in meshes])
    assert np.allclose(points[:, :2].min(axis=0) + points[:, :2].max(axis=0), 0.0, atol=1e-12)
    covered = sum(shapely.MultiPoint(mesh.vertices[:, :2]).convex_hull.area for mesh in meshes)
    hull = shapely.MultiPoint(points[:, :2]).convex_hull.area
    assert covered / hull > 0.25


def test_conveyor_strings_parts_out_along_the_belt() -> None:
    spans = []
    for seed in range(4):
        points = np.concatenate([mesh.vertices for mesh in _placed_meshes("conveyor", count=16, seed=seed)])
        spans.append(np.ptp(points[:, 0]) / np.ptp(points[:, 1]))
    assert np.mean(spans) > 1.5


def test_same_scene_same_numbers_and_other_seed_other_numbers() -> None:
    first, again = (canonical_json(arrange(_scene(), PARTS).items) for _ in range(2))
    assert first == again
    assert canonical_json(arrange(_scene(seed=6), PARTS).items) != first


def test_poses_are_rigid_and_keep_the_yaw() -> None:
    scene = _scene()
    upright = dataclasses.replace(scene.items[0], pose_quantile=0.0, yaw_rad=0.3)
    placed = arrange(dataclasses.replace(scene, items=(upright,)), PARTS).items[0]
    pose = matrix(placed.world_from_part)
    assert np.allclose(pose[:3, :3], trimesh.transformations.rotation_matrix(0.3, [0, 0, 1])[:3, :3])
    assert np.allclose(pose[:3, 3], [0, 0, 0.01 + CONTACT_LIFT_M])


def test_pose_quantile_follows_the_probabilities() -> None:
    poses = PARTS["box"].info.resting_poses
    chosen = [choose_resting_pose(poses, q)[2, 2] for q in np.linspace(0, 1, 1000, endpoint=False)]
    assert np.mean(np.isclose(chosen, 1.0)) == pytest.approx(0.7, abs=0.002)
    assert np.array_equal(choose_resting_pose(poses, 0.9999999), matrix(poses[1].world_from_part))


@pytest.mark.parametrize("kind", KINDS)
def test_supports_are_closed_smooth_and_clear_of_the_parts(kind: str) -> None:
    arrangement = arrange(_scene(kind), PARTS)
    parts = np.concatenate([mesh.vertices for mesh in _placed_meshes(kind)])
    assert arrangement.supports[0].look == "wood"
    for support in arrangement.supports:
        assert np.allclose(np.linalg.norm(support.normals, axis=1), 1.0, atol=1e-6)
        split = trimesh.Trimesh(support.vertices, support.triangles, process=False)
        # Shading normals lean with their triangles, never far from them.
        leaning = np.einsum("ijk,ik->ij", support.normals[support.triangles], split.face_normals)
        assert leaning[split.area_faces > 1e-12].min() > 0.9
        solid = trimesh.Trimesh(support.vertices, support.triangles, process=False)
        solid.merge_vertices(merge_norm=True, merge_tex=True)
        assert solid.is_watertight
        assert solid.volume > 0
        assert not solid.contains(parts + np.array([0, 0, 1e-9])).any()
    main = arrangement.supports[0]
    flat = np.abs(main.vertices[:, 2]) < 1e-12
    inside = shapely.MultiPoint(main.vertices[flat & (main.normals[:, 2] > 0.999)][:, :2]).convex_hull
    assert inside.contains(shapely.MultiPoint(parts[:, :2]))


def test_table_grows_with_the_arrangement() -> None:
    arrangement = arrange(_scene(count=30), PARTS)
    size = np.ptp(arrangement.supports[0].vertices, axis=0)
    assert size[0] >= max(1.2, 6 * arrangement.radius_m) - 1e-9
    assert size[1] >= max(0.8, 6 * arrangement.radius_m) - 1e-9


def _project(camera: object, points: np.ndarray) -> np.ndarray:
    pose = matrix(camera.cam_from_world)  # type: ignore[attr-defined]
    seen = points @ pose[:3, :3].T + pose[:3, 3]
    assert (seen[:, 2] > 0).all()
    return seen[:, :2] / seen[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]  # type: ignore[attr-defined]


@pytest.mark.parametrize("fill", [0.3, 0.8, 1.1])
@pytest.mark.parametrize(("width", "height"), [(640, 480), (300, 500)])
def test_bounding_sphere_covers_the_asked_share_of_the_frame(fill: float, width: int, height: int) -> None:
    camera = dataclasses.replace(CAMERA, fill=fill, width=width, height=height, focal_mm=8.0)
    arrangement = arrange(_scene(camera=camera), PARTS)
    sphere = trimesh.creation.icosphere(subdivisions=5, radius=arrangement.radius_m)
    pixels = _project(arrangement.cameras[0], sphere.vertices + arrangement.centre)
    assert np.allclose(np.ptp(pixels, axis=0) / min(width, height), fill, rtol=0.01)


@pytest.mark.parametrize("elevation", [0.2, 0.9, np.pi / 2])
@pytest.mark.parametrize("roll", [0.0, 0.4])
def test_camera_matrix_is_a_right_handed_look_at(elevation: float, roll: float) -> None:
    camera = dataclasses.replace(CAMERA, elevation_rad=elevation, roll_rad=roll)
    arrangement = arrange(_scene(camera=camera), PARTS)
    placed = arrangement.cameras[0]
    pose = matrix(placed.cam_from_world)
    assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
    assert np.allclose(_project(placed, np.array([arrangement.centre])), [320, 240], atol=1e-6)
    above = _project(placed, np.array([arrangement.centre]) + np.array([0, 0, 0.001]))[0] - [320, 240]
    if elevation < 1.0:
        # Up in the world points up in the picture, turned counter-clockwise by the roll.
        assert np.allclose(above / np.linalg.norm(above), [-np.sin(roll), -np.cos(roll)], atol=1e-6)


def test_jitter_moves_the_look_at_point() -> None:
    camera = dataclasses.replace(CAMERA, look_at_jitter=(0.2, -0.1, 0.05))
    arrangement = arrange(_scene(camera=camera), PARTS)
    target = np.array(arrangement.centre) + arrangement.radius_m * np.array([0.2, -0.1, 0.05])
    assert np.allclose(_project(arrangement.cameras[0], target[None]), [[320, 240]], atol=1e-6)


def _position(arrangement: object) -> np.ndarray:
    return np.linalg.inv(matrix(arrangement.cameras[0].cam_from_world))[:3, 3]  # type: ignore[attr-defined]


def test_camera_in_spherical_coordinates() -> None:
    camera = dataclasses.replace(CAMERA, distance_m=0.9, fill=None)
    arrangement = arrange(_scene(camera=camera), PARTS)
    offset = _position(arrangement) - arrangement.centre
    assert np.linalg.norm(offset) == pytest.approx(0.9)
    assert np.arctan2(offset[1], offset[0]) == pytest.approx(0.7)
    assert np.arcsin(offset[2] / 0.9) == pytest.approx(0.6)


def test_low_camera_is_raised_above_the_support() -> None:
    camera = dataclasses.replace(CAMERA, elevation_rad=-0.3)
    assert _position(arrange(_scene(camera=camera), PARTS))[2] > LOWEST_M


def test_near_camera_is_kept_out_of_the_parts() -> None:
    camera = dataclasses.replace(CAMERA, distance_m=0.01, fill=None)
    scene = dataclasses.replace(_scene(count=1), cameras=(camera,))
    position = _position(arrange(scene, PARTS))
    low, high = _placed_meshes(count=1)[0].bounds
    assert np.any(position <= low - CLEARANCE_M) or np.any(position >= high + CLEARANCE_M)


def test_bin_walls_do_not_hide_the_parts() -> None:
    """Rays from the samples of every part to the camera, against the bin's own mesh."""
    camera = dataclasses.replace(CAMERA, elevation_rad=0.1)
    arrangement = arrange(_scene("bin", camera=camera), PARTS)
    position = _position(arrangement)
    wall = trimesh.Trimesh(arrangement.supports[0].vertices, arrangement.supports[0].triangles, process=False)
    blocked = []
    for mesh in _placed_meshes("bin"):
        samples = np.array(mesh.sample(200, seed=1))
        blocked.append(wall.ray.intersects_any(samples + np.array([0, 0, 1e-5]), position - samples).mean())
    assert np.mean(blocked) < 0.5
    asked = np.arcsin((position - arrangement.centre)[2] / np.linalg.norm(position - arrangement.centre))
    assert asked > 0.1


def test_clears_is_the_height_at_the_wall() -> None:
    enclosure = Enclosure(1.0, 1.0, 0.5)
    points = np.array([[0.0, 0.0, 0.0]])
    assert clears(np.array([2.0, 0.0, 1.01]), points, enclosure)[0]
    assert not clears(np.array([2.0, 0.0, 0.99]), points, enclosure)[0]
    assert clears(np.array([0.0, 0.0, 0.6]), points, enclosure)[0]


def test_bounding_sphere_is_tight() -> None:
    points = trimesh.creation.icosphere(subdivisions=3, radius=0.2).vertices + np.array([1.0, 2.0, 3.0])
    centre, radius = bounding_sphere([points[::2], points[1::2], np.array([[1.0, 2.0, 3.1]])])
    assert np.allclose(centre, [1, 2, 3], atol=0.004)
    assert radius == pytest.approx(0.2, rel=0.02)
    assert (np.linalg.norm(points - centre, axis=1) <= radius).all()


def test_look_rotation_straight_down_is_defined() -> None:
    assert np.allclose(look_rotation(0.0, np.pi / 2, 0.0), [[0, 1, 0], [1, 0, 0], [0, 0, -1]], atol=1e-12)


def test_missing_part_and_empty_scene_are_named() -> None:
    with pytest.raises(InputError, match="cone"):
        arrange(_scene(), {name: PARTS[name] for name in ("box", "rod")})
    with pytest.raises(InputError, match="test-000000"):
        arrange(dataclasses.replace(_scene(), items=()), PARTS)
