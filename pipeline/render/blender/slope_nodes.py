"""Shader nodes of the slopes of each kind of relief (`surface.material.Relief`), one kind per function.

Slopes are those of the surface over the tangent plane: across and along the grooves of the frame, or a vector field in
the part's own space, whose part along the normal does nothing. Noise is Blender's Perlin noise of one octave, scaled to
the declared rms and correlation length by what was measured on it (`NOISE_RMS`, `NOISE_LENGTH`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.render.blender.groove_frame import GrooveFrame
from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import Relief

NOISE_MEAN = 0.5
NOISE_RMS = 0.133
"""Standard deviation of the Noise texture without detail, over many cells (measured)."""
NOISE_LENGTH = 0.53
"""Lag in cells of the same noise at which its autocorrelation falls to 1/e (measured)."""
NOISE_PERIOD = 3.4
"""Mean wavelength of the noise in correlation lengths (measured: 1.8 cells)."""
CRATER_RMS = 0.316
"""Rms of each coordinate of the way from a point to the nearest of the Voronoi texture's, in cells (measured)."""
SEED_CELLS = 1000.0
"""Seeds move a noise by up to so many cells; more would cost single precision."""


@dataclass(frozen=True)
class Slopes:
    """Slopes as sockets; None where there are none."""

    across: Any = None
    along: Any = None
    field: Any = None
    """Gradient in the part's frame, a vector."""

    @classmethod
    def none(cls) -> Slopes:
        """A plane."""
        return cls()

    def plus(self, tree: Tree, more: Slopes, weight: Any) -> Slopes:
        """These slopes plus *weight* times *more*."""
        across, along = (
            mine if yours is None else tree.math("MULTIPLY_ADD", yours, weight, 0.0 if mine is None else mine)
            for mine, yours in ((self.across, more.across), (self.along, more.along))
        )
        field = self.field
        if more.field is not None:
            part = tree.vector_math("SCALE", more.field, (0.0, 0.0, 0.0))
            tree.feed(weight, part.node.inputs["Scale"])
            field = part if field is None else tree.vector_math("ADD", field, part)
        return Slopes(across, along, field)


def period_m(relief: Relief) -> float:
    """Length that a pixel has to resolve to show *relief*, metres."""
    return relief.wavelength_m * (NOISE_PERIOD if relief.kind in {"grain", "streak"} else 1.0)


