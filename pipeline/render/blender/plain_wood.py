"""Wood: boards side by side, each cut from another place of a trunk.

Covers: growth rings, vessels, gaps and the difference from board to board. Does not cover: colours (`plain_shader`).
Growth rings are shells about the trunk's axis, which runs along x within a degree or two, so that a board shows the
long parabolas of flat-sawn timber or the straight lines of quarter-sawn, as its place in the trunk has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pipeline.render.blender import fields
from pipeline.render.blender.fields import Place
from pipeline.render.blender.nodes import Tree

RING_M: Final = 0.004
"""Mean width of a growth ring."""
GAP_M: Final = 0.0004
"""Half width of the joint between two boards."""
BOARD_LENGTH: Final = 11.0
"""Length of a board over its width."""


@dataclass(frozen=True)
class Boards:
    """Boards as sockets: share of the dark colour and its mean, height, and a factor on the colour, 1 on average."""

    dark: Any
    coverage: float
    height: Any
    tone: Any


def planks(tree: Tree, place: Place, width: float) -> Boards:
    """Boards of *width* metres along u."""
    row = tree.math("FLOOR", tree.math("DIVIDE", place.v, width))
    length = BOARD_LENGTH * width
    along = tree.math("MULTIPLY_ADD", fields.random_of(tree, row, 7.0)[0], length, place.u)
    luck = fields.random_of(tree, row, tree.math("FLOOR", tree.math("DIVIDE", along, length)))
    rings = _rings(tree, place, _centred(tree, along, length), _centred(tree, place.v, width), luck)
    vessels = _vessels(tree, place, luck)
    joint = tree.math("MINIMUM", fields.line_distance(tree, place.v, width), fields.line_distance(tree, along, length))
    gap = fields.ramp(tree, joint, 1.5 * GAP_M, 0.5 * GAP_M)
    dark = tree.math("MAXIMUM", tree.math("MULTIPLY_ADD", vessels, 0.5, tree.math("MULTIPLY", rings, 0.6)), gap)
    height = tree.math("SUBTRACT", 1.0, tree.math("MAXIMUM", gap, tree.math("MULTIPLY", vessels, 0.2)))
    return Boards(tree.math("MINIMUM", dark, 1.0), 0.24, height, tree.math("MULTIPLY_ADD", luck[2], 0.36, 0.82))


def _centred(tree: Tree, value: Any, period: float) -> Any:
    """Metres from the middle of the board."""
    return tree.math("MULTIPLY", tree.math("SUBTRACT", fields.fraction(tree, value, period), 0.5), period)


def _rings(tree: Tree, place: Place, along: Any, beside: Any, luck: tuple[Any, Any, Any]) -> Any:
    """Early to late wood within each growth ring; *along* and *beside* metres from the middle of the board."""
    u, v = tree.math("DIVIDE", place.u, 0.16), tree.math("DIVIDE", place.v, 0.03)
    wander = fields.noise_of(tree, fields.vector(tree, u, v, _far(tree, luck[1])), detail=2.0)
    # The trunk's axis passes up to 7 cm beside the board and 0 to 7 cm below it, at a slope of 4 %.
    sideways = tree.math("ADD", beside, tree.math("MULTIPLY_ADD", luck[0], 0.14, -0.07))
    below = tree.math("MULTIPLY_ADD", along, 0.04, tree.math("MULTIPLY", luck[1], 0.07))
    square = tree.math("MULTIPLY_ADD", sideways, sideways, tree.math("MULTIPLY", below, below))
    radius = tree.math("MULTIPLY_ADD", wander, 6.0 * RING_M, tree.math("SQRT", square))
    year = tree.math("FRACT", tree.math("DIVIDE", radius, RING_M))
    # Late wood darkens slowly and ends at once with the year.
    return tree.math("MULTIPLY", tree.math("POWER", year, 2.0), fields.ramp(tree, year, 1.0, 0.85))


def _vessels(tree: Tree, place: Place, luck: tuple[Any, Any, Any]) -> Any:
    """Vessels and rays: short dark dashes along the grain."""
    scaled = fields.vector(
        tree, tree.math("DIVIDE", place.u, 0.006), tree.math("DIVIDE", place.v, 0.0007), _far(tree, luck[2])
    )
    return fields.ramp(tree, fields.noise_of(tree, scaled, detail=1.0), 0.58, 0.75)


def _far(tree: Tree, luck: Any) -> Any:
    """A height in the noise's space at which another board has nothing in common."""
    return tree.math("MULTIPLY", luck, 97.0)
