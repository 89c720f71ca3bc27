"""Shader nodes of a finish's relief: slopes tilt the normal where pixels resolve them, and widen the lobe elsewhere.

A relief of period P has the weight w = smoothstep(P / pixel) from 0 (at `UNRESOLVED` pixels per period) to 1 (at
`RESOLVED`). Its slopes, times w, tilt the normal without a Bump node: normalize(n - s_across across - s_along along).
The rest stays in the lobe: alpha^2 = micro^2 + 2 sum((1 - w^2) slope^2), so that the variance of slopes is the same at
every distance. Rays that come from a diffuse surface see the lobe alone: their images are blurred anyway.
Does not cover: the slopes of each kind (`slope_nodes`), the frame (`groove_frame`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.render.blender.groove_frame import GrooveFrame
from pipeline.render.blender.metal_nodes import Shading
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.slope_nodes import Slopes, period_m, slopes_of
from pipeline.surface.material import MetalMaterial, Relief

UNRESOLVED = 2.0
"""Pixels per period at which a relief has left the normal."""
RESOLVED = 4.0
"""Pixels per period at which all of a relief is in the normal."""


def tilt(tree: Tree, material: MetalMaterial, shading: Shading, finest_pixel_m: float) -> Shading:
    """*shading* with the normal, the groove direction and the alphas of the finish."""
    arcs = [one.path_radius_m for one in material.relief if one.kind == "arc"]
    frame = GrooveFrame(tree, material.coordinate, arcs[0] if arcs else None)
    shown = [one for one in material.relief if period_m(one) > UNRESOLVED * finest_pixel_m]
    if not shown:
        even = material.alpha_across == material.alpha_along
        return shading if even else replace(shading, along=frame.lobe_along)
    micro = material.micro_alpha or (material.alpha_across, material.alpha_along)
    hidden = [one for one in material.relief if one not in shown]
    lobe = _Lobe(tree, _variance(micro[0], [r.slope_across for r in _areal(hidden)]),
                 _variance(micro[1], [r.slope_along for r in _areal(hidden)]))  # fmt: skip
    sums = Slopes.none()
    for one in shown:
        slopes, weight = slopes_of(tree, frame, one), _weight(tree, frame, one)
        sums = sums.plus(tree, slopes, weight)
        if one.kind != "ridge":
            lobe.add(one, weight)
    across, along = lobe.alphas()
    return replace(
        shading,
        alpha_across=across,
        alpha_along=along,
        along=frame.lobe_along,
        normal=_tilted(tree, frame, sums),
        smooth_normal=frame.normal,
    )


def _areal(relief: list[Relief]) -> list[Relief]:
    """Those that cover the surface; a ridge is a line."""
    return [one for one in relief if one.kind != "ridge"]


def _variance(alpha: float, slopes: list[float]) -> float:
    return alpha**2 + 2.0 * sum(slope**2 for slope in slopes)


class _Lobe:
    """Squares of the alphas: constants, less what is resolved."""

    def __init__(self, tree: Tree, across: float, along: float) -> None:
        self.tree, self.constants = tree, [across, along]
        self.resolved: list[tuple[Any, tuple[float, float]]] = []

    def add(self, relief: Relief, weight: Any) -> None:
        """Count *relief* in, of which the share *weight* tilts the normal."""
        slopes = (relief.slope_across, relief.slope_along)
        self.constants = [c + 2.0 * s**2 for c, s in zip(self.constants, slopes, strict=True)]
        self.resolved.append((self.tree.math("MULTIPLY", weight, weight), slopes))

    def alphas(self) -> tuple[Any, Any]:
        """Sockets of alpha across and along."""
        results: list[Any] = []
        for axis, constant in enumerate(self.constants):
            total: Any = constant
            for square, slopes in self.resolved:
                if slopes[axis] > 0:
                    total = self.tree.math("MULTIPLY_ADD", square, -2.0 * slopes[axis] ** 2, total)
            results.append(self.tree.math("SQRT", total))
        return results[0], results[1]


def _weight(tree: Tree, frame: GrooveFrame, relief: Relief) -> Any:
    """Share of *relief* that the pixel resolves, 0..1."""
    directed = relief.kind not in {"grain", "crater"}
    pixel = frame.pixel_across if directed else frame.pixel_longest
    steps = tree.node("MapRange", interpolation_type="SMOOTHSTEP")
    tree.feed(tree.math("DIVIDE", period_m(relief), pixel), steps.inputs["Value"])
    steps.inputs["From Min"].default_value, steps.inputs["From Max"].default_value = UNRESOLVED, RESOLVED
    return tree.math("MULTIPLY", steps.outputs["Result"], frame.seen_sharply)


def _tilted(tree: Tree, frame: GrooveFrame, sums: Slopes) -> Any:
    """normalize(normal - across s_across - along s_along - field)."""
    normal = frame.normal
    for slope, direction in ((sums.across, frame.lobe_across), (sums.along, frame.lobe_along)):
        if slope is not None:
            normal = tree.vector_math("SUBTRACT", normal, frame.scaled(direction, slope))
    if sums.field is not None:
        normal = tree.vector_math("SUBTRACT", normal, frame.to_world(sums.field))
    return tree.vector_math("NORMALIZE", normal, (0.0, 0.0, 0.0))
