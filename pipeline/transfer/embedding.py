"""Textual-inversion embeddings by their headers: are they of Stable Diffusion 1.5, and how many words they stand for.

Does not cover: teaching them to the text encoder (`load`).
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import InputError
from pipeline.transfer.configs import ModelConfig
from pipeline.transfer.safetensors_header import read_header


def count_vectors(path: Path, config: ModelConfig) -> int:
    """Vectors of the embedding at *path*, each a token of a prompt.

    Raises InputError unless one tensor of it has vectors as long as those of the text encoder of *config*.
    """
    tensors = read_header(path).tensors
    if "clip_g" in tensors:
        raise InputError(f"expected an embedding for Stable Diffusion 1.5 in {path}, found one for SDXL; use another")
    shapes = [entry.shape for entry in tensors.values()]
    fitting = [shape for shape in shapes if shape[-1:] == (config.context,)]
    if len(fitting) != 1:
        found = ", ".join(" x ".join(map(str, shape)) or "a number" for shape in shapes)
        raise InputError(
            f"expected one tensor of vectors of {config.context} numbers in {path}, found {found}; use an embedding "
            f"for Stable Diffusion 1.5"
        )
    return fitting[0][0] if len(fitting[0]) > 1 else 1
