"""A small analytic scene for the renderer: a metal sphere and cylinder on a plane, two lamps, an image world.

Every surface is known in closed form, so that truth layers can be checked against geometry computed without Blender.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import BundleObject, BundleView, SceneBundle
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import EmitterMaterial, MetalMaterial, PlainMaterial

SPHERE_CENTRE = np.array([0.0, 0.0, 0.03])
SPHERE_RADIUS = 0.03
CYLINDER_CENTRE = np.array([0.06, 0.0, 0.01])
CYLINDER_RADIUS = 0.02
CYLINDER_HEIGHT = 0.02
PANEL_CENTRE = np.array([0.3, 0.3, 0.5])
PANEL_HALF = 0.15
GROUPS = ("key", "fill", "world")
SPHERE, CYLINDER, TABLE, KEY, FILL = 1, 2, 1001, 3001, 3002


def look_at(position: tuple[float, float, float], target: tuple[float, float, float]) -> np.ndarray:
    """(4, 4) OpenCV cam_from_world of a camera that stands upright."""
    forward = np.subtract(target, position)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ np.array(position)
    return pose


def camera(width: int, height: int) -> PlacedCamera:
    """The scene's camera, 0.3 m away."""
    pose = look_at((0.05, -0.3, 0.2), (0.03, 0.0, 0.02))
    cam_from_world = tuple(float(v) for v in pose.ravel())
    return PlacedCamera(0, cam_from_world, width * 1.6, width * 1.6, width / 2, height / 2, width, height)


def quad(centre: list[float], u: list[float], v: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """A rectangle whose front faces cross(u, v)."""
    c, a, b = (np.array(x, dtype=float) for x in (centre, u, v))
    vertices = np.array([c - a - b, c + a - b, c + a + b, c - a + b])
    return vertices, np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def _add_metal(assembler: _Assembler, index: int, name: str, mesh: dict[str, np.ndarray], metal: MetalMaterial) -> None:
    count, faces = len(mesh["vertices"]), len(mesh["triangles"])
    mesh["material"] = np.full(faces, assembler.material(metal), np.int32)
    mesh["lay"] = np.zeros((count, 3), np.float32)
    mesh["lay_axis"] = np.tile(np.float32([0, 0, 1]), (count, 1))
    assembler.add(BundleObject(index, "part", name, name, None), mesh)


def _sphere() -> dict[str, np.ndarray]:
    ball = trimesh.creation.icosphere(6, SPHERE_RADIUS)
    normals = ball.vertices / SPHERE_RADIUS
    count = len(ball.vertices)
    return {
        "vertices": ball.vertices + SPHERE_CENTRE,
        "normals": normals.astype(np.float32),
        "triangles": ball.faces.astype(np.int32),
        "face": np.ones(len(ball.faces), np.int32),
        "lay_origin": np.tile(np.float32(SPHERE_CENTRE), (count, 1)),
    }


def _cylinder() -> dict[str, np.ndarray]:
    body = trimesh.creation.cylinder(CYLINDER_RADIUS, CYLINDER_HEIGHT, sections=512)
    body.unmerge_vertices()
    side = np.abs(body.face_normals[:, 2]) < 0.5
    normals = np.repeat(body.face_normals, 3, axis=0)
    radial = body.vertices * [1.0, 1.0, 0.0] / CYLINDER_RADIUS
    wall = np.repeat(side, 3)
    normals[wall] = radial[wall]
    return {
        "vertices": body.vertices + CYLINDER_CENTRE,
        "normals": normals.astype(np.float32),
        "triangles": body.faces.astype(np.int32),
        "face": np.where(side, 1, np.where(body.face_normals[:, 2] > 0, 2, 3)).astype(np.int32),
        "lay_origin": np.tile(np.float32(CYLINDER_CENTRE), (len(body.vertices), 1)),
    }


def write_job(
    folder: Path,
    width: int = 96,
    height: int = 72,
    samples: int = 8,
    threads: int = 2,
    denoise: bool = True,
    alphas: tuple[float, float] = (0.2, 0.05),
) -> RenderJob:
    """Write the scene's job into *folder*. *alphas* are GGX alphas across and along the lay of both parts."""
    folder.mkdir(parents=True, exist_ok=True)
    assembler = _Assembler(folder)
    ior, extinction = (2.408, 2.024, 1.652), (4.181, 3.645, 3.069)
    metal = MetalMaterial("steel", "stainless_austenitic", ior, extinction, "turned", 1.6, *alphas, "C")
    _add_metal(assembler, SPHERE, "sphere", _sphere(), metal)
    _add_metal(assembler, CYLINDER, "cylinder", _cylinder(), metal)
    table = PlainMaterial("table", (0.3, 0.3, 0.32), 0.5, 1.5, 0.2, 0.01)
    vertices, triangles = quad([0, 0, 0], [0.5, 0, 0], [0, 0.5, 0])
    up = np.tile(np.float32([0, 0, 1]), (4, 1))
    plain = assembler._plain(vertices, triangles, table, up)
    assembler.add(BundleObject(TABLE, "support", "table", "table", None), plain)
    h = PANEL_HALF
    for index, name, radiance, corners in (
        (KEY, "key", (20.0, 20.0, 20.0), quad(list(PANEL_CENTRE), [h, 0, 0], [0, -h, 0])),
        (FILL, "fill", (8.0, 8.0, 9.0), quad([-0.3, 0, 0.4], [0.1, 0, 0], [0, -0.1, 0])),
    ):
        lamp = assembler._plain(*corners, EmitterMaterial(name, radiance))
        assembler.add(BundleObject(index, "light", name, "softbox", name), lamp)
    view = BundleView("analytic-v0", 0, camera(width, height), "any", 0, GROUPS)
    bundle = SceneBundle("analytic", "", samples, GROUPS, tuple(assembler.entries), (), (), (), (view,))
    job = RenderJob(
        scene_id="analytic",
        render=RenderSpec(samples, denoise, 5),
        threads=threads,
        groups=GROUPS,
        world=ImageWorld("interior.exr", 0.3, 0.0, "world"),
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=bundle,
    )
    write_json(folder / JOB_FILE, to_dict(job))
    return job


def write_furnace(folder: Path, metal: MetalMaterial, width: int = 96, height: int = 96) -> RenderJob:
    """Write a job of the sphere alone in a world of radiance 1 on every side."""
    folder.mkdir(parents=True, exist_ok=True)
    assembler = _Assembler(folder)
    _add_metal(assembler, SPHERE, "sphere", _sphere(), metal)
    pose = look_at((0.0, -0.3, SPHERE_CENTRE[2]), (0.0, 0.0, SPHERE_CENTRE[2]))
    cam_from_world = tuple(float(v) for v in pose.ravel())
    placed = PlacedCamera(0, cam_from_world, width * 4.0, width * 4.0, width / 2, height / 2, width, height)
    view = BundleView("furnace-v0", 0, placed, "any", 0, ("world",))
    bundle = SceneBundle("furnace", "", 16, ("world",), tuple(assembler.entries), (), (), (), (view,))
    job = RenderJob(
        scene_id="furnace",
        render=RenderSpec(16, False, 5),
        threads=2,
        groups=("world",),
        world=ImageWorld(None, 1.0, 0.0, "world"),
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=bundle,
    )
    write_json(folder / JOB_FILE, to_dict(job))
    return job
