"""The rough probe: what metal shows with its real roughness, by several mirrored rays per pixel in one render.

The view is rendered at k times its width and height with one sample, so that k x k camera rays cross each pixel, and
every part's metal becomes a white GGX mirror with the roughness, anisotropy and lay of its material, all relief below
the pixel included. Where the scattered ray ends, surfaces glow as (object index, 0, 1) and the world as (its label or
index, its luminance, 1); so a pixel's radiance is the ray's weight times that. Does not cover: what is made of the rays
(`render.rough_shares`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import FIRST_FAR, ROUGH_CHANNELS, ROUGH_FILE, WORLD_INDEX, WORLD_LABELS_FILE, write_exr
from pipeline.render.blender.groove_frame import GrooveFrame
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.passes import PassRows
from pipeline.render.blender.probe import material_number
from pipeline.render.job import RenderJob
from pipeline.render.rough_shares import rough_channels, thing_classes
from pipeline.surface.material import Material, MetalMaterial
from pipeline.surface.roughness import LARGEST_RATIO

LAYER: Final = "rough"
_ROWS_AT_ONCE: Final = 16
"""Rows of the view whose rays are looked at together."""
_NO_LAY: Final = (0.36e-4, 0.48e-4, 0.8e-4)
"""Added to the groove direction, so that a surface without lay has some tangent."""
_LABEL_STEPS: Final = 65535.0
"""A 16-bit label l is the grey l / 65535."""


class RoughProbe:
    """Renders the rough probe of one view after the other."""

    def __init__(self, scene: bpy.types.Scene, job: RenderJob, folder: Path) -> None:
        """*folder*: the job's, which holds the labels of a far environment."""
        self.scene, self.job = scene, job
        self.side = math.isqrt(job.render.reflections.rough_rays)
        metal = [isinstance(material, MetalMaterial) for material in job.materials]
        self.metal = np.array(metal or [False])  # a scene of nothing but its world has no material
        self.classes = thing_classes(job.bundle)
        self.layer = scene.view_layers.new(LAYER)
        self.layer.use = False
        self.layer.use_pass_object_index = True
        self.layer.material_override = _scattering_material(job.materials)
        self.world = _labelled_world(scene.world, folder / WORLD_LABELS_FILE if job.bundle.world else None)

    def render(
        self, render: Callable[[str], Path], objects: NDArray[np.uint16], materials: NDArray[np.uint16], out: Path
    ) -> None:
        """Write rough_reflection.exr of the view that the scene is set to into *out*.

        *render* renders into the file of a name; *objects* and *materials* are (h, w), as object.png and material.png
        hold them.
        """
        on_metal = (objects > 0) & (objects <= _LAST_PART) & (materials > 0)
        on_metal &= self.metal[np.maximum(materials, 1).astype(np.int64) - 1]
        channels = {name: np.zeros(objects.shape, np.float32) for name in ROUGH_CHANNELS}
        if on_metal.any():
            with self._entered():
                path = render(LAYER)
            self._fill(channels, path, objects, on_metal)
            path.unlink()
        halves = {name: values.astype(np.float16) for name, values in channels.items() if name != "object"}
        write_exr(out / ROUGH_FILE, {"object": channels["object"], **halves})

    def _fill(
        self,
        channels: dict[str, NDArray[np.float32]],
        path: Path,
        objects: NDArray[np.uint16],
        on_metal: NDArray[np.bool_],
    ) -> None:
        rows_of = PassRows(path, ("Combined", "Object Index"))
        try:
            for top in range(0, len(objects), _ROWS_AT_ONCE):
                chosen = on_metal[top : top + _ROWS_AT_ONCE]
                if not chosen.any():
                    continue
                first, last = top * self.side, (top + len(chosen)) * self.side
                combined, index = (rows_of.read(name, first, last) for name in ("Combined", "Object Index"))
                found = rough_channels(
                    objects[top : top + len(chosen)][chosen],
                    np.rint(self._by_pixel(index[..., :1])[chosen][..., 0]).astype(np.uint16),
                    self._by_pixel(combined[..., :3])[chosen],
                    self.classes,
                )
                for name, values in found.items():
                    channels[name][top : top + len(chosen)][chosen] = values
        finally:
            rows_of.close()

    def _by_pixel(self, rays: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rays (k rows, k columns, c) of a block of pixels as (rows, columns, k * k, c)."""
        k, depth = self.side, rays.shape[2]
        rows, columns = rays.shape[0] // k, rays.shape[1] // k
        blocks = rays.reshape(rows, k, columns, k, depth).swapaxes(1, 2)
        return blocks.reshape(rows, columns, k * k, depth)

    @contextmanager
    def _entered(self) -> Iterator[None]:
        scene, cycles = self.scene, self.scene.cycles
        used = {layer.name: layer.use for layer in scene.view_layers}
        saved = scene.world, scene.render.resolution_percentage, cycles.use_auto_tile
        for layer in scene.view_layers:
            layer.use = layer.name == LAYER
        scene.world = self.world
        scene.render.resolution_percentage = 100 * self.side
        cycles.samples, cycles.max_bounces, cycles.seed = 1, 1, self.job.render.seed
        cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
        cycles.use_auto_tile = False
        try:
            yield
        finally:
            scene.world, scene.render.resolution_percentage, cycles.use_auto_tile = saved
            for layer in scene.view_layers:
                layer.use = used[layer.name]


_LAST_PART: Final = 1000


def lobe_values(material: Material) -> tuple[float, float, float]:
    """(roughness, anisotropy, 1) of a Glossy BSDF with *material*'s total alphas; zeros for what is no metal.

    Inverse of Cycles' svm/closure.h: the alphas are r^2 (1 - a) along the tangent and r^2 / (1 - a) across it, with the
    tangent along the grooves. Opaque films have the roughness of their own surface.
    """
    if not isinstance(material, MetalMaterial):
        return 0.0, 0.0, 0.0
    if material.film is not None and material.film.kind == "opaque":
        return material.film.roughness, 0.0, 1.0
    across = material.alpha_across
    along = min(across, max(material.alpha_along, across / LARGEST_RATIO))
    return (across * along) ** 0.25, 1.0 - math.sqrt(along / across), 1.0


def _scattering_material(materials: tuple[Material, ...]) -> bpy.types.Material:
    material = bpy.data.materials.new("rough_probe")
    tree = Tree(material)
    values = tree.node("SeparateColor")
    tree.link(_looked_up(tree, materials), values.inputs[0])
    glossy = tree.node("BsdfAnisotropic" if hasattr(bpy.types, "ShaderNodeBsdfAnisotropic") else "BsdfGlossy")
    glossy.distribution = "GGX"
    glossy.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    tree.link(values.outputs[0], glossy.inputs["Roughness"])
    tree.link(values.outputs[1], glossy.inputs["Anisotropy"])
    along = tree.vector_math("ADD", GrooveFrame(tree).along, _NO_LAY)
    tree.link(tree.vector_math("NORMALIZE", along, (0.0, 0.0, 0.0)), glossy.inputs["Tangent"])
    label = tree.node("CombineXYZ")
    tree.link(tree.node("ObjectInfo").outputs["Object Index"], label.inputs[0])
    label.inputs[2].default_value = 1.0
    emission = tree.node("Emission")
    tree.link(label.outputs[0], emission.inputs["Color"])
    deep = tree.math("GREATER_THAN", tree.node("LightPath").outputs["Ray Depth"], 0.5)
    other = tree.math("LESS_THAN", values.outputs[2], 0.5)
    mix = tree.node("MixShader")
    tree.link(tree.math("MAXIMUM", deep, other), mix.inputs[0])
    tree.link(glossy.outputs[0], mix.inputs[1])
    tree.link(emission.outputs[0], mix.inputs[2])
    tree.link(mix.outputs[0], tree.node("OutputMaterial").inputs["Surface"])
    material.cycles.emission_sampling = "NONE"
    return material


def _looked_up(tree: Tree, materials: tuple[Material, ...]) -> Any:
    """Colour socket: `lobe_values` of the material that the shaded point has by itself."""
    lobes = [lobe_values(material) for material in materials] or [(0.0, 0.0, 0.0)]
    image = bpy.data.images.new("lobes", len(lobes), 1, float_buffer=True, is_data=True)
    pixels = np.ones((len(lobes), 4), dtype=np.float32)
    pixels[:, :3] = lobes
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    texture = tree.node("TexImage", interpolation="Closest", extension="EXTEND")
    texture.image = image
    at = tree.node("CombineXYZ")
    number = material_number(tree)
    tree.link(tree.math("MULTIPLY_ADD", number, 1.0 / len(lobes), -0.5 / len(lobes)), at.inputs[0])
    at.inputs[1].default_value = 0.5
    tree.link(at.outputs[0], texture.inputs["Vector"])
    return texture.outputs["Color"]


def _labelled_world(beauty: bpy.types.World, labels: Path | None) -> bpy.types.World:
    """A copy of *beauty* whose colour is (index, luminance, 1); *labels*: picture of its labels, None without."""
    world = beauty.copy()
    world.lightgroup = ""
    nodes, links = world.node_tree.nodes, world.node_tree.links
    background = next(node for node in nodes if node.type == "BACKGROUND")
    color, strength = background.inputs["Color"], background.inputs["Strength"]
    grey = nodes.new("ShaderNodeRGBToBW")
    if color.is_linked:
        links.new(color.links[0].from_socket, grey.inputs[0])
    else:
        grey.inputs[0].default_value = color.default_value
    luminance = nodes.new("ShaderNodeMath")
    luminance.operation = "MULTIPLY"
    links.new(grey.outputs[0], luminance.inputs[0])
    luminance.inputs[1].default_value = strength.default_value
    label = nodes.new("ShaderNodeCombineXYZ")
    label.inputs[0].default_value, label.inputs[2].default_value = float(WORLD_INDEX), 1.0
    if labels is not None:
        links.new(_label_socket(world, labels), label.inputs[0])
    links.new(luminance.outputs[0], label.inputs[1])
    links.new(label.outputs[0], color)
    strength.default_value = 1.0
    world.cycles.sampling_method = "NONE"
    return world


def _label_socket(world: bpy.types.World, labels: Path) -> Any:
    """FIRST_FAR + the label that the direction meets, looked up as the world's picture is."""
    nodes, links = world.node_tree.nodes, world.node_tree.links
    shown = next(node for node in nodes if node.type == "TEX_ENVIRONMENT")
    texture = nodes.new("ShaderNodeTexEnvironment")
    texture.interpolation = "Closest"
    texture.image = bpy.data.images.load(str(labels), check_existing=True)
    texture.image.colorspace_settings.name = "Non-Color"
    links.new(shown.inputs["Vector"].links[0].from_socket, texture.inputs["Vector"])
    number = nodes.new("ShaderNodeMath")
    number.operation = "MULTIPLY_ADD"
    separate = nodes.new("ShaderNodeSeparateColor")
    links.new(texture.outputs["Color"], separate.inputs[0])
    links.new(separate.outputs[0], number.inputs[0])
    number.inputs[1].default_value, number.inputs[2].default_value = _LABEL_STEPS, float(FIRST_FAR)
    rounded = nodes.new("ShaderNodeMath")
    rounded.operation = "ROUND"
    links.new(number.outputs[0], rounded.inputs[0])
    return rounded.outputs[0]
