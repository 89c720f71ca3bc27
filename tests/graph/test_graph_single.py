"""One scene by itself: the bytes of the build, and folders that are left alone."""

from __future__ import annotations

import pytest
from support.fake_builds import write_spec

from pipeline.errors import InputError, StageFailed
from pipeline.graph import fake
from pipeline.graph.build import BuildOptions, build_dataset
from pipeline.graph.single import make_scene
from pipeline.records import read_json

SCENE = "tiny-000003"


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "record.json"
    }


def test_the_files_are_those_of_the_build(spec, tmp_path):
    build_dataset(spec, tmp_path / "dataset", BuildOptions(sync=True, quiet=True))
    made = make_scene(spec, SCENE, tmp_path / "scene")
    keys = read_json(tmp_path / "scene" / "scene.json")["keys"]
    for stage in ("render", "truth", "photos"):
        key = keys[stage]
        in_build = files(tmp_path / "dataset" / "store" / stage / key[:2] / key)
        assert in_build
        assert files(made.folder / stage) == in_build
    assert set(made.seconds) == {"part", "render", "truth", "photos"}
    assert {path.name for path in made.folder.iterdir()} == {"scene.json", "parts", "render", "truth", "photos"}


def test_the_parts_lie_beside_by_name(spec, tmp_path):
    make_scene(spec, SCENE, tmp_path / "scene")
    parts = read_json(tmp_path / "scene" / "scene.json")["keys"]["parts"]
    assert {path.name for path in (tmp_path / "scene" / "parts").iterdir()} == set(parts)


def test_an_earlier_run_is_written_over(spec, tmp_path):
    make_scene(spec, "tiny-000001", tmp_path / "scene")
    make_scene(spec, SCENE, tmp_path / "scene")
    assert read_json(tmp_path / "scene" / "scene.json")["scene_id"] == SCENE
    again = make_scene(spec, SCENE, tmp_path / "other").folder
    assert {p.name for p in (again / "photos").iterdir()} == {p.name for p in (tmp_path / "scene/photos").iterdir()}


def test_a_folder_of_somebody_else_is_left_alone(spec, tmp_path):
    (tmp_path / "scene").mkdir()
    (tmp_path / "scene" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="empty folder"):
        make_scene(spec, SCENE, tmp_path / "scene")
    assert [path.name for path in (tmp_path / "scene").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("wrong", ["tiny-000005", "other-000001", "tiny-3", "", "../tiny-000001"])
def test_an_unknown_scene_is_an_input_error(spec, tmp_path, wrong):
    with pytest.raises(InputError, match="tiny-000000"):
        make_scene(spec, wrong, tmp_path / "scene")


def test_a_bad_part_is_the_commands_own_error(tmp_path):
    spec = write_spec(tmp_path / "spec")
    for name in ("one", "two"):
        (spec.parent / f"{name}.stl").write_text("bad\n")
    with pytest.raises(InputError, match="expected a solid"):
        make_scene(spec, SCENE, tmp_path / "scene")
    assert not (tmp_path / "scene" / "photos").exists()
    assert not (tmp_path / "scene" / ".work").exists()


def test_an_unexpected_error_keeps_its_traceback_for_debug(spec, tmp_path, monkeypatch):
    def run(*arguments):
        raise ZeroDivisionError("one by zero")

    monkeypatch.setattr(fake.FakeTruth, "run", run)
    with pytest.raises(StageFailed, match="one by zero") as caught:
        make_scene(spec, SCENE, tmp_path / "scene")
    assert "in run" in caught.value.__notes__[0]
