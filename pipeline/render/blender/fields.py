"""Fields over a surface: noise, ramps, cells and coordinates, as sockets of a node tree.

Covers: what patterns of plain materials are made of. Does not cover: the patterns (`plain_patterns`). Lengths in
metres; a field without another note has values of 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pipeline.render.blender.nodes import Tree


@dataclass(frozen=True)
class Place:
    """Where a surface point lies, as sockets: metres in the object's own frame, which is the world's for supports."""

    point: Any
    """x, y, z."""
    u: Any
    """Along x on what faces up, horizontal on walls."""
    v: Any
    """Along y on what faces up, z on walls."""


def place_on(tree: Tree, origin_m: tuple[float, float]) -> Place:
    """The point being shaded, and its projection along the nearest of the three axes; moved by *origin_m*."""
    coordinates = tree.node("TexCoord")
    point = tree.vector_math("ADD", coordinates.outputs["Object"], (*origin_m, 0.0))
    at, facing = components(tree, point), components(tree, coordinates.outputs["Normal"])
    across_x, across_y, up = (tree.math("ABSOLUTE", axis) for axis in facing)
    level = tree.math("GREATER_THAN", up, math.sqrt(0.5))
    sideways = tree.math("MULTIPLY", tree.math("GREATER_THAN", across_x, across_y), tree.math("SUBTRACT", 1.0, level))
    return Place(point, mix(tree, sideways, at[0], at[1]), mix(tree, level, at[2], at[1]))


def components(tree: Tree, vector: Any) -> tuple[Any, Any, Any]:
    """The x, y and z of a vector socket."""
    node = tree.node("SeparateXYZ")
    tree.link(vector, node.inputs[0])
    return node.outputs[0], node.outputs[1], node.outputs[2]


def vector(tree: Tree, x: Any, y: Any, z: Any = 0.0) -> Any:
    """A vector socket of three sockets or numbers."""
    node = tree.node("CombineXYZ")
    for socket, value in zip(node.inputs, (x, y, z), strict=True):
        tree.feed(value, socket)
    return node.outputs[0]


def mix(tree: Tree, share: Any, first: Any, second: Any) -> Any:
    """first + share (second - first), for scalars."""
    return tree.math("MULTIPLY_ADD", share, tree.math("SUBTRACT", second, first), first)


def ramp(tree: Tree, value: Any, low: float, high: float) -> Any:
    """0 below *low*, 1 above *high*, smooth in between; falling when high < low."""
    node = tree.node("MapRange", interpolation_type="SMOOTHSTEP")
    ends = (low, high, 0.0, 1.0) if low < high else (high, low, 1.0, 0.0)
    for socket, number in zip(node.inputs, (value, *ends), strict=False):
        tree.feed(number, socket)
    return node.outputs[0]


def sine(tree: Tree, value: Any, period: float) -> Any:
    """sin(2 pi value / period), -1 to 1."""
    return tree.math("SINE", tree.math("MULTIPLY", value, 2 * math.pi / period))


def fraction(tree: Tree, value: Any, period: float) -> Any:
    """How far *value* is through its period."""
    return tree.math("FRACT", tree.math("DIVIDE", value, period))


def line_distance(tree: Tree, value: Any, period: float) -> Any:
    """Metres from *value* to the nearest multiple of *period*."""
    middle = tree.math("SUBTRACT", fraction(tree, tree.math("ADD", value, period / 2), period), 0.5)
    return tree.math("MULTIPLY", tree.math("ABSOLUTE", middle), period)


def noise(tree: Tree, place: Place, size_u: float, size_v: float | None = None, *, detail: float = 1.0) -> Any:
    """Smooth noise over the surface, 0.5 on average, with features of *size_u* and *size_v* metres."""
    across = size_u if size_v is None else size_v
    scaled = vector(tree, tree.math("DIVIDE", place.u, size_u), tree.math("DIVIDE", place.v, across))
    return noise_of(tree, scaled, detail=detail, dimensions="2D")


def noise_of(tree: Tree, scaled: Any, *, detail: float, dimensions: str = "3D") -> Any:
    """Smooth noise of a vector whose unit is the size of a feature, 0.5 on average."""
    node = tree.node("TexNoise", noise_dimensions=dimensions)
    tree.link(scaled, node.inputs["Vector"])
    node.inputs["Scale"].default_value = 1.0
    node.inputs["Detail"].default_value = detail
    node.inputs["Roughness"].default_value = 0.55
    return node.outputs[0]


def cells(tree: Tree, scaled: Any, dimensions: str = "2D") -> tuple[Any, Any]:
    """(distance to the nearest cell's point, the cell's random value) of a vector whose unit is a cell's size."""
    node = tree.node("TexVoronoi", voronoi_dimensions=dimensions, feature="F1")
    tree.link(scaled, node.inputs["Vector"])
    node.inputs["Scale"].default_value = 1.0
    return node.outputs["Distance"], components(tree, node.outputs["Color"])[0]


def random_of(tree: Tree, first: Any, second: Any = 0.0) -> tuple[Any, Any, Any]:
    """Three random values of a pair of whole numbers."""
    node = tree.node("TexWhiteNoise", noise_dimensions="2D")
    tree.link(vector(tree, first, second), node.inputs["Vector"])
    return components(tree, node.outputs["Color"])


def scratches(tree: Tree, place: Place, angle: float, *, length: float, width: float, share: float) -> Any:
    """Straight scratches at *angle* to u; *share* from 0 (hardly any) to 1 (many)."""
    cos, sin = math.cos(angle), math.sin(angle)
    along = tree.math("ADD", tree.math("MULTIPLY", place.u, cos), tree.math("MULTIPLY", place.v, sin))
    across = tree.math("SUBTRACT", tree.math("MULTIPLY", place.v, cos), tree.math("MULTIPLY", place.u, sin))
    # Far from the origin, where one direction's noise has nothing in common with another's.
    scaled = vector(tree, tree.math("DIVIDE", along, length), tree.math("DIVIDE", across, width), 31.0 * angle)
    streaks = noise_of(tree, scaled, detail=0.0)
    floor = 0.84 - 0.14 * share
    return ramp(tree, streaks, floor, floor + 0.05)
