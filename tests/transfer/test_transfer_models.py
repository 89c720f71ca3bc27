"""Weights become networks: files, folders, LoRAs, embeddings, ControlNets, and `models check`."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.transfer_photos import PROMPTS, QUICK, SEEDS, photos

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.transfer.settings import ControlUse

pytestmark = pytest.mark.torch


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


def test_half_precision_on_a_cpu_and_absent_devices_are_refused(choice):
    from pipeline.transfer.load import load

    with pytest.raises(InputError, match="200 times slower"):
        load(replace(choice, dtype="float16"))
    with pytest.raises(EnvironmentProblem, match="expected the graphics card cuda:77"):
        load(replace(choice, device="cuda:77"))
    with pytest.raises(InputError, match="expected a device"):
        load(replace(choice, device="toaster"))


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
    from pipeline.transfer.tensor_shapes import compare_shapes

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


@pytest.fixture
def added(tiny, tmp_path, monkeypatch):
    """Adds a file or folder to a store of its own and checks it; returns what was found, by what it is."""
    from pipeline.transfer.inspect_model import check_model
    from pipeline.transfer.store import add_model

    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "models"))

    def check(path, **options):
        name = add_model(path, path.name.replace(".", "-"), config=tiny.config).name
        return {line.what: line.found for line in check_model(name, config=tiny.config, **options)}

    return check


ATTENTION = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"


def test_models_check_compares_every_tensor_of_a_controlnet(tiny, added, tmp_path):
    from safetensors.torch import load_file, save_file
    from support import tiny_sd

    folder, file = tiny_sd.write_controlnet(tiny.config, tmp_path)
    count = len(load_file(str(file)))
    assert added(folder)["tensors"].startswith(f"{count}, ")
    assert added(file)["tensors"].startswith(f"{count}, ")
    state = load_file(str(file))
    del state["control_model.zero_convs.3.0.weight"]
    state["control_model.input_hint_block.4.weight"] = state["control_model.input_hint_block.4.weight"][:5].clone()
    save_file(state, str(tmp_path / "broken.safetensors"))
    with pytest.raises(InputError, match=r"zero_convs\.3\.0\.weight is missing") as caught:
        added(tmp_path / "broken.safetensors")
    assert "input_hint_block.4.weight is (5," in str(caught.value)


@pytest.mark.parametrize("kohya", [False, True])
def test_models_check_knows_the_layers_of_a_lora(tiny, added, tmp_path, kohya):
    from support import tiny_sd

    tiny_sd.write_lora(tmp_path / "fits.safetensors", ATTENTION, 64, 64, kohya)
    assert added(tmp_path / "fits.safetensors")["layers"].startswith("1, each with the shapes")
    tiny_sd.write_lora(tmp_path / "wide.safetensors", ATTENTION, 64, 80, kohya)
    with pytest.raises(InputError, match=r"is \(2, 64\) and \(80, 2\), for a layer of \(64, 64\)"):
        added(tmp_path / "wide.safetensors")
    tiny_sd.write_lora(tmp_path / "elsewhere.safetensors", ATTENTION.replace("blocks.0", "blocks.7"), 64, 64, kohya)
    with pytest.raises(InputError, match=r"for Stable Diffusion 1\.5"):
        added(tmp_path / "elsewhere.safetensors")


def test_models_check_knows_every_name_that_a_layer_of_a_lora_goes_by(tiny, added, tmp_path):
    import torch
    from safetensors.torch import save_file

    pairs = {
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_q": ("lora_down", "lora_up"),
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0": ("lora_down", "lora_up"),
        "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora": ("down", "up"),
        "lora_te_text_model_encoder_layers_0_self_attn_q_proj": ("lora_down", "lora_up"),
    }
    size = {"lora_te": 32}
    state = {}
    for layer, (down, up) in pairs.items():
        side = size.get(layer[:7], 64)
        state[f"{layer}.{down}.weight"] = torch.zeros(2, side)
        state[f"{layer}.{up}.weight"] = torch.zeros(side, 2)
    state["lora_unet_mid_block_resnets_0_conv1.lora_down.weight"] = torch.zeros(2, 64, 3, 3)
    state["lora_unet_mid_block_resnets_0_conv1.lora_up.weight"] = torch.zeros(64, 2, 1, 1)
    save_file(state, str(tmp_path / "many.safetensors"))
    assert added(tmp_path / "many.safetensors")["layers"].startswith("5, ")
    del state["lora_unet_mid_block_resnets_0_conv1.lora_up.weight"]
    save_file(state, str(tmp_path / "half.safetensors"))
    with pytest.raises(InputError, match="lora_unet_mid_block_resnets_0_conv1 has only its down half"):
        added(tmp_path / "half.safetensors")


def test_models_check_counts_the_vectors_of_an_embedding(added, tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"emb_params": torch.zeros(3, 32)}, str(tmp_path / "negative.safetensors"))
    assert added(tmp_path / "negative.safetensors")["vectors"].startswith("3 of 32 numbers")
    with pytest.raises(InputError, match="of which alone a test image is made"):
        added(tmp_path / "negative.safetensors", picture=tmp_path / "test.png")


def test_the_test_image_goes_where_it_is_said_or_the_command_says_why_not(tiny, added, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.png for --picture, found 'test\.bmp'"):
        added(tiny.file, picture=tmp_path / "test.bmp")
    with pytest.raises(InputError, match=r"a folder to write test\.png in, found no .*absent; make it first"):
        added(tiny.file, picture=tmp_path / "absent" / "test.png")


PARTS_OF_FOLDER = {
    "unet": ("unet/diffusion_pytorch_model.safetensors", "mid_block.attentions.0.proj_in.weight"),
    "vae": ("vae/diffusion_pytorch_model.safetensors", "decoder.conv_in.bias"),
    "text_encoder": ("text_encoder/model.safetensors", "encoder.layers.1.mlp.fc1.weight"),
}
PARTS_OF_FILE = {
    "unet": "model.diffusion_model.middle_block.1.proj_in.weight",
    "vae": "first_stage_model.decoder.conv_in.bias",
    "text_encoder": "cond_stage_model.transformer.text_model.encoder.layers.1.mlp.fc1.weight",
}


def rename(path, name, new=None):
    """Rename the tensor whose name ends with *name* in the file at *path*, or leave it out; returns its name."""
    from safetensors.torch import load_file, save_file

    state = load_file(str(path))
    (found,) = (one for one in state if one.endswith(name))
    value = state.pop(found)
    if new is not None:
        state[found.replace(name, new)] = value
    save_file(state, str(path), {"format": "pt"})
    return found


@pytest.mark.parametrize("part", PARTS_OF_FOLDER)
def test_a_folder_that_lacks_a_tensor_is_refused_by_its_name(tiny, choice, tmp_path, part):
    from pipeline.transfer.load import load

    file, name = PARTS_OF_FOLDER[part]
    folder = shutil.copytree(tiny.folder, tmp_path / "model")
    rename(folder / file, name)
    with pytest.raises(InputError, match=rf"{re.escape(name)} is missing.*; download or copy the whole model"):
        load(replace(choice, checkpoint=folder))


@pytest.mark.parametrize("part", PARTS_OF_FILE)
def test_a_file_with_a_renamed_tensor_is_refused_by_its_name(tiny, choice, tmp_path, part):
    from pipeline.transfer.load import load

    name = PARTS_OF_FILE[part]
    file = shutil.copyfile(tiny.file, tmp_path / "model.safetensors")
    rename(file, name, f"{name}_renamed")
    with pytest.raises(InputError, match=rf"{re.escape(name)} is missing.*; download or copy the whole model"):
        load(replace(choice, checkpoint=file))


def test_a_controlnet_that_lacks_a_tensor_is_refused_by_its_name(tiny, choice, tmp_path):
    from support import tiny_sd

    from pipeline.transfer.load import load

    folder, _ = tiny_sd.write_controlnet(tiny.config, tmp_path)
    rename(folder / "diffusion_pytorch_model.safetensors", "time_embedding.linear_1.bias")
    with pytest.raises(InputError, match=r"time_embedding\.linear_1\.bias is missing"):
        load(replace(choice, controlnets=(("depth", folder),)))


def test_folders_of_older_libraries_hold_the_same_networks(tiny, choice, tmp_path):
    import torch

    from pipeline.transfer.load import load

    folder = shutil.copytree(tiny.folder, tmp_path / "model")
    vae, text = (folder / PARTS_OF_FOLDER[part][0] for part in ("vae", "text_encoder"))
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for side in ("encoder", "decoder"):
        for new, word in old.items():
            for kind in ("weight", "bias"):
                at = f"{side}.mid_block.attentions.0"
                rename(vae, f"{at}.{new}.{kind}", f"{at}.{word}.{kind}")
    rename(text, "final_layer_norm.bias", "text_model.final_layer_norm.bias")
    wanted, found = load(choice), load(replace(choice, checkpoint=folder))
    for part in PARTS_OF_FOLDER:
        expected, state = (getattr(networks, part).state_dict() for networks in (wanted, found))
        assert all(torch.equal(state[name], expected[name]) for name in expected)


STRANGE = {
    "no prefix": (f"{ATTENTION}.lora_A.weight", f"{ATTENTION}.lora_B.weight"),
    "ComfyUI": (f"diffusion_model.{ATTENTION}.lora_A.weight", f"diffusion_model.{ATTENTION}.lora_B.weight"),
    "peft": (f"base_model.model.unet.{ATTENTION}.lora_A.weight", f"base_model.model.unet.{ATTENTION}.lora_B.weight"),
    "adapter": (f"unet.{ATTENTION}.lora_A.default.weight", f"unet.{ATTENTION}.lora_B.default.weight"),
    "original": (
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_down.weight",
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_up.weight",
    ),
    "other network": (f"te.{ATTENTION}.lora_A.weight", f"te.{ATTENTION}.lora_B.weight"),
}


@pytest.mark.parametrize("names", STRANGE.values(), ids=STRANGE)
def test_a_lora_that_diffusers_would_leave_out_is_refused_where_it_is_loaded(choice, tmp_path, names):
    import torch
    from safetensors.torch import save_file

    from pipeline.transfer.load import LoraUse, load

    known = f"unet.{ATTENTION.replace('to_q', 'to_k')}"
    state = {f"{known}.lora_A.weight": torch.ones(2, 64), f"{known}.lora_B.weight": torch.ones(64, 2)}
    save_file(state | {names[0]: torch.ones(2, 64), names[1]: torch.ones(64, 2)}, str(tmp_path / "look.safetensors"))
    with pytest.raises(InputError, match=r"expected a LoRA for Stable Diffusion 1\.5"):
        load(replace(choice, loras=(LoraUse(tmp_path / "look.safetensors"),)))


def test_a_lora_is_refused_unless_every_layer_of_it_gets_an_adapter(choice, tmp_path, monkeypatch):
    from support import tiny_sd

    from pipeline.transfer import load

    tiny_sd.write_lora(tmp_path / "look.safetensors", ATTENTION, 64, 64)
    monkeypatch.setattr(load, "compare_lora", lambda *_: 2)
    with pytest.raises(InputError, match=r"take all 2 layers of the LoRA .*, found that it took 1"):
        load.load(replace(choice, loras=(load.LoraUse(tmp_path / "look.safetensors"),)))


@pytest.mark.parametrize(("down", "up"), [((2, 64), (64, 2)), ((2, 64, 3, 3), (64, 2, 1, 1))])
def test_factors_of_another_shape_than_their_convolution_are_refused(tiny, added, tmp_path, down, up):
    import torch
    from safetensors.torch import save_file

    layer = "lora_unet_mid_block_attentions_0_proj_in"
    state = {f"{layer}.lora_down.weight": torch.zeros(down), f"{layer}.lora_up.weight": torch.zeros(up)}
    save_file(state, str(tmp_path / "proj.safetensors"))
    with pytest.raises(InputError, match=r"proj_in is .* for a layer of \(64, 64, 1, 1\)"):
        added(tmp_path / "proj.safetensors")


def test_memory_that_runs_out_while_networks_are_loaded_is_a_problem_of_the_machine(choice, monkeypatch):
    import torch

    from pipeline.transfer import load

    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(load, "_settle", full)
    load.forget()
    with pytest.raises(EnvironmentProblem, match="expected memory for the weights of"):
        load.load(choice)


@pytest.mark.parametrize(
    ("file", "text"), [("unet", ""), ("unet", "[1]"), ("vae", '{"latent_channels": 4, "block_out_channels": "x"}')]
)
def test_a_folder_with_a_broken_config_is_refused(tiny, choice, tmp_path, file, text):
    from pipeline.transfer.load import load

    folder = shutil.copytree(tiny.folder, tmp_path / "model")
    (folder / file / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"expected (the config of a network|configs of the networks)"):
        load(replace(choice, checkpoint=folder))
