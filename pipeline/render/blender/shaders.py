"""Shader nodes: a job's materials, the world, and the mirror probe.

Socket names are looked up by name, which both Blender lines share; what a line lacks is handled where it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from pipeline.light.lamps import ImageWorld
from pipeline.render.blender import environment
from pipeline.render.blender.emitters import emitter_shader
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.plain_shader import plain_shader
from pipeline.surface.material import EmitterMaterial, Material, MetalMaterial
from pipeline.surface.roughness import alpha_to_blender


def build_material(material: Material) -> bpy.types.Material:
    """The Blender material of one record."""
    result = bpy.data.materials.new(material.name)
    tree = Tree(result)
    output = tree.node("OutputMaterial")
    if isinstance(material, MetalMaterial):
        shader = _metal(tree, material)
    elif isinstance(material, EmitterMaterial):
        shader = emitter_shader(tree, material)
    else:
        shader = plain_shader(tree, material)
    tree.link(shader, output.inputs["Surface"])
    result.cycles.emission_sampling = "FRONT" if isinstance(material, EmitterMaterial) else "NONE"
    return result


def _metal(tree: Tree, material: MetalMaterial) -> Any:
    """Conductor Fresnel with anisotropic GGX whose larger alpha lies across the grooves."""
    roughness, anisotropy = alpha_to_blender(material.alpha_across, material.alpha_along)
    metal = tree.node("BsdfMetallic", fresnel_type="PHYSICAL_CONDUCTOR", distribution="MULTI_GGX")
    metal.inputs["IOR"].default_value = material.ior
    metal.inputs["Extinction"].default_value = material.extinction
    metal.inputs["Roughness"].default_value = roughness
    metal.inputs["Anisotropy"].default_value = anisotropy
    if anisotropy > 0:
        tree.link(_groove_direction(tree), metal.inputs["Tangent"])
        # The larger alpha lies along Tangent; a quarter turn puts it across the grooves.
        metal.inputs["Rotation"].default_value = 0.25
    return metal.outputs[0]


def _groove_direction(tree: Tree) -> Any:
    """World-space direction of the lay: the straight lay plus cross(axis, p - origin) of the circular one."""
    position = tree.node("TexCoord").outputs["Object"]
    arm = tree.vector_math("SUBTRACT", position, tree.attribute("lay_origin").outputs["Vector"])
    circular = tree.vector_math("CROSS_PRODUCT", tree.attribute("lay_axis").outputs["Vector"], arm)
    unit = tree.vector_math("NORMALIZE", circular, (0.0, 0.0, 0.0))
    direction = tree.vector_math("ADD", unit, tree.attribute("lay").outputs["Vector"])
    to_world = tree.node("VectorTransform", vector_type="VECTOR", convert_from="OBJECT", convert_to="WORLD")
    tree.link(direction, to_world.inputs[0])
    return to_world.outputs[0]


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
