"""The denoising loop on one batch of latents, in windows where the picture is large.

Covers: guidance, ControlNets, windows whose predictions are blended, protected latents, the exact count of UNet calls.
Latents stay float32; the networks get them in their own number format. Does not cover: where latents come from
(`engine`), which timesteps (`schedulers`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from pipeline.transfer.load import Networks
from pipeline.transfer.schedulers import Schedule
from pipeline.transfer.settings import PIXELS_PER_LATENT, ControlUse
from pipeline.transfer.tiles import Window


@dataclass(frozen=True)
class Conditions:
    """What a batch is denoised towards."""

    prompts: torch.Tensor
    """(b, 77, context) embeddings."""
    negative: torch.Tensor | None
    """(b, 77, context), or None without guidance."""
    guidance: float
    controls: tuple[tuple[ControlUse, torch.Tensor], ...] = ()
    """Pictures (b, 3, h, w), 0 to 1."""


@dataclass(frozen=True)
class Blend:
    """Windows over the latents and their weights (1, 1, h, w) on the device."""

    tiles: list[Window]
    weights: list[torch.Tensor]


@dataclass(frozen=True)
class Protected:
    """Latents that keep the photo's."""

    keep: torch.Tensor
    """(b, 1, h, w), bool."""
    clean: torch.Tensor
    """The photo's latents (b, 4, h, w)."""
    noise: torch.Tensor
    """The noise that was added to them."""


@dataclass
class Counter:
    """How often the UNet was called, per window."""

    unet: int = field(default=0)


def denoise(
    networks: Networks,
    latents: torch.Tensor,
    plan: Schedule,
    conditions: Conditions,
    blend: Blend,
    protected: Protected | None = None,
    counter: Counter | None = None,
) -> torch.Tensor:
    """Latents (b, 4, h, w; float32) after every timestep of *plan*. Protected ones equal the clean ones bit for bit."""
    last = len(plan.timesteps) - 1
    for index, timestep in enumerate(plan.timesteps):
        ready = plan.scheduler.scale_model_input(latents, timestep)
        active = tuple((use, image) for use, image in conditions.controls if index < use.end * len(plan.timesteps))
        noise = torch.zeros_like(latents)
        for tile, weight in zip(blend.tiles, blend.weights, strict=True):
            rows, columns = tile.slices
            noise[..., rows, columns] += weight * _predict(
                networks, ready[..., rows, columns], timestep, conditions, active, tile
            )
        latents = plan.step(noise, timestep, latents)
        if protected is not None:
            level = protected.clean
            if index < last:
                level = plan.noisy(protected.clean, protected.noise, plan.timesteps[index + 1])
            latents = torch.where(protected.keep, level, latents)
        if counter is not None:
            counter.unet += 1
    return latents


def _predict(
    networks: Networks,
    latents: torch.Tensor,
    timestep: torch.Tensor,
    conditions: Conditions,
    active: tuple[tuple[ControlUse, torch.Tensor], ...],
    tile: Window,
) -> torch.Tensor:
    """The noise in *latents* (b, 4, h, w), guided, float32. Both halves of the guidance go through in one call."""
    prompts = conditions.prompts
    copies = 1
    if conditions.negative is not None:
        prompts, copies = torch.cat([conditions.negative, prompts]), 2
    batch = torch.cat([latents] * copies).to(networks.dtype, memory_format=torch.channels_last)
    extra = _control_residuals(networks, batch, timestep, prompts, active, tile, copies) if active else {}
    noise = networks.unet(batch, timestep, encoder_hidden_states=prompts, return_dict=False, **extra)[0].float()
    if conditions.negative is None:
        result: torch.Tensor = noise
        return result
    without, towards = noise.chunk(2)
    guided: torch.Tensor = without + conditions.guidance * (towards - without)
    return guided


def _control_residuals(
    networks: Networks,
    batch: torch.Tensor,
    timestep: torch.Tensor,
    prompts: torch.Tensor,
    active: tuple[tuple[ControlUse, torch.Tensor], ...],
    tile: Window,
    copies: int,
) -> dict[str, Any]:
    """What the ControlNets add to the UNet, summed over them."""
    rows, columns = tile.scaled(PIXELS_PER_LATENT).slices
    total: list[torch.Tensor] = []
    for use, picture in active:
        image = torch.cat([picture[..., rows, columns]] * copies).to(networks.dtype)
        down, middle = networks.controlnets[use.kind](
            batch, timestep, encoder_hidden_states=prompts, controlnet_cond=image, conditioning_scale=use.scale,
            return_dict=False,
        )  # fmt: skip
        parts = [*down, middle]
        total = parts if not total else [a + b for a, b in zip(total, parts, strict=True)]
    return {"down_block_additional_residuals": total[:-1], "mid_block_additional_residual": total[-1]}
