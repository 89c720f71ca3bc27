"""How a photo is metered and processed, and the series that it belongs to, as frozen records of a PhotoSpec.

Covers: names and numbers. Does not cover: the keys of a spec file (`processing_section`), how they are drawn
(`draw_processing`), what they do to pixels (`camera`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Demosaic = Literal["edge_aware", "malvar", "bilinear"]
WhiteBalance = Literal["as_shot", "auto", "fixed"]
Metering = Literal["centre_weighted", "average", "spot", "highlight", "matrix"]

MAX_BRACKET: Final = 9
"""Most exposures of a bracket: what cameras with the longest sequences offer."""
MAX_BURST: Final = 32
"""Most photos of a burst."""
SHUTTER_RANGE_S: Final = (1.0 / 4000.0, 0.5)
"""Shortest and longest exposure time that a camera may choose."""


@dataclass(frozen=True)
class ProcessingSpec:
    """What the camera's processor does between the converter's codes and the picture file."""

    demosaic: Demosaic = "edge_aware"
    white_balance: WhiteBalance = "fixed"
    """Where the white comes from: "as_shot" = the light mix, exactly; "fixed" = PhotoSpec.white_balance_k with the
    error that was drawn; "auto" = estimated from the picture, white_balance_k is not used."""
    denoise: float = 0.0
    """Strength: 0 = none, 1 = as strong as consumer cameras."""
    sharpen_amount: float = 0.0
    """Share of the unsharp mask that is added."""
    sharpen_radius_px: float = 1.0
    """Standard deviation of the mask's Gaussian, pixels."""
    jpeg_quality: int = 95
    """1 to 100, of JPEG photos."""


DEFAULT_PROCESSING: Final = ProcessingSpec()


@dataclass(frozen=True)
class SeriesSpec:
    """The place of a photo among photos that were taken one after the other in the same light."""

    kind: Literal["bracket", "burst"]
    number: int
    """Number of the series in its view, from 0."""
    index: int
    """Place in the series, from 0."""
    length: int
    """Photos of the series."""
    bracket_ev: float = 0.0
    """Bracket: stops of this exposure from the one that was metered for the whole series."""
    start_ev: float = 0.0
    """Burst: stops by which the exposure control is wrong at the first photo."""
    lag_frames: float = 2.0
    """Burst: time constant of the exposure control, photos: after so many, 37 % of the error (in stops) are left."""
    delay_frames: int = 1
    """Burst: photos from metering one to the first whose exposure follows it, at least 1."""


def series_id_of(view_id: str, series: SeriesSpec) -> str:
    """Id of a series, for example "quickstart-000007-v0-bracket2"."""
    return f"{view_id}-{series.kind}{series.number}"
