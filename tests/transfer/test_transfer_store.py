"""The store of models: whole entries, checksums, licences; pulling from a hub that is a function here."""

from __future__ import annotations

import hashlib

import pytest
from click.testing import CliRunner
from support import safetensors_files

from pipeline.cli import main
from pipeline.errors import EnvironmentProblem, InputError
from pipeline.tables import names
from pipeline.transfer.pull import known_model, pull
from pipeline.transfer.store import ModelMissing, add_model, list_models, model_path, model_record, whole_model

_LAYER = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def lora(path, rank=4):
    return safetensors_files.write(path, {"lora_unet_mid_block.lora_up.weight": (8, rank)})


def test_an_added_file_is_found_with_its_checksum_and_licence(tmp_path):
    file = lora(tmp_path / "My Look (v2).safetensors")
    record = add_model(file, licence="CC0-1.0")
    assert record.name == "My-Look-v2"
    assert record.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert list_models() == [record]
    assert model_record("My-Look-v2").licence == "CC0-1.0"
    assert model_path("My-Look-v2", "lora").read_bytes() == file.read_bytes()
    with pytest.raises(InputError, match="of kind sd15, found lora"):
        model_path("My-Look-v2", "sd15")


def test_the_same_weights_may_be_added_again_and_others_may_not(tmp_path):
    first = add_model(lora(tmp_path / "a.safetensors"), "look")
    assert add_model(tmp_path / "a.safetensors", "look") == first
    with pytest.raises(InputError, match="other weights"):
        add_model(lora(tmp_path / "b.safetensors", rank=2), "look")


def test_weights_that_were_lost_are_put_back_by_adding_them_again(tmp_path):
    file = lora(tmp_path / "a.safetensors")
    record = add_model(file, "look")
    stored = model_path("look")
    for spoil in (lambda: stored.write_bytes(stored.read_bytes()[:-3]), stored.unlink):
        spoil()
        assert add_model(file, "look") == record
        assert stored.read_bytes() == file.read_bytes()


def test_a_licence_may_be_named_later(tmp_path):
    file = lora(tmp_path / "a.safetensors")
    add_model(file, "look")
    assert add_model(file, "look", licence="CC0-1.0").licence == "CC0-1.0"
    assert add_model(file, "look").licence == "CC0-1.0"
    assert model_record("look").licence == "CC0-1.0"


def test_weights_that_are_gone_or_cut_count_as_missing(tmp_path):
    file = lora(tmp_path / "a.safetensors")
    add_model(file, "look")
    assert whole_model("look", "lora").bytes == file.stat().st_size
    with model_path("look").open("ab") as opened:
        opened.write(b"x")
    with pytest.raises(ModelMissing, match=rf"expected {file.stat().st_size} bytes of the model 'look'"):
        whole_model("look", "lora")
    model_path("look").unlink()
    with pytest.raises(ModelMissing, match="found 0; add it again"):
        whole_model("look", "lora")


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"clip_l": (2, 768), "clip_g": (2, 1280)}, "an embedding for Stable Diffusion 1.5 in"),
        ({"emb_params": (2, 1024)}, "one tensor of vectors of 768 numbers"),
        ({"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3), "add_embedding.linear_1.bias": (8,)}, "for SDXL"),
        (
            {"control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 1024)},
            "one that takes prompts of 1024 numbers",
        ),
        ({f"{_LAYER}.lora_A.default.weight": (4, 320)}, "no part of a pair that is known"),
        ({"diffusion_model.mid_block.to_q.lora_A.weight": (4, 320)}, "names neither network"),
    ],
)
def test_files_of_other_kinds_are_refused_when_they_are_added(tmp_path, models, shapes, said):
    file = safetensors_files.write(tmp_path / "other.safetensors", shapes)
    done = CliRunner().invoke(main, ["models", "add", str(file)])
    assert done.exit_code == 2
    assert said in done.stderr
    assert not models.exists()


def test_a_lora_of_the_text_encoder_alone_is_one(tmp_path):
    names = [f"text_encoder.layers.0.self_attn.to_q_proj.lora_linear_layer.{side}.weight" for side in ("down", "up")]
    file = safetensors_files.write(tmp_path / "te.safetensors", dict.fromkeys(names, (4, 4)))
    assert add_model(file).kind == "lora"


def test_a_folder_with_a_lora_says_to_name_the_file(tmp_path):
    lora(tmp_path / "pytorch_lora_weights.safetensors")
    with pytest.raises(InputError, match=r"found pytorch_lora_weights\.safetensors; name the file itself"):
        add_model(tmp_path)


_TO_K = "down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (4, 1280)}, "one for SDXL"),
        ({"text_encoder_2.text_model.encoder.layers.0.mlp.fc1.lora_A.weight": (4, 1280)}, "one for SDXL"),
        ({"unet.mid_block.attentions.0.transformer_blocks.5.attn1.to_q.lora_A.weight": (4, 1280)}, "one for SDXL"),
        ({f"lora_unet_{_TO_K}.lora_down.weight": (4, 2048)}, f"one for SDXL: lora_unet_{_TO_K}"),
        ({"unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_v.lora_A.weight": (4, 1024)}, "one for Stable"),
        ({"unet.mid_block.attn2.processor.to_v_lora.down.weight": (4, 640)}, "takes vectors of 640 numbers, not 768"),
    ],
)
def test_a_lora_for_another_model_is_refused_by_name(tmp_path, models, shapes, said):
    file = safetensors_files.write(tmp_path / "other.safetensors", shapes)
    done = CliRunner().invoke(main, ["models", "add", str(file)])
    assert done.exit_code == 2
    assert "expected a LoRA for Stable Diffusion 1.5" in done.stderr
    assert said in done.stderr
    assert not models.exists()


