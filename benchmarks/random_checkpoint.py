"""A full-size Stable Diffusion 1.5 checkpoint with random fp16 weights in the original key layout: 2.1 GB.

It paints nothing, but it has every tensor of CyberRealistic_V9_FP16.safetensors, so that loading, speed and memory
can be measured without weights. Tensors are drawn and written one after the other.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from pipeline.transfer.configs import ModelConfig, sd15_config
from pipeline.transfer.ldm_layout import ldm_shapes
from pipeline.transfer.tensor_shapes import expected_shapes

BYTES = 2


def write_checkpoint(path: Path, seed: int = 0, config: ModelConfig | None = None) -> Path:
    """Write it to *path*: weights uniform with variance 1 / fan-in, norms 1, biases 0, so that values stay finite."""
    config = config or sd15_config()
    shapes = dict(sorted(ldm_shapes(expected_shapes(config), config).items()))
    entries, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + BYTES * math.prod(shape)
        entries[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in shapes.items():
            file.write(_values(rng, name, shape).tobytes())
    return path


def _values(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) == 1:
        return np.full(shape, 0.0 if name.endswith("bias") else 1.0, np.float16)
    fan_in = shape[1] if "embedding" in name else math.prod(shape[1:])
    half_width = math.sqrt(3.0 / fan_in)
    return ((2 * rng.random(shape, dtype=np.float32) - 1) * half_width).astype(np.float16)
