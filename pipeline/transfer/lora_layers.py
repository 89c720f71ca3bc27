"""LoRAs by the names and shapes of their tensors: are they of Stable Diffusion 1.5?

Names are those of kohya's scripts ("lora_unet_down_blocks_0_..._to_k.lora_down.weight"), of diffusers and of peft
("unet.down_blocks.0. ... .to_k.lora_A.weight"). Does not cover: adding one to the networks (`load`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pipeline.errors import InputError
from pipeline.transfer.configs import ModelConfig
from pipeline.transfer.safetensors_header import Header

_SDXL_NAMES: Final = re.compile(r"lora_te2_|text_encoder_2\.|transformer_blocks[._][1-9]")
"""SDXL has a second text encoder, and up to ten blocks where SD1.5 has one."""
_FROM_PROMPT: Final = re.compile(r"attn2[._].*to_[kv].*(lora_down|lora_A|lora\.down)")
"""Layers that take a prompt's vectors."""
_MODELS: Final = {2048: "SDXL", 1024: "Stable Diffusion 2"}
"""Length of a prompt's vectors -> whose."""


def expect_sd15_lora(header: Header, path: Path, config: ModelConfig) -> None:
    """Raise InputError for a LoRA of another model, named by what its header shows."""
    if any(_SDXL_NAMES.search(name) for name in header.tensors):
        raise _another("one for SDXL", path)
    for name, entry in header.tensors.items():
        if _FROM_PROMPT.search(name) and entry.shape[1:2] != (config.context,):
            size = (entry.shape[1:2] or (0,))[0]
            model = f"one for {_MODELS[size]}: " if size in _MODELS else ""
            raise _another(f"{model}{name} takes vectors of {size} numbers, not {config.context}", path)


def _another(found: str, path: Path) -> InputError:
    return InputError(
        f"expected a LoRA for Stable Diffusion 1.5 in {path}, found {found}; use one that was made for SD1.5"
    )
