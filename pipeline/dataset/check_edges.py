"""Checks of the edges of a view and of where a depth sensor would fail: sizes, ranges, labels that agree with shares.

Does not cover: whether the causes are right; that is tested on rendered scenes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.dataset.problems import Findings
from pipeline.dataset.read_edges import EDGE_CAUSES, depth_failure, edge_labels, false_edges
from pipeline.dataset.read_reflections import layers_row
from pipeline.dataset.reader import Dataset, Row

_HALF: Final = 2e-3
"""Shares are half floats, four of which add up."""


def check_edges(dataset: Dataset, view: Row, findings: Findings) -> None:
    """Check the layers of one view, as far as they are kept. Raises DamageFound for one that cannot be read."""
    row = layers_row(dataset, view["view_id"])
    if row is None:
        return
    where = f"view {view['view_id']}"
    if dataset.has_file(row, "edges_path") and dataset.has_file(row, "false_edge_path"):
        _check_shares(dataset, view, findings, f"{where}, edges")
    if dataset.has_file(row, "depth_failure_path"):
        for name, prior in depth_failure(dataset, view["view_id"]).items():
            sound = prior.shape == _shape(view) and bool(((prior >= 0) & (prior <= 1)).all())
            findings.expect(sound, "depth failure", f"{where}, {name}", f"{_shape(view)} of 0 to 1", prior.shape)


def _check_shares(dataset: Dataset, view: Row, findings: Findings, where: str) -> None:
    labels, channels = edge_labels(dataset, view["view_id"]), false_edges(dataset, view["view_id"])
    shapes = {labels.shape, *(values.shape for values in channels.values())}
    if not findings.expect(shapes == {_shape(view)}, "layer size", where, _shape(view), sorted(shapes)):
        return
    missing = [name for name in ("false", "contrast", *EDGE_CAUSES) if name not in channels]
    if not findings.expect(not missing, "channels", where, "contrast and every cause", f"none of {missing}"):
        return
    shares = np.stack([channels[cause] for cause in EDGE_CAUSES])
    edge = labels > 0
    most = int(np.max(labels))
    if not findings.expect(most <= len(EDGE_CAUSES), "labels", where, f"0 to {len(EDGE_CAUSES)}", most):
        return
    findings.expect(bool(np.array_equal(channels["contrast"] > 0, edge)), "contrast", where, "at edges only", "else")
    summed = np.abs(shares.sum(axis=0) - edge)
    findings.expect(float(summed.max()) <= _HALF, "shares", where, "1 at edges, else 0", f"{summed.max():.3g} off")
    chosen = np.take_along_axis(shares, np.maximum(labels, 1)[None].astype(np.int64) - 1, axis=0)[0]
    behind = int(np.count_nonzero(edge & (chosen + _HALF < shares.max(axis=0))))
    findings.expect(behind == 0, "labels", where, "the largest share", f"{behind} pixels with another")


def _shape(view: Row) -> tuple[int, int]:
    return int(view["height"]), int(view["width"])
