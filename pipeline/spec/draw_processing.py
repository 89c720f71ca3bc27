"""Draw how a photo is metered and processed, and make it a bracket or a burst.

Covers: ProcessingSpec, metering mode, SeriesSpec. Each photo has a stream of its own for them, so that a dataset whose
spec gains such keys keeps its lights, exposures and noise. Does not cover: the photo itself (`draw_photos`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from pipeline.spec.model import DatasetSpec
from pipeline.spec.processing import Demosaic, Metering, ProcessingSpec, SeriesSpec, WhiteBalance
from pipeline.spec.scene import PhotoSpec
from pipeline.spec.seeds import Stream, seed_of


def draw_processing(spec: DatasetSpec, index: int, name: str, neutral: bool) -> tuple[Metering, ProcessingSpec]:
    """Metering and processing of the photo whose stream is called *name*.

    A *neutral* photo is metered centre-weighted and balanced exactly, whatever the weights say.
    """
    draw, keys = Stream(spec.dataset.seed, index, name + ".processing"), spec.photos.processing
    metering = cast(Metering, draw.name(spec.photos.metering))
    processing = ProcessingSpec(
        demosaic=cast(Demosaic, draw.name(keys.demosaic)),
        white_balance=cast(WhiteBalance, draw.name(keys.white_balance)),
        denoise=draw.number(keys.denoise),
        sharpen_amount=draw.number(keys.sharpen_amount),
        sharpen_radius_px=draw.number(keys.sharpen_radius_px),
        jpeg_quality=keys.jpeg_quality.count(draw.u()),
    )
    return ("centre_weighted", replace(processing, white_balance="as_shot")) if neutral else (metering, processing)


def in_series(spec: DatasetSpec, index: int, name: str, photo: PhotoSpec) -> tuple[PhotoSpec, ...]:
    """*photo* alone, or the photos of the bracket or burst that it stands for: same light, camera and processing,
    noise of their own. *name* is the photo's stream; its photo_index becomes the number of the series."""
    places = _places(spec, index, name, photo.photo_index)
    if not places:
        return (photo,)
    return tuple(
        replace(
            photo,
            photo_index=photo.photo_index * len(places) + place.index,
            seed=seed_of(spec.dataset.seed, index, f"{name}.noise.{place.index}"),
            series=place,
        )
        for place in places
    )


def _places(spec: DatasetSpec, index: int, name: str, number: int) -> list[SeriesSpec]:
    """The places of a series; none where photos are taken one by one."""
    photos = spec.photos
    if photos.bracket_ev is not None:
        steps = photos.bracket_ev
        return [SeriesSpec("bracket", number, i, len(steps), bracket_ev=step) for i, step in enumerate(steps)]
    if photos.burst is None:
        return []
    draw = Stream(spec.dataset.seed, index, name + ".burst")
    start_ev, lag = draw.number(photos.burst.start_ev), draw.number(photos.burst.lag_frames)
    delay = photos.burst.delay_frames.count(draw.u())
    length = photos.burst.length
    return [
        SeriesSpec("burst", number, i, length, start_ev=start_ev, lag_frames=lag, delay_frames=delay)
        for i in range(length)
    ]
