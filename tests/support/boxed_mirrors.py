"""A polished ball and a polished plate before labelled boxes, and where rays go among them, computed without Blender.

Covers: the render job, and hits of rays on its balls, boxes and rectangles. Every surface is known in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, matrix
from pipeline.bundle import WORLD_INDEX, BundleObject, BundleView, SceneBundle
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler, _bundle_material
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import ReflectionsSpec, RenderSpec
from pipeline.surface.material import EmitterMaterial, MetalMaterial, PlainMaterial
from support import render_scenes as rs

BALL, PLATE, RED, BLUE, TABLE, WALL, LAMP = 1, 2, 3, 4, 1001, 2001, 3001
BALL_CENTRE, BALL_RADIUS = np.array([-0.06, 0.02, 0.05]), 0.05
PLATE_AT = (np.array([0.07, 0.09, 0.07]), np.array([0.06, 0.0, 0.0]), np.array([0.0, 0.0, 0.06]))
"""Middle and half sides; its front looks along -y, to the camera."""
TABLE_AT = (np.zeros(3), np.array([0.4, 0.0, 0.0]), np.array([0.0, 0.4, 0.0]))
LAMP_AT = (np.array([0.0, 0.0, 0.5]), np.array([0.3, 0.0, 0.0]), np.array([0.0, -0.3, 0.0]))
BOXES = {
    RED: (np.array([0.03, -0.06, 0.0]), np.array([0.07, -0.02, 0.05])),
    BLUE: (np.array([0.09, -0.05, 0.0]), np.array([0.12, -0.01, 0.08])),
    WALL: (np.array([-0.35, -0.42, 0.0]), np.array([0.35, -0.40, 0.2])),
}
"""Opposite corners."""
SIZE_M = 0.8
"""Of the scene: the table's side."""
POLISHED = (0.002, 0.002)


@dataclass(frozen=True)
class Hits:
    """What rays meet first: object index (WORLD_INDEX where nothing), distance, unit normal against the ray."""

    index: NDArray[np.int64]
    distance: NDArray[np.float64]
    normal: NDArray[np.float64]


def write_job(
    folder: Path, width: int = 160, height: int = 120, samples: int = 1, alphas: tuple[float, float] = POLISHED
) -> RenderJob:
    """Write the job into *folder*, denoising off, two bounces; *alphas* across and along the lay of ball and plate."""
    folder.mkdir(parents=True)
    assembler = _Assembler(folder)
    steel = MetalMaterial("steel", "steel", (2.4, 2.0, 1.7), (4.2, 3.6, 3.1), "polished", 0.02, *alphas, "P")
    paint = PlainMaterial("paint", (0.5, 0.1, 0.1), 0.4, 1.5, 0.0, 0.01)
    ball = trimesh.creation.icosphere(6, BALL_RADIUS)
    mesh = {"vertices": ball.vertices + BALL_CENTRE, "triangles": ball.faces.astype(np.int32)}
    mesh |= {"normals": (ball.vertices / BALL_RADIUS).astype(np.float32), "face": np.ones(len(ball.faces), np.int32)}
    _add_metal(assembler, BALL, mesh, steel)
    vertices, triangles = rs.quad(*(list(v) for v in PLATE_AT))
    mesh = {"vertices": vertices, "triangles": triangles, "face": np.full(2, 3, np.int32)}
    _add_metal(assembler, PLATE, mesh | {"normals": np.tile(np.float32([0, -1, 0]), (4, 1))}, steel)
    for index, corners in BOXES.items():
        box = trimesh.creation.box(bounds=np.array(corners))
        faces = np.zeros(len(box.faces), np.int32)
        for number, facet in enumerate(box.facets, start=1):
            faces[facet] = number
        plain = assembler._plain(box.vertices, box.faces.astype(np.int32), paint)
        kind = "part" if index <= 1000 else "surroundings"
        name = f"box{index}"
        assembler.add(BundleObject(index, kind, name, name, None), plain | {"face": faces})
    plain = assembler._plain(*rs.quad(*(list(v) for v in TABLE_AT)), paint)
    assembler.add(BundleObject(TABLE, "support", "table", "table", None), plain)
    lamp = assembler._plain(*rs.quad(*(list(v) for v in LAMP_AT)), EmitterMaterial("lamp", (20.0, 20.0, 20.0)))
    assembler.add(BundleObject(LAMP, "light", "lamp", "softbox", "lamp"), lamp)
    return _job(folder, assembler, camera(width, height), samples)


def _add_metal(assembler: _Assembler, index: int, mesh: dict[str, NDArray], metal: MetalMaterial) -> None:
    count = len(mesh["vertices"])
    mesh["material"] = np.full(len(mesh["triangles"]), assembler.material(metal), np.int32)
    mesh |= dict.fromkeys(("lay", "lay_axis", "lay_origin"), np.zeros((count, 3), np.float32))
    assembler.add(BundleObject(index, "part", f"metal{index}", f"metal{index}", None), mesh)


