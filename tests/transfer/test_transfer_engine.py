"""A tiny Stable Diffusion with every component goes through load, transfer and painting."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.errors import EnvironmentProblem, InputError
from pipeline.records import read_json, sha256_bytes, sha256_file
from pipeline.transfer.settings import ControlUse, PaintSettings, TransferSettings
from pipeline.transfer.tokenizer import check_prompt

pytestmark = pytest.mark.torch

PROMPTS = ("photo of a steel flange", "photo of brass", "photo of a steel flange", "machined aluminium, workshop")
SEEDS = (11, 12, 2**62, 14)
QUICK = TransferSettings(unet_calls=2, strength=0.3)


@pytest.fixture(scope="module")
def choice(tiny):
    from pipeline.transfer.load import ModelChoice

    return ModelChoice(tiny.file, device="cpu", dtype="float32", config=tiny.config)


@pytest.fixture
def engine(choice):
    from pipeline.transfer.engine import open_engine

    return open_engine(choice)


def photos(count=4, height=64, width=72):
    rng = np.random.default_rng(7)
    return np.stack(
        [cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), 2) for _ in range(count)]
    )


def test_one_file_and_a_folder_hold_the_same_networks(tiny, choice):
    import torch
    from support import tiny_sd

    from pipeline.transfer.load import load

    wanted = {name: network.state_dict() for name, network in tiny_sd.build(tiny.config).items()}
    for path in (tiny.file, tiny.folder):
        networks = load(replace(choice, checkpoint=path))
        for name, state in wanted.items():
            found = getattr(networks, name).state_dict()
            assert set(found) == set(state)
            assert all(torch.equal(found[key], state[key]) for key in state)
        assert load(replace(choice, checkpoint=path)) is networks


def test_both_forms_give_the_same_photo(tiny, choice):
    from pipeline.transfer.engine import open_engine

    results = [
        open_engine(replace(choice, checkpoint=path)).transfer(photos(1), PROMPTS[:1], SEEDS[:1], QUICK)
        for path in (tiny.file, tiny.folder)
    ]
    assert np.array_equal(results[0].images, results[1].images)


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


@pytest.mark.parametrize("kohya", [False, True])
def test_a_lora_adds_its_product_to_the_weights(tiny, choice, tmp_path, kohya):
    import torch
    from support import tiny_sd

    from pipeline.transfer.load import LoraUse, forget, load

    target = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    path, wrong = tmp_path / "look.safetensors", tmp_path / "sdxl.safetensors"
    change = 0.5 * tiny_sd.write_lora(path, target, 64, 64, kohya)
    before = load(choice).unet.get_submodule(target).weight.clone()
    after = load(replace(choice, loras=(LoraUse(path, 0.5),))).unet.get_submodule(target).weight
    forget()
    torch.testing.assert_close(after, before + change)
    tiny_sd.write_lora(wrong, target, 640, 640, kohya)
    with pytest.raises(InputError, match=r"expected a LoRA for Stable Diffusion 1\.5"):
        load(replace(choice, loras=(LoraUse(wrong),)))


def test_a_negative_embedding_takes_the_place_of_its_word(choice, engine, tmp_path):
    import torch
    from safetensors.torch import save_file

    from pipeline.transfer.engine import open_engine
    from pipeline.transfer.text import encode_prompt

    vectors = torch.randn(3, 32, generator=torch.Generator().manual_seed(1))
    save_file({"emb_params": vectors}, str(tmp_path / "negative.safetensors"))
    plain = engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], QUICK)
    other = open_engine(replace(choice, negative_embedding=tmp_path / "negative.safetensors"))
    networks = other.networks
    assert networks.negative_prefix.split() == ["<negative>", "<negative>_1", "<negative>_2"]
    ids = networks.tokenizer(networks.negative_prefix).input_ids[1:-1]
    assert torch.equal(networks.text_encoder.get_input_embeddings().weight[ids], vectors)
    changed = other.transfer(photos(1), PROMPTS[:1], SEEDS[:1], QUICK)
    assert not np.array_equal(changed.decoded, plain.decoded)
    assert encode_prompt(networks, "steel").shape == (77, 32)
    save_file({"emb_params": torch.zeros(3, 1024)}, str(tmp_path / "sd2.safetensors"))
    with pytest.raises(InputError, match="vectors of 32 numbers"):
        open_engine(replace(choice, negative_embedding=tmp_path / "sd2.safetensors"))


def test_controlnets_see_their_pictures_and_stop_when_told(tiny, choice, tmp_path):
    from support import tiny_sd

    from pipeline.transfer.engine import open_engine

    folder, file = tiny_sd.write_controlnet(tiny.config, tmp_path)
    engine = open_engine(replace(choice, controlnets=(("depth", folder), ("normal", file))))
    both = [engine.networks.controlnets[kind].state_dict() for kind in ("depth", "normal")]
    assert all(np.array_equal(both[0][name], both[1][name]) for name in both[0])
    white, black = np.full((1, 64, 72, 3), 255, np.uint8), np.zeros((1, 64, 72, 3), np.uint8)

    def run(uses, **pictures):
        settings = replace(QUICK, unet_calls=4, controls=uses)
        return engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], settings, controls=pictures).decoded

    free = run(())
    one = run((ControlUse("depth"),), depth=white)
    assert not np.array_equal(free, one)
    assert not np.array_equal(one, run((ControlUse("depth"),), depth=black))
    assert not np.array_equal(one, run((ControlUse("depth"), ControlUse("normal")), depth=white, normal=white))
    assert np.array_equal(free, run((ControlUse("depth", end=0.0),), depth=white))
    calls = []
    handle = engine.networks.controlnets["depth"].register_forward_hook(lambda *_: calls.append(1))
    run((ControlUse("depth", end=0.5),), depth=white)
    handle.remove()
    assert len(calls) == 2
    with pytest.raises(InputError, match="expected a depth picture"):
        run((ControlUse("depth"),))
    with pytest.raises(InputError, match="expected a ControlNet for canny"):
        run((ControlUse("canny"),), canny=white)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"photos": np.zeros((1, 64, 64, 3), np.float32)}, "of uint8"),
        ({"photos": np.zeros((1, 32, 64, 3), np.uint8)}, "at least 64 pixels"),
        ({"prompts": ["a", "b"]}, "1 prompts"),
        ({"seeds": []}, "1 seeds"),
        ({"seeds": [-1]}, "seeds from 0"),
        ({"prompts": ["steel " * 90]}, "at most 75 tokens"),
        ({"protected": np.zeros((1, 8, 8), bool)}, "protected of shape"),
    ],
)
def test_wrong_input_is_named(engine, changes, message):
    given = {"photos": np.zeros((1, 64, 64, 3), np.uint8), "prompts": ["a"], "seeds": [1], **changes}
    layers = {name: given[name] for name in ("protected",) if name in given}
    with pytest.raises(InputError, match=message):
        engine.transfer(given["photos"], given["prompts"], given["seeds"], QUICK, **layers)


def test_the_tokens_are_clips_and_what_does_not_fit_is_named():
    from pipeline.transfer.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    assert len(tokenizer) == 49408
    # Ids of OpenAI's CLIP, as its own tokenizer gives them.
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer.pad_token_id == 49407
    assert check_prompt("steel " * 75) == 77
    with pytest.raises(InputError, match='its end: "brass bolts"'):
        check_prompt("steel " * 75 + "brass bolts")


@pytest.mark.parametrize(("value", "message"), [(float("nan"), "not finite"), (-100.0, "black picture")])
def test_results_that_are_no_pictures_leave_the_camera_photo(engine, value, message):
    vae = engine.networks.vae
    genuine, calls = vae.decode, []

    def broken(latents, return_dict=True):
        calls.append(1)
        picture = genuine(latents, return_dict=False)[0]
        if len(calls) % 2:
            picture[0] = value
        return (picture,)

    vae.decode = broken
    try:
        result = engine.transfer(photos(2), PROMPTS[:2], SEEDS[:2], replace(QUICK, batch=2))
    finally:
        del vae.decode
    assert message in result.problems[0]
    assert result.problems[1] is None
    assert np.array_equal(result.images[0], photos(2)[0])
    assert not np.array_equal(result.images[1], photos(2)[1])


def test_out_of_memory_halves_the_batch_and_says_so(engine):
    import torch

    genuine, batches = engine.networks.vae.encode, []

    def small(pixels):
        batches.append(len(pixels))
        if len(pixels) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return genuine(pixels)

    engine.networks.vae.encode = small
    try:
        result = engine.transfer(photos(), PROMPTS, SEEDS, replace(QUICK, batch=4))
        again = engine.transfer(photos(), PROMPTS, SEEDS, replace(QUICK, batch=4))
    finally:
        del engine.networks.vae.encode
    assert batches == [4, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert (result.batch, again.batch) == (1, 1)
    assert result.notes == (
        "out of memory at a batch of 4: going on with 2",
        "out of memory at a batch of 2: going on with 1",
    )
    engine.largest_batch = 2**31
    alone = engine.transfer(photos(), PROMPTS, SEEDS, QUICK)
    assert np.array_equal(result.images, alone.images)


def test_no_memory_for_one_photo_is_one_clear_error(engine):
    def never(_):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    engine.networks.vae.encode = never
    try:
        with pytest.raises(EnvironmentProblem, match="memory for one photo"):
            engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], QUICK)
    finally:
        del engine.networks.vae.encode


def test_a_card_that_disappears_is_one_clear_error():
    import torch

    from pipeline.transfer.devices import DeviceLost, device_errors

    with pytest.raises(DeviceLost, match="start the worker anew"), device_errors(torch.device("cuda:0")):
        raise torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might be...")
    with pytest.raises(RuntimeError, match="shape mismatch"), device_errors(torch.device("cuda:0")):
        raise RuntimeError("shape mismatch")


def test_half_precision_on_a_cpu_and_absent_devices_are_refused(choice):
    from pipeline.transfer.load import load

    with pytest.raises(InputError, match="200 times slower"):
        load(replace(choice, dtype="float16"))
    with pytest.raises(EnvironmentProblem, match="expected the graphics card cuda:77"):
        load(replace(choice, device="cuda:77"))
    with pytest.raises(InputError, match="expected a device"):
        load(replace(choice, device="toaster"))


def test_painting_repeats_and_follows_seed_and_prompt(engine):
    settings = PaintSettings(64, 128, steps=3, batch=2)
    pictures = engine.paint(["steel bench", "oak bench", "steel bench"], [1, 1, 2], settings)
    assert pictures.shape == (3, 128, 64, 3)
    assert np.array_equal(engine.paint(["steel bench"], [1], settings)[0], pictures[0])
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_models_check_compares_every_tensor_and_makes_a_picture(tiny, tmp_path, monkeypatch):
    from pipeline.transfer.inspect_model import check_model
    from pipeline.transfer.store import add_model, model_path

    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "models"))
    for name, path in (("one", tiny.file), ("many", tiny.folder)):
        record = add_model(path, name, config=tiny.config)
        picture = tmp_path / f"{name}.png"
        lines = {
            line.what: line.found
            for line in check_model(name, config=tiny.config, device="cpu", dtype="float32", picture=picture)
        }
        assert lines["sha256"] == record.sha256
        assert lines["tensors"].startswith(str(686 + 248 + 2 * 16 + 4))
        assert "finite" in lines["test image"]
        assert cv2.imread(str(picture)).std() > 1
    file = model_path("one")
    with file.open("r+b") as opened:
        opened.seek(-1, os.SEEK_END)
        opened.write(b"\x07")
    with pytest.raises(InputError, match="it was changed"):
        list(check_model("one", config=tiny.config))


def test_models_check_names_missing_tensors_and_wrong_shapes(tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    from pipeline.transfer.checkpoint import find_model
    from pipeline.transfer.inspect_model import compare_shapes

    state = load_file(str(tiny.file))
    name = "model.diffusion_model.middle_block.1.proj_in.weight"
    state[name + "_renamed"] = state.pop(name)
    bias = "first_stage_model.decoder.conv_in.bias"
    state[bias] = state[bias][:-1].contiguous()
    save_file(state, str(tmp_path / "broken.safetensors"))
    with pytest.raises(InputError) as caught:
        compare_shapes(find_model(tmp_path / "broken.safetensors", tiny.config), tiny.config)
    assert f"{name} is missing" in str(caught.value)
    assert f"{bias} is (31,), not (32,)" in str(caught.value)


def test_painted_files_come_with_their_provenance(engine, tmp_path):
    from pipeline.transfer.paint_files import paint_files

    settings = PaintSettings(64, 64, steps=2)
    paths = list(paint_files(engine, None, "scratched steel bench, workshop", 2, 5, settings, tmp_path))
    assert [path.name for path in paths] == ["paint-5.png", "paint-6.png"]
    record = read_json(tmp_path / "paint-5.json")
    assert record["sha256"] == sha256_file(paths[0])
    assert (record["prompt"], record["seed"]) == ("scratched steel bench, workshop", 5)
    assert record["weights"]["checkpoint"] == engine.networks.hashes["checkpoint"]
    again = engine.paint([record["prompt"]], [record["seed"]], PaintSettings(**record["settings"]))
    assert np.array_equal(cv2.imread(str(paths[0]))[..., ::-1], again[0])
    with pytest.raises(InputError, match=r"expected no paint-6\.png"):
        list(paint_files(engine, None, "x", 1, 6, settings, tmp_path))


def test_commands_without_such_a_model_say_what_there_is(tmp_path, monkeypatch):
    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "models"))
    for arguments in (["check", "absent"], ["paint", "absent", "steel", "--out", str(tmp_path)]):
        done = CliRunner().invoke(main, ["models", *arguments])
        assert done.exit_code == 2
        assert "glint models add" in done.stderr
