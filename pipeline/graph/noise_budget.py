"""The noise that a scene's photos show by themselves, as one number: what its render has to stay below.

Covers: signal-to-noise at metered grey after EMVA 1288, the cleanest photo of a scene, a scene with its budget filled
in. Does not cover: how many samples that takes (`render.noise`). The number is rounded, and only it enters the key of a
render: photos that differ in anything else leave the render as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from pipeline.camera.expose import GREY, HEADROOM
from pipeline.camera.hardware import sensor_named
from pipeline.spec.scene import PhotoSpec, SceneSpec

STEPS_PER_OCTAVE: Final = 4
"""The number is rounded down to powers of 2^(1/4), so that specs with similar photos share their renders."""


def photo_noise(photo: PhotoSpec) -> float:
    """Relative noise of *photo* at metered grey: photon, read and fixed-pattern noise over signal (EMVA 1288).

    At base gain, where a photo is cleanest: a photo in dim light, whose gain is raised, tolerates more. Raises
    InputError for an unknown sensor.
    """
    sensor = sensor_named(photo.sensor)
    electrons: float = min(GREY / HEADROOM * 2.0**photo.exposure_ev, 1.0) * sensor.full_well_e
    variance = electrons + sensor.read_noise_e**2 + (sensor.prnu * electrons) ** 2
    return math.sqrt(variance) / electrons


def tolerated_noise(photos: Iterable[PhotoSpec]) -> float:
    """The least `photo_noise` of *photos* (at least one), rounded down to a quarter octave."""
    least = min(photo_noise(photo) for photo in photos)
    return float(2.0 ** (math.floor(math.log2(least) * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE))


def with_budget(scene: SceneSpec) -> SceneSpec:
    """*scene* with its noise budget filled in from its photos; itself where that is done or samples are set by hand."""
    if scene.render.budget is None or scene.render.budget.tolerated is not None:
        return scene
    budget = replace(scene.render.budget, tolerated=tolerated_noise(scene.photos))
    return replace(scene, render=replace(scene.render, budget=budget))
