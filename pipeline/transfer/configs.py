"""The sizes of the networks that a checkpoint fills: JSON files in the form of diffusers and transformers.

assets/transfer/sd15 holds those of Stable Diffusion 1.5 (values of v1-inference.yaml in the original repository and of
the published diffusers folder). Does not cover: building the networks (`load`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.records import read_json
from pipeline.tables import assets_root

_TENSORS_PER_TEXT_LAYER = 16
_TENSORS_OF_TEXT = 4
"""Token and position embedding, weight and bias of the last norm."""
_UNET_TENSORS, _VAE_TENSORS = 686, 248
"""Of four levels with two layers each, as in every SD1.x."""


@dataclass(frozen=True)
class ModelConfig:
    """A folder with model_index.json and config files below unet/, vae/, text_encoder/, scheduler/."""

    folder: Path

    def read(self, part: str) -> dict[str, Any]:
        """The config of "unet", "vae", "text_encoder" or "controlnet"."""
        values: dict[str, Any] = read_json(self.folder / part / "config.json")
        return values

    @cached_property
    def scheduler(self) -> dict[str, Any]:
        """The noise schedule that the network was trained with."""
        values: dict[str, Any] = read_json(self.folder / "scheduler" / "scheduler_config.json")
        return values

    @property
    def context(self) -> int:
        """Length of the vector that stands for one token of a prompt: 768 in SD1.5, 1024 in SD2."""
        return int(self.read("unet")["cross_attention_dim"])

    @property
    def channels(self) -> int:
        """Channels of the UNet's first level: 320."""
        return int(self.read("unet")["block_out_channels"][0])

    def tensor_counts(self) -> dict[str, int]:
        """Fewest tensors that each part of a checkpoint must have."""
        layers = int(self.read("text_encoder")["num_hidden_layers"])
        text = layers * _TENSORS_PER_TEXT_LAYER + _TENSORS_OF_TEXT
        return {"UNet": _UNET_TENSORS, "VAE": _VAE_TENSORS, "text encoder": text}


def sd15_config() -> ModelConfig:
    """The config that ships with the project."""
    return ModelConfig(assets_root() / "transfer" / "sd15")
