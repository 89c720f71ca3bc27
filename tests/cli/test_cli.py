"""The command line: what users see, exit codes, no traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.fake_builds import FAKE_STAGES, ROOT, environment, glint, write_spec

import pipeline
from pipeline.cli import main
from pipeline.graph import fake

COMMANDS = ["build", "clips", "diff", "doctor", "gc", "inspect", "models", "plan", "report", "scene", "score", "verify"]


@pytest.fixture(autouse=True)
def _fake_stages(monkeypatch, tmp_path):
    monkeypatch.setenv("GLINT_STAGES", FAKE_STAGES)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def spec(tmp_path):
    return write_spec(tmp_path / "spec", scenes=3)


@pytest.fixture
def dataset(spec, tmp_path):
    assert run("build", spec, "--out", tmp_path / "dataset", "--sync", "--quiet").exit_code == 0
    return tmp_path / "dataset"


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_names_every_command_and_loads_no_room():
    code = "import sys\ntry: from pipeline.cli import main; main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)
    assert not {"numpy", "pyarrow", "pydantic", "rich", "dask", "pipeline.graph"} & set(done.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_so_has_every_option(name):
    command = main.commands[name]
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.name}"
    assert run(name, "--help").exit_code == 0


def test_the_design_has_no_command_that_is_not_here():
    assert sorted(main.commands) == COMMANDS


def test_version():
    assert run("--version").output == f"glint, version {pipeline.__version__}\n"


def test_build_says_what_it_made_then_that_it_is_up_to_date(spec, tmp_path):
    first = run("build", spec, "--out", tmp_path / "d", "--sync")
    assert first.exit_code == 0
    assert first.stdout.startswith("build 0001 (3 scenes, 6 photos) in ")
    report = first.stdout.splitlines()[1].removeprefix("report: ")
    assert (tmp_path / report).is_file()
    assert "3/3 scenes, " in first.stderr
    second = run("build", spec, "--out", tmp_path / "d", "--sync", "--quiet")
    assert (second.exit_code, second.output) == (0, "up to date: build 0001 (3 scenes, 6 photos)\n")


def test_a_failed_scene_gives_1_and_a_line_that_names_it(spec, tmp_path):
    (spec.parent / "two.stl").write_text("bad\n")
    done = run("build", spec, "--out", tmp_path / "d", "--sync", "--quiet")
    assert done.exit_code == 1
    failed = sorted(path.stem for path in (tmp_path / "d" / "quarantine").iterdir())
    assert failed
    assert all(scene in done.stderr for scene in failed)
    assert "quarantine" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["build", "none.toml", "--out", "d"], 2, "expected a spec file"),
        (["build", "{spec}"], 2, "--out"),
        (["build", "{spec}", "--out", "d", "--workers", "0"], 2, "--workers"),
        (["build", "{spec}", "--out", "d", "--sync", "--workers", "2"], 2, "--sync"),
        (["build", "{spec}", "--out", "d", "--scheduler", "tcp://a:1", "--workers", "2"], 2, "--scheduler"),
        (["build", "{spec}", "--out", "{spec}"], 2, "is a file"),
        (["build", "{spec}", "--out", "/proc/nowhere"], 3, "/proc/nowhere"),
        (["plan", "none.toml"], 2, "expected a spec file"),
        (["scene", "{spec}", "tiny-000099", "--out", "s"], 2, "tiny-000002"),
        (["verify", "nothing"], 2, "expected a dataset folder"),
        (["report", "nothing"], 2, "expected a dataset folder"),
        (["diff", "nothing", "0001", "0002"], 2, "expected"),
        (["gc", "nothing"], 2, "expected a dataset folder"),
        (["inspect", "nothing.step"], 2, "nothing.step"),
        (["inspect", "nothing", "some-id"], 2, "expected a dataset folder"),
        (["buidl"], 2, "No such command"),
        (["build", "{spec}", "--out", "d", "--worker", "2"], 2, "No such option"),
    ],
)
def test_wrong_input_gives_one_message_and_its_exit_code(spec, arguments, code, message):
    done = run(*[argument.format(spec=spec) for argument in arguments])
    assert (done.exit_code, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nothing can be made")
def test_inspect_and_report_say_where_they_cannot_write(dataset):
    washer = ROOT / "assets" / "parts" / "washer.step"
    for arguments in (["inspect", dataset, "tiny-000001"], ["inspect", washer]):
        done = run(*arguments, "--out", "/proc/nowhere")
        assert (done.exit_code, done.stdout) == (3, "")
        assert "/proc/nowhere" in done.stderr
    report = dataset / "builds" / "0001" / "report"
    shutil.rmtree(report)
    report.write_text("in the way")
    done = run("report", dataset)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "file in the way" in done.stderr


@pytest.mark.parametrize("pointer", [b"", b"0009\n", b"\xff\xfe", b"../..\n"])
def test_a_pointer_to_no_build_is_damage_and_says_how_to_mend_it(spec, dataset, pointer):
    (dataset / "LATEST").write_bytes(pointer)
    for arguments in (["verify", dataset], ["build", spec, "--out", dataset, "--sync"], ["report", dataset]):
        done = run(*arguments)
        assert done.exit_code == 4
        assert "remove the file and run the build again" in done.output
    (dataset / "LATEST").unlink()
    assert run("build", spec, "--out", dataset, "--sync", "--quiet").exit_code == 0
    assert run("verify", dataset).exit_code == 0


def test_the_command_in_the_quarantine_repeats_the_failure_when_typed(spec, tmp_path):
    (spec.parent / "two.stl").write_text("bad\n")
    assert glint("build", spec, "--out", tmp_path / "d", "--sync", "--quiet").returncode == 1
    told = json.loads(next((tmp_path / "d" / "quarantine").iterdir()).read_text())
    again = subprocess.run(told["command"], shell=True, env=environment(), capture_output=True, text=True, check=False)
    assert again.returncode == 2, again.stderr
    assert told["error"] in again.stderr


def test_a_fault_of_the_program_is_one_line_and_debug_shows_where(spec, monkeypatch):
    def run_it(*arguments):
        raise ZeroDivisionError("one by zero")

    monkeypatch.setattr("pipeline.graph.estimate.plan_dataset", run_it)
    done = run("plan", spec)
    assert done.exit_code == 1
    assert "one by zero" in done.stderr
    assert "--debug" in done.stderr
    assert "Traceback" not in done.stderr
    for arguments in (["--debug", "plan", spec], ["plan", spec, "--debug"]):
        assert "Traceback" in run(*arguments).stderr


def test_an_interrupt_gives_130(spec, monkeypatch):
    def run_it(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(fake.FakeRender, "run", run_it)
    done = run("build", spec, "--out", "d", "--sync", "--quiet")
    assert done.exit_code == 130
    assert done.stderr.strip() == "interrupted; safe to rerun: run the same command to go on from here"


def test_a_reader_that_goes_away_is_no_error(spec):
    done = subprocess.run(
        f"{sys.executable} {ROOT / 'run_pipeline.py'} plan {spec} --explain --limit 3 | head -c 1",
        shell=True,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


def test_plan_counts_and_explains(spec, dataset):
    assert run("plan", spec, "--out", dataset).output.endswith("nothing to do\n")
    write_spec(spec.parent, scenes=3, exposure=0.25)
    explained = run("plan", spec, "--out", dataset, "--explain").output
    assert "tiny-000000 photos: photos[1].exposure_ev: 0.5 -> 0.25" in explained
    assert "photos       0 cached      3 to do" in explained


def test_scene(spec, tmp_path):
    done = run("scene", spec, "tiny-000001", "--out", "one")
    assert done.exit_code == 0, done.output
    assert "render 0.0 s" in done.stdout
    assert (tmp_path / "one" / "photos" / "tiny-000001-v0-p0.png").is_file()


def test_verify_finds_damage(dataset):
    assert run("verify", dataset).output.startswith(f"{dataset}: sound (")
    photo = next((dataset / "store" / "photos").rglob("*.png"))
    photo.write_bytes(photo.read_bytes()[:-1] + b"x")
    done = run("verify", dataset)
    assert done.exit_code == 4
    assert photo.name in done.stdout


def test_inspect_a_photo(dataset, tmp_path):
    done = run("inspect", dataset, "tiny-000001-v0-p1", "--out", "pictures")
    assert done.exit_code == 0, done.output
    assert "tiny-000001" in done.stdout
    assert [path.suffix for path in (tmp_path / "pictures").iterdir()] == [".jpg"]
    assert run("inspect", dataset).exit_code == 2


def test_inspect_a_cad_file(tmp_path):
    done = run("inspect", ROOT / "assets" / "parts" / "washer.step", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "watertight" in done.stdout
    assert (tmp_path / "inspect-washer.png").is_file()


def test_report_diff_and_gc(spec, dataset):
    write_spec(spec.parent, scenes=4)
    assert run("build", spec, "--out", dataset, "--sync", "--quiet").exit_code == 0
    assert run("report", dataset, "--build", "0001").output.strip().endswith("0001/report/index.html")
    assert "scenes: 1 added, 0 removed, 0 changed" in run("diff", dataset, "0001", "0002").output
    assert "would remove 1 builds" in run("gc", dataset, "--keep", "1").output
    assert (dataset / "builds" / "0001").is_dir()
    assert "removed 1 builds" in run("gc", dataset, "--keep", "1", "--yes").output
    assert not (dataset / "builds" / "0001").exists()


def test_run_pipeline_is_the_same_command_line(spec, tmp_path):
    done = glint("build", spec, "--out", tmp_path / "d", "--sync", "--quiet")
    assert done.returncode == 0
    assert done.stdout.startswith("build 0001 (3 scenes, 6 photos)")
    assert [path.name for path in (tmp_path / "d" / "builds").iterdir()] == ["0001"]
