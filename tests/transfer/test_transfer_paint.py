"""Pictures from prompts alone, as files with their provenance."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.errors import InputError
from pipeline.records import read_json, sha256_file
from pipeline.transfer.settings import PaintSettings

pytestmark = pytest.mark.torch


def test_painting_repeats_and_follows_seed_and_prompt(engine):
    settings = PaintSettings(64, 128, steps=3, batch=2)
    pictures = engine.paint(["steel bench", "oak bench", "steel bench"], [1, 1, 2], settings)
    assert pictures.shape == (3, 128, 64, 3)
    assert np.array_equal(engine.paint(["steel bench"], [1], settings)[0], pictures[0])
    assert len({picture.tobytes() for picture in pictures}) == 3


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
