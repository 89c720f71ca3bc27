"""The stage `transfer` with real renders and a tiny model in the real layout: from a spec to tables that verify."""

from __future__ import annotations

import numpy as np
import pytest
from support.fake_builds import ROOT, fingerprint

from pipeline.dataset import open_dataset
from pipeline.dataset.build import open_build
from pipeline.dataset.verify import verify
from pipeline.errors import EnvironmentProblem, InputError
from pipeline.graph.build import BuildOptions, build_dataset

pytestmark = pytest.mark.torch

SMOKE = (ROOT / "scenes" / "smoke.toml").read_text().replace("per_view = 2", "per_view = 6")
REAL_STAGES = "pipeline.graph.stages:STAGES"


@pytest.fixture
def tiny_model(tiny, tmp_path, monkeypatch):
    """The tiny model under the name "tiny" in the models of this machine, with its ControlNet-free config."""
    from pipeline.transfer import place, store

    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(place, "sd15_config", lambda: tiny.config)
    return store.add_model(tiny.file, "tiny", licence="CC0-1.0", config=tiny.config)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """One dataset folder for all tests: the scene is rendered once."""
    return tmp_path_factory.mktemp("datasets") / "smoke"


def build(folder, dataset, *lines, **options):
    spec = folder / "smoke.toml"
    use = [] if any(line.startswith("use = ") for line in lines) else ['use = "required"']
    spec.write_text(SMOKE + '\n[transfer]\nmodel = "tiny"\n' + "\n".join([*use, *lines]) + "\n")
    settings = {"sync": True, "device": "cpu", "dtype": "float32", "stages": REAL_STAGES, **options}
    return build_dataset(spec, dataset, BuildOptions(quiet=True, **settings))


def pictures(dataset):
    opened = open_dataset(dataset)
    return [(opened.photo(name), opened.image(name)) for name in opened.photo_ids()]


def test_a_generator_of_nonsense_changes_no_photo(tmp_path, dataset, tiny_model, monkeypatch):
    from pipeline.transfer import engine

    encoded, real = [], engine.encode
    monkeypatch.setattr(engine, "encode", lambda *both: encoded.append(1) or real(*both))
    build(tmp_path, dataset, 'method = "plain"', "strength = 0.3", "unet_calls = 2")
    for photo, _ in pictures(dataset):
        assert (photo["origin"], photo["gate_passed"]) == ("camera", False)
        assert photo["gate_reason"].count("strength") == 3
    record = open_build(dataset).record.transfer
    assert (record.tried, record.kept, record.weights) == (6, 0, {"checkpoint": tiny_model.sha256})
    assert len(encoded) == 6  # once a photo, however many strengths were tried
    assert verify(dataset).problems == ()


def test_a_change_that_keeps_the_labels_becomes_the_photo(tmp_path, dataset, tiny_model):
    lines = ('method = "residual"', "unet_calls = 2", "keep_camera = true", "[transfer.residual]", "gain = 0.2")
    result = build(tmp_path, dataset, *lines)
    kept = [(photo, image) for photo, image in pictures(dataset) if photo["gate_passed"]]
    assert kept, result.transfer
    for photo, image in kept:
        assert (photo["origin"], photo["transfer_model"], photo["transfer_strength"]) == ("sd15", "tiny", 0.2)
        camera = open_dataset(dataset).camera_image(photo["photo_id"])
        assert 0 < np.abs(image.astype(int) - camera).max() < 128
        instance = open_dataset(dataset).instance_ids(photo["view_id"])
        border = np.zeros_like(instance, bool)
        border[:, 1:] = instance[:, 1:] != instance[:, :-1]
        if photo["distortion"] is None or not any(photo["distortion"]):
            assert (image[border] == camera[border]).all()  # silhouettes keep their bytes
    prompts = {row["prompt"] for row in open_dataset(dataset).table("transfers").to_pylist()}
    assert all("softbox" in prompt for prompt in prompts)
    assert verify(dataset).problems == ()


