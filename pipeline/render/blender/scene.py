"""A render job as a Blender scene: settings, objects, cameras."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import bpy
import mathutils
import numpy as np

from pipeline.arrange.arrangement import PlacedCamera, matrix
from pipeline.render.blender.emitters import light_only
from pipeline.render.blender.groove_frame import PIXEL_ANGLE
from pipeline.render.blender.meshes import build_mesh, dress, number_materials, place
from pipeline.render.blender.shaders import build_material, build_world
from pipeline.render.footprint import finest_pixels
from pipeline.render.job import RenderJob

CLIP_START_M: Final = 0.001
CLIP_END_M: Final = 1000.0
LIGHT_TREE_LAMPS: Final = 16
"""Scenes with more lamps than this are sampled by a light tree. It finds the right one of a workshop's luminaires (26
lamps: 0.89 of plain sampling's variance in the same time), but walking it costs more than it gains where a dome or a
few softboxes light one spot (12 lamps: plain sampling took 55 % of the time at the same variance)."""
BOUNCES: Final = {
    "max_bounces": 12,
    "diffuse_bounces": 4,
    "glossy_bounces": 8,
    "transmission_bounces": 8,
    "transparent_max_bounces": 8,
    "volume_bounces": 0,
}


def build_scene(job: RenderJob, folder: Path) -> bpy.types.Scene:
    """Replace whatever Blender holds by the job's scene; *folder* holds the job's mesh files."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    _settings(scene, job)
    finest = finest_pixels(job, folder)
    materials = [
        build_material(material, float(pixel), folder) for material, pixel in zip(job.materials, finest, strict=True)
    ]
    number_materials(materials)
    meshes = {file: _load_mesh(folder, file) for file in _mesh_files(job)}
    for entry in job.objects:
        obj = bpy.data.objects.new(entry.name, meshes[entry.mesh_file])
        dress(obj, entry.first_material, materials)
        obj.pass_index = entry.index
        obj.visible_camera = entry.camera_visible
        if entry.group is not None:
            obj.lightgroup = entry.group
            light_only(obj, entry.lights)
        scene.collection.objects.link(obj)
        place(obj, entry.world_from_object)
    scene.world = build_world(job.world, folder)
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(scene.camera)
    return scene


def _mesh_files(job: RenderJob) -> list[str]:
    """Every mesh file of *job* once, in order of first appearance."""
    files = [file for entry in job.objects for file in (entry.mesh_file, entry.clean_mesh_file) if file is not None]
    return list(dict.fromkeys(files))


def _load_mesh(folder: Path, file: str) -> bpy.types.Mesh:
    """The mesh of one file; Blender knows it by the file's name."""
    with np.load(folder / file, allow_pickle=False) as arrays:
        return build_mesh(file, dict(arrays))


def _settings(scene: bpy.types.Scene, job: RenderJob) -> None:
    scene.render.engine = "CYCLES"
    scene.render.threads_mode, scene.render.threads = "FIXED", job.threads
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = False
    scene.render.use_compositing = False
    scene.render.use_sequencer = False
    scene.cycles.device = "CPU"
    for name, value in BOUNCES.items():
        setattr(scene.cycles, name, value)
    # Blender's defaults blur glossy paths and clamp bright ones: both would falsify the radiance we label.
    scene.cycles.blur_glossy = 0.0
    scene.cycles.sample_clamp_direct = 0.0
    scene.cycles.sample_clamp_indirect = 0.0
    scene.cycles.caustics_reflective = True
    scene.cycles.use_adaptive_sampling = False
    lamps = sum(entry.group is not None for entry in job.objects)
    scene.cycles.use_light_tree = lamps > LIGHT_TREE_LAMPS
    scene.cycles.use_denoising = False  # the compositor denoises, see `denoise`
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "MULTI_LAYER_IMAGE"
    image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR_MULTILAYER", "32", "NONE"


def sample_for_beauty(scene: bpy.types.Scene, samples: int, seed: int) -> None:
    """Sampling settings of the beauty render."""
    cycles = scene.cycles
    cycles.samples, cycles.seed = samples, seed
    cycles.max_bounces = BOUNCES["max_bounces"]
    # A sensor pixel gathers light over its square; the lens, later, adds its own blur.
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1.0


def set_camera(scene: bpy.types.Scene, camera: PlacedCamera) -> None:
    """Aim Blender's camera as *camera* says: same pose, intrinsics and size."""
    data = scene.camera.data
    data.type, data.sensor_fit = "PERSP", "HORIZONTAL"
    data.sensor_width = 36.0
    data.lens = camera.fx * data.sensor_width / camera.width
    data.shift_x = (camera.width / 2 - camera.cx) / camera.width
    data.shift_y = (camera.cy - camera.height / 2) / camera.width
    data.clip_start, data.clip_end = CLIP_START_M, CLIP_END_M
    scene.render.resolution_x, scene.render.resolution_y = camera.width, camera.height
    if not math.isclose(camera.fx, camera.fy, rel_tol=1e-9):
        scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = 1.0, camera.fx / camera.fy
    scene[PIXEL_ANGLE] = 1.0 / camera.fx
    # Blender's camera looks along -z with y up; OpenCV's along +z with y down.
    world_from_cv = np.linalg.inv(matrix(camera.cam_from_world))
    scene.camera.matrix_world = mathutils.Matrix((world_from_cv @ np.diag([1.0, -1.0, -1.0, 1.0])).tolist())
