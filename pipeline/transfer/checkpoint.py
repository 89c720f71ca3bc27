"""A model as users have it: one .safetensors file in the original key layout, or a folder in diffusers' layout.

Covers: telling the two apart, what is missing or wrong, without torch and without reading weights. Does not cover:
where models are kept (`store`), loading them (`load`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.errors import InputError
from pipeline.records import read_json, sha256_file, sha256_json
from pipeline.transfer.architecture import USABLE, WORDS, Kind, check_checkpoint, expect_sd15_controlnet, kind_of
from pipeline.transfer.configs import ModelConfig
from pipeline.transfer.safetensors_header import CONVERT, PICKLES, Header, read_header

Layout = Literal["file", "folder"]
_WEIGHTS: Final = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
_PIPELINES: Final = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")
_CONTROLNET_WEIGHTS: Final = "diffusion_pytorch_model"


@dataclass(frozen=True)
class FoundModel:
    """What lies at a path."""

    path: Path
    layout: Layout
    kind: Kind
    variant: str | None
    """Of a folder: "fp16" when its files carry that in their names."""
    headers: dict[str, Header]
    """Component -> header; one, named "", of a file."""

    def dtypes(self) -> dict[str, int]:
        """How many tensors there are of each type."""
        counts: dict[str, int] = {}
        for header in self.headers.values():
            for dtype, count in header.dtypes().items():
                counts[dtype] = counts.get(dtype, 0) + count
        return counts


def find_model(path: Path, config: ModelConfig) -> FoundModel:
    """Look at *path*: a file, or a folder of a checkpoint or a ControlNet. *config*: the sizes that are expected.

    Raises InputError for what cannot be used, saying what it is.
    """
    if path.is_dir():
        return _find_folder(path, config)
    header = read_header(path)
    kind = kind_of(header)
    if kind not in USABLE:
        check_checkpoint(header, path, config)
    if kind == "sd15":
        check_checkpoint(header, path, config)
    if kind == "controlnet":
        expect_sd15_controlnet(header, path, config)
    return FoundModel(path, "file", kind, None, {"": header})


def expect_checkpoint(found: FoundModel) -> FoundModel:
    """*found* when it is a checkpoint. Raises InputError otherwise."""
    return expect_kind(found, "sd15")


def expect_kind(found: FoundModel, kind: Kind) -> FoundModel:
    """*found* when it is of *kind*. Raises InputError otherwise."""
    if found.kind != kind:
        raise InputError(f"expected {WORDS[kind]}, found {WORDS[found.kind]}: {found.path}")
    return found


def model_hash(path: Path) -> str:
    """SHA-256 of a file; of a folder that of the canonical JSON {relative path: SHA-256 of the file}."""
    if path.is_file():
        return sha256_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return sha256_json({file.relative_to(path).as_posix(): sha256_file(file) for file in files})


def _find_folder(path: Path, config: ModelConfig) -> FoundModel:
    index = path / "model_index.json"
    if not index.is_file() and (path / "config.json").is_file():
        return _find_controlnet(path, config)
    if not index.is_file():
        files = sorted(file.name for file in path.glob("*.safetensors"))
        raise InputError(
            f"expected model_index.json in {path} (a diffusers folder), found "
            f"{', '.join(files) or 'none'}; name the {'file' if files else 'folder'} itself"
        )
    pipeline = _class_name(index)
    if pipeline not in _PIPELINES:
        raise InputError(f"expected a folder of {_PIPELINES[0]}, found {pipeline}: {path}; use one based on SD1.5")
    headers, variants = {}, set()
    for part, stem in _WEIGHTS.items():
        file, variant = _weights_file(path / part, stem)
        headers[part] = read_header(file)
        variants.add(variant)
        _check_part_config(path, part, config)
    if len(variants) > 1:
        raise InputError(f"expected the files of {path} to carry fp16 in all names or in none, found both")
    return FoundModel(path, "folder", "sd15", variants.pop(), headers)


def _find_controlnet(path: Path, config: ModelConfig) -> FoundModel:
    if _class_name(path / "config.json") != "ControlNetModel":
        raise InputError(f"expected a ControlNet or a whole model in {path}, found {_class_name(path / 'config.json')}")
    file, variant = _weights_file(path, _CONTROLNET_WEIGHTS)
    header = read_header(file)
    expect_sd15_controlnet(header, path, config)
    return FoundModel(path, "folder", "controlnet", variant, {"controlnet": header})


def _class_name(path: Path) -> str:
    try:
        return str(read_json(path)["_class_name"])
    except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"expected JSON with _class_name in {path}, found something else") from error


def _weights_file(folder: Path, stem: str) -> tuple[Path, str | None]:
    """The weights of a component, and their variant. The full names come first, as in diffusers."""
    if not (folder / "config.json").is_file():
        raise InputError(
            f"expected config.json in {folder}, found none: the component is missing; copy the whole folder"
        )
    for variant in (None, "fp16"):
        file = folder / f"{stem}{f'.{variant}' if variant else ''}.safetensors"
        if file.is_file():
            return file, variant
    if any(file.suffix in PICKLES for file in folder.iterdir()):
        raise InputError(f"expected {stem}.safetensors in {folder}, found a PyTorch pickle\n{CONVERT}")
    raise InputError(f"expected {stem}.safetensors in {folder}, found none; copy the whole folder")


def _read_config(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except ValueError as error:  # no JSON, no text
        raise InputError(f"expected the config of a network in {path}, found something else; copy it again") from error
    if not isinstance(found, dict):
        raise InputError(f"expected the config of a network in {path}, found {type(found).__name__}; copy it again")
    return found


def _check_part_config(path: Path, part: str, config: ModelConfig) -> None:
    found, expected = _read_config(path / part / "config.json"), config.read(part)
    keys = {"unet": ("cross_attention_dim", "in_channels", "block_out_channels"), "vae": ("latent_channels",)}
    for key in keys.get(part, ("hidden_size",)):
        if found.get(key) != expected[key]:
            raise InputError(
                f"expected {key} = {expected[key]} in {path / part / 'config.json'}, found {found.get(key)}: "
                f"this is not Stable Diffusion 1.5"
            )
