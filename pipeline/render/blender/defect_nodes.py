"""Shader nodes of drawn defects: rasters laid onto a metal through their charts.

Covers: reading rasters into images, the chart of `pipeline.defect_patches` in nodes, what a raster changes in the metal
(`wear`, before the film is laid on) and what it puts on top (`cover`, after it). Does not cover: drawing rasters
(`surface.defects`), masks (`truth`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from pipeline.defect_patches import PatchPose, Raster, load_raster
from pipeline.render.blender.metal_nodes import Shading
from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import DefectPatch, MetalMaterial

CHANNELS: Final = 3
"""Channels of an image that are used; the fourth could be mistaken for an alpha that colours are multiplied with."""
DEFECTS_SHOWN: Final = "defects_shown"
"""Property of the scene: 1 in views with defects, 0 in their twins. A twin has the same nodes, so that pixels without a
defect have the same bits in both."""
DEPOSIT_IOR: Final = 1.5
DARKEST: Final = (0.01, 0.01, 0.01, 1.0)
"""Reflectance of the inside of a pore or a crack."""


@dataclass(frozen=True)
class Worn:
    """A raster in a node tree."""

    raster: Raster
    value: Mapping[str, Any]
    """Sockets of what the raster holds: slope_x, slope_y, fresh, cavity, deposit, red, green, blue, film, tint."""
    normal: Any
    """World-space normal of the raster's relief over the mesh's own, a socket; None without relief."""


def wear(tree: Tree, material: MetalMaterial, shading: Shading, folder: Path) -> tuple[Shading, tuple[Worn, ...]]:
    """*shading* with the defects' relief and fresh metal, and the rasters for `cover`. *folder* holds the job."""
    worn = []
    for patch in material.defects:
        raster, value = _lay_down(tree, patch, folder)
        normal = None
        if "slope_x" in value:
            normal = _tilted(tree, patch.pose, value, None)
            if raster.film is None:  # else the relief is that of the film
                shading = _with_relief(tree, patch.pose, value, shading)
        shading = _with_fresh_metal(tree, raster, value, shading)
        worn.append(Worn(raster, value, normal))
    return shading, tuple(worn)


def cover(tree: Tree, shader: Any, worn: tuple[Worn, ...]) -> Any:
    """*shader* with what the defects put on it: stains, cavities, deposits, clear films, in this order."""
    for one in worn:
        value, raster = one.value, one.raster
        if "tint" in value:
            veil = tree.node("BsdfDiffuse")
            veil.inputs["Color"].default_value = (*raster.tint_rgb, 1.0)
            shader = _mix(tree, value["tint"], shader, veil.outputs[0])
        if "cavity" in value:
            dark = tree.node("BsdfDiffuse")
            dark.inputs["Color"].default_value = DARKEST
            shader = _mix(tree, value["cavity"], shader, dark.outputs[0])
        if "deposit" in value:
            shader = _mix(tree, value["deposit"], shader, _deposit(tree, one))
        if "film" in value:
            shader = _film(tree, one, shader)
    return shader


def _lay_down(tree: Tree, patch: DefectPatch, folder: Path) -> tuple[Raster, dict[str, Any]]:
    """The raster of *patch*, and a socket for each thing that it holds, 0 outside it."""
    raster = load_raster(folder / patch.file)
    arrays = _arrays(raster)
    coordinate, in_reach = _chart(tree, patch.pose)
    value: dict[str, Any] = {}
    names = list(arrays)
    for first in range(0, len(names), CHANNELS):
        group = names[first : first + CHANNELS]
        texture = tree.node("TexImage", interpolation="Linear", extension="CLIP", projection="FLAT")
        texture.image = _image(f"{patch.file}:{first}", [arrays[name] for name in group])
        tree.link(coordinate, texture.inputs["Vector"])
        split = tree.node("SeparateXYZ")
        tree.link(texture.outputs["Color"], split.inputs[0])
        for name, socket in zip(group, split.outputs, strict=False):
            value[name] = tree.math("MULTIPLY", socket, in_reach)
    return raster, value


def _arrays(raster: Raster) -> dict[str, NDArray[Any]]:
    """What the shader needs of *raster*, by name, each (rows, columns)."""
    arrays: dict[str, NDArray[Any]] = {}
    if raster.height_m is not None:
        slope_y, slope_x = np.gradient(raster.height_m.astype(np.float64), raster.texel_m)
        arrays |= {"slope_x": np.asarray(slope_x), "slope_y": np.asarray(slope_y)}
    for name in ("fresh", "cavity", "film", "tint", "deposit"):
        if getattr(raster, name) is not None:
            arrays[name] = getattr(raster, name)
    if raster.deposit_rgb is not None:
        arrays |= {color: raster.deposit_rgb[..., k] for k, color in enumerate(("red", "green", "blue"))}
    return arrays


