"""Scenes of polished metal beside a white plane under one small lamp, for cast light: jobs, and what a camera sees.

Covers: render jobs without Blender, the position, object and albedo layers of a camera that looks down on the plane.
Does not cover: what the light should look like (the tests compute that in closed form).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import trimesh

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import (
    BUNDLE_FILE,
    BundleObject,
    BundleView,
    SceneBundle,
    view_folder,
    write_exr,
    write_ids,
)
from pipeline.layers import write_parts
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.cast_light.gather import Seen
from pipeline.render.cast_light.lamps import lamps_of
from pipeline.render.cast_light.lobes import lobes_of
from pipeline.render.cast_light.photons import Landings, Lighting, trace
from pipeline.render.cast_light.stage import Caster, placed_in, triangles_of
from pipeline.render.cast_light.write import add_cast_light
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import EmitterMaterial, MetalMaterial, PlainMaterial
from support import render_scenes as rs
from support.metal_samples import above

LAST_PART = 1000
TABLE, LAMP = 1001, 3001
IOR, EXTINCTION = (2.408, 2.024, 1.652), (4.181, 3.645, 3.069)
BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
"""A metal whose index is that of air reflects nothing."""


def steel(alpha: float = 0.001, nk=(IOR, EXTINCTION)) -> MetalMaterial:
    return MetalMaterial(f"steel {alpha} {nk}", "stainless_austenitic", *nk, "polished", 0.02, alpha, alpha, "P")


def cylinder_mesh(radius: float, height: float, sections: int = 512) -> dict[str, np.ndarray]:
    """An upright cylinder on the plane z = 0 about the z axis, its wall with exact normals."""
    body = trimesh.creation.cylinder(radius, height, sections=sections)
    body.apply_translation((0.0, 0.0, height / 2))
    body.unmerge_vertices()
    normals = np.repeat(body.face_normals, 3, axis=0)
    wall = np.repeat(np.abs(body.face_normals[:, 2]) < 0.5, 3)
    normals[wall] = body.vertices[wall] * [1.0, 1.0, 0.0] / np.linalg.norm(body.vertices[wall, :2], axis=1)[:, None]
    return {"vertices": body.vertices, "normals": normals.astype(np.float32), "triangles": body.faces.astype(np.int32)}


def plate_mesh(centre, u, v, lay) -> dict[str, np.ndarray]:
    """A rectangle that faces cross(u, v), with a straight lay."""
    vertices, triangles = rs.quad(list(centre), list(u), list(v))
    normal = np.cross(u, v) / np.linalg.norm(np.cross(u, v))
    along = np.array(lay) - np.dot(lay, normal) * normal
    return {
        "vertices": vertices,
        "triangles": triangles,
        "normals": np.tile(normal.astype(np.float32), (4, 1)),
        "lay": np.tile((along / np.linalg.norm(along)).astype(np.float32), (4, 1)),
    }


def plane_seen(camera: PlacedCamera, albedo: float = 1.0) -> Seen:
    """What a camera that looks straight down from 0.5 m sees of the empty plane z = 0."""
    height = float(np.linalg.inv(np.array(camera.cam_from_world).reshape(4, 4))[2, 3])
    x = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx * height
    y = -(np.arange(camera.height) + 0.5 - camera.cy) / camera.fy * height
    position = np.stack([*np.meshgrid(x, y), np.zeros((camera.height, camera.width))], axis=-1).astype(np.float32)
    shape = position.shape[:2]
    return Seen(camera, position, np.full(shape, TABLE, np.uint16), np.full((*shape, 3), albedo, np.float32))


@dataclass
class CastScene:
    """A scene under construction in *folder*."""

    folder: Path
    lights: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.assembler = _Assembler(self.folder)
        self.parts = 0

    def part(self, mesh: dict[str, np.ndarray], material: MetalMaterial | PlainMaterial, **extra: np.ndarray) -> int:
        self.parts += 1
        count = len(mesh["vertices"])
        flat = {name: np.zeros((count, 3), np.float32) for name in ("lay", "lay_axis", "lay_origin")}
        slot = np.full(len(mesh["triangles"]), self.assembler.material(material), np.int32)
        entry = BundleObject(self.parts, "part", f"part{self.parts}", "part", None)
        self.assembler.add(entry, {**flat, **mesh, "material": slot, **extra})
        return self.parts

    def plane(self, albedo: float = 0.8, half: float = 0.5) -> None:
        vertices, triangles = rs.quad([0, 0, 0], [half, 0, 0], [0, half, 0])
        white = PlainMaterial("white", (albedo,) * 3, 1.0, 1.0, 0.0, 1.0)
        arrays = self.assembler._plain(vertices, triangles, white)
        self.assembler.add(BundleObject(TABLE, "support", "table", "table", None), arrays)

    def lamp(self, centre, u, v, radiance=(100.0,) * 3, group: str = "lamp") -> int:
        """A rectangle that shines along cross(u, v)."""
        index = LAMP + len(self.lights)
        name = f"lamp{len(self.lights)}"
        vertices, triangles = rs.quad(list(centre), list(u), list(v))
        arrays = self.assembler._plain(vertices, triangles, EmitterMaterial(name, tuple(radiance)))
        self.assembler.add(BundleObject(index, "light", name, "softbox", group), arrays, camera_visible=False)
        self.lights.append(group)
        return index

    def job(self, *cameras: PlacedCamera, samples: int = 16, world: float = 0.0) -> RenderJob:
        groups = (*dict.fromkeys(self.lights), "world")
        views = tuple(BundleView(f"cast-v{i}", i, camera, "any", 0, groups) for i, camera in enumerate(cameras))
        content = SceneBundle("cast", "", samples, groups, tuple(self.assembler.entries), (), (), (), views)
        materials, objects = tuple(self.assembler.materials), tuple(self.assembler.objects)
        sky = ImageWorld(None, world, 0.0, "world")
        job = RenderJob("cast", RenderSpec(samples, False, 5), 2, groups, sky, materials, objects, content)
        write_json(self.folder / JOB_FILE, to_dict(job))
        return job

    def landings(self, photons: int = 1 << 16, seed: int = 3, threads: int = 2) -> Landings:
        job = self.job(above(1.0, 1.0, 8))
        placed = placed_in(job, job.bundle.views[0])
        triangles = triangles_of(placed, self.folder)
        lamps = lamps_of(placed, triangles, job.materials, job.groups, np.zeros(3))
        lighting = Lighting(triangles, Caster(triangles), lamps, lobes_of(job.materials), LAST_PART, threads)
        return trace(lighting, seed, photons)

    def render(self, out: Path, *cameras: PlacedCamera, samples: int = 16) -> Path:
        """Render the views of *cameras* with Cycles and add their cast light; the bundle's folder."""
        self.job(*cameras, samples=samples)
        out.mkdir(parents=True)
        render_in_child(self.folder, out, threads=2, timeout_s=300)
        add_cast_light(self.folder, out)
        return out

    def without_blender(self, out: Path, *views: BundleView) -> Path:
        """The cast light of *views*, whose cameras look straight down on the plane, added to a bundle made by hand."""
        job = self.job(*(view.camera for view in views))
        content = replace(job.bundle, views=tuple(replace(view, groups=job.groups) for view in views))
        write_json(self.folder / JOB_FILE, to_dict(replace(job, bundle=content)))
        for view in content.views:
            folder, seen = view_folder(out, view.view_index), plane_seen(view.camera, albedo=0.5)
            folder.mkdir(parents=True)
            write_exr(folder / "position.exr", {axis: seen.position[..., i] for i, axis in enumerate("XYZ")})
            write_ids(folder / "object.png", seen.object)
            write_parts(folder / "terms.exr", {"diffuse_color": seen.albedo}, "zip:1")
            write_parts(folder / "light.exr", {f"group.{group}": seen.albedo for group in job.groups}, "zip:1")
        write_json(out / BUNDLE_FILE, to_dict(content))
        add_cast_light(self.folder, out)
        return out
