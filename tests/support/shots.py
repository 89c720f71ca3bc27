"""Photos as highlights see them, without a camera."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.photo_geometry import PhotoGeometry
from pipeline.view_light import ViewLight


@dataclass
class Shot:
    """A photo as highlights see it."""

    light: ViewLight
    photo_id: str = "made-000000-v0-p0"
    saturation: float = 10.0
    gains: dict = field(default_factory=dict)
    lens: PhotoGeometry | None = None

    @property
    def group_gains(self):
        return {group: np.float32(np.ones(3)) * self.gains.get(group, 1.0) for group in self.light.groups}

    @property
    def geometry(self):
        placed = self.light.view.camera
        pinhole = (placed.fx, placed.fy, placed.cx, placed.cy)
        return self.lens or PhotoGeometry(placed.width, placed.height, pinhole, pinhole)

    @property
    def saturation_radiance(self):
        return np.full(3, self.saturation)

    @property
    def clipped(self):
        total = sum(self.light.groups[g] * self.group_gains[g] for g in self.light.groups)
        return total > self.saturation_radiance
