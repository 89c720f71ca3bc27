"""The frames of a clip, as the reader hands them out.

Covers: one frame with its picture, masks, radiance and references. Does not cover: tables (`tables`), judging
references (`pipeline.clips`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.errors import DamageFound

if TYPE_CHECKING:
    from pipeline.dataset.reader import Dataset


def range_share(radiance: NDArray[np.float32], signal_from_radiance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the sensor's range (h, w, 3) that *radiance* (h, w, 3) fills in each channel; above 1 is clipped.

    *signal_from_radiance*: (3, 3), what each of the sensor's channels (rows) makes of red, green and blue (columns).
    """
    result = np.empty_like(radiance)
    for channel, row in enumerate(np.asarray(signal_from_radiance, dtype=np.float32)):
        # Written out: a matrix product of a library may add in another order on another machine.
        result[..., channel] = row[0] * radiance[..., 0] + row[1] * radiance[..., 1] + row[2] * radiance[..., 2]
    return result


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """A photo of a clip."""

    dataset: Dataset
    photo: dict[str, Any]
    """Row of the photos table."""
    overexposed: dict[str, Any]
    """Row of the overexposed table."""

    @property
    def index(self) -> int:
        """Number of the frame, from 0."""
        return int(self.photo["frame_index"])

    @property
    def time_s(self) -> float:
        """Seconds since frame 0."""
        return float(self.photo["time_s"])

    @property
    def references(self) -> dict[str, float]:
        """Photo id of every past frame -> share of this frame's overexposed pixels that were well exposed there.

        Empty when nothing is overexposed.
        """
        return dict(zip(self.overexposed["reference_photo_ids"], self.overexposed["reference_shares"], strict=True))

    @property
    def signal_from_radiance(self) -> NDArray[np.float32]:
        """(3, 3): the sensor's channels are clipped where this times the radiance is above 1."""
        return np.array(self.overexposed["signal_from_radiance"], dtype=np.float32).reshape(3, 3)

    def image(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 RGB, sRGB. Raises DamageFound when the file cannot be read; so does `radiance`."""
        return self.dataset.image(self.photo["photo_id"])

    def clipped(self) -> NDArray[np.bool_]:
        """(h, w, 3) overexposed pixels in red, green and blue."""
        return np.stack(
            [masks.decode(self.overexposed[f"mask_{name}_rle"]) for name in ("red", "green", "blue")], axis=-1
        )

    def range_share(self) -> NDArray[np.float32]:
        """(h, w, 3) share of the sensor's range that each of its channels got; above 1 where `clipped` is set."""
        return range_share(self.radiance(), self.signal_from_radiance)

    def radiance(self) -> NDArray[np.float32]:
        """(h, w, 3) true radiance at the sensor, unclipped, linear Rec.709."""
        from pipeline.bundle import read_rgb

        try:
            return read_rgb(self.dataset.root / self.overexposed["radiance_path"])
        except OSError as error:
            raise DamageFound(str(error)) from error
