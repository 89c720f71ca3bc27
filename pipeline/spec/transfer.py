"""TransferSpec: how the photos of a scene are moved towards real photographs, as it was drawn.

Covers: the records, and the names of methods, schedulers, ControlNets and protected regions. Does not cover: the keys
of a spec file (`transfer_section`), drawing (`draw_transfer`), the networks (`transfer`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

TransferUse = Literal["off", "auto", "required"]
Method = Literal["residual", "plain"]
ControlKind = Literal["depth", "normal", "canny"]
SchedulerName = Literal[
    "ddim", "dpmpp_2m", "dpmpp_2m_karras", "dpmpp_2m_sde_karras", "unipc", "euler", "euler_a", "lcm",
    "tcd",
]  # fmt: skip
Protected = Literal["defects", "highlights"]

LADDER: Final = (0.30, 0.20, 0.12)
"""Strengths in falling order: a photo whose labels do not hold is tried again at the next one below."""
DEFAULT_STRENGTH: Final = 0.20
NEGATIVE_PROMPT: Final = "painting, drawing, cartoon, 3d render, blurry, distorted, text, watermark"


@dataclass(frozen=True)
class ControlSpec:
    """A ControlNet that takes part, fed with a truth layer."""

    kind: ControlKind
    model: str
    """Name of the ControlNet among the models of the machine."""
    scale: float
    end: float


@dataclass(frozen=True)
class ResidualSpec:
    """How the change is put onto the photo, pixels; see `transfer.settings.ResidualSettings`."""

    sigma_part_px: float = 3.0
    sigma_background_px: float = 1.0
    silhouette_px: float = 3.0
    ramp_px: float = 3.0
    gain: float = 1.0


@dataclass(frozen=True)
class TilesSpec:
    """How photos that are too large for the networks are cut, pixels."""

    whole_px: int = 768
    tile_px: int = 512
    overlap_px: int = 128


@dataclass(frozen=True)
class PhotoTransfer:
    """What was drawn for one photo that is transferred."""

    view_index: int
    photo_index: int
    template: str
    """Template of its prompt."""
    seed: int
    """Of the noise, 0 to 2**63 - 1."""


@dataclass(frozen=True)
class TransferSpec:
    """How the photos of a scene are transferred."""

    model: str
    """Name of the checkpoint among the models of the machine."""
    strengths: tuple[float, ...]
    """Tried one after the other, falling, until the labels hold."""
    unet_calls: int
    guidance: float
    scheduler: SchedulerName
    method: Method
    negative_prompt: str
    photos: tuple[PhotoTransfer, ...]
    """Photos that are transferred; the others stay as the camera took them."""
    loras: dict[str, float] = field(default_factory=dict)
    """Name -> scale."""
    negative_embedding: str | None = None
    controls: tuple[ControlSpec, ...] = ()
    residual: ResidualSpec = ResidualSpec()
    tiles: TilesSpec = TilesSpec()
    protect: tuple[Protected, ...] = ("defects",)
    """Labelled regions whose pixels keep their bytes."""
    protect_processes: tuple[str, ...] = ()
    """Faces made by these processes keep theirs too, for example engraved codes."""


def strengths_from(strength: float, ladder: tuple[float, ...] = LADDER) -> tuple[float, ...]:
    """*strength* and the steps of *ladder* below it: what is tried, in order."""
    return (strength, *(step for step in ladder if step < strength))
