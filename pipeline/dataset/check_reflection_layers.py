"""Checks of the reflection layers of a view: the decomposition adds up to the light that it was made of.

Does not cover: rows of reflections and highlights (`check_views`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.dataset.problems import Findings
from pipeline.dataset.read_reflections import decomposition, layers_row
from pipeline.dataset.reader import Dataset, Row
from pipeline.layers import DARK_SHARE, NOISY_BITS, rounding_error

_SUM_TOLERANCE: Final = 1e-4
"""Relative error of the sums before rounding, as of all light (docs/data-contract.md)."""
_SMALLEST: Final = 2.0**-24
"""Step of the smallest half floats, which rounding cannot tell apart."""


def check_reflection_layers(dataset: Dataset, view: Row, findings: Findings) -> None:
    """Check the decomposition of one view against its untouched light groups where parts are, if all are kept."""
    where = f"view {view['view_id']}"
    row = layers_row(dataset, view["view_id"])
    needed = ("layers_path", "instance_path")
    kept = row is not None and dataset.has_file(row, "decomposition_path")
    if not kept or not all(dataset.has_file(view, column) for column in needed):
        findings.count("views without decomposition")
        return
    parts, groups = decomposition(dataset, view["view_id"]), _groups(dataset, view)
    shape = (view["height"], view["width"], 3)
    found = sorted({values.shape for values in parts.values()} - {shape})
    if not findings.expect(not found, "decomposition size", where, shape, found):
        return
    strangers = sorted({name.partition(".")[2] for name in parts} - set(groups))
    findings.expect(not strangers, "decomposition", where, "light groups of the view", strangers)
    negative = sorted(name for name, values in parts.items() if not (values >= 0).all())
    findings.expect(not negative, "decomposition", where, "no negative radiance", negative)
    on_part = dataset.instance_ids(view["view_id"]) > 0
    if not on_part.any():
        return
    for group, radiance in ((name, values[on_part]) for name, values in groups.items()):
        own = [values[on_part] for name, values in parts.items() if name.partition(".")[2] == group]
        summed = np.sum(own, axis=0, dtype=np.float64) if own else np.zeros(radiance.shape)
        slack = (
            rounding_error(NOISY_BITS) * summed
            + _SUM_TOLERANCE * (radiance + DARK_SHARE * radiance.mean())
            + _SMALLEST * 2 ** (10 - NOISY_BITS) * (len(own) + 1)
        )
        worst = float(np.max(np.abs(summed - radiance) / slack))
        limit = "the group's radiance to its rounding"
        findings.expect(
            worst <= 1.0, "sum of the decomposition", f"{where}, group {group}", limit, f"{worst:.3g} times"
        )


def _groups(dataset: Dataset, view: Row) -> dict[str, np.ndarray]:
    layers = dataset.layers(view["view_id"])
    return {name.removeprefix("group."): values for name, values in layers.items() if name.startswith("group.")}
