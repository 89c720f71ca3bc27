"""A picture file as the colour of a flat surface.

Covers: the texture and its coordinates. Does not cover: the rest of the material (`plain_shader`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from pipeline.render.blender import fields
from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import PictureFace


def picture_color(tree: Tree, face: PictureFace, folder: Path) -> Any:
    """Socket of the linear reflectance that *face* shows where it is shaded; the file lies in *folder*."""
    point = tree.node("TexCoord").outputs["Object"]
    from_corner = tree.vector_math("SUBTRACT", point, face.origin)
    across, upwards = (_dot(tree, from_corner, axis) for axis in (face.right, face.up))
    texture = tree.node("TexImage", interpolation="Cubic", extension="MIRROR", projection="FLAT")
    texture.image = bpy.data.images.load(str(folder / face.file), check_existing=True)
    texture.image.colorspace_settings.name = "sRGB"
    tree.link(fields.vector(tree, across, upwards), texture.inputs["Vector"])
    scaled = tree.node("VectorMath", operation="SCALE")
    tree.link(texture.outputs["Color"], scaled.inputs[0])
    scaled.inputs["Scale"].default_value = face.reflectance
    return scaled.outputs[0]


def _dot(tree: Tree, vector: Any, axis: tuple[float, float, float]) -> Any:
    node = tree.node("VectorMath", operation="DOT_PRODUCT")
    tree.link(vector, node.inputs[0])
    node.inputs[1].default_value = axis
    return node.outputs["Value"]