def test_one_and_two_threads_give_the_same_bytes(tmp_path, dataset, tiny_model):
    found = []
    for threads, out in ((1, dataset), (2, tmp_path / "again")):
        build(tmp_path, out, "unet_calls = 1", batch=4, threads=threads)
        rows = open_dataset(out).table("transfers").to_pylist()
        assert {row["batch"] for row in rows} == {4}
        found.append([(row["photo_id"], row["try_index"], row["sha256"], row["scores"]) for row in rows])
    assert found[0] == found[1]


def test_a_prompt_that_is_too_long_leaves_the_camera_photo(tmp_path, dataset, tiny_model):
    build(tmp_path, dataset, f'prompts = ["{"shiny " * 90}"]')
    assert {photo["origin"] for photo, _ in pictures(dataset)} == {"camera"}
    problems = {row["problem"] for row in open_dataset(dataset).table("transfers").to_pylist()}
    assert len(problems) == 1
    assert "at most 75 tokens" in problems.pop()


def test_numbers_that_are_not_finite_never_become_a_photo(tmp_path, dataset, tiny, monkeypatch):
    from safetensors.torch import load_file, save_file

    from pipeline.transfer import place, store

    weights = load_file(str(tiny.file))
    weights["first_stage_model.decoder.conv_out.bias"][:] = float("nan")
    save_file(weights, str(tmp_path / "broken.safetensors"))
    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(place, "sd15_config", lambda: tiny.config)
    store.add_model(tmp_path / "broken.safetensors", "tiny", config=tiny.config)
    build(tmp_path, dataset, "unet_calls = 1")
    assert {photo["origin"] for photo, _ in pictures(dataset)} == {"camera"}
    tries = open_dataset(dataset).table("transfers").to_pylist()
    assert all("not finite" in row["problem"] for row in tries)
    assert {row["try_index"] for row in tries} == {1, 2}  # no round trip: limits are not calibrated on it
    assert verify(dataset).problems == ()


def test_memory_that_runs_out_halves_the_batch_of_the_whole_build(tmp_path, dataset, tiny_model, monkeypatch):
    import torch

    from pipeline.transfer import engine, shared_engine

    real = engine._transfer_batch

    def small(networks, photos, settings, counter):
        if settings.batch > 2:
            raise torch.OutOfMemoryError("out of memory")
        return real(networks, photos, settings, counter)

    shared_engine._engines.clear()
    build(tmp_path, dataset, "unet_calls = 1", batch=2)
    wanted = fingerprint(dataset)
    monkeypatch.setattr(engine, "_transfer_batch", small)
    result = build(tmp_path, tmp_path / "small", "unet_calls = 1", batch=8)
    shared_engine._engines.clear()
    assert {row["batch"] for row in open_dataset(tmp_path / "small").table("transfers").to_pylist()} == {2}
    assert "every call held 2 photos instead of 8" in result.transfer
    found = {name: digest for name, digest in fingerprint(tmp_path / "small").items() if name.startswith("store/")}
    assert found == {name: wanted[name] for name in found}  # key -> bytes, as if --batch 2 had been said at once
    assert verify(tmp_path / "small").problems == ()


def test_a_card_that_goes_away_stops_the_build_and_the_next_run_goes_on(tmp_path, dataset, tiny_model, monkeypatch):
    from pipeline.transfer import engine
    from pipeline.transfer.devices import DeviceLost

    with monkeypatch.context() as broken:
        broken.setattr(engine.Engine, "transfer", _lost(DeviceLost("expected cuda:0 to go on working, found: gone")))
        with pytest.raises(EnvironmentProblem, match="go on working"):
            build(tmp_path, dataset, "unet_calls = 3")
    assert build(tmp_path, dataset, "unet_calls = 3").scenes == 1
    assert verify(dataset).problems == ()


def _lost(error):
    def transfer(*_arguments, **_settings):
        raise error

    return transfer


