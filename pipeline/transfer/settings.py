"""How photos are transferred: the numbers and names that a key is made of, checked when they are made.

Covers: img2img, residual and painting settings. Does not cover: which weights (`load.ModelChoice`), how a spec names
these (`pipeline.spec`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, get_args

from pipeline.errors import InputError
from pipeline.spec.transfer import NEGATIVE_PROMPT, ControlKind, Method, SchedulerName

PIXELS_PER_LATENT: Final = 8
CANVAS_STEP: Final = 64
"""Sides that the networks take are multiples of this: 8 pixels per latent, halved three times by the UNet."""


def _check(what: str, value: float, low: float, high: float, remedy: str = "") -> None:
    if not (math.isfinite(value) and low <= value <= high):
        tail = f"; {remedy}" if remedy else ""
        raise InputError(f"expected {what} from {low:g} to {high:g}, found {value:g}{tail}")


@dataclass(frozen=True)
class ControlUse:
    """One ControlNet in use."""

    kind: ControlKind
    scale: float = 0.6
    """Weight of its residuals; 0.4 to 0.8 is usual at low strength."""
    end: float = 0.8
    """Share of the UNet calls, from the first, in which it takes part."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.kind not in get_args(ControlKind):
            raise InputError(f"expected a control of {', '.join(get_args(ControlKind))}, found {self.kind!r}")
        _check(f"the scale of control {self.kind}", self.scale, 0, 2)
        _check(f"the end of control {self.kind}", self.end, 0, 1)


@dataclass(frozen=True)
class ResidualSettings:
    """How the difference between result and round trip is put onto the photo, see `residual`."""

    sigma_part_px: float = 3.0
    """Gaussian sigma of the low pass inside parts, pixels; 0 = all frequencies."""
    sigma_background_px: float = 1.0
    """The same elsewhere."""
    silhouette_px: float = 3.0
    """Nearer to a silhouette than this nothing changes, pixels."""
    ramp_px: float = 3.0
    """The weight then rises to 1 over this many pixels."""
    gain: float = 1.0
    """Multiplier on the difference."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        _check("sigma_part_px", self.sigma_part_px, 0, 64)
        _check("sigma_background_px", self.sigma_background_px, 0, 64)
        _check("silhouette_px", self.silhouette_px, 0, 64)
        _check("ramp_px", self.ramp_px, 0, 64)
        _check("the residual's gain", self.gain, 0, 2)


@dataclass(frozen=True)
class TransferSettings:
    """Everything but weights, prompts and seeds that the pixels of a transferred photo depend on."""

    strength: float = 0.20
    """Share of the noise schedule that is run backwards: 0 changes nothing, 1 forgets the photo."""
    unet_calls: int = 5
    """Denoising steps that are really made, whatever the strength."""
    guidance: float = 3.0
    """Classifier-free guidance scale; at 1 the negative prompt has no effect and a UNet call costs half."""
    scheduler: SchedulerName = "ddim"
    method: Method = "residual"
    negative_prompt: str = NEGATIVE_PROMPT
    controls: tuple[ControlUse, ...] = ()
    residual: ResidualSettings = ResidualSettings()
    batch: int = 1
    """Photos per network call; the last batch is padded to it. Bytes depend on it, so it belongs to the key."""
    whole_px: int = 768
    """Photos with a longer side are transferred in tiles."""
    tile_px: int = 512
    overlap_px: int = 128
    """Least overlap of neighbouring tiles, over which they are blended."""
    protect_latent_px: int = 16
    """Latents within this distance of a protected region keep the photo's, pixels."""

    def __post_init__(self) -> None:
        """Check every range and name."""
        _check_strength(self.strength)
        _check("unet_calls", self.unet_calls, 1, 200)
        _check("guidance", self.guidance, 0, 20)
        _check("batch", self.batch, 1, 256)
        _check_name("scheduler", self.scheduler, get_args(SchedulerName))
        _check_name("method", self.method, get_args(Method))
        for name, least in (("whole_px", 64), ("tile_px", 64), ("overlap_px", 16)):
            value = getattr(self, name)
            _check(name, value, least, 4096)
            if value % PIXELS_PER_LATENT or (name != "overlap_px" and value % CANVAS_STEP):
                step = PIXELS_PER_LATENT if name == "overlap_px" else CANVAS_STEP
                raise InputError(f"expected {name} to be a multiple of {step}, found {value}")
        if self.overlap_px * 2 > self.tile_px:
            raise InputError(f"expected overlap_px of at most half of tile_px, found {self.overlap_px}, {self.tile_px}")
        if len({control.kind for control in self.controls}) < len(self.controls):
            raise InputError("expected each kind of control once, found one twice")


@dataclass(frozen=True)
class PaintSettings:
    """How pictures are painted from prompts alone."""

    width: int = 512
    height: int = 512
    steps: int = 25
    guidance: float = 5.0
    scheduler: SchedulerName = "dpmpp_2m_karras"
    negative_prompt: str = NEGATIVE_PROMPT
    batch: int = 1

    def __post_init__(self) -> None:
        """Check every range and name."""
        for name in ("width", "height"):
            value = getattr(self, name)
            _check(name, value, 64, 1024, "SD1.5 was trained at 512 x 512 and repeats itself beyond")
            if value % CANVAS_STEP:
                raise InputError(f"expected {name} to be a multiple of {CANVAS_STEP}, found {value}")
        _check("steps", self.steps, 1, 200)
        _check("guidance", self.guidance, 0, 20)
        _check("batch", self.batch, 1, 256)
        _check_name("scheduler", self.scheduler, get_args(SchedulerName))


def _check_name(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"expected {what} to be one of {', '.join(known)}, found {value!r}")


def _check_strength(strength: float) -> None:
    if not (math.isfinite(strength) and 0 < strength <= 1):
        raise InputError(
            f"expected a strength above 0 and up to 1, found {strength:g}; 0.12 to 0.30 keeps labels, "
            f'and transfer = "off" changes nothing'
        )
