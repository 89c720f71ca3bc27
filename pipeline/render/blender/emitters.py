"""The shader of lamps: emission on the front, black behind; stripes, LEDs, seams and fall-off where they have them.

Covers: the nodes, and which rays a lamp behind a polariser answers. The same factors in numpy, which lamps are
calibrated with, are in `light.glow`.
"""

from __future__ import annotations

import math
from typing import Any

import bpy

from pipeline.light.glow import SEAM_DEPTH
from pipeline.render.blender.nodes import Tree
from pipeline.render.job import Lights
from pipeline.surface.material import EmitterMaterial, Glow, Stripes, Vec3


def emitter_shader(tree: Tree, material: EmitterMaterial) -> Any:
    """Emission on the front, a black body behind."""
    strength = max(material.radiance)
    emission = tree.node("Emission")
    emission.inputs["Color"].default_value = (*(value / strength for value in material.radiance), 1.0)
    emission.inputs["Strength"].default_value = strength
    factors = []
    if material.stripes is not None:
        factors.append(_stripes(tree, material.stripes))
    if material.glow is not None:
        factors.append(_glow(tree, material.glow))
    if material.mirrored != 1.0:
        factors.append(_mirrored(tree, material.mirrored))
    for factor in factors:
        strength = tree.math("MULTIPLY", factor, strength)
    if factors:
        tree.link(strength, emission.inputs["Strength"])
    black = tree.node("BsdfDiffuse")
    black.inputs["Color"].default_value = (0.0, 0.0, 0.0, 1.0)
    mix = tree.node("MixShader")
    tree.link(tree.node("NewGeometry").outputs["Backfacing"], mix.inputs[0])
    tree.link(emission.outputs[0], mix.inputs[1])
    tree.link(black.outputs[0], mix.inputs[2])
    return mix.outputs[0]


def light_only(obj: bpy.types.Object, lights: Lights) -> None:
    """Let the lamp *obj* light surfaces of one kind only, by sampled rays and by sampled lamps alike.

    Cycles leaves a lamp that diffuse (glossy, transmitted) rays do not see out of the light sampling of those lobes.
    The two meshes of a polarised lamp lie in one place, so neither may cast the other's shadow: their housing does.
    """
    if lights == "all":
        return
    obj.visible_shadow = False
    obj.visible_diffuse = lights == "diffusers"
    obj.visible_volume_scatter = lights == "diffusers"
    obj.visible_glossy = lights == "mirrors"
    obj.visible_transmission = lights == "mirrors"


def _mirrored(tree: Tree, factor: float) -> Any:
    """*factor* for light that was only mirrored on its way to the camera, 1 where a diffuse surface lay between."""
    diffused = tree.math("GREATER_THAN", tree.node("LightPath").outputs["Diffuse Depth"], 0.5)
    return tree.math("ADD", tree.math("MULTIPLY", diffused, 1.0 - factor), factor)


def _along(tree: Tree, origin: Vec3, direction: Vec3) -> Any:
    """Metres of the shaded point from *origin* along the unit vector *direction*, world frame."""
    arm = tree.vector_math("SUBTRACT", tree.node("NewGeometry").outputs["Position"], origin)
    return tree.vector_math("DOT_PRODUCT", arm, direction).node.outputs["Value"]


def _stripes(tree: Tree, stripes: Stripes) -> Any:
    angle = tree.math("MULTIPLY", _along(tree, stripes.origin, stripes.direction), 2.0 * math.pi / stripes.period_m)
    wave = tree.math("COSINE", tree.math("ADD", angle, stripes.phase_rad), 0.0)
    share = 1.0 / (1.0 + stripes.contrast)
    return tree.math("ADD", tree.math("MULTIPLY", wave, stripes.contrast * share), share)


def _glow(tree: Tree, glow: Glow) -> Any:
    squares: Any = 0.0
    factors: list[Any] = []
    for axis, size, cells, fields in zip((glow.right, glow.up), glow.size_m, glow.cells, glow.fields, strict=True):
        share = tree.math("ADD", tree.math("MULTIPLY", _along(tree, glow.centre, axis), 1.0 / size), 0.5)
        centred = tree.math("SUBTRACT", tree.math("MULTIPLY", share, 2.0), 1.0)
        squares = tree.math("ADD", tree.math("MULTIPLY", centred, centred), squares)
        if cells > 0:
            factors.append(_cells(tree, share, cells, glow.cell_contrast))
        if fields > 0:
            factors.append(_seams(tree, share, fields, size, glow.seam_m))
    factor = _rest(tree, tree.math("MULTIPLY", squares, 0.5 * glow.falloff))
    for other in factors:
        factor = tree.math("MULTIPLY", factor, other)
    return factor


def _cells(tree: Tree, share: Any, cells: int, contrast: float) -> Any:
    wave = tree.math("COSINE", tree.math("MULTIPLY", share, 2.0 * math.pi * cells), 0.0)
    return tree.math("SUBTRACT", 1.0 - 0.5 * contrast, tree.math("MULTIPLY", wave, 0.5 * contrast))


def _seams(tree: Tree, share: Any, fields: int, size: float, seam_m: float) -> Any:
    place = tree.math("ADD", tree.math("MULTIPLY", share, float(fields)), 0.5)
    to_seam = tree.math("ABSOLUTE", tree.math("SUBTRACT", tree.math("FRACT", place, 0.0), 0.5), 0.0)
    darkness = _rest(tree, tree.math("MULTIPLY", to_seam, size / fields / seam_m))
    darkness.node.use_clamp = True
    return _rest(tree, tree.math("MULTIPLY", darkness, SEAM_DEPTH))


def _rest(tree: Tree, value: Any) -> Any:
    """1 - *value*."""
    return tree.math("SUBTRACT", 1.0, value)