def _image(name: str, channels: list[NDArray[Any]]) -> bpy.types.Image:
    """A float image that Blender takes as data; made once for all materials that show it."""
    if name in bpy.data.images:
        return bpy.data.images[name]
    rows, columns = channels[0].shape
    image = bpy.data.images.new(name, columns, rows, alpha=True, float_buffer=True, is_data=True)
    image.alpha_mode = "CHANNEL_PACKED"
    pixels = np.ones((rows, columns, 4), dtype=np.float32)
    pixels[..., :CHANNELS] = 0.0
    for k, channel in enumerate(channels):
        pixels[..., k] = channel
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    return image


def _chart(tree: Tree, pose: PatchPose) -> tuple[Any, Any]:
    """Texture coordinate (0..1 over the raster) and whether the point is in reach: `defect_patches.chart` in nodes."""
    matrix = np.array(pose.patch_from_part, dtype=np.float64).reshape(4, 4)
    position = tree.node("TexCoord").outputs["Object"]
    x, y, z = (_plane_distance(tree, position, row) for row in matrix[:3])
    u, radius = x, abs(pose.radius_m)
    if radius > 0.0:
        sign = math.copysign(1.0, pose.radius_m)
        inward = tree.math("MULTIPLY", tree.math("ADD", z, pose.radius_m), sign)
        u = tree.math("MULTIPLY", tree.math("ARCTAN2", x, inward), radius)
    cos, sin = math.cos(pose.turn_rad), math.sin(pose.turn_rad)
    along = tree.math("MULTIPLY_ADD", u, cos, tree.math("MULTIPLY", y, sin))
    across = tree.math("MULTIPLY_ADD", y, cos, tree.math("MULTIPLY", u, -sin))
    place = tree.node("CombineXYZ")
    tree.link(tree.math("MULTIPLY_ADD", along, 1.0 / pose.size_m[0], 0.5), place.inputs[0])
    tree.link(tree.math("MULTIPLY_ADD", across, 1.0 / pose.size_m[1], 0.5), place.inputs[1])
    in_reach = tree.math("LESS_THAN", tree.math("ABSOLUTE", z), pose.reach_m)
    switch = tree.node("Attribute", attribute_type="VIEW_LAYER", attribute_name=DEFECTS_SHOWN)
    shown = next(s for s in switch.outputs if s.name in {"Fac", "Factor"})  # renamed in the 5.x line
    return place.outputs[0], tree.math("MULTIPLY", in_reach, shown)


def _plane_distance(tree: Tree, position: Any, row: NDArray[np.float64]) -> Any:
    """Socket of row . (position, 1)."""
    dot = tree.node("VectorMath", operation="DOT_PRODUCT")
    tree.link(position, dot.inputs[0])
    dot.inputs[1].default_value = [float(v) for v in row[:3]]
    return tree.math("ADD", dot.outputs["Value"], float(row[3]))


def _tilted(tree: Tree, pose: PatchPose, value: Mapping[str, Any], normal: Any) -> Any:
    """World-space *normal* (None = the mesh's) tilted by the raster's slopes: n - s_u t_u - s_v t_v, normalised."""
    if normal is None:
        normal = tree.node("NewGeometry").outputs["Normal"]
    cos, sin = math.cos(pose.turn_rad), math.sin(pose.turn_rad)
    x, y = value["slope_x"], value["slope_y"]
    slope_u = tree.math("MULTIPLY_ADD", x, -cos, tree.math("MULTIPLY", y, sin))
    slope_v = tree.math("MULTIPLY_ADD", x, -sin, tree.math("MULTIPLY", y, -cos))
    axis = tree.node("VectorTransform", vector_type="VECTOR", convert_from="OBJECT", convert_to="WORLD")
    axis.inputs[0].default_value = pose.patch_from_part[4:7]
    across = tree.vector_math("NORMALIZE", tree.vector_math("CROSS_PRODUCT", axis.outputs[0], normal), (0.0, 0.0, 0.0))
    along = tree.vector_math("CROSS_PRODUCT", normal, across)
    lean = tree.vector_math("ADD", _scaled(tree, across, slope_u), _scaled(tree, along, slope_v))
    return tree.vector_math("NORMALIZE", tree.vector_math("ADD", normal, lean), (0.0, 0.0, 0.0))


