"""Shader nodes of films on metal.

Covers: laying a `material.Film` over a conductor. Interference films are the Metallic BSDF's thin film, which Blender
has from 5.0; on older lines their colours at normal incidence are tabulated into the base colour, so that the shift of
colour with the angle is lost. Clear coats lie over the conductor by their Fresnel reflectance. Does not cover: which
film lies on a part and how thick it is (`surface.films`).
"""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import Any

import bpy
import numpy as np

from pipeline.render.blender.metal_nodes import Shading, conductor, lobe
from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import Film, MetalMaterial, Vec3
from pipeline.surface.metals import conductor_reflectance, immersed
from pipeline.surface.thin_film import film_reflectance

PATCH_RMS = 0.099
"""Standard deviation of the Noise texture with one octave of detail (measured); its mean is 0.5."""
PEEL_RMS = 0.133
PEEL_LENGTH = 0.53
"""Standard deviation and correlation length in cells of the Noise texture without detail (measured)."""
EDGE = 0.15
"""Width of the border of a patch, in standard deviations of its noise."""
RAMP_STOPS = 32
"""Most colours that a Color Ramp holds."""


def coat(tree: Tree, material: MetalMaterial, shading: Shading) -> Any:
    """Shader of the conductor with its film."""
    film = material.film
    if film is None:
        return conductor(tree, shading).outputs[0]
    if film.kind == "interference":
        return _interference(tree, film, material, shading)
    if film.kind == "clear":
        return _clear(tree, film, shading)
    return _mixed(tree, _cover(tree, film, shading), conductor(tree, shading).outputs[0], _opaque(tree, film, shading))


def _interference(tree: Tree, film: Film, material: MetalMaterial, shading: Shading) -> Any:
    thickness = _times(tree, _thickness_nm(tree, film), shading.film_share)
    if bpy.app.version >= (5, 0):
        metal = conductor(tree, shading)
        tree.feed(thickness, metal.inputs["Thin Film Thickness"])
        metal.inputs["Thin Film IOR"].default_value = film.ior
        return metal.outputs[0]
    return _tabulated(tree, film, material, shading, thickness).outputs[0]


def _tabulated(tree: Tree, film: Film, material: MetalMaterial, shading: Shading, thickness: Any) -> Any:
    """A Metallic BSDF with the Airy sum's colours at normal incidence as base colour: no shift with the angle."""
    metal = tree.node("BsdfMetallic", fresnel_type="F82", distribution="MULTI_GGX")
    lobe(tree, shading, metal)
    thickest = 1.5 * max(film.thickness_nm, film.seam_thickness_nm)
    indices = tuple(zip(material.ior, material.extinction, strict=True))
    stops = np.linspace(0.0, 1.0, RAMP_STOPS)
    colors = np.clip(film_reflectance(stops * thickest, film.ior, indices), 0.0, 1.0)
    ramp = tree.node("ValToRGB")
    while len(ramp.color_ramp.elements) < RAMP_STOPS:
        ramp.color_ramp.elements.new(1.0)
    for element, position, color in zip(ramp.color_ramp.elements, stops, colors, strict=True):
        element.position, element.color = float(position), (*(float(c) for c in color), 1.0)
    tree.feed(_times(tree, thickness, 1.0 / thickest), ramp.inputs[0])
    tree.link(ramp.outputs["Color"], metal.inputs["Base Color"])
    bare, grazing = (conductor_reflectance(material.ior, material.extinction, c) for c in (1.0, 1.0 / 7.0))
    tint = np.minimum(grazing / (bare + (1.0 - bare) * (6.0 / 7.0) ** 5), 1.0)
    metal.inputs["Edge Tint"].default_value = (*(float(v) for v in tint), 1.0)
    return metal


def _thickness_nm(tree: Tree, film: Film) -> Any:
    """Thickness of an interference film: even, or falling off from a seam, and varied from place to place."""
    thickness: Any = film.thickness_nm
    if film.seam is not None:
        fall = tree.math("EXPONENT", tree.math("MULTIPLY", _distance(tree, *film.seam), -1.0 / film.seam_decay_m))
        thickness = tree.math("MULTIPLY_ADD", fall, film.seam_thickness_nm - thickness, thickness)
    if film.variation == 0.0:
        return thickness
    scale = film.variation / PATCH_RMS
    return tree.math("MULTIPLY", thickness, tree.math("MULTIPLY_ADD", _patches(tree, film), scale, 1.0 - 0.5 * scale))


def _distance(tree: Tree, start: Vec3, end: Vec3) -> Any:
    """Distance of the point from the line between two points of the part, metres."""
    way = np.subtract(end, start)
    arm = tree.vector_math("SUBTRACT", tree.node("TexCoord").outputs["Object"], start)
    share = tree.vector_math("DOT_PRODUCT", arm, tuple(way / max(float(way @ way), 1e-12))).node.outputs["Value"]
    inside = tree.math("MINIMUM", tree.math("MAXIMUM", share, 0.0), 1.0)
    foot = tree.vector_math("SCALE", tuple(way), (0.0, 0.0, 0.0))
    tree.link(inside, foot.node.inputs["Scale"])
    return tree.vector_math("DISTANCE", arm, foot).node.outputs["Value"]


