"""Truth layers and the mirror probe: one render at one sample, without filter, denoiser or clamp.

Every surface becomes a perfect mirror towards the camera and, towards the mirrored ray, a glowing label: (object
index, ray length, CAD face + 1). So one render gives, at each pixel's centre, what is seen (data passes) and what is
seen in it (radiance). The world answers with its direction, shifted so that red is negative.
"""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import WORLD_INDEX
from pipeline.render.blender.meshes import FIRST_MATERIAL, SLOT_ATTRIBUTE
from pipeline.render.blender.nodes import Tree

WORLD_SHIFT: Final = (-50.0, 2.0, 2.0)
FACE_AOV: Final = "cad_face"
MATERIAL_AOV: Final = "material_id"
PASSES: Final = ("z", "position", "normal", "object_index")


class Probe:
    """Turns a built scene into its probe and back."""

    def __init__(self, layer: bpy.types.ViewLayer) -> None:
        self.layer = layer
        self.materials: dict[int, bpy.types.Material] = {}
        self.world = _direction_world()
        for name in (FACE_AOV, MATERIAL_AOV):
            aov = layer.aovs.add()
            aov.name, aov.type = name, "VALUE"

    def enter(self, scene: bpy.types.Scene, beauty_passes: list[str], bounces: int = 1) -> None:
        """Set the scene up for the probe render; call `leave` afterwards. The ray is mirrored *bounces* times."""
        self._saved_world = scene.world
        scene.world = self.world
        if bounces not in self.materials:
            self.materials[bounces] = _mirror_material(bounces)
        self.layer.material_override = self.materials[bounces]
        for name in beauty_passes:
            setattr(self.layer, name, False)
        for name in PASSES:
            setattr(self.layer, f"use_pass_{name}", True)
        cycles = scene.cycles
        cycles.samples, cycles.max_bounces = 1, bounces
        cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
        self.layer.cycles.denoising_store_passes = False

    def leave(self, scene: bpy.types.Scene) -> None:
        """Undo `enter`'s world, override and passes; sampling settings are the caller's to set again."""
        scene.world = self._saved_world
        self.layer.material_override = None
        for name in PASSES:
            setattr(self.layer, f"use_pass_{name}", False)


def _mirror_material(bounces: int) -> bpy.types.Material:
    """A mirror for the first *bounces* surfaces of a path, a label on the next."""
    material = bpy.data.materials.new("probe")
    tree = Tree(material)
    mirror = tree.node("BsdfGlossy", distribution="GGX")
    mirror.inputs["Roughness"].default_value = 0.0
    mirror.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    path = tree.node("LightPath")
    label = tree.node("CombineXYZ")
    tree.link(tree.node("ObjectInfo").outputs["Object Index"], label.inputs[0])
    tree.link(path.outputs["Ray Length"], label.inputs[1])
    tree.link(_fac(tree.attribute(FACE_AOV)), label.inputs[2])
    emission = tree.node("Emission")
    tree.link(label.outputs[0], emission.inputs["Color"])
    mix = tree.node("MixShader")
    tree.link(tree.math("GREATER_THAN", path.outputs["Ray Depth"], bounces - 0.5), mix.inputs[0])
    tree.link(mirror.outputs[0], mix.inputs[1])
    tree.link(emission.outputs[0], mix.inputs[2])
    tree.link(mix.outputs[0], tree.node("OutputMaterial").inputs["Surface"])
    for name, value in ((FACE_AOV, _fac(tree.attribute(FACE_AOV))), (MATERIAL_AOV, material_number(tree))):
        output = tree.node("OutputAOV")
        output.aov_name = name
        tree.link(value, output.inputs["Value"])
    material.cycles.emission_sampling = "NONE"
    return material


def material_number(tree: Tree) -> Any:
    """Number + 1 of the job's material that the shaded point has by itself, whatever overrides it."""
    first = tree.attribute(FIRST_MATERIAL)
    first.attribute_type = "OBJECT"
    return tree.math("ADD", _fac(tree.attribute(SLOT_ATTRIBUTE)), _fac(first))


def _fac(attribute: Any) -> Any:
    """The scalar output of an attribute node; it was renamed from Fac to Factor in the 5.x line."""
    return next(s for s in attribute.outputs if s.name in {"Fac", "Factor"})


def _direction_world() -> bpy.types.World:
    world = bpy.data.worlds.new("probe")
    tree = Tree(world)
    shifted = tree.vector_math("ADD", tree.node("TexCoord").outputs["Generated"], WORLD_SHIFT)
    background = tree.node("Background")
    tree.link(shifted, background.inputs["Color"])
    background.inputs["Strength"].default_value = 1.0
    tree.link(background.outputs[0], tree.node("OutputWorld").inputs["Surface"])
    world.cycles.sampling_method = "NONE"
    return world


def decode(radiance: NDArray[np.float32], hit: NDArray[np.bool_]) -> dict[str, NDArray[np.float32]]:
    """Channels of reflection.exr from the probe's (h, w, 3) radiance; *hit* is where the camera sees a surface."""
    to_world = hit & (radiance[..., 0] < WORLD_SHIFT[0] / 2)
    to_object = hit & ~to_world
    direction = np.where(to_world[..., None], radiance - np.array(WORLD_SHIFT, dtype=np.float32), np.float32(0.0))
    return {
        "object": np.where(to_world, np.float32(WORLD_INDEX), np.where(to_object, np.rint(radiance[..., 0]), 0)).astype(
            np.float32
        ),
        "distance": np.where(to_object, radiance[..., 1], 0).astype(np.float32),
        "face": np.where(to_object, np.rint(radiance[..., 2]), 0).astype(np.float32),
        "direction.X": direction[..., 0].astype(np.float32),
        "direction.Y": direction[..., 1].astype(np.float32),
        "direction.Z": direction[..., 2].astype(np.float32),
    }
