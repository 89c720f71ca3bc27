"""The shader of plain materials: tables, belts, trays, walls.

Covers: putting a pattern, the mottle and the wear together into a dielectric. Does not cover: the patterns
(`plain_patterns`), metals and lamps (`shaders`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pipeline.render.blender import fields
from pipeline.render.blender.fields import Place
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.picture_nodes import picture_color
from pipeline.render.blender.plain_patterns import PATTERNS, Pattern
from pipeline.surface.material import PlainMaterial, Rgb

SCRATCH_ANGLES: Final = (0.3, 1.25, 2.4)
"""Directions of scratches, radians: enough that no direction stands out."""
SCRATCH_M: Final = (0.05, 0.0007)
"""Length and width of the noise that scratches are cut out of; they are about a third of it wide."""
CHIP_M: Final = 0.02
"""Size of the noise that chips are cut out of."""
HANDLING_M: Final = 0.09
"""Size of the patches in which handling and wiping change the roughness."""
SCRATCH_ROUGHNESS: Final = 0.2
"""How much rougher a scratch is."""


def plain_shader(tree: Tree, material: PlainMaterial, folder: Path) -> Any:
    """A dielectric whose body varies as its pattern, mottle and wear say, or its picture in the job's *folder*."""
    principled = tree.node("BsdfPrincipled")
    principled.inputs["IOR"].default_value = material.ior
    if material.picture is not None:
        tree.link(picture_color(tree, material.picture, folder), principled.inputs["Base Color"])
        principled.inputs["Roughness"].default_value = material.roughness
        return principled.outputs[0]
    place = fields.place_on(tree, material.origin_m)
    pattern = PATTERNS[material.pattern](tree, place, material.pattern_m)
    wear = _scratches(tree, place, material.wear) if material.wear > 0 else None
    chips = _chips(tree, place, material.wear) if material.wear > 0 and material.bare is not None else None
    tree.feed(_color(tree, place, material, pattern, chips, wear), principled.inputs["Base Color"])
    tree.feed(_roughness(tree, place, material, wear), principled.inputs["Roughness"])
    if material.bump_m > 0 and pattern.height is not None:
        tree.link(_bump(tree, pattern.height, material.bump_m), principled.inputs["Normal"])
    return principled.outputs[0]


def ground_color(material: PlainMaterial, coverage: float) -> Rgb:
    """The colour beside the accent's with which the mean over the pattern is the base colour."""
    accent = material.base_color if material.accent is None else material.accent
    red, green, blue = (
        max(0.0, (mean - coverage * other) / (1 - coverage))
        for mean, other in zip(material.base_color, accent, strict=True)
    )
    return red, green, blue


def _color(tree: Tree, place: Place, material: PlainMaterial, pattern: Pattern, chips: Any, wear: Any) -> Any:
    """The body's colour, as a socket or four numbers."""
    color: Any = (*material.base_color, 1.0)
    if pattern.accent is not None and material.accent is not None:
        ground = (*ground_color(material, pattern.coverage), 1.0)
        color = _mixed(tree, pattern.accent, ground, (*material.accent, 1.0))
    factors = [] if pattern.tone is None else [pattern.tone]
    if material.mottle > 0:
        cloud = fields.noise(tree, place, material.mottle_scale_m, detail=3.0)
        factors.append(tree.math("MULTIPLY_ADD", cloud, 2 * material.mottle, 1 - material.mottle))
    if wear is not None:
        factors.append(tree.math("MULTIPLY_ADD", wear, 0.25, 1.0))  # light scatters in a scratch's rough ground
    for factor in factors:
        color = _scaled(tree, color, factor)
    if chips is not None and material.bare is not None:
        color = _mixed(tree, chips, color, (*material.bare, 1.0))
    return color


def _mixed(tree: Tree, share: Any, first: Any, second: Any) -> Any:
    node = tree.node("Mix", data_type="RGBA")
    tree.link(share, node.inputs[0])
    tree.feed(first, node.inputs[6])
    tree.feed(second, node.inputs[7])
    return node.outputs[2]


def _scaled(tree: Tree, color: Any, factor: Any) -> Any:
    node = tree.node("VectorMath", operation="SCALE")
    tree.feed(color[:3] if isinstance(color, tuple) else color, node.inputs[0])
    tree.link(factor, node.inputs["Scale"])
    return node.outputs[0]


def _roughness(tree: Tree, place: Place, material: PlainMaterial, wear: Any) -> Any:
    """The roughness, as a socket or a number."""
    roughness: Any = material.roughness
    if material.roughness_spread > 0:
        patches = fields.noise(tree, place, HANDLING_M, detail=4.0)
        # Noise strays by about a quarter from its mean of one half.
        low = material.roughness - 2 * material.roughness_spread
        roughness = tree.math("MULTIPLY_ADD", patches, 4 * material.roughness_spread, low)
    if wear is not None:
        roughness = tree.math("MULTIPLY_ADD", wear, SCRATCH_ROUGHNESS, roughness)
    return roughness


def _scratches(tree: Tree, place: Place, amount: float) -> Any:
    """Scratches of several directions, most of them where things are put down."""
    length, width = SCRATCH_M
    lines = [fields.scratches(tree, place, angle, length=length, width=width, share=amount) for angle in SCRATCH_ANGLES]
    result = lines[0]
    for line in lines[1:]:
        result = tree.math("MAXIMUM", result, line)
    return result


def _chips(tree: Tree, place: Place, amount: float) -> Any:
    """Where the paint is off: ragged patches with a sharp edge."""
    floor = 0.80 - 0.14 * amount
    return fields.ramp(tree, fields.noise(tree, place, CHIP_M, detail=5.0), floor, floor + 0.01)


def _bump(tree: Tree, height: Any, height_m: float) -> Any:
    """The normal of a surface that stands *height* x *height_m* high."""
    node = tree.node("Bump")
    node.inputs["Strength"].default_value = 1.0
    node.inputs["Distance"].default_value = height_m
    tree.link(height, node.inputs["Height"])
    return node.outputs[0]
