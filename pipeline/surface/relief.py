"""The relief of a finish: how the variance of its slopes is shared among tool marks, streaks, grains and the rest.

Covers: from a process, its Ra and the alphas of `roughness` to `material.Relief` records and the alpha of the rest.
Does not cover: where on a face a groove lies (`groove_coordinates`), how a pixel shows it (`render`).

The alphas across and along the lay, A and B, are those of the whole surface below the pixel, alpha = sqrt(2) times the
rms slope. A^2 - B^2 is what has a direction: tool marks and streaks share it. B^2 is what has none: grains and craters
share that. What no trace takes is micro-roughness, so the sum is A and B again whatever the table says.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

from pipeline.surface.material import Relief
from pipeline.surface.processes import Process, Trace
from pipeline.surface.roughness import feed_m

SMALLEST_SLOPE = 3e-4
"""Rms slope below which a trace is not made: it moves the image of a lamp by less than the sharpest lobe is wide."""
WITHOUT_DIRECTION = ("grain", "crater")


def relief_of(
    made_by: Process, ra_um: float, alphas: tuple[float, float], seed: int
) -> tuple[tuple[float, float], tuple[Relief, ...]]:
    """(alpha across and along of the micro-roughness, relief) of *made_by* at *ra_um*.

    *alphas* are GGX alphas across and along the lay of the whole surface; micro-roughness and relief sum up to
    them: alpha^2 = micro^2 + 2 sum of slope^2 (ridges left out). *seed* makes the phases of the noise.
    """
    across, along = alphas
    relief = tuple(
        _relief(trace, number, made_by, ra_um, alphas, seed)
        for number, trace in enumerate(made_by.traces)
        if trace.kind == "ridge" or _slopes(trace, across, along)[0] >= SMALLEST_SLOPE
    )
    spread = [one for one in relief if one.kind != "ridge"]
    micro = (
        math.sqrt(across**2 - 2.0 * sum(one.slope_across**2 for one in spread)),
        math.sqrt(along**2 - 2.0 * sum(one.slope_along**2 for one in spread)),
    )
    return micro, relief


def _slopes(trace: Trace, across: float, along: float) -> tuple[float, float]:
    """Rms slopes across and along the lay that *trace* takes of the surface's alphas."""
    if trace.kind == "ridge":
        return trace.slope, 0.0
    if trace.kind in WITHOUT_DIRECTION:
        slope = along * math.sqrt(trace.share / 2.0)
        return slope, slope
    if trace.turn_rad != 0.0:
        slope = across * math.sqrt(trace.share / 2.0)
        return slope, slope * math.tan(abs(trace.turn_rad))
    slope = math.sqrt((across**2 - along**2) * trace.share / 2.0)
    return slope, slope / trace.stretch if trace.kind == "streak" else 0.0


def _relief(
    trace: Trace, number: int, made_by: Process, ra_um: float, alphas: tuple[float, float], seed: int
) -> Relief:
    slope_across, slope_along = _slopes(trace, *alphas)
    wavelength = trace.wavelength_m
    if wavelength is None:
        if made_by.nose_radius_mm is None:
            raise ValueError(f"process {made_by.name} has a {trace.kind} but no nose_radius_mm")
        wavelength = feed_m(ra_um, made_by.nose_radius_mm)
    return Relief(
        kind=trace.kind,
        wavelength_m=wavelength,
        slope_across=slope_across,
        slope_along=slope_along,
        stretch=trace.stretch,
        turn_rad=trace.turn_rad,
        path_radius_m=trace.path_radius_m,
        jitter=trace.jitter,
        seed=_seed(seed, made_by.name, number),
    )


def _seed(seed: int, name: str, number: int) -> int:
    """A phase that differs between the processes and scales of one item, and between items."""
    words = np.random.SeedSequence([seed, zlib.crc32(name.encode()), number]).generate_state(1)
    return int(words[0] >> 1)
