"""All scores of a changed photo, and whose they are.

Covers: running every score on every part, defect and highlight; the worst of each. Does not cover: whether a score is
too high (`limits`, `verdict`). In all scores 0 is best and higher is worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.gate.align import part_alignment, slopes
from pipeline.transfer.gate.colour import (
    ColourTruth,
    background_blob,
    colour_truth,
    global_tint,
    painted_over,
    part_chroma,
    unexplained,
)
from pipeline.transfer.gate.edges import Outlines, drift, outlines_of, part_edges, profiles, without_clipped
from pipeline.transfer.gate.features import Features, Floats, cells, features_of
from pipeline.transfer.gate.flow import flow_of, part_flow, texture
from pipeline.transfer.gate.marks import clipping_change, defect_mark, highlight_mark, marks_came
from pipeline.transfer.gate.shading import part_shading, photo_shading
from pipeline.transfer.gate.tone import tone_of
from pipeline.transfer.gate.truth import CLIPPED_CODE, GateTruth

Photo = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SCORES: Final[dict[str, str]] = {
    "edge_drift_px": "largest drift of 14 px of the part's outline, px",
    "edge_lost": "share of the outline that is gone, 0..1",
    "flow_px": "median motion of the part's inside, px",
    "part_shift_px": "shift of the part, outline and inside together, px",
    "part_scale": "change of size of the part, outline and inside together, share",
    "shading_lost": "share of the light and dark of a part, or of the photo, that is gone; above 1 when turned over",
    "tint": "change of colour of the whole photo, CIE a*b* at L* 50",
    "chroma": "change of colour beyond the whole photo's, CIE a*b* at L* 50",
    "blob": "largest unexplained area of the background over the smallest part's (of 1 % of the photo at most)",
    "painted_over": "median unexplained change of the background, of a part or beside it, CIE L*a*b*",
    "defect_loss": "share of the defect's contrast that is gone; above 1 when it is turned over",
    "highlight_loss": "share of the highlight's pattern that is gone",
    "highlight_px": "motion of the highlight's centre, px",
    "clipping": "share of the part's clipped pixels that came or went",
    "light_came_px": "largest patch of light that came on the part, px",
    "dark_came_px": "largest dark patch that came on the part, px",
}
"""Every score and what it says, with its unit."""


_CLIPPING_SLACK: Final = 40.0
"""Codes that a channel may lie beside the tone curve, which is that of grey levels."""
_PAINTED_SHARE: Final = 0.25
"""Of a cell's pixels that clip without reason, from where its colour counts all the same."""
_CODES: Final = np.arange(256, dtype=np.float32)


@dataclass(frozen=True)
class Scored:
    """One score of one part, defect, highlight or of the background."""

    score: str
    value: float
    of: str
    """For example "part 2 (flange)"."""


@dataclass(frozen=True, eq=False)
class Camera:
    """The camera photo, prepared: one serves every try of the ladder."""

    photo: Photo
    truth: GateTruth
    features: Features
    structure: NDArray[np.float32]
    """(h, w) gradient of the grey photo."""
    outlines: Outlines
    profiles: NDArray[np.float32]
    colours: ColourTruth


def prepare(photo: Photo, truth: GateTruth) -> Camera:
    """The camera *photo* (h, w, 3) uint8 with its *truth*. Raises ValueError when their sizes differ."""
    if photo.shape[:2] != truth.shape:
        raise ValueError(f"expected a photo of the truth's size {truth.shape}, found {photo.shape}")
    features = features_of(photo)
    outlines = outlines_of(truth)
    return Camera(
        photo, truth, features, texture(features.grey), outlines, profiles(features.grey, outlines), colour_truth(truth)
    )


def measure(camera: Camera, changed: Photo) -> tuple[Scored, ...]:
    """Every score of *changed* (h, w, 3) uint8, the picture that is to take the camera photo's place.

    Raises ValueError when it has another size or type.
    """
    if changed.shape != camera.photo.shape:
        raise ValueError(f"expected a photo of shape {camera.photo.shape}, found {changed.shape}")
    after = features_of(changed)
    curve = _tone_curve(camera.features.grey8, after.grey8)
    soft = _along(curve, camera.features.soft)
    clips = (after.brightest >= CLIPPED_CODE) & ~camera.truth.clipped
    exposed = clips & _could_clip(camera, after, curve)
    return (
        *_outline_scores(camera, after, curve, exposed),
        *_inside_scores(camera, after, curve, soft),
        *_colour_scores(camera, after, cells(clips & ~exposed) >= _PAINTED_SHARE),
        *_mark_scores(camera, after, curve),
    )


def worst(scores: tuple[Scored, ...]) -> dict[str, float]:
    """The highest value of each score that could be measured, by name."""
    highest: dict[str, float] = {}
    for scored in scores:
        highest[scored.score] = max(highest.get(scored.score, 0.0), scored.value)
    return highest


