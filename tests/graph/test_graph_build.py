"""Whole builds with the fake stages, in this process and over Dask."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.fake_builds import FAKE_STAGES, ROOT, environment, fingerprint, glint, write_spec

from pipeline.dataset import open_dataset
from pipeline.dataset.verify import verify
from pipeline.errors import EnvironmentProblem, InputError
from pipeline.graph import fake
from pipeline.graph.build import BuildOptions, build_dataset, machine_of, workers_of
from pipeline.graph.execute import usable_cpus
from pipeline.records import read_json


def build(spec, out, **options):
    return build_dataset(spec, out, BuildOptions(quiet=True, **{"sync": True, **options}))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "dataset"


def test_a_build_has_every_scene_and_photo_and_is_sound(spec, out):
    result = build(spec, out)
    assert (result.number, result.scenes, result.photos) == ("0001", 5, 10)
    assert not result.up_to_date
    dataset = open_dataset(out)
    assert dataset.scenes.column("scene_id").to_pylist() == [f"tiny-{index:06d}" for index in range(5)]
    by_scene = dict(zip(*columns(dataset, "scenes", "scene_id", "split"), strict=True))
    photos = zip(*columns(dataset, "photos", "scene_id", "split"), strict=True)
    assert all(by_scene[scene] == split for scene, split in photos)
    assert set(by_scene.values()) > {"train"}
    assert verify(out).problems == ()
    assert (result.folder / "report" / "index.html").is_file()


def columns(dataset, table, *names):
    return [dataset.table(table).column(name).to_pylist() for name in names]


def test_the_second_run_does_nothing(spec, out, monkeypatch):
    build(spec, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    monkeypatch.setattr(fake.FakeRender, "run", None)
    result = build(spec, out)
    assert result.up_to_date
    assert result.number == "0001"
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before


def test_the_second_run_loads_neither_dask_nor_a_stage(spec, out):
    assert glint("build", spec, "--out", out, "--sync", "--quiet").returncode == 0
    code = (
        "import sys; from pathlib import Path; from pipeline.graph.build import *\n"
        f"r = build_dataset(Path({str(spec)!r}), Path({str(out)!r}), BuildOptions(workers=2, quiet=True))\n"
        "print(r.up_to_date, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    first, *modules = done.stdout.split()
    assert first == "True"
    assert not {"dask", "distributed", "cv2", "OpenImageIO", "bpy"} & set(modules)


def test_dask_and_this_process_make_the_same_bytes(spec, out, tmp_path):
    build(spec, out)
    result = build(spec, tmp_path / "dask", sync=False, workers=2)
    assert result.scenes == 5
    assert fingerprint(out) == fingerprint(tmp_path / "dask")


def test_a_build_in_this_process_does_not_load_dask(spec, out):
    code = (
        "import sys; from pipeline.cli import main\n"
        f"try: main(['build', {str(spec)!r}, '--out', {str(out)!r}, '--sync', '--quiet'])\n"
        "except SystemExit as end: print(end.code, *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True, cwd=ROOT
    )
    words = done.stdout.split()
    assert not {"dask", "distributed"} & set(words)
    assert "0" in words


def test_limit_builds_the_first_scenes_and_the_rest_follows(spec, out):
    assert build(spec, out, limit=2).scenes == 2
    whole = build(spec, out)
    assert (whole.number, whole.scenes, whole.up_to_date) == ("0002", 5, False)
    assert open_dataset(out, "0001").scenes.num_rows == 2


def test_a_changed_exposure_makes_photos_alone(spec, out, monkeypatch):
    build(spec, out)
    write_spec(spec.parent, exposure=0.75)
    monkeypatch.setattr(fake.FakeRender, "run", None)
    monkeypatch.setattr(fake.FakePart, "run", None)
    result = build(spec, out)
    assert (result.number, result.scenes) == ("0002", 5)


def test_a_removed_output_is_made_again_and_the_build_stays(spec, out):
    build(spec, out)
    before = fingerprint(out)
    record = next((out / "store" / "photos").glob("*/*/record.json"))
    record.unlink()
    result = build(spec, out)
    assert result.up_to_date
    assert fingerprint(out) == before


def test_a_bad_part_quarantines_its_scenes_and_a_repair_clears_them(spec, out):
    (spec.parent / "two.stl").write_text("bad\n")
    result = build(spec, out)
    assert 0 < result.scenes < 5
    assert result.scenes + len(result.quarantined) == 5
    assert {path.stem for path in (out / "quarantine").iterdir()} == set(result.quarantined)
    told = read_json(out / "quarantine" / f"{result.quarantined[0]}.json")
    assert told["error"] == "two.stl: expected a solid, found none; repair the file and run again"
    assert told["command"].startswith("glint scene ")
    assert result.reasons == (told["error"],)  # once, however many scenes it cost
    assert told["error"] in result.quarantine_line(out)
    assert open_dataset(out).record.quarantined == result.quarantined

    again = build(spec, out)
    assert again.up_to_date
    assert again.quarantined == result.quarantined

    (spec.parent / "two.stl").write_text("solid two\n")
    repaired = build(spec, out)
    assert (repaired.number, repaired.scenes, repaired.quarantined) == ("0002", 5, ())
    assert list((out / "quarantine").iterdir()) == []


def test_when_nothing_can_be_made_no_build_is_written(spec, out):
    for name in ("one", "two"):
        (spec.parent / f"{name}.stl").write_text("bad\n")
    result = build(spec, out)
    assert (result.number, result.scenes, len(result.quarantined)) == (None, 0, 5)
    assert not (out / "LATEST").exists()


def test_stop_after_gives_up_without_a_build(tmp_path, out):
    spec = write_spec(tmp_path / "spec", scenes=40)
    for name in ("one", "two"):
        (spec.parent / f"{name}.stl").write_text("bad\n")
    result = build(spec, out, stop_after=2)
    assert result.gave_up
    assert len(result.quarantined) < 40
    assert not (out / "LATEST").exists()


def test_a_fault_of_the_machine_stops_the_build_at_once(spec, out, monkeypatch):
    def run(*arguments):
        raise EnvironmentProblem("expected Blender, found none; install it")

    monkeypatch.setattr(fake.FakeRender, "run", run)
    with pytest.raises(EnvironmentProblem, match="expected Blender"):
        build(spec, out)
    assert not (out / "quarantine").exists()


def test_an_output_folder_that_is_a_file_is_a_fault_of_the_environment(spec, out):
    out.write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="in the way"):
        build(spec, out)


def test_a_wrong_spec_leaves_no_folder(tmp_path, out):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("scenes = 1")
    with pytest.raises(InputError):
        build(wrong, out)
    assert not out.exists()


def test_cores_are_shared_out_between_workers():
    assert machine_of(BuildOptions(workers=1)).threads == usable_cpus()
    assert machine_of(BuildOptions(workers=2 * usable_cpus())).threads == 1
    assert machine_of(BuildOptions(threads=3)).threads == 3
    assert machine_of(BuildOptions(scheduler="tcp://127.0.0.1:1")).threads == 0
    assert workers_of(BuildOptions(sync=True)) == 1


def test_the_registry_can_be_given(spec, out, monkeypatch):
    monkeypatch.delenv("GLINT_STAGES")
    assert build(spec, out, stages=FAKE_STAGES, limit=1).scenes == 1


def test_a_build_says_what_it_is_and_a_changed_licence_makes_a_new_one(spec, out):
    spec.write_text(
        spec.read_text().replace('licence = "CC0-1.0"', 'licence = "CC-BY-4.0"\ndescription = "Tiny parts"')
    )
    first = build(spec, out)
    record = read_json(first.folder / "build.json")
    assert (record["licence"], record["description"]) == ("CC-BY-4.0", "Tiny parts")
    assert record["spec_text"] == spec.read_text()
    spec.write_text(spec.read_text().replace("CC-BY-4.0", "CC0-1.0"))
    second = build(spec, out)
    assert (second.number, second.up_to_date) == ("0002", False)
    assert read_json(second.folder / "build.json")["licence"] == "CC0-1.0"
