"""Which network a file of weights holds, told by the names and shapes of its tensors alone.

Covers: SD1.5 checkpoints in the original (LDM) key layout, and everything that people put in their place: SDXL, SD2,
SD3 and Flux, inpainting models, LoRAs, VAEs, ControlNets, embeddings, single networks. Key names are those of the
published checkpoints and of diffusers' own converter. Does not cover: comparing every tensor (`tensor_shapes`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pipeline.errors import InputError
from pipeline.transfer.configs import ModelConfig
from pipeline.transfer.safetensors_header import Header

Kind = Literal[
    "sd15", "lora", "controlnet", "embedding", "vae", "sdxl", "sd2", "sd3", "flux", "inpainting", "edit", "unet",
    "text", "unknown",
]  # fmt: skip

CONTROL: Final = "control_model."
UNET: Final = "model.diffusion_model."
VAE: Final = "first_stage_model."
TEXT: Final = "cond_stage_model.transformer."

WORDS: Final[dict[str, str]] = {
    "sd15": "a Stable Diffusion 1.5 checkpoint",
    "lora": "a LoRA (small changes to a model, not a model)",
    "controlnet": "a ControlNet",
    "embedding": "a textual-inversion embedding",
    "vae": "a VAE alone",
    "sdxl": "an SDXL checkpoint",
    "sd2": "a Stable Diffusion 2 checkpoint",
    "sd3": "a Stable Diffusion 3 checkpoint",
    "flux": "a Flux checkpoint",
    "inpainting": "an inpainting checkpoint (its UNet takes 9 channels)",
    "edit": "a checkpoint whose UNet takes 8 channels (InstructPix2Pix, IC-Light)",
    "unet": "a UNet alone",
    "text": "a text encoder alone",
    "unknown": "weights of an unknown kind",
}
USABLE: Final = ("sd15", "lora", "controlnet", "embedding")
"""Kinds that the store takes."""

PARTS: Final = {"UNet": UNET, "VAE": VAE, "text encoder": TEXT}
_CONTEXT_KEY: Final = UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
_CONV_IN: Final = UNET + "input_blocks.0.0.weight"
_SD2_CONTEXT: Final = 1024
_LORA_MARKS: Final = (
    "lora_up", "lora_down", "lora_A", "lora_B", "lora.up", "lora.down", "lora_linear_layer", "hada_w1",
    "lokr_w1",
)  # fmt: skip


_PREFIXES: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("controlnet", (CONTROL, "controlnet_cond_embedding.", "input_hint_block.")),
    ("sdxl", ("conditioner.embedders.", UNET + "label_emb.")),
    ("sd3", (UNET + "joint_blocks.", "joint_blocks.")),
    ("flux", (UNET + "double_blocks.", "double_blocks.")),
)
"""Kinds that betray themselves by the beginning of a name."""


def kind_of(header: Header) -> Kind:
    """What *header* describes."""
    names = list(header.tensors)
    if any(mark in name for name in names for mark in _LORA_MARKS):
        return "lora"
    for kind, prefixes in _PREFIXES:
        if header.below(*prefixes):
            return kind
    if header.below(UNET):
        return _kind_of_ldm(header)
    return _kind_of_single(header)


def _kind_of_ldm(header: Header) -> Kind:
    channels = (header.shape(_CONV_IN) or (0, 4))[1]
    if channels != 4:
        return "inpainting" if channels == 9 else "edit"
    context = (header.shape(_CONTEXT_KEY) or (0, 0))[-1]
    if context == _SD2_CONTEXT or header.below("cond_stage_model.model."):
        return "sd2"
    return "sd15"


def _kind_of_single(header: Header) -> Kind:
    if header.below(VAE, "encoder.down", "decoder.up", "quant_conv."):
        return "vae"
    if header.below("down_blocks.", "time_embedding."):
        return "unet"
    if header.below("text_model.", TEXT, "embeddings.token_embedding"):
        return "text"
    if all(len(entry.shape) <= 2 for entry in header.tensors.values()) and len(header.tensors) <= 4:
        return "embedding"
    return "unknown"


def check_checkpoint(header: Header, path: Path, config: ModelConfig) -> None:
    """Raise InputError unless *header* is a whole checkpoint of the network that *config* describes."""
    found = kind_of(header)
    if found != "sd15":
        raise InputError(f"expected {WORDS['sd15']}, found {WORDS[found]}: {path}; {_advice(found)}")
    counts = {part: len(header.below(prefix)) for part, prefix in PARTS.items()}
    missing = [part for part, count in counts.items() if not count]
    if missing:
        raise InputError(
            f"expected UNet, VAE and text encoder in {path}, found no {' and no '.join(missing)}; "
            f"use the full checkpoint, not an extract of it"
        )
    for part, expected in config.tensor_counts().items():
        if counts[part] < expected:
            raise InputError(
                f"expected {expected} tensors of the {part} in {path}, found {counts[part]}: "
                f"the checkpoint is incomplete; download it again"
            )
    context = (header.shape(_CONTEXT_KEY) or (0, 0))[-1]
    first = (header.shape(_CONV_IN) or (0,))[0]
    if (context, first) != (config.context, config.channels):
        raise InputError(
            f"expected a UNet of {config.channels} channels and prompts of {config.context} numbers in {path}, found "
            f"{first} and {context}: this is not Stable Diffusion 1.5"
        )


def expect_sd15_controlnet(header: Header, path: Path, config: ModelConfig) -> None:
    """Raise InputError for a ControlNet of another model, told by its header alone."""
    contexts = {entry.shape[-1] for name, entry in header.tensors.items() if name.endswith("attn2.to_k.weight")}
    if header.below("add_embedding.", "label_emb.", CONTROL + "label_emb."):
        found = "one for SDXL"
    elif contexts - {config.context}:
        found = f"one that takes prompts of {max(contexts)} numbers"
    else:
        return
    raise InputError(f"expected a ControlNet for Stable Diffusion 1.5 in {path}, found {found}; use another")


def _advice(found: Kind) -> str:
    if found in ("lora", "embedding", "controlnet"):
        return "add it under its own kind and name a checkpoint beside it"
    return "use one that is based on Stable Diffusion 1.5, such as CyberRealistic V9"
