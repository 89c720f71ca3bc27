"""The shader of plain materials: tables, belts, trays, walls.

Covers: dielectrics with a varied base colour. Does not cover: metals and lamps (`shaders`).
"""

from __future__ import annotations

from typing import Any

from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import PlainMaterial


def plain_shader(tree: Tree, material: PlainMaterial) -> Any:
    """A dielectric with a slowly mottled base colour and roughness."""
    principled = tree.node("BsdfPrincipled")
    principled.inputs["IOR"].default_value = material.ior
    principled.inputs["Roughness"].default_value = material.roughness
    color = (*material.base_color, 1.0)
    principled.inputs["Base Color"].default_value = color
    if material.mottle > 0:
        variation = _variation(tree, material)
        factor = tree.math("MULTIPLY_ADD", variation, 2 * material.mottle)
        factor.node.inputs[2].default_value = 1 - material.mottle
        scaled = tree.vector_math("SCALE", material.base_color, (0.0, 0.0, 0.0))
        tree.link(factor, scaled.node.inputs["Scale"])
        tree.link(scaled, principled.inputs["Base Color"])
    return principled.outputs[0]


def _variation(tree: Tree, material: PlainMaterial) -> Any:
    """A value in 0..1, 0.5 on average, that varies over the surface in the material's pattern."""
    stretch = {
        "mottle": (1.0, 1.0, 1.0),
        "brushed": (0.02, 1.0, 1.0),
        "wood": (0.08, 1.0, 1.0),
        "woven": (1.0, 1.0, 1.0),
    }[material.pattern]
    position = tree.node("TexCoord").outputs["Object"]
    scaled = tree.vector_math("MULTIPLY", position, stretch)
    if material.pattern == "woven":
        checker = tree.node("TexWave", wave_type="BANDS", bands_direction="DIAGONAL")
        tree.link(scaled, checker.inputs["Vector"])
        checker.inputs["Scale"].default_value = 0.3 / material.mottle_scale_m
        checker.inputs["Distortion"].default_value = 1.0
        return checker.outputs["Fac" if "Fac" in checker.outputs else "Factor"]
    noise = tree.node("TexNoise")
    tree.link(scaled, noise.inputs["Vector"])
    noise.inputs["Scale"].default_value = 1.0 / material.mottle_scale_m
    noise.inputs["Detail"].default_value = 6.0
    noise.inputs["Roughness"].default_value = 0.6
    return noise.outputs[0]
