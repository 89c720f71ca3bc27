"""A full-size checkpoint with random weights is written, loaded offline from one file, and transfers a 512 x 512 photo.

Usage: python benchmarks/transfer_checkpoint.py [--calls 5] [--guidance 3] [--dtype auto] [--threads N] [--keep FILE]

Needs 2.1 GB of disk, 4 GiB of memory in bf16 and 6 GiB in fp32, and on a CPU some minutes. The file is removed after.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from random_checkpoint import write_checkpoint

from pipeline.transfer.engine import open_engine
from pipeline.transfer.load import ModelChoice
from pipeline.transfer.settings import TransferSettings

SIDE = 512


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument(
        "--keep", type=Path, help="write the checkpoint there, or use the one that is there, and keep it"
    )
    return parser.parse_args()


def photo() -> np.ndarray:
    """A grey ring on a table, (1, 512, 512, 3), smoothed noise on both."""
    picture = np.full((SIDE, SIDE, 3), 90.0, np.float32)
    cv2.circle(picture, (SIDE // 2, SIDE // 2), 150, (180, 182, 185), 60, cv2.LINE_AA)
    noise = np.random.default_rng(1).normal(0, 20, picture.shape).astype(np.float32)
    return np.clip(picture + cv2.GaussianBlur(noise, (0, 0), 1.5), 0, 255).astype(np.uint8)[None]


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(file: Path, chosen: argparse.Namespace) -> None:
    """Load, transfer, report."""
    started = time.perf_counter()
    engine = open_engine(ModelChoice(file, device=chosen.device, dtype=chosen.dtype))
    say(f"loaded in {time.perf_counter() - started:.1f} s: {engine.key()}")
    settings = TransferSettings(unet_calls=chosen.calls, guidance=chosen.guidance)
    started, cpu = time.perf_counter(), time.process_time()
    result = engine.transfer(photo(), ["photo of a steel ring, workshop"], [1], settings)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert result.problems == (None,), result.problems
    assert result.unet_calls == chosen.calls
    assert result.images.shape == (1, SIDE, SIDE, 3)
    change = np.abs(result.images.astype(np.float32) - photo()).mean()
    say(f"transferred {SIDE} x {SIDE} in {wall:.1f} s ({cpu:.1f} processor s), {result.unet_calls} UNet calls")
    say(f"mean change of the photo {change:.2f} of 255, all finite")
    say(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def main() -> None:
    """Write, run, remove."""
    chosen = options()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        file = chosen.keep or Path(folder) / "random_sd15_fp16.safetensors"
        if not file.exists():
            started = time.perf_counter()
            write_checkpoint(file)
            say(f"wrote {file.stat().st_size / 1e9:.2f} GB in {time.perf_counter() - started:.1f} s")
        run(file, chosen)


if __name__ == "__main__":
    main()
