"""Files that people put in place of a checkpoint are told apart by their headers, without torch."""

from __future__ import annotations

import json
import zipfile

import pytest
from support import safetensors_files

from pipeline.errors import InputError
from pipeline.transfer.checkpoint import expect_checkpoint, find_model
from pipeline.transfer.configs import sd15_config

UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."
CONTEXT = UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


def ldm(channels=4, context=768, unet=686, vae=248, text=196, first=320):
    shapes = {UNET + "input_blocks.0.0.weight": (first, channels, 3, 3), CONTEXT: (320, context)}
    shapes |= {f"{UNET}w{i}": (1,) for i in range(max(unet - 2, 0))} if unet else {}
    shapes |= {f"{VAE}w{i}": (1,) for i in range(vae)}
    return shapes | {f"{TEXT}w{i}": (1,) for i in range(text)}


WRONG = {
    "SDXL": (ldm() | {"conditioner.embedders.0.transformer.w": (1,)}, "found an SDXL checkpoint"),
    "SD2": (ldm(context=1024), "found a Stable Diffusion 2 checkpoint"),
    "inpainting": (ldm(channels=9), "inpainting checkpoint"),
    "edit": (ldm(channels=8), "8 channels"),
    "SD3": ({"model.diffusion_model.joint_blocks.0.w": (1,)}, "Stable Diffusion 3"),
    "Flux": ({"double_blocks.0.img_attn.qkv.weight": (1, 1)}, "Flux"),
    "VAE": ({"encoder.down.0.block.0.conv1.weight": (1, 1, 3, 3), "decoder.conv_in.bias": (1,)}, "found a VAE alone"),
    "UNet": ({"down_blocks.0.w": (1,), "time_embedding.linear_1.weight": (1, 1)}, "found a UNet alone"),
    "text encoder": ({"text_model.embeddings.token_embedding.weight": (9, 9)}, "found a text encoder alone"),
    "no text encoder": (ldm(text=0), "found no text encoder"),
    "no VAE and no text encoder": (ldm(vae=0, text=0), "found no VAE and no text encoder"),
    "half a UNet": (ldm(unet=400), "expected 686 tensors of the UNet"),
    "narrow UNet": (ldm(first=128), "this is not Stable Diffusion 1.5"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_checkpoint_is_named(what, tmp_path):
    shapes, message = WRONG[what]
    with pytest.raises(InputError, match=message):
        find_model(safetensors_files.write(tmp_path / "x.safetensors", shapes), sd15_config())


@pytest.mark.parametrize(
    ("shapes", "kind", "words"),
    [
        ({"lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight": (320, 4)}, "lora", "LoRA"),
        ({"unet.down_blocks.0.attentions.0.proj_in.lora_A.weight": (4, 320)}, "lora", "LoRA"),
        ({"emb_params": (16, 768)}, "embedding", "embedding"),
        ({"control_model.input_hint_block.0.weight": (16, 3, 3, 3)}, "controlnet", "ControlNet"),
    ],
)
def test_what_serves_beside_a_checkpoint_is_no_checkpoint(shapes, kind, words, tmp_path):
    found = find_model(safetensors_files.write(tmp_path / "x.safetensors", shapes), sd15_config())
    assert found.kind == kind
    with pytest.raises(InputError, match=rf"expected a Stable Diffusion 1\.5 checkpoint, found .*{words}"):
        expect_checkpoint(found)


def test_a_checkpoint_of_the_right_shapes_is_taken(tmp_path):
    found = find_model(safetensors_files.write(tmp_path / "x.safetensors", ldm()), sd15_config())
    assert (found.kind, found.layout, found.dtypes()) == ("sd15", "file", {"F16": 686 + 248 + 196})


@pytest.mark.parametrize("keep", [4, 100, -1])
def test_truncated_files_are_named(keep, tmp_path):
    path = safetensors_files.write(tmp_path / "x.safetensors", ldm())
    data = path.read_bytes()
    path.write_bytes(data[:keep])
    with pytest.raises(InputError, match=r"truncated|another kind of file"):
        find_model(path, sd15_config())


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt", "renamed.safetensors"])
def test_pickles_are_refused_with_the_way_to_convert_them(name, tmp_path):
    with zipfile.ZipFile(tmp_path / name, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}.")
    with pytest.raises(InputError, match="PyTorch pickle") as caught:
        find_model(tmp_path / name, sd15_config())
    assert "save_file" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"GIF89a" * 10, (30).to_bytes(8, "little") + b"x" * 40])
def test_other_files_are_named(content, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"expected a \.safetensors file"):
        find_model(path, sd15_config())


def folder(root, without=None, pipeline="StableDiffusionPipeline", context=768, suffix=".safetensors"):
    config = sd15_config()
    (root / "model_index.json").parent.mkdir(parents=True)
    (root / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    for part, stem in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        if part == without:
            continue
        (root / part).mkdir()
        changes = {"cross_attention_dim": context} if part == "unet" else {}
        (root / part / "config.json").write_text(json.dumps(config.read(part) | changes))
        safetensors_files.write(root / part / f"{stem}{suffix}", {"w": (1,)})
    return root


@pytest.mark.parametrize("suffix", [".safetensors", ".fp16.safetensors"])
def test_folders_are_taken(suffix, tmp_path):
    found = find_model(folder(tmp_path / "m", suffix=suffix), sd15_config())
    assert (found.layout, found.variant) == ("folder", "fp16" if "fp16" in suffix else None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"without": "vae"}, "component is missing"),
        ({"pipeline": "StableDiffusionXLPipeline"}, "found StableDiffusionXLPipeline"),
        ({"context": 1024}, "cross_attention_dim = 768 .*found 1024"),
        ({"suffix": ".bin"}, "PyTorch pickle"),
        ({"suffix": ".other"}, "found none; copy the whole folder"),
    ],
)
def test_wrong_folders_are_named(changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        find_model(folder(tmp_path / "m", **changes), sd15_config())


def test_a_folder_that_is_no_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"expected model_index\.json"):
        find_model(tmp_path, sd15_config())
