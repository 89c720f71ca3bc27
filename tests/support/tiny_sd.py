"""A Stable Diffusion 1.5 of a few megabytes with random weights, as a single file in LDM keys and as a folder.

Four levels and two layers per block, so that the key layout is the real one. Weights come from a seed: nothing is
stored in the repository.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline.transfer.configs import ModelConfig, sd15_config
from pipeline.transfer.ldm_layout import control_name, text_name, unet_name, vae_name, vae_shape
from pipeline.transfer.offline import stay_offline
from pipeline.transfer.tokenizer import make_tokenizer

CHANGES = {
    "unet": {
        "block_out_channels": [16, 32, 64, 64],
        "norm_num_groups": 8,
        "attention_head_dim": 4,
        "cross_attention_dim": 32,
        "sample_size": 8,
    },
    "vae": {"block_out_channels": [8, 16, 32, 32], "norm_num_groups": 8, "sample_size": 64},
    "text_encoder": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "projection_dim": 32,
    },
    "controlnet": {
        "block_out_channels": [16, 32, 64, 64],
        "norm_num_groups": 8,
        "attention_head_dim": 4,
        "cross_attention_dim": 32,
    },
}


def tiny_config(folder: Path) -> ModelConfig:
    """The shipped config with small sizes, written to *folder*."""
    shutil.copytree(sd15_config().folder, folder, dirs_exist_ok=True)
    for part, changes in CHANGES.items():
        path = folder / part / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return ModelConfig(folder)


def build(config: ModelConfig, seed: int = 0, device: str = "cpu"):
    """unet, vae and text encoder of *config*, diffusers' own initialisation from *seed*."""
    stay_offline()
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(seed)
    with torch.device(device):
        unet = UNet2DConditionModel.from_config(config.read("unet")).eval()
        vae = AutoencoderKL.from_config(config.read("vae")).eval()
        text = CLIPTextModel(CLIPTextConfig(**config.read("text_encoder"))).eval()
    return {"unet": unet, "vae": vae, "text_encoder": text}


def ldm_state(networks, config: ModelConfig) -> dict[str, torch.Tensor]:
    """Every weight under its name in an original checkpoint."""
    unet, vae = config.read("unet"), config.read("vae")
    state = {}
    for name, value in networks["unet"].state_dict().items():
        state[unet_name(name, unet["up_block_types"], unet["layers_per_block"])] = value
    for name, value in networks["vae"].state_dict().items():
        new = vae_name(name, len(vae["block_out_channels"]))
        state[new] = value.reshape(vae_shape(new, tuple(value.shape)))
    for name, value in networks["text_encoder"].state_dict().items():
        state[text_name(name)] = value
    state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    return {name: value.clone().contiguous() for name, value in state.items()}


def write_file(networks, config: ModelConfig, path: Path) -> Path:
    """A single file, as CyberRealistic_V9_FP16.safetensors is one."""
    from safetensors.torch import save_file

    save_file(ldm_state(networks, config), str(path))
    return path


def write_folder(networks, config: ModelConfig, folder: Path) -> Path:
    """A folder in diffusers' layout."""
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    pipe = StableDiffusionPipeline(
        **networks,
        tokenizer=make_tokenizer(),
        scheduler=PNDMScheduler.from_config(config.scheduler),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Tiny:
    """A tiny model on disk."""

    file: Path
    folder: Path
    config: ModelConfig


def make(root: Path, seed: int = 0) -> Tiny:
    """Write both forms of a tiny model below *root*."""
    config = tiny_config(root / "config")
    networks = build(config, seed)
    file = write_file(networks, config, root / "tiny.safetensors")
    return Tiny(file, write_folder(networks, config, root / "folder"), config)


def write_lora(path: Path, target: str, inside: int, outside: int, kohya: bool = False) -> torch.Tensor:
    """A LoRA for one linear layer *target* of the UNet, in diffusers' or in kohya's names; returns what it adds."""
    from safetensors.torch import save_file

    rank, alpha = 2, 1.0
    draw = torch.Generator().manual_seed(3)
    down, up = torch.randn(rank, inside, generator=draw), torch.randn(outside, rank, generator=draw)
    if not kohya:
        save_file({f"unet.{target}.lora_A.weight": down, f"unet.{target}.lora_B.weight": up}, str(path))
        return up @ down
    stem = "lora_unet_" + target.replace(".", "_")
    state = {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": torch.tensor(alpha)}
    save_file(state, str(path))
    return alpha / rank * up @ down


def write_controlnet(config: ModelConfig, root: Path, seed: int = 5) -> tuple[Path, Path]:
    """A ControlNet whose last layers are not zero, so that it has an effect: as a folder and as one file."""
    from diffusers import ControlNetModel
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    network = ControlNetModel.from_config(config.read("controlnet")).eval()
    zeroed = [network.controlnet_cond_embedding.conv_out, network.controlnet_mid_block]
    for layer in [*network.controlnet_down_blocks, *zeroed]:
        torch.nn.init.normal_(layer.weight, std=0.05)
    network.save_pretrained(root / "control")
    up, layers = config.read("unet")["up_block_types"], config.read("unet")["layers_per_block"]
    state = {control_name(name, up, layers): value.clone() for name, value in network.state_dict().items()}
    save_file(state, str(root / "control.safetensors"))
    return root / "control", root / "control.safetensors"
