"""What a transfer costs on this CPU: wall time over the sum of the network calls timed alone, and memory.

Bars (bf16, 512 x 512, 5 UNet calls): at most 1.15 times the sum; at most 6 GiB. Usage, random weights or real ones:
python benchmarks/transfer_cpu.py [--model FILE] [--calls 5] [--guidance 1] [--dtype auto]

Rounds alternate: each network is called `--calls-alone` times with tensors of the transfer's own shapes, then one photo
is transferred, so that other work on the machine disturbs both alike; the least of all times counts. On a machine with
other work look at the processor's seconds. The peak is that of the process, loading included.
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls-alone", type=int, default=2)
    return parser.parse_args()


def best(work: Callable[[], object], rounds: int) -> np.ndarray:
    """Least wall seconds and least processor seconds of *work*."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return np.min(times, axis=0)


def peak_gib() -> float:
    """Most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def network_calls(engine: Engine, copies: int) -> dict[str, Callable[[], object]]:
    """One call of each network with *copies* of the latents: 2 with guidance."""
    networks = engine.networks
    draw = torch.Generator().manual_seed(0)

    def tensor(*shape: int) -> torch.Tensor:
        value = torch.randn(shape, generator=draw).to(networks.dtype)
        return value.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else value

    latents, pixels = tensor(copies, 4, LATENT, LATENT), tensor(1, 3, 8 * LATENT, 8 * LATENT)
    text, one = tensor(copies, 77, networks.unet.config.cross_attention_dim), tensor(1, 4, LATENT, LATENT)
    tokens = torch.zeros(1, 77, dtype=torch.long)
    return {
        "UNet": lambda: networks.unet(latents, torch.tensor(160), encoder_hidden_states=text, return_dict=False),
        "VAE encoder": lambda: networks.vae.encode(pixels),
        "VAE decoder": lambda: networks.vae.decode(one, return_dict=False),
        "text encoder": lambda: networks.text_encoder(tokens),
    }


def alternate(engine: Engine, chosen: argparse.Namespace, copies: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Least (wall, processor) seconds of one call of each network alone, and of a transfer."""
    settings = TransferSettings(unet_calls=chosen.calls, guidance=chosen.guidance)
    calls, picture = network_calls(engine, copies), photo()
    alone = {name: np.full(2, np.inf) for name in calls}
    whole = np.full(2, np.inf)
    for _ in range(chosen.rounds):
        with devices.working(engine.networks.device, engine.networks.dtype):
            for name, call in calls.items():
                alone[name] = np.minimum(alone[name], best(call, chosen.calls_alone))
        whole = np.minimum(whole, best(lambda: engine.transfer(picture, ["photo of a steel ring"], [1], settings), 1))
    return alone, whole


def measure(file: Path, chosen: argparse.Namespace) -> None:
    """Time the networks and the transfer, and print both with the peaks."""
    engine = open_engine(ModelChoice(file, device="cpu", dtype=chosen.dtype))
    loaded, copies = peak_gib(), 1 if chosen.guidance <= 1 else 2
    alone, whole = alternate(engine, chosen, copies)
    times = {"UNet": chosen.calls, "VAE encoder": 1, "VAE decoder": 2, "text encoder": copies}
    total = np.sum([alone[name] * count for name, count in times.items()], axis=0)
    for name, count in times.items():
        say(f"{name:<14} {alone[name][0]:8.2f} s ({alone[name][1]:.2f} processor s) x {count}")
    say(f"{engine.key()['device']}, {engine.key()['dtype']}, {torch.get_num_threads()} threads (fp32 uses one)")
    for index, kind in enumerate(("wall", "processor")):
        ratio = whole[index] / total[index]
        verdict = f"bar {BAR} {'holds' if ratio <= BAR else 'MISSED'}"
        say(f"{kind:<10} transfer {whole[index]:.2f} s / networks {total[index]:.2f} s = {ratio:.3f} ({verdict})")
    peak = peak_gib()
    verdict = "holds" if peak <= MEMORY_BAR_GIB else "MISSED"
    say(f"peak memory {loaded:.2f} GiB loaded, {peak:.2f} GiB in all (bar {MEMORY_BAR_GIB:.0f} GiB {verdict})")


def main() -> None:
    """Measure the named model, or one with random weights."""
    chosen = options()
    with tempfile.TemporaryDirectory() as folder:
        measure(chosen.model or write_checkpoint(Path(folder) / "random_sd15_fp16.safetensors"), chosen)


if __name__ == "__main__":
    main()
