"""Checks of a photo's exposure above saturation: the file agrees with the columns.

Does not cover: clips, whose frames keep their radiance (`check_clips`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.dataset.problems import Findings
from pipeline.dataset.reader import Dataset, Row

_HALF_STOPS: Final = 2.0**-10
"""Relative rounding of half floats."""


def check_saturation(dataset: Dataset, photo: Row, findings: Findings) -> None:
    """Check the stops above saturation of *photo*, if they are kept. Raises DamageFound when they cannot be read."""
    if photo.get("stops_above_path") is None:
        return
    where = f"photo {photo['photo_id']}, stops above saturation"
    stops = dataset.stops_above(photo["photo_id"])
    shape = (photo["height"], photo["width"], 3)
    if not findings.expect(stops.shape == shape, "layer size", where, shape, stops.shape):
        return
    findings.expect(bool((stops >= 0.0).all()), "stops", where, "0 or more", float(np.min(stops)))
    clipped = [int(n) for n in np.count_nonzero(stops, axis=(0, 1))]
    findings.expect(clipped == photo["clipped_px"], "clipped_px", where, clipped, photo["clipped_px"])
    share = float(stops.any(axis=-1).mean())
    same = abs(share - photo["clipped_fraction"]) < 1e-9
    findings.expect(same, "clipped_fraction", where, share, photo["clipped_fraction"])
    most = [float(v) for v in stops.max(axis=(0, 1))]
    near = np.allclose(most, photo["stops_above_max"], rtol=_HALF_STOPS, atol=1e-7)
    findings.expect(bool(near), "stops_above_max", where, most, photo["stops_above_max"])
