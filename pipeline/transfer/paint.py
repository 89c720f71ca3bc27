"""Pictures from prompts alone, with the same networks: backdrops and surface plates for scenes.

Does not cover: loading (`load`), what a picture is used for, writing files (`paint_files`).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.transfer.canvas import blend_of
from pipeline.transfer.denoise import Counter, denoise
from pipeline.transfer.load import Networks
from pipeline.transfer.schedulers import schedule
from pipeline.transfer.settings import PIXELS_PER_LATENT, PaintSettings
from pipeline.transfer.text import conditions_of

LATENT_CHANNELS = 4


def paint_batch(networks: Networks, prompts: list[str], seeds: list[int], settings: PaintSettings) -> NDArray[np.uint8]:
    """Pictures (n, height, width, 3; sRGB), in batches that are padded like those of photos.

    Raises InputError when a picture is not finite or black.
    """
    pictures = []
    for first in range(0, len(prompts), settings.batch):
        rows = [min(row, len(prompts) - 1) for row in range(first, first + settings.batch)]
        pictures.append(_paint(networks, [prompts[row] for row in rows], [seeds[row] for row in rows], settings))
    result = np.concatenate(pictures)[: len(prompts)]
    if not np.isfinite(result).all() or (result.max(axis=(1, 2, 3)) <= 0).any():
        raise InputError(
            "expected pictures, found numbers that are not finite or nothing but black; "
            "use --dtype bfloat16 or float32, or run `glint models check`"
        )
    return np.rint(result * np.float32(255)).astype(np.uint8)


def _paint(networks: Networks, prompts: list[str], seeds: list[int], settings: PaintSettings) -> NDArray[np.float32]:
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    height, width = settings.height // PIXELS_PER_LATENT, settings.width // PIXELS_PER_LATENT
    noise = torch.stack([torch.randn(LATENT_CHANNELS, height, width, generator=one) for one in generators])
    plan = schedule(settings.scheduler, networks.trained, settings.steps, 1.0, networks.device, generators)
    conditions = conditions_of(networks, prompts, settings.negative_prompt, settings.guidance)
    start = noise.to(networks.device) * plan.scheduler.init_noise_sigma
    blend = blend_of(height, width, networks.device)
    latents = denoise(networks, start, plan, conditions, blend, counter=Counter())
    scaled = (latents / networks.vae.config.scaling_factor).to(networks.dtype, memory_format=torch.channels_last)
    decoded = networks.vae.decode(scaled, return_dict=False)[0].float()
    result: NDArray[np.float32] = (decoded / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return result
