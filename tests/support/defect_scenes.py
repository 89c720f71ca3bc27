"""A block with defects under one lamp, in black surroundings: rendered with its defects and without.

The block is convex and stands alone, so nothing that it shows depends on another of its points.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import trimesh

from pipeline.arrange.arrangement import PlacedCamera, PlacedItem
from pipeline.bundle import DEFECTS_FOLDER, BundleObject, BundleView, SceneBundle
from pipeline.light.lamps import ImageWorld
from pipeline.parts.child import Job, read_here
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.part import Face, Part
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler, _bundle_material
from pipeline.render.launch import RenderChild
from pipeline.spec.scene import DefectSpec, ItemSpec, RenderSpec
from pipeline.surface.defects.apply import FlawedPart, apply_defects
from pipeline.surface.finishes import finish_part
from pipeline.surface.material import EmitterMaterial
from pipeline.tables import assets_root
from support.render_scenes import look_at, quad

SIZE = (0.04, 0.03, 0.01)
TOP = 5
IDENTITY = tuple(float(v) for v in np.eye(4).ravel())


@cache
def plate() -> Part:
    """The flange of the library: round, with a bore and bolt holes."""
    return read_here(Job(str(assets_root() / "parts" / "flange.step"), None, Tolerance(), Limits(), ""))


def block() -> Part:
    """40 x 30 x 10 mm about the origin, six planes; face TOP is the upper one."""
    box = trimesh.creation.box(SIZE)
    axes = [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]
    vertices, normals, triangles, face_of, faces = [], [], [], [], []
    for face_id, axis in enumerate(axes):
        rows = np.flatnonzero(np.round(box.face_normals) @ np.array(axis) > 0.5)
        used, index = np.unique(box.faces[rows], return_inverse=True)
        triangles.append(index.reshape(-1, 3) + sum(len(v) for v in vertices))
        vertices.append(box.vertices[used])
        normals.append(np.tile(np.array(axis, dtype=float), (len(used), 1)))
        face_of.append(np.full(len(rows), face_id))
        area = float(box.area_faces[rows].sum())
        origin = tuple(float(v) for v in np.array(axis) * np.array(SIZE) / 2)
        unit = tuple(float(v) for v in axis)
        faces.append(Face(face_id, 0, "plane", area, origin, unit, None, None, None, None, None))
    face_of_triangle = np.concatenate(face_of).astype(np.int32)
    info = replace(plate().info, name="block", faces=tuple(faces), diameter_m=float(np.linalg.norm(SIZE)))
    return Part(
        info,
        np.concatenate(vertices),
        np.concatenate(normals).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
        face_of_triangle,
        np.zeros_like(face_of_triangle),
    )


def defect(kind: str, number: int = 1, **values: float) -> DefectSpec:
    """A defect of middling severity and size."""
    usual = {"severity": 0.7, "size_quantile": 0.5, "size_scale": 1.0, "face_quantile": 0.9, "seed": 11}
    return DefectSpec(defect_id=number, kind=kind, **{**usual, **values})


def item(*defects: DefectSpec, finish: str = "ground") -> ItemSpec:
    """A steel instance with *defects*."""
    return ItemSpec(1, "block", "block", None, "block", "steel_carbon", finish, 0.5, 1.0, 0.5, 0.0, defects=defects)


def flawed(part: Part, *defects: DefectSpec, finish: str = "ground") -> FlawedPart:
    """*part* with *defects*."""
    own = item(*defects, finish=finish)
    return apply_defects(part, finish_part(part, own), own)


def camera(width: int, height: int, away: float = 1.0) -> PlacedCamera:
    """Looks down on the whole block from *away* x 0.2 m, a little from the side."""
    pose = look_at((0.03 * away, -0.1 * away, 0.17 * away), (0.0, 0.0, 0.004))
    focal = width * 4.4
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), focal, focal, width / 2, height / 2, width, height)


def render(
    folder: Path, part: Part, made: FlawedPart, own: ItemSpec, width: int = 160, samples: int = 4, away: float = 1.0
) -> Path:
    """Render *part* as *made* (view 0) and sound (view 1) into a bundle below *folder*."""
    job_folder, out = folder / "job", folder / "out"
    job_folder.mkdir(parents=True)
    out.mkdir()
    assembler = _Assembler(job_folder)
    placed = PlacedItem(1, "block", IDENTITY)
    assembler.add_part(placed, "block", part, finish_part(part, own), made)
    vertices, triangles = quad([-0.05, 0.12, 0.2], [0.1, 0, 0], [0, -0.08, 0.05])
    lamp = assembler._plain(vertices, triangles, EmitterMaterial("key", (9.0, 9.0, 9.0)))
    assembler.add(BundleObject(3001, "light", "key", "softbox", "key"), lamp)
    seen = camera(width, width * 3 // 4, away)
    views = (
        BundleView("block-v0", 0, seen, "any", 0, ("key", "world")),
        BundleView("block-v1", 1, seen, "any", 0, ("key", "world"), False, "block-v0"),
    )
    bundle = SceneBundle(
        scene_id="block",
        blender="",
        samples=samples,
        groups=("key", "world"),
        objects=tuple(assembler.entries),
        materials=tuple(_bundle_material(material) for material in assembler.materials),
        finishes=(),
        items=(placed,),
        views=views,
        defects=tuple(assembler.defects),
        changed_meshes=tuple(assembler.changed_meshes),
    )
    job = RenderJob(
        scene_id="block",
        render=RenderSpec(samples, False, 5),
        threads=2,
        groups=("key", "world"),
        world=ImageWorld(None, 0.2, 0.0, "world"),
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=bundle,
    )
    write_json(job_folder / JOB_FILE, to_dict(job))
    child = RenderChild(2)
    try:
        child.render(job_folder, out, timeout_s=300)
    finally:
        child.stop()
    shutil.copytree(job_folder / DEFECTS_FOLDER, out / DEFECTS_FOLDER)
    return out