def _clear(tree: Tree, film: Film, shading: Shading) -> Any:
    """The conductor in the film, its light tinted, below the film's own reflection.

    Of a coat over a mirror F + (1 - F)^2 R / (1 - F R) returns, close to F + (1 - F) R for the R of metals.
    """
    tinted = [immersed(*values, film.ior) for values in zip(shading.ior, shading.extinction, film.color, strict=True)]
    ior, extinction = zip(*tinted, strict=True)
    below = conductor(tree, replace(shading, ior=ior, extinction=extinction))
    above = tree.node("BsdfGlossy", distribution="MULTI_GGX")
    above.inputs["Roughness"].default_value = film.roughness
    fresnel = tree.node("Fresnel")
    fresnel.inputs["IOR"].default_value = film.ior
    normal = _surface(tree, film, shading)
    if normal is not None:
        tree.link(normal, above.inputs["Normal"])
        tree.link(normal, fresnel.inputs["Normal"])
    coated = _mixed(tree, fresnel.outputs[0], below.outputs[0], above.outputs[0])
    share = _cover(tree, film, shading)
    if share == 1.0:
        return coated
    return _mixed(tree, share, conductor(tree, shading).outputs[0], coated)


def _opaque(tree: Tree, film: Film, shading: Shading) -> Any:
    paint = tree.node("BsdfPrincipled")
    paint.inputs["IOR"].default_value = film.ior
    paint.inputs["Roughness"].default_value = film.roughness
    paint.inputs["Base Color"].default_value = (*film.color, 1.0)
    if film.variation > 0.0:
        scale = film.variation / PATCH_RMS
        factor = tree.math("MULTIPLY_ADD", _patches(tree, film), scale, 1.0 - 0.5 * scale)
        color = tree.vector_math("SCALE", film.color, (0.0, 0.0, 0.0))
        tree.link(tree.math("MAXIMUM", factor, 0.0), color.node.inputs["Scale"])
        tree.link(color, paint.inputs["Base Color"])
    normal = _surface(tree, film, shading)
    if normal is not None:
        tree.link(normal, paint.inputs["Normal"])
    return paint.outputs[0]


def _surface(tree: Tree, film: Film, shading: Shading) -> Any:
    """Normal of the film's own surface, a socket; None = the mesh's."""
    normal = shading.smooth_normal if film.level else shading.normal
    if film.peel_m == 0.0:
        return normal
    noise = _noise(tree, film, PEEL_LENGTH / film.peel_m, 0.0)
    centred = tree.vector_math("SUBTRACT", noise.outputs["Color"], (0.5, 0.5, 0.5))
    slopes = tree.vector_math("SCALE", centred, (0.0, 0.0, 0.0))
    slopes.node.inputs["Scale"].default_value = film.peel_slope / PEEL_RMS
    if normal is None:
        normal = tree.node("NewGeometry").outputs["Normal"]
    return tree.vector_math("NORMALIZE", tree.vector_math("SUBTRACT", normal, slopes), (0.0, 0.0, 0.0))


def _cover(tree: Tree, film: Film, shading: Shading) -> Any:
    """Share of the point that the film covers, a number or a socket."""
    if film.coverage >= 1.0:
        return shading.film_share
    threshold = 0.5 + PATCH_RMS * NormalDist().inv_cdf(1.0 - max(film.coverage, 1e-6))
    steps = tree.node("MapRange", interpolation_type="SMOOTHSTEP")
    tree.link(_patches(tree, film), steps.inputs["Value"])
    half = EDGE * PATCH_RMS / 2.0
    steps.inputs["From Min"].default_value, steps.inputs["From Max"].default_value = threshold - half, threshold + half
    return _times(tree, steps.outputs["Result"], shading.film_share)


def _patches(tree: Tree, film: Film) -> Any:
    """Noise of mean 0.5 and rms `PATCH_RMS` whose spots are about patch_m wide."""
    return _noise(tree, film, 1.0 / film.patch_m, 1.0).outputs[0]


def _noise(tree: Tree, film: Film, cells_per_m: float, detail: float) -> Any:
    cells = tree.vector_math("SCALE", tree.node("TexCoord").outputs["Object"], (0.0, 0.0, 0.0))
    cells.node.inputs["Scale"].default_value = cells_per_m
    offset = np.random.default_rng(film.seed).uniform(0.0, 1000.0, 3)
    noise = tree.node("TexNoise", noise_dimensions="3D")
    tree.link(tree.vector_math("ADD", cells, tuple(float(v) for v in offset)), noise.inputs["Vector"])
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = 1.0, detail
    return noise


def _times(tree: Tree, first: Any, second: Any) -> Any:
    """Product of sockets or numbers."""
    if isinstance(first, float) and isinstance(second, float):
        return first * second
    return tree.math("MULTIPLY", first, second)


def _mixed(tree: Tree, share: Any, below: Any, above: Any) -> Any:
    """*above* over the share *share* of *below*."""
    mix = tree.node("MixShader")
    tree.feed(share, mix.inputs[0])
    tree.link(below, mix.inputs[1])
    tree.link(above, mix.inputs[2])
    return mix.outputs[0]
