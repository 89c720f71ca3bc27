"""Patterns of plain materials: where the second colour shows, and how high the surface stands.

Covers: one function for each `PatternKind`. Does not cover: how they become a shader (`plain_shader`), wood
(`plain_wood`). Every pattern says how much of the surface its second colour takes, so that the base colour can remain
the mean: exact for lines, measured once for noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pipeline.render.blender import fields
from pipeline.render.blender.fields import Place
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.plain_wood import planks
from pipeline.surface.material import PatternKind

HOLE: Final = 5.0 / 8.0
"""Diameter of a perforated sheet's holes over their distance."""


@dataclass(frozen=True)
class Pattern:
    """A pattern as sockets."""

    accent: Any | None
    """How much of the second colour shows, 0 to 1; None = none anywhere."""
    coverage: float
    """Mean of *accent*."""
    height: Any | None
    """0 (deepest) to 1; None = flat."""
    tone: Any | None = None
    """A factor on the colour, 1 on average; None = 1."""


def mottle(tree: Tree, place: Place, size: float) -> Pattern:
    """Nothing beside the mottle."""
    return Pattern(None, 0.0, None)


def grain(tree: Tree, place: Place, size: float) -> Pattern:
    """Orange peel of paint, the grain of a mould."""
    return Pattern(None, 0.0, fields.noise(tree, place, size))


def hammer(tree: Tree, place: Place, size: float) -> Pattern:
    """Hammertone enamel: shallow dimples whose rims are darker, where the flakes stand on edge."""
    scaled = _over(tree, place, size)
    bent = tree.vector_math("ADD", scaled, _spread(tree, fields.noise(tree, place, 0.7 * size), 0.6))
    distance, _ = fields.cells(tree, bent)
    return Pattern(fields.ramp(tree, distance, 0.2, 1.0), 0.2, fields.ramp(tree, distance, 0.0, 0.8))


def weave(tree: Tree, place: Place, size: float) -> Pattern:
    """The impression of a square fabric in rubber or PVC."""
    product = tree.math("MULTIPLY", fields.sine(tree, place.u, 2 * size), fields.sine(tree, place.v, 2 * size))
    height = tree.math("MULTIPLY_ADD", product, 0.5, 0.5)
    return Pattern(tree.math("SUBTRACT", 1.0, height), 0.5, height)


def diamond(tree: Tree, place: Place, size: float) -> Pattern:
    """Raised lozenges, *size* long and 0.6 *size* wide, between grooves."""
    width = 0.25
    sides = [
        tree.math("MULTIPLY", fields.line_distance(tree, value, period), 2.0 / period)
        for value, period in ((place.u, size), (place.v, 0.6 * size))
    ]
    off = tree.math("ABSOLUTE", tree.math("SUBTRACT", tree.math("ADD", *sides), 1.0))
    top = tree.math("MINIMUM", tree.math("DIVIDE", off, width), 1.0)
    # The groove's share, from the density 2 (1 - x) of the distance x = |a + b - 1| of two even values a and b.
    return Pattern(tree.math("SUBTRACT", 1.0, top), width - width**2 / 3, fields.ramp(tree, top, 0.0, 1.0))


def flutes(tree: Tree, place: Place, size: float) -> Pattern:
    """Corrugated board: the liner sinks between the flutes, and its fibres and specks show."""
    wave = tree.math("MULTIPLY_ADD", fields.sine(tree, place.v, size), 0.5, 0.5)
    fibre, accent = _fibres(tree, place), _specks(tree, place)
    shade = tree.math("MULTIPLY_ADD", wave, 0.12, 0.94)
    height = tree.math("MULTIPLY_ADD", fibre, 0.12, tree.math("MULTIPLY", wave, 0.88))
    return Pattern(accent, 0.006, height, tree.math("MULTIPLY", shade, _about_one(tree, fibre, 0.5)))


def fibres(tree: Tree, place: Place, size: float) -> Pattern:
    """Paper: fibres and specks; *size* is the wavelength of its waviness."""
    fibre = _fibres(tree, place)
    wave = fields.noise(tree, place, size, detail=0.0)
    height = tree.math("MULTIPLY_ADD", fibre, 0.04, tree.math("MULTIPLY", wave, 0.96))
    return Pattern(_specks(tree, place), 0.006, height, _about_one(tree, fibre, 0.5))


def foam(tree: Tree, place: Place, size: float) -> Pattern:
    """Cut foam: pores of several sizes around *size*."""
    scaled = tree.vector_math("SCALE", place.point, (0.0, 0.0, 0.0))
    scaled.node.inputs["Scale"].default_value = 1.0 / size
    distance, value = fields.cells(tree, scaled, "3D")
    radius = tree.math("MULTIPLY_ADD", value, 0.35, 0.12)
    pore = fields.ramp(tree, tree.math("DIVIDE", distance, radius), 1.1, 0.6)
    return Pattern(pore, 0.12, tree.math("SUBTRACT", 1.0, pore))


