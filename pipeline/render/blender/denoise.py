"""Denoising every light group with Blender's compositor.

Cycles denoises the combined image alone; a photo that weighs its lamps anew needs each light group denoised. The
compositor's Denoise node takes any pass with Cycles' own guides (denoising albedo and normal). Through a smooth metal
the albedo guide shows what is mirrored, with its noise, which would come back as speckle; so it is denoised first, once
for all groups. Normals of CAD parts are free of noise, so nothing else is prefiltered. It happens after Cycles has
freed its buffers: denoising inside Cycles would need 400 MB more at 1024 x 1024.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

FILE_STEM = "denoised"


class GroupDenoiser:
    """A compositor graph that writes each light group, denoised, into one EXR per render."""

    def __init__(self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, groups: tuple[str, ...]) -> None:
        layer.cycles.denoising_store_passes = True
        self.scene = scene
        self.tree = _tree(scene)
        layers = self.tree.nodes.new("CompositorNodeRLayers")
        self.output = self.tree.nodes.new("CompositorNodeOutputFile")
        _configure_output(self.output, groups)
        normal = layers.outputs["Denoising Normal"]
        albedo = self._denoised(layers.outputs["Denoising Albedo"], None, normal, hdr=False)
        for position, group in enumerate(groups):
            clean = self._denoised(layers.outputs[f"Combined_{group}"], albedo, normal, hdr=True)
            self.tree.links.new(clean, self.output.inputs[position])

    def _denoised(self, image: Any, albedo: Any, normal: Any, hdr: bool) -> Any:
        """Output socket of *image* denoised with these guides."""
        node = self.tree.nodes.new("CompositorNodeDenoise")
        if bpy.app.version < (5, 0):
            node.prefilter, node.quality, node.use_hdr = "NONE", "BALANCED", hdr
        else:
            node.inputs["Prefilter"].default_value = "None"
            node.inputs["Quality"].default_value = "Balanced"
            node.inputs["HDR"].default_value = hdr
        for source, name in ((image, "Image"), (albedo, "Albedo"), (normal, "Normal")):
            if source is not None:
                self.tree.links.new(source, node.inputs[name])
        return node.outputs[0]

    def write_into(self, folder: Path) -> None:
        """Where the next render leaves its file."""
        if bpy.app.version < (5, 0):
            self.output.base_path = str(folder / FILE_STEM)
        else:
            self.output.directory, self.output.file_name = str(folder), FILE_STEM

    def switch(self, on: bool) -> None:
        """Let renders run the compositor, or not."""
        self.scene.render.use_compositing = on


def _tree(scene: bpy.types.Scene) -> Any:
    if bpy.app.version < (5, 0):
        scene.use_nodes = True
        scene.node_tree.nodes.clear()
        return scene.node_tree
    tree = bpy.data.node_groups.new("denoise", "CompositorNodeTree")
    scene.compositing_node_group = tree
    return tree


def _configure_output(output: Any, groups: tuple[str, ...]) -> None:
    if hasattr(output.format, "media_type"):
        output.format.media_type = "MULTI_LAYER_IMAGE"
    output.format.file_format = "OPEN_EXR_MULTILAYER"
    output.format.color_depth = "32"
    output.format.exr_codec = "NONE"
    if bpy.app.version < (5, 0):
        output.layer_slots.clear()
        for group in groups:
            output.layer_slots.new(group)
    else:
        output.file_output_items.clear()
        for group in groups:
            output.file_output_items.new("RGBA", group)


def find_output(folder: Path) -> Path:
    """The file that the last render left in *folder* (Blender adds a frame number). Raises FileNotFoundError."""
    files = sorted(folder.glob(f"{FILE_STEM}*.exr"))
    if not files:
        raise FileNotFoundError(f"the compositor wrote no {FILE_STEM}*.exr")
    return files[-1]
