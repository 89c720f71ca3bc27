"""Checks of a photo through glass: its layers have its size, are finite, and the mixture is the sum of two of them.

Does not cover: whether the shares follow Fresnel's formulas; that is tested on rendered scenes.
"""

from __future__ import annotations

import numpy as np

from pipeline.dataset.problems import Findings
from pipeline.dataset.reader import Dataset, Row


def check_glass(dataset: Dataset, photo: Row, findings: Findings) -> None:
    """Check the layers of *photo*, if it was taken through glass. Raises DamageFound for one that cannot be read."""
    row = dataset.glass(photo["photo_id"])
    if row is None:
        return
    where = f"photo {photo['photo_id']}, glass"
    layers = {name: dataset.linear(photo["photo_id"], name) for name in ("m", "t", "r", "c")}
    shape = (photo["height"], photo["width"], 3)
    for name, image in layers.items():
        findings.expect(image.shape == shape, "layer size", f"{where} {name}", shape, image.shape)
        sound = bool(np.isfinite(image).all() and (image >= 0.0).all())
        findings.expect(sound, "layer", f"{where} {name}", "finite light, not negative", "other values")
    if layers["m"].shape == layers["t"].shape == layers["r"].shape:
        wrong = int(np.count_nonzero(layers["m"] != layers["t"] + layers["r"]))
        findings.expect(wrong == 0, "mixture", where, "m = t + r", f"{wrong} values that differ")
    share = row["reflected_share"]
    findings.expect(share is None or 0.0 <= share <= 1.0, "reflected_share", where, "0 to 1", share)