def grid(tree: Tree, place: Place, size: float) -> Pattern:
    """A cutting mat: lines 0.35 mm wide at *size*, 0.8 mm at every fifth, over a fine grain."""
    thin, bold = 0.35e-3, 0.8e-3
    lines = [
        tree.math("LESS_THAN", fields.line_distance(tree, value, period), width / 2)
        for value in (place.u, place.v)
        for period, width in ((size, thin), (5 * size, bold))
    ]
    accent = lines[0]
    for line in lines[1:]:
        accent = tree.math("MAXIMUM", accent, line)
    one_way = (4 * thin + bold) / (5 * size)
    return Pattern(accent, 1 - (1 - one_way) ** 2, fields.noise(tree, place, 0.6e-3))


def crystals(tree: Tree, place: Place, size: float) -> Pattern:
    """Stone: grains of two minerals, one in three of the accent's colour, each a little different."""
    bend = _spread(tree, fields.noise(tree, place, 0.6 * size), 0.7)
    _, value = fields.cells(tree, tree.vector_math("ADD", _over(tree, place, size), bend))
    _, fine = fields.cells(tree, tree.vector_math("ADD", _over(tree, place, 0.45 * size), bend))
    both = tree.math("FRACT", tree.math("ADD", value, tree.math("MULTIPLY", fine, 0.5)))
    return Pattern(tree.math("LESS_THAN", both, 1 / 3), 1 / 3, None, tree.math("MULTIPLY_ADD", fine, 0.5, 0.75))


def holes(tree: Tree, place: Place, size: float) -> Pattern:
    """A perforated sheet: round holes at *size* in rows staggered by 60 degrees, HOLE of it wide (Rv 5-8, DIN 24041).

    The rows form two rectangular lattices of size x sqrt(3) size, one moved by half of each.
    """
    row = math.sqrt(3.0) * size
    distances = []
    for shift in (0.0, 0.5):
        u = fields.line_distance(tree, tree.math("ADD", place.u, shift * size), size)
        v = fields.line_distance(tree, tree.math("ADD", place.v, shift * row), row)
        distances.append(tree.math("SQRT", tree.math("MULTIPLY_ADD", u, u, tree.math("MULTIPLY", v, v))))
    radius = HOLE * size / 2.0
    distance = tree.math("MINIMUM", *distances)
    inside = tree.math("LESS_THAN", distance, radius)
    # Paint draws back from the edge of a punched hole: the rim is round over an eighth of the radius.
    height = fields.ramp(tree, distance, radius, 1.12 * radius)
    return Pattern(inside, math.pi * radius**2 / (size * row / 2.0), height)


def _over(tree: Tree, place: Place, size: float) -> Any:
    """(u, v) in units of *size*."""
    return fields.vector(tree, tree.math("DIVIDE", place.u, size), tree.math("DIVIDE", place.v, size))


def _spread(tree: Tree, value: Any, width: float) -> Any:
    """A vector along the diagonal, *width* times a noise about its mean."""
    offset = tree.math("MULTIPLY", tree.math("SUBTRACT", value, 0.5), 2 * width)
    return fields.vector(tree, offset, tree.math("MULTIPLY", offset, -0.7))


def _about_one(tree: Tree, value: Any, width: float) -> Any:
    """1 + width (value - 1/2): a factor from a field."""
    return tree.math("MULTIPLY_ADD", value, width, 1 - width / 2)


def _fibres(tree: Tree, place: Place) -> Any:
    """Fibres 2 mm long, most of them along u, as they settle on a paper machine's wire."""
    along = fields.noise(tree, place, 2.2e-3, 0.35e-3)
    across = fields.noise(tree, place, 0.5e-3, 1.8e-3)
    return tree.math("MULTIPLY_ADD", across, 0.4, tree.math("MULTIPLY", along, 0.6))


def _specks(tree: Tree, place: Place) -> Any:
    """Shives and specks: short dark bits."""
    return fields.ramp(tree, fields.noise(tree, place, 1.6e-3, 0.5e-3, detail=0.0), 0.76, 0.84)


def wood(tree: Tree, place: Place, size: float) -> Pattern:
    """Boards of width *size*."""
    boards = planks(tree, place, size)
    return Pattern(boards.dark, boards.coverage, boards.height, boards.tone)


PATTERNS: Final[dict[PatternKind, Callable[[Tree, Place, float], Pattern]]] = {
    "mottle": mottle,
    "grain": grain,
    "hammer": hammer,
    "weave": weave,
    "diamond": diamond,
    "flutes": flutes,
    "fibres": fibres,
    "planks": wood,
    "cells": foam,
    "grid": grid,
    "crystals": crystals,
    "holes": holes,
}
