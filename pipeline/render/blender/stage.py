"""What stands on the stage in one view: lamps of its rig and camera, the support or not, parts with defects or without.

Covers: switching the objects of a built scene between views. Does not cover: building them (`scene`).
"""

from __future__ import annotations

import bpy

from pipeline.bundle import BundleView
from pipeline.render.blender.scene import clean_name
from pipeline.render.job import RenderJob


class Stage:
    """The objects of a built scene, to be set for one view after the other."""

    def __init__(self, scene: bpy.types.Scene, job: RenderJob) -> None:
        self.job = job
        self.objects = {entry.name: scene.objects[entry.name] for entry in job.objects}
        flawed = [entry.name for entry in job.objects if entry.clean_mesh_file is not None]
        self.with_defects = {name: self.objects[name].data for name in flawed}
        self.without = {name: bpy.data.meshes[clean_name(name)] for name in flawed}

    def set(self, view: BundleView) -> None:
        """Show what *view* shows, and nothing else."""
        for entry in self.job.objects:
            in_rig = entry.rigs is None or view.rig_index in entry.rigs
            at_camera = entry.camera is None or entry.camera == view.camera.camera_index
            self.objects[entry.name].hide_render = not (in_rig and at_camera)
        for name, mesh in (self.with_defects if view.defects else self.without).items():
            self.objects[name].data = mesh
