"""Names of weights in the original (LDM) checkpoints of Stable Diffusion 1.x, out of diffusers' names.

Follows v1-inference.yaml and the modules of the original repository (openaimodel.py, model.py); the opposite direction
is diffusers' own converter, against which the tests hold this one. Serves `models check`, which compares every tensor
of a file, and the scripts that write checkpoints with random weights. Does not cover: values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.transfer.architecture import CONTROL, TEXT, UNET, VAE
from pipeline.transfer.configs import ModelConfig

_RESNET: Final = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_TOP: Final = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_VAE_WORDS: Final = (
    ("mid_block.resnets.0", "mid.block_1"),
    ("mid_block.resnets.1", "mid.block_2"),
    ("mid_block.attentions.0", "mid.attn_1"),
    ("conv_norm_out", "norm_out"),
    ("conv_shortcut", "nin_shortcut"),
    ("attn_1.group_norm", "attn_1.norm"),
    ("attn_1.to_q", "attn_1.q"),
    ("attn_1.to_k", "attn_1.k"),
    ("attn_1.to_v", "attn_1.v"),
    ("attn_1.to_out.0", "attn_1.proj_out"),
)


def unet_name(name: str, up_block_types: Iterable[str], layers: int) -> str:
    """LDM name of the UNet weight *name*; *layers* per block."""
    part = name.split(".")
    stem, last = ".".join(part[:-1]), part[-1]
    if stem in _UNET_TOP:
        return f"{UNET}{_UNET_TOP[stem]}.{last}"
    if part[0] == "mid_block":
        if part[1] == "resnets":
            return f"{UNET}middle_block.{2 * int(part[2])}.{_RESNET[part[3]]}.{last}"
        return f"{UNET}middle_block.1." + ".".join(part[3:])
    level, down = int(part[1]), part[0] == "down_blocks"
    if part[2] in ("downsamplers", "upsamplers"):
        slot = 2 if "CrossAttn" in list(up_block_types)[level] else 1
        up = f"output_blocks.{level * (layers + 1) + layers}.{slot}.conv"
        return f"{UNET}input_blocks.{(level + 1) * (layers + 1)}.0.op.{last}" if down else f"{UNET}{up}.{last}"
    base, shift = ("input_blocks", 1) if down else ("output_blocks", 0)
    index = level * (layers + 1) + int(part[3]) + shift
    if part[2] == "resnets":
        return f"{UNET}{base}.{index}.0.{_RESNET[part[4]]}.{last}"
    return f"{UNET}{base}.{index}.1." + ".".join(part[4:])


def control_name(name: str, up_block_types: Iterable[str], layers: int) -> str:
    """Name of the ControlNet weight *name* in the original files (cldm.py), whose encoder is the UNet's."""
    part = name.split(".")
    last = part[-1]
    if part[0] == "controlnet_down_blocks":
        return f"{CONTROL}zero_convs.{part[1]}.0.{last}"
    if part[0] == "controlnet_mid_block":
        return f"{CONTROL}middle_block_out.0.{last}"
    if part[0] == "controlnet_cond_embedding":
        index = {"conv_in": 0, "conv_out": 14}.get(part[1]) if part[1] != "blocks" else 2 + 2 * int(part[2])
        return f"{CONTROL}input_hint_block.{index}.{last}"
    return CONTROL + unet_name(name, up_block_types, layers).removeprefix(UNET)


def vae_name(name: str, levels: int) -> str:
    """LDM name of the VAE weight *name*."""
    for old, new in _VAE_WORDS:
        name = name.replace(old, new)
    part = name.split(".")
    if part[1] in ("down_blocks", "up_blocks"):
        down, index, tail = part[1] == "down_blocks", int(part[2]), ".".join(part[5:])
        side = f"encoder.down.{index}" if down else f"decoder.up.{levels - 1 - index}"
        sampler = "downsample" if down else "upsample"
        inner = f"block.{part[4]}.{tail}" if part[3] == "resnets" else f"{sampler}.{tail}"
        name = f"{side}.{inner}"
    return VAE + name


def vae_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape in the file: what diffusers has as linear layers of the attention are 1 x 1 convolutions there."""
    if ".mid.attn_1." in name and name.endswith("weight") and ".norm." not in name:
        return (*shape, 1, 1)
    return shape


def text_name(name: str) -> str:
    """LDM name of the text encoder's weight *name*; older transformers put text_model before it, newer do not."""
    return f"{TEXT}{name if name.startswith('text_model.') else 'text_model.' + name}"


def ldm_shapes(shapes: Mapping[str, Mapping[str, tuple[int, ...]]], config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """LDM name -> shape of every weight; *shapes*: "unet", "vae", "text_encoder" -> diffusers' name -> shape."""
    unet, vae = config.read("unet"), config.read("vae")
    result = {
        unet_name(name, unet["up_block_types"], unet["layers_per_block"]): shape
        for name, shape in shapes["unet"].items()
    }
    for name, shape in shapes["vae"].items():
        new = vae_name(name, len(vae["block_out_channels"]))
        result[new] = vae_shape(new, shape)
    return result | {text_name(name): shape for name, shape in shapes["text_encoder"].items()}


def ldm_control_shapes(shapes: Mapping[str, tuple[int, ...]], config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Original name -> shape of every weight of a ControlNet; *shapes* by diffusers' name."""
    unet = config.read("unet")
    return {control_name(name, unet["up_block_types"], unet["layers_per_block"]): s for name, s in shapes.items()}
