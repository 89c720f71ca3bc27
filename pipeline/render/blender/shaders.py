"""Shader nodes: a job's materials, the world, and the mirror probe.

Socket names are looked up by name, which both Blender lines share; what a line lacks is handled where it is used.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from pipeline.light.lamps import ImageWorld
from pipeline.render.blender import environment
from pipeline.render.blender.emitters import emitter_shader
from pipeline.render.blender.metal_shader import metal_shader
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.plain_shader import plain_shader
from pipeline.surface.material import EmitterMaterial, Material, MetalMaterial


def build_material(material: Material, finest_pixel_m: float = 0.0, folder: Path = Path()) -> bpy.types.Material:
    """The Blender material of one record; *folder* holds the job.

    *finest_pixel_m*: no pixel of any view covers less of a metal surface, metres (0 = not known).
    """
    result = bpy.data.materials.new(material.name)
    tree = Tree(result)
    output = tree.node("OutputMaterial")
    if isinstance(material, MetalMaterial):
        shader = metal_shader(tree, material, finest_pixel_m, folder)
    elif isinstance(material, EmitterMaterial):
        shader = emitter_shader(tree, material)
    else:
        shader = plain_shader(tree, material, folder)
    tree.link(shader, output.inputs["Surface"])
    result.cycles.emission_sampling = "FRONT" if isinstance(material, EmitterMaterial) else "NONE"
    return result


def build_world(world: ImageWorld, job_folder: Path) -> bpy.types.World:
    """The world: a flat colour, one of the environment images that ship with Blender, or one of the job's."""
    result = bpy.data.worlds.new("world")
    tree = Tree(result)
    background, output = tree.node("Background"), tree.node("OutputWorld")
    background.inputs["Strength"].default_value = world.radiance
    background.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    path = environment.world_image(world, job_folder)
    if path is not None:
        image = tree.node("TexEnvironment")
        image.image = bpy.data.images.load(str(path), check_existing=True)
        turn = tree.node("Mapping", vector_type="POINT")
        # Turning the direction that is looked up one way turns the picture the other way.
        turn.inputs["Rotation"].default_value = (0.0, 0.0, -world.yaw_rad)
        tree.link(tree.node("TexCoord").outputs["Generated"], turn.inputs["Vector"])
        tree.link(turn.outputs[0], image.inputs["Vector"])
        tree.link(image.outputs["Color"], background.inputs["Color"])
    tree.link(background.outputs[0], output.inputs["Surface"])
    result.lightgroup = world.group
    return result
