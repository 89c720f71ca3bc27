"""The stage `paint` with a tiny model in the real layout: the same bytes again, and a row of where they come from."""

from __future__ import annotations

from dataclasses import replace

import cv2
import pytest

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.graph.paint_stage import PICTURE, PaintStage, paint_fields
from pipeline.graph.stage import Machine
from pipeline.records import read_json, sha256_file
from pipeline.spec.painted import PaintedPicture, PaintingSpec, PaintRequest

pytestmark = pytest.mark.torch

PAINTING = PaintingSpec("tiny", "blurry", 64, 128, 2, 2.0, "ddim")
REQUEST = PaintRequest(PAINTING, {"bench": "scratched steel bench, workshop"})
MACHINE = Machine(threads=1, device="cpu", dtype="float32")


@pytest.fixture
def tiny_model(tiny, tmp_path, monkeypatch):
    from pipeline.transfer import place, store

    monkeypatch.setenv("GLINT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(place, "sd15_config", lambda: tiny.config)
    return store.add_model(tiny.file, "tiny", licence="CC0-1.0", config=tiny.config)


def paint(folder, seed):
    folder.mkdir()
    stage = PaintStage()
    picture = PaintedPicture("bench", 3, "scratched steel bench, workshop", seed, 0.5)
    stage.run(paint_fields("surface", picture, PAINTING, stage.identify(REQUEST, MACHINE)), {}, folder, MACHINE)
    (row,) = read_json(folder / "rows.json")["painted"]
    return row


def test_a_picture_repeats_and_says_what_made_it(tmp_path, tiny_model):
    first, again, other = (paint(tmp_path / str(n), seed) for n, seed in enumerate((5, 5, 6)))
    assert first == again
    assert first["sha256"] != other["sha256"]
    assert first["sha256"] == sha256_file(tmp_path / "0" / PICTURE)
    assert cv2.imread(str(tmp_path / "0" / PICTURE)).shape == (128, 64, 3)
    assert (first["picture_id"], first["model"], first["licence"]) == ("bench-3", "tiny", "CC0-1.0")
    assert first["model_sha256"] == tiny_model.sha256
    assert first["settings"] == {"width": 64, "height": 128, "steps": 2, "guidance": 2.0, "scheduler": "ddim"}
    assert set(first["libraries"]) == {"torch", "diffusers", "transformers"}


def test_a_worker_without_the_planned_weights_refuses(tmp_path, tiny_model):
    stage = PaintStage()
    picture = PaintedPicture("bench", 0, "bench", 1, 0.5)
    fields = paint_fields("surface", picture, PAINTING, stage.identify(REQUEST, MACHINE))
    fields["identity"]["weights"] = {"checkpoint": "0" * 64}
    with pytest.raises(EnvironmentProblem, match="weights"):
        stage.run(fields, {}, tmp_path, MACHINE)


def test_a_prompt_that_is_too_long_is_told_before_anything_is_made(tiny_model):
    stage = PaintStage()
    with pytest.raises(InputError, match=r'painted\.pictures "bench": expected a prompt of at most 75 tokens'):
        stage.identify(PaintRequest(PAINTING, {"hall": "hall", "bench": "steel " * 76}), MACHINE)
    long = replace(PAINTING, negative_prompt="rust " * 76)
    with pytest.raises(InputError, match=r"painted\.negative_prompt: .* found 76"):
        stage.identify(PaintRequest(long, {}), MACHINE)
    stage.identify(PaintRequest(replace(long, guidance=1.0), {}), MACHINE)


def test_weights_that_cannot_be_used_stop_the_build(tiny_model, monkeypatch):
    from pipeline.transfer import shared_engine

    def broken(_):
        raise InputError("expected weights that fit, found others")

    monkeypatch.setattr(shared_engine, "open_engine", broken)
    with pytest.raises(EnvironmentProblem, match="weights that fit"):
        shared_engine.painting_engine(PAINTING, "cpu", "float32", 1)
