"""Networks in memory: from a checkpoint as users have it, offline, once per process.

Covers: single files and folders, LoRAs, a negative embedding, ControlNets, number formats. Does not cover: using them
(`engine`). Importing this module loads torch; diffusers and transformers come when networks are loaded.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from pipeline.errors import GlintError, InputError
from pipeline.spec.transfer import ControlKind
from pipeline.transfer import devices
from pipeline.transfer.checkpoint import FoundModel, expect_checkpoint, expect_kind, find_model, model_hash
from pipeline.transfer.configs import ModelConfig, sd15_config
from pipeline.transfer.devices import DtypeName
from pipeline.transfer.lora_layers import compare_lora
from pipeline.transfer.offline import stay_offline
from pipeline.transfer.single_file import pipeline_of_file
from pipeline.transfer.tensor_shapes import compare_shapes, expected_shapes
from pipeline.transfer.tokenizer import make_tokenizer

WORDS_OF_MODEL: Final = "Stable Diffusion 1.5"
NEGATIVE_WORD: Final = "<negative>"
"""Stands for the negative embedding in prompts."""


@dataclass(frozen=True)
class LoraUse:
    """A LoRA that is added to the weights."""

    path: Path
    scale: float = 1.0


@dataclass(frozen=True)
class ModelChoice:
    """Which weights, on which device, in which number format."""

    checkpoint: Path
    loras: tuple[LoraUse, ...] = ()
    negative_embedding: Path | None = None
    controlnets: tuple[tuple[ControlKind, Path], ...] = ()
    device: str = "auto"
    dtype: DtypeName = "auto"
    compiled: bool = False
    """Compile the UNet with torch.compile: worth its minutes on a GPU with many photos of one size."""
    config: ModelConfig = field(default_factory=sd15_config)


@dataclass(frozen=True)
class Networks:
    """What a transfer computes with. All in eval mode on one device, in one number format."""

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    controlnets: dict[ControlKind, Any]
    trained: dict[str, Any]
    """The schedule that the UNet was trained with."""
    device: torch.device
    dtype: torch.dtype
    negative_prefix: str
    """Tokens of the negative embedding, empty without one."""
    hashes: dict[str, str]
    """SHA-256 of every file of weights by what it is used for; LoRAs with their scale."""


_lock = threading.Lock()
_loaded: dict[ModelChoice, Networks] = {}


def load(choice: ModelChoice) -> Networks:
    """The networks of *choice*, loaded by the first call in a process; another choice takes their place.

    Raises InputError for files that cannot be used, EnvironmentProblem for devices that are not there or too small.
    """
    with _lock:
        if choice not in _loaded:
            _loaded.clear()
            _loaded[choice] = _within_memory(choice)
        return _loaded[choice]


def forget() -> None:
    """Free the memory of the loaded networks."""
    with _lock:
        _loaded.clear()


def _within_memory(choice: ModelChoice) -> Networks:
    """`_load`; raises OutOfMemory wherever memory runs out."""
    try:
        return _load(choice)
    except GlintError:
        raise
    except (RuntimeError, MemoryError) as error:
        if not devices.is_out_of_memory(error):
            raise
        raise devices.OutOfMemory(
            f"expected memory for the weights of {choice.checkpoint} and what goes with it, found too little; free "
            f"some, or choose another --device or --dtype"
        ) from error


def _load(choice: ModelChoice) -> Networks:
    device = devices.choose_device(choice.device)
    dtype = devices.choose_dtype(choice.dtype, device)
    devices.compute_deterministically()
    stay_offline()
    _silence()
    found = expect_checkpoint(find_model(choice.checkpoint, choice.config))
    pipe = _load_checkpoint(found, choice.config, dtype)
    for lora in choice.loras:
        _add_lora(pipe, lora, choice.config)
    prefix = _add_embedding(pipe, choice.negative_embedding, choice.config) if choice.negative_embedding else ""
    controlnets = {kind: _load_controlnet(path, choice.config, dtype) for kind, path in choice.controlnets}
    with devices.device_errors(device):
        for network in (pipe.unet, pipe.vae, pipe.text_encoder, *controlnets.values()):
            _settle(network, device, dtype)
    unet = torch.compile(pipe.unet, dynamic=False) if choice.compiled else pipe.unet
    trained = dict(pipe.scheduler.config)
    hashes = _hashes(choice)
    return Networks(
        unet, pipe.vae, pipe.text_encoder, pipe.tokenizer, controlnets, trained, device, dtype, prefix, hashes
    )


def _silence() -> None:
    """No progress bars and no notes of the libraries on the user's terminal."""
    import diffusers.utils.logging as diffusers_logging
    import transformers.utils.logging as transformers_logging

    for logging in (diffusers_logging, transformers_logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()


def _load_checkpoint(found: FoundModel, config: ModelConfig, dtype: torch.dtype) -> Any:
    """A StableDiffusionPipeline on the CPU. The safety checker is neither loaded nor downloaded."""
    from diffusers import StableDiffusionPipeline

    try:
        compare_shapes(found, config)  # transformers would fill what is missing with random numbers
        if found.layout == "file":
            return pipeline_of_file(found.path, config, dtype)
        return StableDiffusionPipeline.from_pretrained(
            str(found.path),
            torch_dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            variant=found.variant,
            tokenizer=make_tokenizer(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    except InputError:
        raise
    except (ValueError, KeyError, OSError, RuntimeError) as error:
        if devices.is_out_of_memory(error):
            raise
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"expected weights that fit Stable Diffusion 1.5 in {found.path}, found: {first}; see `glint models check`"
        ) from error


def _add_lora(pipe: Any, lora: LoraUse, config: ModelConfig) -> None:
    """Add scale * up @ down to the weights that *lora* names."""
    from safetensors.torch import load_file

    found = expect_kind(find_model(lora.path, config), "lora")
    layers = compare_lora(found.headers[""], lora.path, expected_shapes(config))
    try:
        pipe.load_lora_weights(load_file(str(lora.path)))
        _expect_adapted(pipe, layers, lora.path)
        pipe.fuse_lora(lora_scale=lora.scale, safe_fusing=True)
        pipe.unload_lora_weights()
    except InputError:
        raise
    except (ValueError, KeyError, RuntimeError) as error:
        if devices.is_out_of_memory(error):
            raise
        first = str(error).splitlines()[0]
        raise InputError(f"expected a LoRA for Stable Diffusion 1.5 in {lora.path}, found: {first}") from error


def _expect_adapted(pipe: Any, layers: int, path: Path) -> None:
    """Raise InputError unless *layers* got an adapter: diffusers leaves out without a word what it does not know."""
    modules = (*pipe.unet.modules(), *pipe.text_encoder.modules())
    adapted = sum(1 for module in modules if len(getattr(module, "lora_A", ())))
    if adapted != layers:
        raise InputError(
            f"expected diffusers to take all {layers} layers of the LoRA {path}, found that it took {adapted}; use one "
            f"with the names of kohya's scripts or of diffusers"
        )


def _add_embedding(pipe: Any, path: Path, config: ModelConfig) -> str:
    """Teach the text encoder the vectors in *path*; returns the words that stand for them."""
    from safetensors.torch import load_file

    expect_kind(find_model(path, config), "embedding")
    vectors = [value for value in load_file(str(path)).values() if value.shape[-1:] == (config.context,)]
    if len(vectors) != 1:
        raise InputError(
            f"expected vectors of {config.context} numbers in {path}, found none; use an embedding for {WORDS_OF_MODEL}"
        )
    pipe.load_textual_inversion({NEGATIVE_WORD: vectors[0].to(pipe.text_encoder.dtype)})
    return str(pipe.maybe_convert_prompt(NEGATIVE_WORD, pipe.tokenizer))


def _load_controlnet(path: Path, config: ModelConfig, dtype: torch.dtype) -> Any:
    from diffusers import ControlNetModel

    found = expect_kind(find_model(path, config), "controlnet")
    compare_shapes(found, config)
    try:
        if found.layout == "folder":
            network = ControlNetModel.from_pretrained(
                str(path), torch_dtype=dtype, local_files_only=True, use_safetensors=True, variant=found.variant
            )
        else:
            folder = str(config.folder / "controlnet")
            network = ControlNetModel.from_single_file(
                str(path), config=folder, torch_dtype=dtype, local_files_only=True
            )
    except (ValueError, KeyError, OSError, RuntimeError) as error:
        if devices.is_out_of_memory(error):
            raise
        raise InputError(
            f"expected a ControlNet for {WORDS_OF_MODEL} in {path}, found: {str(error).splitlines()[0]}"
        ) from error
    return network


def _settle(network: Any, device: torch.device, dtype: torch.dtype) -> None:
    """Move a network to where it works; convolutions are faster with the channels last."""
    network.to(device=device, dtype=dtype).eval().requires_grad_(False)
    network.to(memory_format=torch.channels_last)


def _hashes(choice: ModelChoice) -> dict[str, str]:
    hashes = {"checkpoint": model_hash(choice.checkpoint)}
    for index, lora in enumerate(choice.loras):
        hashes[f"lora {index} x {lora.scale:g}"] = model_hash(lora.path)
    if choice.negative_embedding:
        hashes["negative embedding"] = model_hash(choice.negative_embedding)
    return hashes | {f"controlnet {kind}": model_hash(path) for kind, path in choice.controlnets}
