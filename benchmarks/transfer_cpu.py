"""What a transfer costs on this CPU: wall time over the sum of the network calls timed alone, and memory.

Bars (bf16, 512 x 512, 5 UNet calls): at most 1.15 times the sum; at most 6 GiB. Usage, random weights or real ones:
python benchmarks/transfer_cpu.py [--model FILE] [--calls 5] [--guidance 1] [--dtype auto]

Each network is called with tensors of the transfer's own shapes, once more than `--rounds`; the least time counts, as
does the least of `--rounds` transfers. On a machine with other work look at the processor's seconds.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from random_checkpoint import write_checkpoint
from transfer_checkpoint import photo, say

from pipeline.transfer import devices
from pipeline.transfer.engine import Engine, open_engine
from pipeline.transfer.load import ModelChoice
from pipeline.transfer.settings import TransferSettings

BAR, MEMORY_BAR_GIB = 1.15, 6.0
LATENT = 64


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


def best(work: Callable[[], object], rounds: int) -> np.ndarray:
    """Least wall seconds and least processor seconds of *work*."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return np.min(times, axis=0)


def network_seconds(engine: Engine, chosen: argparse.Namespace) -> dict[str, np.ndarray]:
    """Seconds of one call of each network, alone."""
    networks = engine.networks
    copies = 1 if chosen.guidance <= 1 else 2
    draw = torch.Generator().manual_seed(0)

    def tensor(*shape: int) -> torch.Tensor:
        value = torch.randn(shape, generator=draw).to(networks.dtype)
        return value.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else value

    latents, pixels = tensor(copies, 4, LATENT, LATENT), tensor(1, 3, 8 * LATENT, 8 * LATENT)
    text, one = tensor(copies, 77, networks.unet.config.cross_attention_dim), tensor(1, 4, LATENT, LATENT)
    tokens = torch.zeros(1, 77, dtype=torch.long)
    calls = {
        "UNet": lambda: networks.unet(latents, torch.tensor(160), encoder_hidden_states=text, return_dict=False),
        "VAE encoder": lambda: networks.vae.encode(pixels),
        "VAE decoder": lambda: networks.vae.decode(one, return_dict=False),
        "text encoder": lambda: networks.text_encoder(tokens),
    }
    with devices.working(networks.device, networks.dtype):
        return {name: best(call, chosen.rounds + 1) for name, call in calls.items()}


def measure(file: Path, chosen: argparse.Namespace) -> None:
    """Time the networks and the transfer, and print both."""
    engine = open_engine(ModelChoice(file, device="cpu", dtype=chosen.dtype))
    alone = network_seconds(engine, chosen)
    times = {"UNet": chosen.calls, "VAE encoder": 1, "VAE decoder": 2, "text encoder": 1 if chosen.guidance <= 1 else 2}
    total = np.sum([alone[name] * count for name, count in times.items()], axis=0)
    for name, count in times.items():
        say(f"{name:<14} {alone[name][0]:8.2f} s ({alone[name][1]:.2f} processor s) x {count}")
    settings = TransferSettings(unet_calls=chosen.calls, guidance=chosen.guidance)
    whole = best(lambda: engine.transfer(photo(), ["photo of a steel ring"], [1], settings), chosen.rounds)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    say(f"{engine.key()['device']}, {engine.key()['dtype']}, {torch.get_num_threads()} threads")
    for index, kind in enumerate(("wall", "processor")):
        ratio = whole[index] / total[index]
        say(f"{kind:<10} transfer {whole[index]:.2f} s / networks {total[index]:.2f} s = {ratio:.3f} (bar {BAR})")
    say(f"peak memory {memory:.2f} GiB (bar {MEMORY_BAR_GIB:.0f} GiB in bf16)")


def main() -> None:
    """Measure the named model, or one with random weights."""
    chosen = options()
    with tempfile.TemporaryDirectory() as folder:
        measure(chosen.model or write_checkpoint(Path(folder) / "random_sd15_fp16.safetensors"), chosen)


if __name__ == "__main__":
    main()
