"""A tiny Stable Diffusion with every component transfers photos."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.transfer_photos import PROMPTS, QUICK, SEEDS, photos

from pipeline.errors import InputError
from pipeline.records import sha256_bytes
from pipeline.transfer.settings import TransferSettings

pytestmark = pytest.mark.torch

CHILD = """
import hashlib, sys
from pathlib import Path
import numpy as np, torch
from pipeline.transfer.configs import ModelConfig
from pipeline.transfer.engine import open_engine
from pipeline.transfer.load import ModelChoice
from pipeline.transfer.settings import TransferSettings
file, config, data, threads, batch = sys.argv[1:]
torch.set_num_threads(int(threads))
photos = np.load(data)
engine = open_engine(ModelChoice(Path(file), device="cpu", dtype="float32", config=ModelConfig(Path(config))))
settings = TransferSettings(unet_calls=2, strength=0.3, batch=int(batch))
result = engine.transfer(photos, ["steel"] * len(photos), list(range(len(photos))), settings)
assert torch.get_num_threads() == int(threads)
print(hashlib.sha256(result.images.tobytes() + result.decoded.tobytes()).hexdigest())
"""


@pytest.mark.parametrize("batch", [1, 4])
def test_a_photo_does_not_depend_on_its_neighbours(engine, batch):
    settings = replace(QUICK, batch=batch, method="plain")
    together = engine.transfer(photos(), PROMPTS, SEEDS, settings)
    for index in (0, 3):
        one = slice(index, index + 1)
        alone = engine.transfer(photos()[one], PROMPTS[one], SEEDS[one], settings)
        assert np.array_equal(alone.images[0], together.images[index])
        assert np.array_equal(alone.decoded[0], together.decoded[index])
    turned = engine.transfer(photos()[::-1], PROMPTS[::-1], SEEDS[::-1], settings)
    assert np.array_equal(turned.images[::-1], together.images)
    assert len({image.tobytes() for image in together.images}) == 4


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 4])
def test_one_and_two_threads_give_the_recorded_bytes_in_another_process(tiny, engine, batch, tmp_path):
    np.save(tmp_path / "photos.npy", photos())
    settings = replace(QUICK, batch=batch)
    here = engine.transfer(photos(), ["steel"] * 4, list(range(4)), settings)
    recorded = sha256_bytes(here.images.tobytes() + here.decoded.tobytes())
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", CHILD, tiny.file, tiny.config.folder, tmp_path / "photos.npy", threads, str(batch)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert done.stdout.split()[-1] == recorded


def test_a_seed_a_prompt_and_a_strength_each_change_the_result(engine):
    base = engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], QUICK).decoded
    for prompt, seed, settings in (
        (PROMPTS[1], SEEDS[0], QUICK),
        (PROMPTS[0], SEEDS[1], QUICK),
        (PROMPTS[0], SEEDS[0], replace(QUICK, strength=0.2)),
        (PROMPTS[0], SEEDS[0], replace(QUICK, guidance=1.0)),
        (PROMPTS[0], SEEDS[0], replace(QUICK, negative_prompt="rust")),
    ):
        assert not np.array_equal(engine.transfer(photos(1), [prompt], [seed], settings).decoded, base)


@pytest.mark.parametrize(
    "scheduler",
    [
        "ddim",
        "dpmpp_2m",
        "dpmpp_2m_karras",
        "dpmpp_2m_sde_karras",
        "unipc",
        "euler",
        "euler_a",
        "lcm",
        "tcd",
    ],
)
def test_every_scheduler_calls_the_unet_as_often_as_asked_and_repeats(engine, scheduler):
    calls = []
    handle = engine.networks.unet.register_forward_hook(lambda *_: calls.append(1))
    settings = TransferSettings(unet_calls=3, strength=0.2, scheduler=scheduler)
    try:
        first = engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], settings)
    finally:
        handle.remove()
    assert len(calls) == first.unet_calls == 3
    assert first.problems == (None,)
    again = engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], settings)
    assert np.array_equal(first.images, again.images)


@pytest.mark.parametrize(("calls", "strength"), [(1, 0.12), (1, 0.2), (2, 0.29), (4, 0.2), (5, 0.12), (3, 1.0)])
def test_the_first_timestep_is_the_strength_of_the_schedule(calls, strength):
    import torch

    from pipeline.transfer.configs import sd15_config
    from pipeline.transfer.schedulers import schedule

    share = calls / math.ceil(calls / strength)
    for name in ("ddim", "dpmpp_2m", "euler", "unipc"):
        plan = schedule(name, sd15_config().scheduler, calls, strength, torch.device("cpu"), [])
        assert len(plan.timesteps) == calls
        assert float(plan.timesteps[0]) == pytest.approx(1000 * share - 1, abs=0.6)
    if calls == 1:
        with pytest.raises(InputError, match="Karras"):
            schedule("dpmpp_2m_karras", sd15_config().scheduler, calls, strength, torch.device("cpu"), [])
        return
    karras = schedule("dpmpp_2m_karras", sd15_config().scheduler, calls, strength, torch.device("cpu"), [])
    assert len(karras.timesteps) == calls
    assert 1000 * strength / 4 < float(karras.timesteps[0]) < 1000 * strength


@pytest.mark.parametrize("scheduler", ["ddim", "dpmpp_2m", "dpmpp_2m_karras", "euler", "lcm", "tcd", "unipc"])
def test_a_spec_is_told_exactly_what_a_scheduler_cannot_make(scheduler):
    import torch

    from pipeline.spec.sampling import calls_problem
    from pipeline.transfer.configs import sd15_config
    from pipeline.transfer.schedulers import schedule

    for calls, strength in itertools.product((1, 2, 5, 10, 30), (0.02, 0.05, 0.12, 0.2, 0.3, 1.0)):
        if calls_problem(scheduler, calls, strength) is not None:
            with pytest.raises(InputError, match=r"expected .* found \d+; "):
                schedule(scheduler, sd15_config().scheduler, calls, strength, torch.device("cpu"), [])
            continue
        plan = schedule(scheduler, sd15_config().scheduler, calls, strength, torch.device("cpu"), [])
        assert len(plan.timesteps) == calls
        assert 0 <= float(plan.timesteps[-1]) <= float(plan.timesteps[0]) < max(1000 * strength, 2)


def test_the_rule_for_karras_follows_the_library():
    import diffusers

    from pipeline.spec.sampling import _karras_timestep
    from pipeline.transfer.configs import sd15_config

    trained = {name: value for name, value in sd15_config().scheduler.items() if not name.startswith("_")}
    scheduler = diffusers.DPMSolverMultistepScheduler.from_config({**trained, "use_karras_sigmas": True})
    for steps in (1, 2, 5, 9, 30, 120):
        scheduler.set_timesteps(steps)
        found = [_karras_timestep(steps, calls) for calls in range(steps, 0, -1)]
        np.testing.assert_allclose(found, scheduler.timesteps, atol=1)  # it rounds in fp32


FOREIGN = {
    "EulerDiscreteScheduler": {"use_karras_sigmas": True},
    "DDIMScheduler": {},
    "DPMSolverMultistepScheduler": {
        "solver_order": 3,
        "algorithm_type": "sde-dpmsolver++",
        "use_karras_sigmas": True,
        "thresholding": True,
        "lower_order_final": False,
        "euler_at_final": True,
    },
    "DEISMultistepScheduler": {},
}
"""Schedulers that a folder may have been saved with: class of diffusers -> its settings."""


@pytest.mark.parametrize("saved_with", FOREIGN)
@pytest.mark.parametrize("name", ["ddim", "dpmpp_2m", "dpmpp_2m_sde_karras", "unipc", "euler", "euler_a", "lcm", "tcd"])
def test_a_scheduler_samples_the_same_whatever_a_folder_was_saved_with(name, saved_with):
    import diffusers
    import torch

    from pipeline.transfer.configs import sd15_config
    from pipeline.transfer.schedulers import schedule

    own = sd15_config().scheduler
    model = {key: own[key] for key in ("beta_start", "beta_end", "beta_schedule")}
    folder = getattr(diffusers, saved_with)(**model, prediction_type="v_prediction", **FOREIGN[saved_with]).config
    wanted = schedule(name, own, 3, 0.3, torch.device("cpu"), []).scheduler
    found = schedule(name, dict(folder), 3, 0.3, torch.device("cpu"), []).scheduler
    settings = {key: value for key, value in wanted.config.items() if not key.startswith("_")}
    assert found.config == {**found.config, **settings, "prediction_type": "v_prediction"}
    assert torch.equal(found.alphas_cumprod, wanted.alphas_cumprod)
    assert torch.equal(found.timesteps, wanted.timesteps)


def test_ddim_does_not_clip_latents_of_a_folder_saved_with_another_scheduler():
    import torch

    from pipeline.transfer.schedulers import schedule

    folder = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    plan = schedule("ddim", folder, 2, 0.2, torch.device("cpu"), [])
    latents = torch.full((1, 4, 8, 8), 3.0)
    assert plan.step(torch.zeros_like(latents), plan.timesteps[-1], latents).min() > 3


def test_a_distilled_scheduler_says_how_many_steps_it_has(engine):
    settings = TransferSettings(unet_calls=9, strength=0.12, scheduler="lcm")
    with pytest.raises(InputError, match="at most 6 UNet calls"):
        engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], settings)


@pytest.mark.parametrize("method", ["plain", "residual"])
def test_protected_pixels_keep_their_bytes_and_their_latents(engine, method):
    import torch

    protected = np.zeros((2, 64, 72), bool)
    protected[0, 10:20, 30:44] = True
    settings = replace(QUICK, method=method, batch=2)
    free = engine.transfer(photos(2), PROMPTS[:2], SEEDS[:2], settings)
    held = engine.transfer(photos(2), PROMPTS[:2], SEEDS[:2], settings, protected=protected)
    assert np.array_equal(held.images[0][protected[0]], photos(2)[0][protected[0]])
    assert not np.array_equal(free.images[0], held.images[0])
    assert np.array_equal(free.images[1], held.images[1])

    from pipeline.transfer import denoise as module
    from pipeline.transfer.canvas import canvas_of
    from pipeline.transfer.engine import Conditions, schedule

    canvas = canvas_of(photos(1), settings, torch.device("cpu"))
    keep = canvas.latent_mask(protected[:1], 16)
    assert keep.shape == (1, 1, 8, 16)
    inside = keep[0, 0, :, :9].nonzero()  # what lies beyond is the mirrored border
    assert inside.amin(0).tolist() == [0, 1]
    assert inside.amax(0).tolist() == [4, 7]
    clean, noise = (torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(n)) for n in (1, 2))
    plan = schedule("ddim", engine.networks.trained, 3, 0.3, torch.device("cpu"), [])
    conditions = Conditions(torch.zeros(1, 77, 32), None, 1.0)
    with torch.inference_mode():
        out = module.denoise(
            engine.networks,
            plan.noisy(clean, noise, plan.timesteps[0]),
            plan,
            conditions,
            canvas.latent_blend,
            module.Protected(keep, clean, noise),
        )
    kept = keep.expand_as(out)
    assert torch.equal(out[kept], clean[kept])
    assert not torch.equal(out[~kept], clean[~kept])


def test_tiles_have_no_seam(engine):
    """At the borders of tiles the difference to the photo jumps no more than elsewhere."""
    tiled = replace(QUICK, whole_px=64, tile_px=64, overlap_px=32, method="plain")
    photo = photos(1, 128, 160)
    result = engine.transfer(photo, PROMPTS[:1], SEEDS[:1], tiled)
    assert result.images.shape == photo.shape
    from pipeline.transfer.tiles import windows

    tiles = windows(128, 192, 64, 32)
    assert len(tiles) > 4
    jumps = np.abs(np.diff(result.decoded[0].mean(axis=-1), axis=1)).mean(axis=0)
    borders = {edge for tile in tiles for edge in (tile.left, tile.right) if 0 < edge < 160}
    at_borders = np.array([jumps[edge - 1] for edge in borders])
    others = np.delete(jumps, [edge - 1 for edge in borders])
    assert at_borders.max() <= np.percentile(others, 95) * 1.05


def test_photos_of_any_size_come_back_in_their_size(engine):
    for height, width in ((64, 64), (65, 130), (100, 70)):
        result = engine.transfer(photos(1, height, width), PROMPTS[:1], SEEDS[:1], QUICK)
        assert result.images.shape == (1, height, width, 3)
        assert result.round_trip.shape == (1, height, width, 3)


def test_the_round_trip_is_what_the_networks_make_of_the_mean(engine):
    import torch

    photo = photos(1, 64, 64)
    result = engine.transfer(photo, PROMPTS[:1], SEEDS[:1], QUICK)
    vae = engine.networks.vae
    with torch.inference_mode():
        pixels = torch.from_numpy(photo).permute(0, 3, 1, 2).float() / 127.5 - 1
        mean = vae.quant_conv(vae.encoder(pixels))[:, :4]
        trip = vae.decode(mean).sample / 2 + 0.5
    np.testing.assert_allclose(result.round_trip[0], trip[0].permute(1, 2, 0).clamp(0, 1).numpy(), atol=1e-4)


@pytest.mark.parametrize("shape", [(64, 72), (100, 160)])
def test_a_lower_strength_takes_what_the_vae_made_before(engine, monkeypatch, shape):
    settings = replace(QUICK, batch=4, strength=0.2, whole_px=128, tile_px=128, overlap_px=64)  # windows at 160
    given, prompts, seeds = photos(3, *shape), PROMPTS[:3], SEEDS[:3]
    first = engine.transfer(given, prompts, seeds, replace(settings, strength=0.3))
    wanted = engine.transfer(given, prompts, seeds, settings)
    vae, decodes = engine.networks.vae, []
    decode = vae.decode
    monkeypatch.setattr(vae, "encode", None)
    monkeypatch.setattr(vae, "decode", lambda *a, **k: decodes.append(1) or decode(*a, **k))
    found = engine.transfer(given, prompts, seeds, settings, encoded=first.encoded)
    assert np.array_equal(found.images, wanted.images)
    assert np.array_equal(found.decoded, wanted.decoded)
    assert np.array_equal(found.round_trip, wanted.round_trip)
    assert len(decodes) == (1 if max(shape) <= 128 else 2)  # of the result alone
    with pytest.raises(InputError, match="expected round trips of shape"):
        engine.transfer(given[:2], prompts[:2], seeds[:2], settings, encoded=first.encoded)
