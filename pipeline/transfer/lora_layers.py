"""LoRAs by the names and shapes of their tensors: are they of Stable Diffusion 1.5?

Names are those of kohya's scripts ("lora_unet_down_blocks_0_..._to_k.lora_down.weight"), of diffusers and of peft
("unet.down_blocks.0. ... .to_k.lora_A.weight"). Does not cover: adding one to the networks (`load`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
_HALF: Final = re.compile(
    r"(?P<layer>.+?)[._]lora(?:_(?P<kohya>down|up)|_(?P<peft>[AB])|(?:_linear_layer)?\.(?P<old>down|up))\.weight"
)
"""One of the two factors of a layer's change."""
_NETWORKS: Final = {"unet": ("lora_unet_", "unet."), "text_encoder": ("lora_te_", "lora_te1_", "text_encoder.")}
_BESIDES: Final = (".alpha", ".dora_scale", ".lora_magnitude_vector")
"""Numbers that scale a layer's change."""
_OLD_TEXT_WORDS: Final = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
_SHOWN: Final = 5

Shape = tuple[int, ...]


def expect_sd15_lora(header: Header, path: Path, config: ModelConfig) -> None:
    """Raise InputError for a LoRA of another model, or in names that are not known, told by its header alone."""
    if any(_SDXL_NAMES.search(name) for name in header.tensors):
        raise _another("one for SDXL", path)
    for name, entry in header.tensors.items():
        if _FROM_PROMPT.search(name) and entry.shape[1:2] != (config.context,):
            size = (entry.shape[1:2] or (0,))[0]
            model = f"one for {_MODELS[size]}: " if size in _MODELS else ""
            raise _another(f"{model}{name} takes vectors of {size} numbers, not {config.context}", path)
    pairs, wrong = _pairs_of(header)
    prefixes = tuple(prefix for known in _NETWORKS.values() for prefix in known)
    wrong += [f"{layer} names neither network" for layer in pairs if not layer.startswith(prefixes)]
    _refuse(wrong, path)


def compare_lora(header: Header, path: Path, shapes: Mapping[str, Mapping[str, Shape]]) -> int:
    """Compare every layer of a LoRA with the layer that it changes; returns how many there are.

    *shapes*: "unet", "text_encoder" -> diffusers' name -> shape of their weights. Raises InputError that names the
    first tensors that change no layer or do not fit theirs: diffusers leaves out without a word what it does not know.
    """
    weights = _layers_of(shapes)
    pairs, wrong = _pairs_of(header)
    for layer, pair in pairs.items():
        wrong += [f"{layer} {problem}" for problem in _problems(pair, weights.get(_flat(layer)))]
    _refuse(wrong if pairs else ["no pair of tensors"], path)
    return len(pairs)


def _pairs_of(header: Header) -> tuple[dict[str, dict[str, Shape]], list[str]]:
    """Layer -> "down" and "up" -> shape of its factors; and what is wrong with other tensors."""
    pairs: dict[str, dict[str, Shape]] = {}
    wrong = []
    for name, entry in header.tensors.items():
        half = _HALF.fullmatch(name)
        if half is not None:
            is_down = (half["kohya"] or half["peft"] or half["old"]) in ("down", "A")
            pairs.setdefault(half["layer"], {})["down" if is_down else "up"] = entry.shape
        elif not name.endswith(_BESIDES):
            wrong.append(f"{name} is no part of a pair that is known")
    return pairs, wrong


def _refuse(wrong: list[str], path: Path) -> None:
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise _another(f"{'; '.join(wrong[:_SHOWN])}{more}", path)


def _layers_of(shapes: Mapping[str, Mapping[str, Shape]]) -> dict[str, Shape]:
    """Flat name -> shape of every weight that a LoRA can change: linear layers and convolutions."""
    return {
        _flat(f"{network}.{name.removesuffix('.weight')}"): shape
        for network in _NETWORKS
        for name, shape in shapes[network].items()
        if len(shape) >= 2 and name.endswith(".weight") and "embeddings." not in name
    }


def _flat(layer: str) -> str:
    """ "unet down_blocks_0_ ... _to_q" out of any way to write the name of a layer."""
    known = ((network, prefix) for network, prefixes in _NETWORKS.items() for prefix in prefixes)
    network, prefix = next((pair for pair in known if layer.startswith(pair[1])), ("", ""))
    if not network:
        return layer
    rest = layer.removeprefix(prefix).replace(".", "_").replace("_processor_", "_")
    if network == "unet":
        return f"unet {rest}_0" if rest.endswith("_to_out") else f"unet {rest}"
    rest = rest.removeprefix("text_model_")
    old = next((word for word in _OLD_TEXT_WORDS if rest.endswith(f"self_attn_{word}")), None)
    return f"text_encoder {rest.removesuffix(old) + _OLD_TEXT_WORDS[old] if old else rest}"


def _problems(pair: Mapping[str, Shape], weight: Shape | None) -> Iterator[str]:
    """What is wrong with the factors of one layer, (rank, inputs, ...) and (outputs, rank, ...)."""
    if weight is None:
        yield "is no layer of the UNet or the text encoder"
    elif len(pair) < 2:
        yield f"has only its {next(iter(pair))} half"
    else:
        down, up = pair["down"], pair["up"]
        if down[1:] != weight[1:] or up[:1] != weight[:1] or len(up) != len(weight) or set(up[2:]) - {1}:
            yield f"is {down} and {up}, for a layer of {weight}"
        elif down[:1] != up[1:2]:
            yield f"has two ranks, {down} and {up}"


def _another(found: str, path: Path) -> InputError:
    return InputError(
        f"expected a LoRA for Stable Diffusion 1.5 in {path}, found {found}; use one that was made for SD1.5"
    )