def slopes_of(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    """Slopes of *relief* with their declared rms."""
    make = {
        "cusp": _cusp,
        "arc": _arc,
        "streak": _streak,
        "striae": _striae,
        "ridge": _ridge,
        "grain": _grain,
        "crater": _crater,
    }[relief.kind]
    return make(tree, frame, relief)


def _cusp(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    turns = tree.math("DIVIDE", frame.angle, 2.0 * math.pi)
    return Slopes(across=_marks(tree, tree.math("MULTIPLY_ADD", frame.u, 1.0 / relief.wavelength_m, turns), relief))


def _arc(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    path = frame.cutter_path(relief.path_radius_m)
    marks = _marks(tree, tree.math("DIVIDE", path, relief.wavelength_m), relief)
    if relief.path_radius_m == frame.path_radius_m:
        return Slopes(across=marks)
    # Marks of the back cross those of the front, which the frame follows, at twice the angle.
    sine, cosine = frame.in_pass, frame.drop
    across = tree.math("MULTIPLY_ADD", tree.math("MULTIPLY", sine, sine), -2.0, 1.0)
    along = tree.math("MULTIPLY", tree.math("MULTIPLY", sine, cosine), -2.0)
    return Slopes(across=tree.math("MULTIPLY", marks, across), along=tree.math("MULTIPLY", marks, along))


def _marks(tree: Tree, x: Any, relief: Relief) -> Any:
    """Slope of parabolas side by side, one per unit of *x*, each with a depth of its own."""
    seed = _offset(relief)[0]
    shifted = tree.math("ADD", x, seed)
    rms = relief.slope_across * math.sqrt(12.0)
    saw = tree.math("SUBTRACT", tree.math("FRACT", shifted), 0.5)
    if relief.jitter == 0.0:
        return tree.math("MULTIPLY", saw, rms)
    white = tree.node("TexWhiteNoise", noise_dimensions="1D")
    tree.link(tree.math("FLOOR", shifted), white.inputs["W"])
    rms /= math.sqrt(1.0 + relief.jitter**2)
    spread = rms * relief.jitter * math.sqrt(12.0)
    depth = tree.math("MULTIPLY_ADD", white.outputs["Value"], spread, rms - spread / 2.0)
    return tree.math("MULTIPLY", saw, depth)


def _streak(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    cell = relief.wavelength_m / NOISE_LENGTH
    if relief.turn_rad == 0.0:
        place = frame.band(cell, cell * relief.stretch)
    else:
        cos, sin = math.cos(relief.turn_rad), math.sin(relief.turn_rad)
        place = _turned(tree, frame, (cos / cell, sin / cell), cell * relief.stretch, (cos, sin))
    value = _value(tree, tree.vector_math("ADD", place, _offset(relief)))
    across = tree.math("MULTIPLY", value, relief.slope_across / NOISE_RMS)
    if relief.slope_along == 0.0:
        return Slopes(across=across)
    sign = math.copysign(1.0, relief.turn_rad)
    return Slopes(across=across, along=tree.math("MULTIPLY", value, sign * relief.slope_along / NOISE_RMS))


def _turned(
    tree: Tree, frame: GrooveFrame, rate: tuple[float, float], long_cell: float, turn: tuple[float, float]
) -> Any:
    """Cells of noise that is drawn out at an angle to the lay."""
    cos, sin = turn
    place = tree.node("CombineXYZ")
    short = tree.math("MULTIPLY_ADD", frame.v, rate[1], tree.math("MULTIPLY", frame.u, rate[0]))
    long = tree.math("MULTIPLY_ADD", frame.v, cos / long_cell, tree.math("MULTIPLY", frame.u, -sin / long_cell))
    tree.link(short, place.inputs["X"])
    tree.link(long, place.inputs["Y"])
    return place.outputs[0]


def _striae(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    """A sine across the lay whose phase wanders by about a radian over stretch x wavelength along it."""
    long = relief.stretch * relief.wavelength_m
    place = frame.band(long, long / NOISE_LENGTH)
    wander = _value(tree, tree.vector_math("ADD", place, _offset(relief)))
    x = tree.math("MULTIPLY", frame.u, 2.0 * math.pi / relief.wavelength_m)
    phase = tree.math("MULTIPLY_ADD", wander, math.pi / NOISE_RMS, x)
    return Slopes(across=tree.math("MULTIPLY", tree.math("SINE", phase), math.sqrt(2.0) * relief.slope_across))


def _ridge(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    """One raised line along u = 0."""
    share = tree.math("DIVIDE", frame.u, relief.wavelength_m)
    inside = tree.math("MAXIMUM", tree.math("MINIMUM", share, 1.0), -1.0)
    wave = tree.math("SINE", tree.math("MULTIPLY", inside, math.pi))
    return Slopes(across=tree.math("MULTIPLY", wave, -relief.slope_across))


def _grain(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    cells = frame.scaled(frame.position, NOISE_LENGTH / relief.wavelength_m)
    color = _noise(tree, tree.vector_math("ADD", cells, _offset(relief))).outputs["Color"]
    centred = tree.vector_math("SUBTRACT", color, (NOISE_MEAN, NOISE_MEAN, NOISE_MEAN))
    return Slopes(field=frame.scaled(centred, relief.slope_across / NOISE_RMS))


def _crater(tree: Tree, frame: GrooveFrame, relief: Relief) -> Slopes:
    """Bowls, each about the nearest of points that are scattered one per cell: the slope grows with the way to it."""
    cells = tree.vector_math("ADD", frame.scaled(frame.position, 1.0 / relief.wavelength_m), _offset(relief))
    voronoi = tree.node("TexVoronoi", voronoi_dimensions="3D", feature="F1")
    tree.link(cells, voronoi.inputs["Vector"])
    voronoi.inputs["Scale"].default_value = 1.0
    way = tree.vector_math("SUBTRACT", cells, voronoi.outputs["Position"])
    return Slopes(field=frame.scaled(way, relief.slope_across / CRATER_RMS))


def _value(tree: Tree, cells: Any) -> Any:
    """Noise of mean 0 and rms `NOISE_RMS`."""
    return tree.math("SUBTRACT", _noise(tree, cells).outputs[0], NOISE_MEAN)


def _noise(tree: Tree, cells: Any) -> Any:
    noise = tree.node("TexNoise", noise_dimensions="3D")
    tree.link(cells, noise.inputs["Vector"])
    noise.inputs["Scale"].default_value = 1.0
    noise.inputs["Detail"].default_value = 0.0
    return noise


def _offset(relief: Relief) -> tuple[float, float, float]:
    """Where in the noise a relief lies, cells: follows from its seed."""
    x, y, z = np.random.default_rng(relief.seed).uniform(0.0, SEED_CELLS, 3)
    return float(x), float(y), float(z)
