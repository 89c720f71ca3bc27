"""Checks of clips: frames in a row, and masks that are exactly what exceeds the sensor's range.

Covers: the rows of overexposed and their radiance files. Does not cover: the choice of references, which
is tested against geometry in closed form.
"""

from __future__ import annotations

import numpy as np

from pipeline import masks
from pipeline.dataset.check_views import guarded
from pipeline.dataset.problems import Findings
from pipeline.dataset.reader import Dataset


def check_clip(dataset: Dataset, clip_id: str, findings: Findings) -> None:
    """Check the frames of one clip."""
    findings.count("clips")
    where = f"clip {clip_id}"
    guarded(findings, where, lambda: _check_frames(dataset, clip_id, findings, where))


def _check_frames(dataset: Dataset, clip_id: str, findings: Findings, where: str) -> None:
    frames = list(dataset.clip(clip_id))
    numbers = [frame.index for frame in frames]
    findings.expect(numbers == list(range(len(frames))), "frames", where, "0, 1, 2 ...", numbers)
    earlier: list[str] = []
    for frame in frames:
        photo_id = frame.photo["photo_id"]
        place = f"photo {photo_id}"
        differing = int(np.count_nonzero((frame.range_share() > 1.0) != frame.clipped()))
        findings.expect(differing == 0, "overexposed masks", place, "just the pixels above saturation", differing)
        anywhere = masks.decode(frame.overexposed["mask_rle"])
        same = np.array_equal(anywhere, frame.clipped().any(axis=-1))
        findings.expect(same, "overexposed mask", place, "where any channel is overexposed", "other pixels")
        share = frame.overexposed["share"]
        findings.expect(share == float(anywhere.mean()), "overexposed share", place, float(anywhere.mean()), share)
        named = frame.overexposed["reference_photo_ids"]
        findings.expect(named in ([], earlier), "references", place, "the past frames of its clip", named)
        earlier.append(photo_id)
