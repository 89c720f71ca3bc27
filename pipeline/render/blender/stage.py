"""What stands on the stage in one view: lamps of its rig and camera, the support or not, parts with defects or without,
and where the belt has carried them.

Covers: switching the objects of a built scene between views. Does not cover: building them (`scene`).
"""

from __future__ import annotations

import bpy

from pipeline.arrange.arrangement import shifted
from pipeline.bundle import BundleView, rides_the_belt
from pipeline.render.blender.defect_nodes import DEFECTS_SHOWN
from pipeline.render.blender.meshes import dress, job_materials, place
from pipeline.render.job import RenderJob


class Stage:
    """The objects of a built scene, to be set for one view after the other."""

    def __init__(self, scene: bpy.types.Scene, job: RenderJob) -> None:
        self.scene, self.job = scene, job
        self.objects = {entry.name: scene.objects[entry.name] for entry in job.objects}
        self.materials = job_materials()
        riding = {entry.index for entry in job.bundle.objects if rides_the_belt(entry)}
        moves = any(any(view.belt_shift_m) for view in job.bundle.views)
        self.riding = [entry for entry in job.objects if moves and entry.index in riding]
        self.flawed = [entry for entry in job.objects if entry.clean_mesh_file is not None]

    def set(self, view: BundleView) -> None:
        """Show what *view* shows, and nothing else."""
        for entry in self.job.objects:
            in_rig = entry.rigs is None or view.rig_index in entry.rigs
            at_camera = entry.camera is None or entry.camera == view.camera.camera_index
            self.objects[entry.name].hide_render = not (in_rig and at_camera)
        for entry in self.riding:
            place(self.objects[entry.name], shifted(entry.world_from_object, view.belt_shift_m))
        self.scene[DEFECTS_SHOWN] = 1.0 if view.defects else 0.0
        for entry in self.flawed:
            clean = not view.defects
            obj = self.objects[entry.name]
            obj.data = bpy.data.meshes[(entry.clean_mesh_file if clean else entry.mesh_file) or ""]
            dress(obj, entry.clean_first_material if clean else entry.first_material, self.materials)