def _job(folder: Path, assembler: _Assembler, placed: PlacedCamera, samples: int) -> RenderJob:
    groups = ("lamp", "world")
    view = BundleView("mirrors-v0", 0, placed, "any", 0, groups)
    materials = tuple(assembler.materials)
    records = tuple(_bundle_material(material) for material in materials)
    job = RenderJob(
        scene_id="mirrors",
        render=RenderSpec(samples, False, 5, reflections=ReflectionsSpec(bounces=2, rough_rays=16)),
        threads=2,
        groups=groups,
        world=ImageWorld(None, 0.3, 0.0, "world"),
        materials=materials,
        objects=tuple(assembler.objects),
        bundle=SceneBundle("mirrors", "", samples, groups, tuple(assembler.entries), records, (), (), (view,)),
    )
    write_json(folder / JOB_FILE, to_dict(job))
    return job


def rendered(folder: Path, **settings: object) -> Path:
    """The bundle of the job that `write_job` makes with *settings*, below *folder*."""
    write_job(folder / "job", **settings)
    (folder / "out").mkdir()
    render_in_child(folder / "job", folder / "out", threads=2, timeout_s=300)
    return folder / "out"


def camera(width: int, height: int) -> PlacedCamera:
    pose = rs.look_at((0.02, -0.34, 0.22), (0.01, 0.02, 0.04))
    focal = width * 1.1
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), focal, focal, width / 2, height / 2, width, height)


def camera_rays(placed: PlacedCamera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origins and unit directions (h, w, 3) of the rays through the pixels' centres, world frame."""
    world_from_cam = np.linalg.inv(matrix(placed.cam_from_world))
    x = (np.arange(placed.width) + 0.5 - placed.cx) / placed.fx
    y = (np.arange(placed.height) + 0.5 - placed.cy) / placed.fy
    local = np.stack([*np.meshgrid(x, y), np.ones((placed.height, placed.width))], axis=-1)
    directions = local @ world_from_cam[:3, :3].T
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return np.broadcast_to(world_from_cam[:3, 3], directions.shape), directions


def mirrored(directions: NDArray[np.float64], normals: NDArray[np.float64]) -> NDArray[np.float64]:
    return directions - 2 * np.sum(directions * normals, -1, keepdims=True) * normals


def cast(origins: NDArray[np.float64], directions: NDArray[np.float64]) -> Hits:
    """What rays (h, w, 3) meet first."""
    best = Hits(np.full(origins.shape[:2], WORLD_INDEX), np.full(origins.shape[:2], np.inf), np.zeros_like(directions))
    found = [(BALL, *_on_ball(origins, directions))]
    found += [(index, *_on_box(origins, directions, *corners)) for index, corners in BOXES.items()]
    for index, place in ((PLATE, PLATE_AT), (TABLE, TABLE_AT), (LAMP, LAMP_AT)):
        found.append((index, *_on_rectangle(origins, directions, *place)))
    for index, distance, normal in found:
        nearer = distance < best.distance
        best = replace(
            best,
            index=np.where(nearer, index, best.index),
            distance=np.where(nearer, distance, best.distance),
            normal=np.where(nearer[..., None], normal, best.normal),
        )
    return best


_NEAR = 1e-7


def _on_ball(origins, directions):
    arm = origins - BALL_CENTRE
    b = np.sum(arm * directions, -1)
    square = b**2 - (np.sum(arm**2, -1) - BALL_RADIUS**2)
    distance = np.where(square > 0, -b - np.sqrt(np.maximum(square, 0)), np.inf)
    distance = np.where(distance > _NEAR, distance, np.inf)
    points = origins + directions * np.where(np.isfinite(distance), distance, 0)[..., None]
    return distance, (points - BALL_CENTRE) / BALL_RADIUS


def _on_box(origins, directions, low, high):
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - origins) / directions, (high - origins) / directions
    enter, leave = np.minimum(first, second), np.maximum(first, second)
    axis, distance = enter.argmax(-1), enter.max(-1)
    hit = (distance < leave.min(-1)) & (distance > _NEAR)
    normal = -np.sign(np.take_along_axis(directions, axis[..., None], -1)) * np.eye(3)[axis]
    return np.where(hit, distance, np.inf), normal


def _on_rectangle(origins, directions, centre, u, v):
    across = np.cross(u, v) / np.linalg.norm(np.cross(u, v))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = ((centre - origins) @ across) / (directions @ across)
        arm = origins + directions * distance[..., None] - centre
        inside = (np.abs(arm @ u) <= u @ u) & (np.abs(arm @ v) <= v @ v) & (distance > _NEAR)
    normal = -np.sign(directions @ across)[..., None] * across
    return np.where(inside, distance, np.inf), normal