def test_a_lora_for_sd15_is_taken_by_both_kinds_of_names(tmp_path):
    names = (f"lora_unet_{_TO_K}.lora_down.weight", "unet.mid_block.transformer_blocks.0.attn2.to_k.lora_A.weight")
    for index, name in enumerate(names):
        file = safetensors_files.write(tmp_path / f"{index}.safetensors", {name: (4, 768)})
        assert add_model(file).kind == "lora"


def test_an_add_that_fails_leaves_nothing(tmp_path, models, monkeypatch):
    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.transfer.store.shutil.copyfile", broken)
    with pytest.raises(EnvironmentProblem, match="No space left"):
        add_model(lora(tmp_path / "a.safetensors"))
    assert list(models.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "", "a/b", ".hidden"])
def test_names_stay_within_the_store(name, tmp_path):
    with pytest.raises(InputError, match="a name of letters"):
        model_path(name) if not name else add_model(lora(tmp_path / "a.safetensors"), name)


def test_the_folder_that_one_is_in_is_named_after_itself(tmp_path, monkeypatch):
    folder = tmp_path / "control v1"
    folder.mkdir()
    safetensors_files.write(
        folder / "diffusion_pytorch_model.safetensors", {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3)}
    )
    (folder / "config.json").write_text('{"_class_name": "ControlNetModel"}')
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(main, ["models", "add", "."])
    assert (done.exit_code, [record.name for record in list_models()]) == (0, ["control-v1"])
    assert (model_path("control-v1") / "config.json").is_file()


def test_an_unknown_model_names_those_there_are(tmp_path):
    add_model(lora(tmp_path / "a.safetensors"), "look")
    with pytest.raises(InputError, match="found look; add it"):
        model_path("other")


def fake_hub(content):
    def download(repo, file, folder):
        assert repo == known_model("lcm_lora").repo
        path = folder / file
        path.write_bytes(content)
        return path

    return download


def test_a_pulled_model_is_recorded_with_its_licence(tmp_path, models):
    content = lora(tmp_path / "a.safetensors").read_bytes()
    record = pull("lcm_lora", accept_licence=True, download=fake_hub(content))
    assert (record.name, record.kind, record.licence) == ("lcm_lora", "lora", "OpenRAIL++-M")
    assert record.source.startswith("https://huggingface.co/")
    assert model_path("lcm_lora").read_bytes() == content
    assert not (models / ".downloads" / "lcm_lora").exists()


def test_a_licence_must_be_accepted_first():
    with pytest.raises(InputError, match="OpenRAIL"):
        pull("lcm_lora", accept_licence=False, download=fake_hub(b""))


def test_a_download_with_another_checksum_is_thrown_away(tmp_path, models):
    def download(_, file, folder):
        return lora(folder / file)

    with pytest.raises(EnvironmentProblem, match="expected SHA-256 22c7896047"):
        pull("cyberrealistic_v9", accept_licence=True, download=download)
    assert list_models() == []
    assert not list(models.rglob("*.safetensors"))


def test_several_files_become_one_folder(models):
    def download(_, file, folder):
        path = folder / file
        if file.endswith(".json"):
            path.write_text('{"_class_name": "ControlNetModel"}')
            return path
        return safetensors_files.write(path, {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3)})

    record = pull("controlnet_depth", accept_licence=True, download=download)
    assert record.kind == "controlnet"
    assert sorted(p.name for p in model_path("controlnet_depth").iterdir()) == [
        "config.json",
        "diffusion_pytorch_model.fp16.safetensors",
    ]


@pytest.mark.torch
def test_without_a_network_the_exit_code_is_3(monkeypatch):
    import huggingface_hub

    def unreachable(*_, **__):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    done = CliRunner().invoke(main, ["models", "pull", "sd15", "--accept-licence"])
    assert done.exit_code == 3
    assert "check the network" in done.stderr
    assert "CreativeML OpenRAIL-M" in done.stderr


def test_commands_show_what_there_is(tmp_path):
    file = lora(tmp_path / "look.safetensors")
    run = CliRunner().invoke
    assert run(main, ["models", "add", str(file), "--licence", "mine"]).exit_code == 0
    listed = run(main, ["models", "list"])
    assert listed.exit_code == 0
    assert "look: lora" in listed.stdout
    assert "licence: mine" in listed.stdout
    assert "can be pulled: cyberrealistic_v9" in listed.stdout
    refused = run(main, ["models", "pull", "sd15"])
    assert refused.exit_code == 2
    assert "--accept-licence" in refused.stderr
    assert run(main, ["models", "pull", "nothing"]).exit_code == 2
    assert run(main, ["models", "add", str(tmp_path / "absent.safetensors")]).exit_code == 2


def test_every_known_model_is_complete():
    for name in names("models"):
        model = known_model(name)
        assert model.page.startswith("https://huggingface.co/" + model.repo)
        assert model.licence
        assert model.note
        assert model.sha256 is None or (len(model.files) == 1 and len(model.sha256) == 64)
