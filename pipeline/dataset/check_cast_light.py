"""Checks of the cast light of a view: its layers and labels fit the view, its patches are what the thrower layer says.

Does not cover: whether the light falls where it should; that is tested on scenes whose light is known in closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.dataset.problems import Findings
from pipeline.dataset.reader import Dataset, Row


def check_cast_light(dataset: Dataset, view: Row, findings: Findings) -> None:
    """Check the cast light of *view*, if it was traced and is kept. Raises DamageFound for what cannot be read."""
    rows, where = dataset.cast_light(view["view_id"]), f"view {view['view_id']}, cast light"
    if view.get("cast_light_path") is None:
        findings.expect(not rows, "cast light", where, "no patches in a view without its layers", f"{len(rows)}")
        return
    if not dataset.has_file(view, "cast_light_path"):
        return
    groups, error = dataset.cast_light_layers(view["view_id"])
    shape = (view["height"], view["width"])
    sizes = {image.shape[:2] for image in (*groups.values(), error)}
    findings.expect(sizes == {shape}, "layer size", where, shape, sorted(sizes))
    names = sorted(view["light_groups"] or [])
    findings.expect(sorted(groups) == names, "light groups", where, names, sorted(groups))
    sound = all(bool(np.isfinite(image).all() and (image >= 0.0).all()) for image in (*groups.values(), error))
    findings.expect(sound, "layer", where, "finite light, not negative", "other values")
    thrower = dataset.thrower_ids(view["view_id"])
    known = {row["instance_id"] for row in dataset.instances(view["view_id"])}
    strangers = sorted(set(np.unique(thrower).tolist()) - {0} - known)
    findings.expect(not strangers, "thrower layer", where, "ids of the instances table", strangers)
    for row in rows:
        _check_patch(row, thrower, findings, f"{where} {row['cast_light_id']}")


def _check_patch(row: Row, thrower: NDArray[np.uint16], findings: Findings, where: str) -> None:
    mask: NDArray[Any] = masks.decode(row["mask_rle"])
    area = int(np.count_nonzero(mask))
    findings.expect(area == row["area_px"], "area_px", where, f"{area}, as in mask_rle", row["area_px"])
    if not findings.expect(mask.shape == thrower.shape, "mask size", where, thrower.shape, mask.shape):
        return
    own = not (mask & (thrower != row["instance_id"])).any()
    findings.expect(own, "cast light mask", where, "pixels of that thrower only", "pixels of others")
    findings.expect(0.0 <= row["share"] <= 1.0, "share", where, "0 to 1", row["share"])
