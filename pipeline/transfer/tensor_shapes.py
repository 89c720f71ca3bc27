"""The tensors that the networks want, by name and shape, against those that a model's headers name.

Covers: checkpoints and ControlNets in both layouts. Does not cover: what is in the headers (`checkpoint`), names in the
original files (`ldm_layout`), LoRAs (`lora_layers`), embeddings (`embedding`).
"""

from __future__ import annotations

import re
from typing import Any, Final

from pipeline.errors import InputError
from pipeline.transfer.architecture import CONTROL, WORDS
from pipeline.transfer.checkpoint import FoundModel
from pipeline.transfer.configs import ModelConfig
from pipeline.transfer.ldm_layout import ldm_control_shapes, ldm_shapes

_SHOWN: Final = 5
_OPTIONAL: Final = (".position_ids", ".num_batches_tracked")
_NEW_ATTENTION: Final = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_OLD_ATTENTION: Final = re.compile(rf"(?<=mid_block\.attentions\.0)\.({'|'.join(_NEW_ATTENTION)})\.")


def compare_shapes(found: FoundModel, config: ModelConfig) -> int:
    """Compare every tensor of a checkpoint or a ControlNet with the networks; returns how many there are.

    A folder says by its own configs how large its networks are; *config* does for a file. Raises InputError that names
    the first missing tensors and wrong shapes.
    """
    wrong, count = [], 0
    for part, shapes in _wanted(found, config).items():
        header = found.headers[part]
        names = {_plain(name): name for name in header.tensors}
        for name, shape in shapes.items():
            there = header.shape(names.get(_plain(name), name))
            count += 1
            if there is None or _squeezed(there) != _squeezed(shape):
                wrong.append(f"{name} {'is missing' if there is None else f'is {there}, not {shape}'}")
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise InputError(
            f"expected every tensor of {WORDS[found.kind]} in {found.path}, found: {'; '.join(wrong[:_SHOWN])}{more}; "
            f"download or copy the whole model again, or use another"
        )
    return count


def _wanted(found: FoundModel, config: ModelConfig) -> dict[str, dict[str, tuple[int, ...]]]:
    """Part of *found* -> name -> shape of its weights, in the names that its layout has."""
    if found.kind == "controlnet":
        ((part, header),) = found.headers.items()
        shapes = controlnet_shapes(config)
        return {part: shapes if header.below("controlnet_cond_embedding.") else ldm_control_shapes(shapes, config)}
    if found.layout == "folder":
        return _shapes_of_folder(found)
    return {"": ldm_shapes(expected_shapes(config), config)}


def _shapes_of_folder(found: FoundModel) -> dict[str, dict[str, tuple[int, ...]]]:
    try:
        return expected_shapes(ModelConfig(found.path))
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:  # the libraries check few values
        raise InputError(
            f"expected configs of the networks of Stable Diffusion 1.5 in {found.path}, found {error}; "
            f"download or copy the whole model again"
        ) from error


def expected_shapes(config: ModelConfig) -> dict[str, dict[str, tuple[int, ...]]]:
    """Network -> name -> shape of every weight, of networks without memory for them."""
    import torch

    from pipeline.transfer.offline import stay_offline

    stay_offline()
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        networks: dict[str, Any] = {
            "unet": UNet2DConditionModel.from_config(config.read("unet")),
            "vae": AutoencoderKL.from_config(config.read("vae")),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**config.read("text_encoder"))),
        }
    return {
        part: {name: tuple(v.shape) for name, v in network.state_dict().items() if not name.endswith(_OPTIONAL)}
        for part, network in networks.items()
    }


def controlnet_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """diffusers' name -> shape of every weight of a ControlNet."""
    import torch

    from pipeline.transfer.offline import stay_offline

    stay_offline()
    from diffusers import ControlNetModel

    with torch.device("meta"):
        network = ControlNetModel.from_config(config.read("controlnet"))
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _plain(name: str) -> str:
    """One name for what files say differently: whole ControlNets put control_model first and older transformers
    text_model, and older diffusers had words of its own in the VAE's attention."""
    plain = name.removeprefix("text_model.").removeprefix(CONTROL)
    return _OLD_ATTENTION.sub(lambda found: f".{_NEW_ATTENTION[found[1]]}.", plain)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Linear layers and 1 x 1 convolutions hold the same numbers, and both layouts are about."""
    return shape[:2] if shape[2:] == (1, 1) else shape
