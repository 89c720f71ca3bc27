"""Shader nodes of films on metal.

Covers: laying a `material.Film` over a conductor. Does not cover: which film lies on a part and how thick it is
(`surface.films`).
"""

from __future__ import annotations

from typing import Any

from pipeline.render.blender.metal_nodes import Shading, conductor
from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import MetalMaterial


def coat(tree: Tree, material: MetalMaterial, shading: Shading) -> Any:
    """Shader of the conductor with its film."""
    return conductor(tree, shading).outputs[0]
