"""The shader of metal: steps that each take the sockets of a surface and hand them on.

Order: `relief_nodes` tilts the normal and widens the lobe, `film_nodes` lays the film over the conductor; what defects
change comes between the two, what they deposit comes last. Does not cover: what the numbers mean (`surface.material`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.render.blender.defect_nodes import cover, wear
from pipeline.render.blender.film_nodes import coat
from pipeline.render.blender.metal_nodes import Shading, with_roughness
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.relief_nodes import tilt
from pipeline.surface.material import MetalMaterial


def metal_shader(tree: Tree, material: MetalMaterial, finest_pixel_m: float = 0.0, folder: Path = Path()) -> Any:
    """Output socket of the shader of *material*.

    *finest_pixel_m*: no view has a pixel that covers less of any metal, metres; relief that no pixel can resolve is
    left to the lobe without nodes. *folder*: the job's, which holds the rasters of defects.
    """
    shading = Shading.of(material)
    shading = tilt(tree, material, shading, finest_pixel_m)
    shading, worn = wear(tree, material, shading, folder)
    shading = with_roughness(tree, shading)
    return cover(tree, coat(tree, material, shading), worn)
