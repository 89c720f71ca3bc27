"""Pilot renders: two small pictures of a view with few samples, by which the samples of the scene are chosen.

Covers: rendering them with the scene's own passes and denoiser. Does not cover: what their difference says (`noise`).
One view per rig is looked at, for other cameras under the same lamps see the same noise.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import BundleView, SamplesChoice
from pipeline.layers import REC709_LUMINANCE, total
from pipeline.render.blender.view import ViewRenderer
from pipeline.render.noise import PILOT_SAMPLES, PilotError, choose_samples, pilot_error, pilot_scale
from pipeline.spec.noise_budget import NoiseBudget

_OTHER_SEED = 0x5BD1E995
"""Added to the scene's seed for the second pilot: any odd constant serves."""
_SEEDS = 2**31


def choose(renderer: ViewRenderer, views: Iterable[BundleView], budget: NoiseBudget) -> SamplesChoice:
    """Look at *views* and choose the samples of their scene. Raises ValueError for a budget that no plan filled in."""
    if budget.tolerated is None:
        raise ValueError("expected a noise budget with the tolerated noise filled in, found none")
    first_by_rig: dict[int, BundleView] = {}
    for view in views:
        first_by_rig.setdefault(view.rig_index, view)
    pilots = [_error(renderer, view) for view in first_by_rig.values()]
    return choose_samples(pilots, budget.tolerated, budget.least, budget.most)


def _error(renderer: ViewRenderer, view: BundleView) -> PilotError:
    seed = renderer.job.render.seed
    scale = pilot_scale(view.camera.width, view.camera.height)
    pairs = []
    for pilot_seed in (seed, (seed + _OTHER_SEED) % _SEEDS):
        layers = renderer.picture(view, PILOT_SAMPLES, pilot_seed, scale)
        denoised = [name for name in layers if name.startswith("denoised.")]
        pairs.append((_luminance(layers["noisy"]), _luminance(total(layers, denoised)) if denoised else None))
    (a, clean_a), (b, clean_b) = pairs
    return pilot_error((a, b), None if clean_a is None or clean_b is None else (clean_a, clean_b))


def _luminance(radiance: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(radiance @ REC709_LUMINANCE, dtype=np.float32)
