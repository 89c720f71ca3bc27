"""Photos per second on a graphics card against the plain diffusers loop, and TFLOP/s against the card's measured rate.

Bars: at least 2 times the photos per second of diffusers' img2img pipeline at batch 1, at least 35 % of the FLOP
bound at the best batch. Usage, random weights or real ones, any device:
python benchmarks/transfer_gpu.py [--model FILE] [--device auto] [--batches 1,4,8,16,32] [--compile] [--tiny]

FLOPs are counted by torch's FlopCounterMode on networks without memory (2 per multiply-add); the card's rate is that of
an 8192 x 8192 matrix product in the same number format, best of ten. `--tiny` shrinks everything, to try the script.
Both loops make the same UNet calls with the same guidance; ours also decodes the round trip, theirs encodes and decodes
once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from random_checkpoint import write_checkpoint
from torch.utils.flop_counter import FlopCounterMode
from transfer_checkpoint import say

from pipeline.spec.sampling import schedule_steps
from pipeline.transfer.configs import ModelConfig, sd15_config
from pipeline.transfer.engine import Engine, open_engine
from pipeline.transfer.load import ModelChoice
from pipeline.transfer.settings import TransferSettings

BAR_OVER_DIFFUSERS, BAR_OF_BOUND = 2.0, 0.35
PROMPT, NEGATIVE = "photo of a steel ring, workshop", "painting, blurry"
MATRIX_SIDE = 8192


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--batches", default="1,4,8,16,32")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args()


def seconds(work: Callable[[], object], device: torch.device, rounds: int) -> float:
    """Least seconds of *work* after one call to warm up."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def matrix_rate(device: torch.device, dtype: torch.dtype, side: int) -> float:
    """FLOP/s of a large matrix product."""
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side**3 / seconds(lambda: a @ b, device, 10)


def flops_per_photo(config: ModelConfig, side: int, settings: TransferSettings) -> float:
    """FLOPs of one photo: UNet calls with their guidance, one encode, two decodes."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config.read("unet"))
        vae = AutoencoderKL.from_config(config.read("vae"))
    copies = 1 if settings.guidance <= 1 else 2
    latent = torch.empty(copies, 4, side // 8, side // 8, device="meta")
    text = torch.empty(copies, 77, config.context, device="meta")
    parts = (
        (settings.unet_calls, lambda: unet(latent, torch.zeros(1, device="meta"), text)),
        (1, lambda: vae.encode(torch.empty(1, 3, side, side, device="meta"))),
        (2, lambda: vae.decode(latent[:1])),
    )
    total = 0.0
    for count, call in parts:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            call()
        total += count * counter.get_total_flops()
    return total


def plain_diffusers(engine: Engine, photo: np.ndarray, settings: TransferSettings) -> Callable[[], object]:
    """diffusers' own img2img pipeline over the same networks, batch 1."""
    from diffusers import DDIMScheduler, StableDiffusionImg2ImgPipeline

    networks = engine.networks
    trained = {key: value for key, value in networks.trained.items() if not key.startswith("_")}
    unet = getattr(networks.unet, "_orig_mod", networks.unet)
    pipe = StableDiffusionImg2ImgPipeline(
        vae=networks.vae,
        text_encoder=networks.text_encoder,
        tokenizer=networks.tokenizer,
        unet=unet,
        scheduler=DDIMScheduler.from_config(trained),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    image = torch.from_numpy(photo).permute(0, 3, 1, 2).float() / 255
    steps = schedule_steps(settings.unet_calls, settings.strength)
    return lambda: pipe(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        image=image,
        strength=(settings.unet_calls + 1e-6) / steps,
        num_inference_steps=steps,
        guidance_scale=settings.guidance,
        generator=torch.Generator("cpu").manual_seed(1),
        output_type="np",
    )


def measure(choice: ModelChoice, chosen: argparse.Namespace) -> None:
    """Print the table."""
    engine = open_engine(choice)
    device, dtype = engine.networks.device, engine.networks.dtype
    settings = TransferSettings(
        unet_calls=chosen.calls, guidance=chosen.guidance, negative_prompt=NEGATIVE, whole_px=1024
    )
    photos = np.random.default_rng(1).integers(0, 256, (1, chosen.side, chosen.side, 3), dtype=np.uint8)
    rate = matrix_rate(device, dtype, 512 if chosen.tiny else MATRIX_SIDE)
    work = flops_per_photo(choice.config, chosen.side, settings)
    say(f"{engine.key()['device']}, {engine.key()['dtype']}, matrix rate {rate / 1e12:.1f} TFLOP/s")
    say(f"{work / 1e12:.2f} TFLOP per photo, bound {rate / work:.2f} photos/s")
    plain = 1 / seconds(plain_diffusers(engine, photos, settings), device, chosen.rounds)
    say(f"diffusers, batch 1: {plain:.2f} photos/s")
    best = 0.0
    for batch in (int(text) for text in chosen.batches.split(",")):
        best = max(best, one_batch(engine, photos, settings, batch, work, rate, chosen))
    say(f"best over diffusers: {best / plain:.2f} (bar {BAR_OVER_DIFFUSERS})")
    say(f"best of the bound:   {best * work / rate:.2f} (bar {BAR_OF_BOUND})")


def one_batch(
    engine: Engine,
    photos: np.ndarray,
    settings: TransferSettings,
    batch: int,
    work: float,
    rate: float,
    chosen: argparse.Namespace,
) -> float:
    """Photos per second at *batch*; prints its line."""
    from dataclasses import replace

    many = np.repeat(photos, batch, axis=0)
    chosen_settings = replace(settings, batch=batch)
    took = seconds(
        lambda: engine.transfer(many, [PROMPT] * batch, list(range(batch)), chosen_settings),
        engine.networks.device,
        chosen.rounds,
    )
    speed = batch / took
    say(
        f"batch {batch:3d}: {speed:8.2f} photos/s, {speed * work / 1e12:7.1f} TFLOP/s, {speed * work / rate:5.2f} of it"
    )
    for note in engine.notes:
        say(f"  {note}")
    engine.notes.clear()
    return speed


def main() -> None:
    """Measure the named model, or one with random weights."""
    chosen = options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = sd15_config()
        if chosen.tiny:
            import sys

            sys.path.append(str(Path(__file__).parents[1] / "tests"))
            from support.tiny_sd import tiny_config

            config = tiny_config(folder / "config")
        model = chosen.model or write_checkpoint(folder / "random_sd15_fp16.safetensors", config=config)
        measure(
            ModelChoice(model, device=chosen.device, dtype=chosen.dtype, compiled=chosen.compile, config=config), chosen
        )


if __name__ == "__main__":
    main()
