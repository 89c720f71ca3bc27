"""What the steps of a metal shader hand on, and the conductor itself.

Covers: `Shading`, the sockets between two steps; GGX alphas to Blender's Roughness and Anisotropy per pixel; the
conductor's closure. Does not cover: where normals and alphas come from (`relief_nodes`), films (`film_nodes`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import MetalMaterial
from pipeline.surface.roughness import LARGEST_RATIO, alpha_to_blender


@dataclass(frozen=True)
class Shading:
    """Sockets (or numbers, where nothing varies) of a metal surface on its way through the steps of its shader."""

    alpha_across: Any
    """GGX alpha across the lay, a float or a socket."""
    alpha_along: Any
    ior: Any
    """n of the conductor, (r, g, b) or a vector socket."""
    extinction: Any
    """k of the conductor."""
    normal: Any = None
    """World-space shading normal with relief, a socket; None = the mesh's."""
    smooth_normal: Any = None
    """World-space normal without the relief of the finish, for what levels it; None = the mesh's."""
    along: Any = None
    """World-space groove direction, a socket; None where both alphas are always the same."""
    film_share: Any = 1.0
    """Share of the surface from which no defect has taken the film, a float or a socket."""
    roughness: Any = None
    """Blender's Roughness of the alphas, once `with_roughness` has run."""
    anisotropy: Any = None

    @classmethod
    def of(cls, material: MetalMaterial) -> Shading:
        """The bare conductor of *material* with every relief below the pixel."""
        return cls(material.alpha_across, material.alpha_along, material.ior, material.extinction)


def with_roughness(tree: Tree, shading: Shading) -> Shading:
    """*shading* with Roughness and Anisotropy from its alphas: `roughness.alpha_to_blender`, in nodes where they vary.

    Ratios beyond what Blender's anisotropy expresses are cut by raising the smaller alpha.
    """
    across, along = shading.alpha_across, shading.alpha_along
    if isinstance(across, float) and isinstance(along, float):
        roughness, anisotropy = alpha_to_blender(across, min(across, max(along, across / LARGEST_RATIO)))
        return replace(shading, roughness=roughness, anisotropy=anisotropy)
    ratio = tree.math("DIVIDE", along, across)
    bounded = tree.math("MINIMUM", tree.math("MAXIMUM", ratio, 1.0 / LARGEST_RATIO), 1.0)
    anisotropy = tree.math("MULTIPLY_ADD", bounded, -1.0 / 0.9, 1.0 / 0.9)
    root = tree.math("SQRT", across)
    roughness = tree.math("MULTIPLY", root, tree.math("POWER", bounded, 0.25))
    return replace(shading, roughness=roughness, anisotropy=anisotropy)


def conductor(tree: Tree, shading: Shading) -> Any:
    """A Metallic BSDF node: conductor Fresnel from (n, k), GGX whose larger alpha lies across the grooves."""
    metal = tree.node("BsdfMetallic", fresnel_type="PHYSICAL_CONDUCTOR", distribution="MULTI_GGX")
    tree.feed(shading.ior, metal.inputs["IOR"])
    tree.feed(shading.extinction, metal.inputs["Extinction"])
    lobe(tree, shading, metal)
    return metal


def lobe(tree: Tree, shading: Shading, node: Any) -> None:
    """Give a Metallic BSDF *node* the lobe of *shading*: roughness, anisotropy, tangent and normal."""
    tree.feed(shading.roughness, node.inputs["Roughness"])
    if shading.along is not None:
        tree.feed(shading.anisotropy, node.inputs["Anisotropy"])
        tree.link(shading.along, node.inputs["Tangent"])
        # The larger alpha lies along Tangent; a quarter turn puts it across the grooves.
        node.inputs["Rotation"].default_value = 0.25
    if shading.normal is not None:
        tree.link(shading.normal, node.inputs["Normal"])
