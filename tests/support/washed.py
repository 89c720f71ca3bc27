"""Pictures that lost what the photo showed as a whole: everywhere, or in all parts at once.

Covers: functions like those of `planted`. One label wrong among many right ones is easy to see against them; here
everything changes alike, so a gate that takes out what the whole photo did may take out the fault.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.transfer.gate.benign import to_codes, to_display, to_linear
from pipeline.transfer.gate.truth import GateTruth
from pipeline.transfer.residual import residual_transfer
from pipeline.transfer.settings import ResidualSettings
from support.planted import Photo, Plant, grown, whole

GRAIN_CODES = 1.5
BLOTCH_CODES = 45.0
"""Standard deviation of blotches before residual transfer blurs them."""
COPPER_OVER_STEEL = np.array([1.0, 0.6, 0.4], dtype=np.float32)
"""Ratio of reflectances in linear Rec.709, rounded, no channel above 1 so that nothing clips."""


def nothing_shown(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """Grain about the photo's mean."""
    return to_codes(photo.mean() + rng.normal(0.0, GRAIN_CODES, photo.shape))


def only_shade_left(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """A smooth ramp over the photo's own range of codes."""
    low, high = np.quantile(photo, [0.1, 0.9])
    ramp = np.linspace(low, high, photo.shape[1])[None, :, None]
    return to_codes(ramp + rng.normal(0.0, GRAIN_CODES, photo.shape))


def nearly_black(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    return to_codes(0.05 * photo)


def washed_out(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """Two fifths of the contrast."""
    return to_codes(120.0 + 0.4 * (photo - 120.0))


def parts_even(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """Each part in its own median colour: silhouettes and background stay."""
    return _parts_faded(photo, truth, 0.0, rng)


def parts_faded(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """Each part with 15 % of its contrast."""
    return _parts_faded(photo, truth, 0.15, rng)


def _parts_faded(photo: Photo, truth: GateTruth, kept: float, rng: np.random.Generator) -> Photo:
    faded = photo.astype(np.float32)
    for part in truth.parts:
        inside = truth.instance == part.instance_id
        middle = np.median(photo[inside], axis=0)
        faded[inside] = middle + kept * (photo[inside] - middle)
    return to_codes(faded + rng.normal(0.0, GRAIN_CODES, photo.shape))


def all_recoloured(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """Everything, parts and background, towards copper."""
    return to_codes(255.0 * to_display(to_linear(photo) * COPPER_OVER_STEEL))


def highlights_gone(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo | None:
    """Every highlight painted over from around it; None where none stands out by 30 codes."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gone, seen = np.zeros(truth.shape, dtype=np.uint8), False
    for highlight in truth.highlights:
        mask = whole(highlight, truth.shape)
        ring = (grown(mask, 4) > 0) & (grown(mask, 1) == 0) & (truth.instance == highlight.instance_id)
        seen |= highlight.area >= 16 and ring.any() and grey[mask > 0].mean() - grey[ring].mean() >= 30.0
        gone |= grown(mask, 2)
    return cv2.inpaint(photo, gone, 3, cv2.INPAINT_TELEA) if seen else None


def blotched(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """Blotches of colour over everything, as a network without training paints them."""
    return to_codes(photo + _blotches(photo, rng))


def blotched_within(photo: Photo, truth: GateTruth, rng: np.random.Generator) -> Photo:
    """The same blotches as residual transfer puts them onto a photo: blurred, and away from every silhouette."""
    result = ((photo + _blotches(photo, rng)) / 255.0).astype(np.float32)
    trip = (photo / 255.0).astype(np.float32)
    return residual_transfer(photo, result, trip, ResidualSettings(), truth.instance)


def _blotches(photo: Photo, rng: np.random.Generator) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.normal(0.0, 1.0, photo.shape).astype(np.float32), (0, 0), 2.0)
    return BLOTCH_CODES / noise.std() * noise


WASHED: dict[str, Plant] = {
    "nothing shown": nothing_shown,
    "only shade left": only_shade_left,
    "nearly black": nearly_black,
    "contrast at 40 %": washed_out,
    "parts painted even": parts_even,
    "parts faded": parts_faded,
    "all highlights gone": highlights_gone,
    "everything recoloured": all_recoloured,
    "blotches over everything": blotched,
    "blotches within regions": blotched_within,
}