def _scaled(tree: Tree, vector: Any, factor: Any) -> Any:
    node = tree.node("VectorMath", operation="SCALE")
    tree.link(vector, node.inputs[0])
    tree.link(factor, node.inputs["Scale"])
    return node.outputs[0]


def _with_relief(tree: Tree, pose: PatchPose, value: Mapping[str, Any], shading: Shading) -> Shading:
    """*shading* tilted by the raster; where metal is fresh, the finish's own relief is gone."""
    normal = shading.normal
    if normal is not None and "fresh" in value:
        smooth = shading.smooth_normal or tree.node("NewGeometry").outputs["Normal"]
        normal = _between_vectors(tree, value["fresh"], normal, smooth)
    return replace(
        shading,
        normal=_tilted(tree, pose, value, normal),
        smooth_normal=_tilted(tree, pose, value, shading.smooth_normal),
    )


def _with_fresh_metal(tree: Tree, raster: Raster, value: Mapping[str, Any], shading: Shading) -> Shading:
    """*shading* with the alphas of fresh metal, or of metal under a film, and without the finish's film there."""
    if "fresh" in value:
        shading = replace(
            shading,
            alpha_across=_between(tree, value["fresh"], shading.alpha_across, raster.fresh_alpha),
            alpha_along=_between(tree, value["fresh"], shading.alpha_along, raster.fresh_alpha),
            film_share=tree.math("MULTIPLY", shading.film_share, tree.math("SUBTRACT", 1.0, value["fresh"])),
        )
    if "film" in value and raster.film_alpha > 0.0:
        extra = tree.math("MULTIPLY", value["film"], raster.film_alpha**2)
        shading = replace(
            shading,
            alpha_across=_root_of_squares(tree, shading.alpha_across, extra),
            alpha_along=_root_of_squares(tree, shading.alpha_along, extra),
        )
    return shading


def _root_of_squares(tree: Tree, alpha: Any, extra: Any) -> Any:
    return tree.math("SQRT", tree.math("ADD", tree.math("MULTIPLY", alpha, alpha), extra))


def _between(tree: Tree, share: Any, first: Any, second: float) -> Any:
    """first x (1 - share) + second x share."""
    kept = tree.math("MULTIPLY", first, tree.math("SUBTRACT", 1.0, share))
    return tree.math("MULTIPLY_ADD", share, second, kept)


def _between_vectors(tree: Tree, share: Any, first: Any, second: Any) -> Any:
    kept = _scaled(tree, first, tree.math("SUBTRACT", 1.0, share))
    return tree.vector_math("NORMALIZE", tree.vector_math("ADD", kept, _scaled(tree, second, share)), (0.0, 0.0, 0.0))


def _deposit(tree: Tree, worn: Worn) -> Any:
    """An opaque dielectric of the raster's colours."""
    principled = tree.node("BsdfPrincipled")
    principled.inputs["IOR"].default_value = DEPOSIT_IOR
    principled.inputs["Roughness"].default_value = worn.raster.deposit_roughness
    color = tree.node("CombineXYZ")
    for name, socket in zip(("red", "green", "blue"), color.inputs, strict=True):
        tree.link(worn.value[name], socket)
    tree.link(color.outputs[0], principled.inputs["Base Color"])
    if worn.normal is not None:
        tree.link(worn.normal, principled.inputs["Normal"])
    return principled.outputs[0]


def _film(tree: Tree, worn: Worn, shader: Any) -> Any:
    """The film's own surface reflects its Fresnel share; the rest passes to what lies below."""
    gloss = tree.node("BsdfGlossy", distribution="MULTI_GGX")
    gloss.inputs["Roughness"].default_value = worn.raster.film_roughness
    gloss.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    fresnel = tree.node("Fresnel")
    fresnel.inputs["IOR"].default_value = worn.raster.film_ior
    if worn.normal is not None:
        tree.link(worn.normal, gloss.inputs["Normal"])
        tree.link(worn.normal, fresnel.inputs["Normal"])
    return _mix(tree, tree.math("MULTIPLY", worn.value["film"], fresnel.outputs[0]), shader, gloss.outputs[0])


def _mix(tree: Tree, share: Any, first: Any, second: Any) -> Any:
    mix = tree.node("MixShader")
    for value, socket in zip((share, first, second), mix.inputs, strict=True):
        tree.link(value, socket)
    return mix.outputs[0]