def _tone_curve(before: Photo, after: Photo) -> NDArray[np.float32]:
    """(256,) what became of each code of the grey photo *before* (h, w) in *after*."""
    tone = tone_of(before.astype(np.float32).ravel(), after.astype(np.float32).ravel(), (0.0, 255.0))
    return tone.of(_CODES)


def _along(curve: NDArray[np.float32], grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.interp(grey, _CODES, curve).astype(np.float32)


def _outline_scores(
    camera: Camera, after: Features, curve: NDArray[np.float32], newly_clipped: Mask
) -> Iterator[Scored]:
    moved = drift(_along(curve, camera.profiles), profiles(after.grey, camera.outlines))
    moved = without_clipped(moved, camera.outlines, newly_clipped)
    for part in camera.truth.parts:
        edges = part_edges(camera.outlines, moved, part)
        if edges is not None:
            yield Scored("edge_drift_px", edges.drift_px, part.name)
            yield Scored("edge_lost", edges.lost, part.name)


def _could_clip(camera: Camera, after: Features, curve: NDArray[np.float32]) -> Mask:
    """(h, w) pixels that exposure may have clipped: near enough to it and no darker now. Saturated paint is neither."""
    near = curve[camera.features.brightest] >= CLIPPED_CODE - _CLIPPING_SLACK
    as_bright = after.grey8 >= curve[camera.features.grey8] - _CLIPPING_SLACK
    return np.asarray(near & as_bright)


def _inside_scores(
    camera: Camera, after: Features, curve: NDArray[np.float32], soft: NDArray[np.float32]
) -> Iterator[Scored]:
    flow = flow_of(np.rint(curve).astype(np.uint8)[camera.features.grey8], after.grey8)
    slope = slopes(soft)
    for part in camera.truth.parts:
        inside = part_flow(flow, camera.structure, part)
        if inside is not None:
            yield Scored("flow_px", inside, part.name)
        whole = part_alignment(soft, slope, after.soft, part)
        if whole is not None:
            yield Scored("part_shift_px", whole.shift_px, part.name)
            yield Scored("part_scale", whole.scale, part.name)
        shading = part_shading(soft, after.soft, part)
        if shading is not None:
            yield Scored("shading_lost", shading, part.name)
    shading = photo_shading(soft, after.soft)
    if shading is not None:
        yield Scored("shading_lost", shading, "photo")


def _colour_scores(camera: Camera, after: Features, painted: Mask) -> Iterator[Scored]:
    before, masks = camera.features, camera.colours
    tint = global_tint(before, after, masks)
    yield Scored("tint", float(np.linalg.norm(tint)), "photo")
    for part, mask in zip(camera.truth.parts, masks.parts, strict=True):
        chroma = part_chroma(before, after, tint, mask)
        if chroma is not None:
            yield Scored("chroma", chroma, part.name)
    behind = unexplained(before, after, masks.background, painted)
    yield Scored("blob", background_blob(behind, masks), "background")
    everywhere = unexplained(before, after, None, painted)
    for rest, where, of in _areas(camera, behind, everywhere):
        over = painted_over(rest, where)
        if over is not None:
            yield Scored("painted_over", over, of)


def _areas(camera: Camera, behind: Floats, everywhere: Floats) -> Iterator[tuple[Floats, Mask, str]]:
    """Differences, and the cells and the name of each area that may be painted over."""
    masks = camera.colours
    yield behind, masks.background, "background"
    for part, inside, rings in zip(camera.truth.parts, masks.parts, masks.beside, strict=True):
        yield everywhere, inside, part.name
        yield from ((everywhere, ring, f"beside {part.name}") for ring in rings)


def _mark_scores(camera: Camera, after: Features, curve: NDArray[np.float32]) -> Iterator[Scored]:
    truth = camera.truth
    expected = curve[camera.features.grey8]
    found = after.grey8.astype(np.float32)
    same_part = {part.instance_id: truth.instance == part.instance_id for part in truth.parts}
    for defect in truth.defects:
        mark = defect_mark(expected, found, defect, same_part[defect.instance_id])
        if mark is not None:
            yield Scored("defect_loss", abs(1.0 - mark.kept) if mark.kept < 1.0 else 0.0, defect.name)
    for highlight in truth.highlights:
        mark = highlight_mark(expected, found, highlight, same_part[highlight.instance_id])
        if mark is not None:
            yield Scored("highlight_loss", max(0.0, 1.0 - mark.kept), highlight.name)
            yield Scored("highlight_px", mark.moved_px, highlight.name)
    for part in truth.parts:
        clipping = clipping_change(camera.features.brightest, after.brightest, curve, part)
        if clipping is not None:
            yield Scored("clipping", clipping, part.name)
        came = marks_came(expected, found, part)
        if came is not None:
            yield Scored("light_came_px", came.light_px, part.name)
            yield Scored("dark_came_px", came.dark_px, part.name)