def test_a_model_that_is_not_here_stops_the_build(tmp_path, dataset, tiny_model, monkeypatch):
    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "none"))
    with pytest.raises(EnvironmentProblem, match="expected a model 'tiny'"):
        build(tmp_path, dataset)


@pytest.mark.parametrize("use", ["auto", "required"])
def test_a_negative_prompt_that_is_too_long_is_told_before_anything_is_rendered(tmp_path, tiny_model, use):
    with pytest.raises(InputError, match=r"transfer\.negative_prompt: expected .* at most 75 tokens, found 80"):
        build(tmp_path, tmp_path / "out", f'use = "{use}"', f'negative_prompt = "{"rust " * 80}"')
    assert not list(tmp_path.glob("out/store/render/*"))


def test_the_words_of_an_embedding_count_before_the_negative_prompt(tmp_path, tiny, tiny_model):
    import torch
    from safetensors.torch import save_file

    from pipeline.graph.stage import Machine
    from pipeline.graph.transfer_stage import TransferStage
    from pipeline.spec.transfer import TransferSpec
    from pipeline.transfer import store
    from pipeline.transfer.shared_engine import shared_engine
    from pipeline.transfer.text import conditions_of

    save_file({"emb_params": torch.zeros(8, 32)}, str(tmp_path / "bad.safetensors"))
    save_file({"emb_params": torch.zeros(8, 1024)}, str(tmp_path / "sd2.safetensors"))
    store.add_model(tmp_path / "bad.safetensors", "bad", config=tiny.config)
    with pytest.raises(InputError, match=r"vectors of 32 numbers in .*, found 8 x 1024"):
        store.add_model(tmp_path / "sd2.safetensors", "sd2", config=tiny.config)
    machine = Machine(threads=1, device="cpu", dtype="float32")

    def spec(words, guidance=2.0):
        negative = " ".join(["rust"] * words)
        return TransferSpec("tiny", (0.2,), 1, guidance, "ddim", "residual", negative, (), negative_embedding="bad")

    networks = shared_engine(spec(1), "cpu", "float32", 1, 1).engine.networks
    for words in (66, 0):  # 8 words of the embedding, a comma, 66
        TransferStage().identify(spec(words), machine)
        conditions_of(networks, ["steel"], spec(words).negative_prompt, 2.0)
    said = r"transfer\.negative_prompt behind the 8 tokens of bad: .* at most 75 tokens, found 76"
    with pytest.raises(InputError, match=said):
        TransferStage().identify(spec(67), machine)
    with pytest.raises(InputError, match="at most 75 tokens, found 76"):
        conditions_of(networks, ["steel"], spec(67).negative_prompt, 2.0)
    TransferStage().identify(spec(67, guidance=1.0), machine)


def test_a_lora_that_does_not_fit_stops_the_build_at_once(tmp_path, dataset, tiny, tiny_model):
    from support import tiny_sd

    from pipeline.transfer import store

    wrong = tmp_path / "wrong.safetensors"
    tiny_sd.write_lora(wrong, "mid_block.attentions.0.transformer_blocks.0.attn1.to_q", 640, 640)
    store.add_model(wrong, config=tiny.config)
    with pytest.raises(EnvironmentProblem, match=r"expected a LoRA for Stable Diffusion 1\.5"):
        build(tmp_path, dataset, "[transfer.loras]", "wrong = 1.0")
    assert not list(dataset.glob("quarantine/*"))


def test_other_weights_than_planned_are_refused(tiny, tiny_model):
    from pipeline.spec.transfer import TransferSpec
    from pipeline.transfer.shared_engine import expect_key, shared_engine

    spec = TransferSpec("tiny", (0.2,), 1, 1.0, "ddim", "residual", "", ())
    shared = shared_engine(spec, "cpu", "float32", 1, 1)
    expect_key(shared.engine, {"weights": {"checkpoint": tiny_model.sha256}, "dtype": "float32"})
    with pytest.raises(EnvironmentProblem, match="weights"):
        expect_key(shared.engine, {"weights": {"checkpoint": "0" * 64}})
