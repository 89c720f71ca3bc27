"""Photos drawn for the gate: metal-like parts on a table, with a scratch and a highlight, and their exact truth.

Covers: pictures with the structure that the gate measures, in milliseconds. Does not cover: what renders look like
(benchmarks/gate.py measures on those).
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline import masks
from pipeline.transfer.gate.benign import to_codes
from pipeline.transfer.gate.truth import CLIPPED_CODE, GateTruth, Region

HEIGHT, WIDTH = 240, 320


def region(name: str, instance_id: int, mask: np.ndarray) -> Region:
    left, top, width, height = masks.box_of(mask > 0)
    return Region(name, instance_id, left, top, mask[top : top + height, left : left + width] > 0)


def truth_of(instance: np.ndarray, photo: np.ndarray, defects=(), highlights=()) -> GateTruth:
    parts = tuple(region(f"part {n} (drawn)", int(n), instance == n) for n in np.unique(instance) if n)
    return GateTruth(
        instance=instance.astype(np.uint16),
        face=instance.astype(np.uint16),
        depth=np.ones(instance.shape, dtype=np.float32),
        clipped=photo.max(axis=2) >= CLIPPED_CODE,
        parts=parts,
        defects=tuple(defects),
        highlights=tuple(highlights),
    )


def noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """(h, w) smooth random field of standard deviation 1."""
    field = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)).astype(np.float32), (0, 0), sigma)
    return field / field.std()


def drawn_scene(seed: int) -> tuple[np.ndarray, GateTruth]:
    """(photo, truth): a disc and a block of metal; a dark scratch on the block, a highlight on the disc."""
    rng = np.random.default_rng([seed, 11])
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    image = np.repeat((70 + 0.1 * x + 5 * noise(rng, 8) + 2 * noise(rng, 1))[..., None], 3, axis=2)
    instance = np.zeros((HEIGHT, WIDTH), dtype=np.uint16)
    cx, cy, radius = 90 + rng.uniform(-15, 15), 120 + rng.uniform(-20, 20), rng.uniform(42, 55)
    disc = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
    angle = np.rad2deg(np.arctan2(y - cy, x - cx))
    brushed = 150 + 30 * np.cos(np.deg2rad(2 * angle)) + 8 * np.sin(np.hypot(x - cx, y - cy))
    image[disc] = (brushed[..., None] * np.array([1.0, 0.98, 0.95]))[disc]
    instance[disc] = 1
    box = cv2.boxPoints(((235.0, float(cy)), (70.0, 55.0), float(rng.uniform(0, 90))))
    block = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.fillPoly(block, [np.rint(box).astype(np.int32)], 1)
    shade = 140 + 20 * np.sin(x / 11 + y / 17) + 6 * noise(rng, 1.5)
    image[block > 0] = (shade[..., None] * np.array([1.0, 0.84, 0.55]))[block > 0]
    instance[block > 0] = 2
    scratch = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.line(scratch, (222, int(cy) - 6), (248, int(cy) + 8), 1, 2)
    image[scratch > 0] *= 0.6
    spot = ((x - cx - 16) / 9) ** 2 + ((y - cy + 12) / 6) ** 2 < 1
    image[spot] = 252
    photo = to_codes(cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.7) + rng.normal(0, 1.0, image.shape))
    defects = [region("defect 2/1 (scratch)", 2, scratch)]
    return photo, truth_of(instance, photo, defects, [region("highlight 1 (key on part 1)", 1, spot)])
