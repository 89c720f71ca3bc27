"""A checkpoint in one file becomes a pipeline, one network after the other.

The libraries would map the whole file and keep every page that they touched until the last network is built: 2 GiB more
than the networks, and the peak of a whole process. Here the tensors of one network are let go before the next is read.
Does not cover: whether the file fits (`checkpoint`), folders, LoRAs and number formats (`load`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pipeline.transfer.architecture import TEXT, UNET, VAE
from pipeline.transfer.configs import ModelConfig
from pipeline.transfer.tokenizer import make_tokenizer


def pipeline_of_file(path: Path, config: ModelConfig, dtype: torch.dtype) -> Any:
    """A StableDiffusionPipeline on the CPU in *dtype*, its weights from *path* (original key layout, safetensors).

    Nothing is downloaded, and there is no safety checker. Raises what the libraries raise for weights that do not fit.
    """
    from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel

    # The largest comes first, while nothing else lies in memory.
    networks = {"unet": _diffusers_network(UNet2DConditionModel, path, UNET, config, "unet", dtype)}
    networks["vae"] = _diffusers_network(AutoencoderKL, path, VAE, config, "vae", dtype)
    networks["text_encoder"] = _text_encoder(path, config, dtype)
    return StableDiffusionPipeline.from_pretrained(
        str(config.folder),
        **networks,
        tokenizer=make_tokenizer(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        local_files_only=True,
    )


def tensors_below(path: Path, prefix: str) -> dict[str, torch.Tensor]:
    """The tensors of *path* whose names begin with *prefix*, under their whole names, as they are in the file."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118


def _diffusers_network(
    kind: Any, path: Path, prefix: str, config: ModelConfig, part: str, dtype: torch.dtype
) -> torch.nn.Module:
    # The config must be a folder: without one the library goes to the network whatever it is told.
    network: torch.nn.Module = kind.from_single_file(
        tensors_below(path, prefix), config=str(config.folder), subfolder=part, torch_dtype=dtype, local_files_only=True
    )
    return network


def _text_encoder(path: Path, config: ModelConfig, dtype: torch.dtype) -> torch.nn.Module:
    # Only this function of diffusers takes a text encoder's tensors: its pipeline calls it with the whole file's.
    from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
    from transformers import CLIPTextModel

    network: torch.nn.Module = create_diffusers_clip_model_from_ldm(
        CLIPTextModel,
        tensors_below(path, TEXT),
        subfolder="text_encoder",
        config=str(config.folder),
        torch_dtype=dtype,
        local_files_only=True,
    )
    return network
