"""What stands on the stage in one view: the lamps of its rig, the support or not, the parts with or without defects.

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
            self.objects[entry.name].hide_render = entry.rigs is not None and view.rig_index not in entry.rigs
        for name, mesh in (self.with_defects if view.defects else self.without).items():
            self.objects[name].data = mesh
