"""The set-up of a fresh machine: which Python it takes, what it says when there is none, when it does nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
FINDER = (".ci/bootstrap", "--find-only", "--venv", "no-such-venv")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The set-up scripts in a project folder of their own, with a blank in its name."""
    project = tmp_path / "a project"
    (project / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "bootstrap", project / ".ci")
    return project


def fake_python(path: Path, version: str, *, ensurepip: bool = True) -> None:
    """A command that answers the two questions the finder asks a Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'#!/bin/sh\ncase "$2" in *ensurepip*) exit {0 if ensurepip else 1} ;; esac\n[ "$3" = "{version}" ]\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def find(checkout: Path, path: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the finder with *path* as the only place for Pythons, next to the shell's own tools."""
    tools = checkout.parent / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("sh", "dirname", "sed"):
        if not (tools / name).exists():
            (tools / name).symlink_to(shutil.which(name) or "")
    env = {"PATH": f"{path}{os.pathsep}{tools}", "HOME": str(checkout.parent / "home"), **environment}
    command = [str(tools / "sh"), *FINDER, *more]
    return subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)


def test_newest_python_on_path_is_taken(checkout: Path, tmp_path: Path) -> None:
    fake_python(tmp_path / "bin" / "python3.13", "3.13")
    fake_python(tmp_path / "bin" / "python3.11", "3.11")
    assert find(checkout, tmp_path / "bin").stdout == "python3.13\n"
    assert find(checkout, tmp_path / "bin", "--python", "3.11").stdout == "python3.11\n"


def test_plain_python3_counts_when_its_version_fits(checkout: Path, tmp_path: Path) -> None:
    fake_python(tmp_path / "bin" / "python3", "3.11")
    assert find(checkout, tmp_path / "bin").stdout == "python3\n"


def test_python_in_pyenv_is_found(checkout: Path, tmp_path: Path) -> None:
    inside = tmp_path / "home" / ".pyenv" / "versions" / "3.13.4" / "bin" / "python"
    fake_python(tmp_path / "bin" / "python3", "3.12")
    fake_python(inside, "3.13")
    assert find(checkout, tmp_path / "bin").stdout == f"{inside}\n"


def test_python_that_uv_knows_is_found(checkout: Path, tmp_path: Path) -> None:
    inside = tmp_path / "uv pythons" / "python3.13"
    fake_python(inside, "3.13")
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\n[ "$*" = "python find 3.13" ] && echo "{inside}"\n')
    uv.chmod(0o755)
    assert find(checkout, tmp_path / "bin").stdout == f"{inside}\n"


def test_environment_that_stands_is_kept(checkout: Path, tmp_path: Path) -> None:
    fake_python(checkout / ".venv" / "bin" / "python", "3.11")
    fake_python(tmp_path / "bin" / "python3.13", "3.13")
    assert find(checkout, tmp_path / "bin", "--venv", ".venv").stdout == ".venv/bin/python\n"


def test_no_python_is_said_with_what_to_install(checkout: Path, tmp_path: Path) -> None:
    fake_python(tmp_path / "bin" / "python3", "3.12")
    done = find(checkout, tmp_path / "bin")
    assert done.returncode == 3
    assert "expected Python 3.13 or 3.11 on PATH, in pyenv or in uv" in done.stderr
    assert "pyenv install 3.13" in done.stderr
    assert done.stdout == ""


def test_python_without_ensurepip_is_passed_over_or_said(checkout: Path, tmp_path: Path) -> None:
    fake_python(tmp_path / "bin" / "python3.13", "3.13", ensurepip=False)
    done = find(checkout, tmp_path / "bin")
    assert done.returncode == 3
    assert "apt-get install -y python3.13-venv" in done.stderr
    fake_python(tmp_path / "bin" / "python3.11", "3.11")
    assert find(checkout, tmp_path / "bin").stdout == "python3.11\n"


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", sys.path[:])
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / ".ci" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stamp_is_current_until_something_changes(bootstrap: ModuleType, tmp_path: Path) -> None:
    stamp = tmp_path / "stamp.json"
    assert not bootstrap.is_current(stamp, [])
    stamp.write_text(json.dumps(bootstrap.wanted_stamp(["dev"])))
    assert bootstrap.is_current(stamp, ["dev"])
    assert bootstrap.is_current(stamp, []), "an environment with more than is asked for will do"
    assert not bootstrap.is_current(stamp, ["dev", "gpu"])
    stamp.write_text(json.dumps({**bootstrap.wanted_stamp(["dev"]), "pyproject_sha256": "0"}))
    assert not bootstrap.is_current(stamp, ["dev"])
    stamp.write_text("[]")
    assert not bootstrap.is_current(stamp, [])


def test_environment_of_another_python_is_left_alone(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "works", lambda python: True)
    monkeypatch.setattr(bootstrap, "version_of", lambda python: ("3", "12"))
    with pytest.raises(SystemExit) as ended:
        bootstrap.make_venv(tmp_path / ".venv", tmp_path / ".venv" / "bin" / "python")
    assert ended.value.code == 3
    assert "found 3.12; remove the folder" in capsys.readouterr().err


def verdicts(bootstrap: ModuleType, *missing: str) -> object:
    libraries = bootstrap.system_libraries
    trial = libraries.Trial("bpy", not missing, "", missing[0] if missing else None)
    return libraries.Verdict(missing, (trial,))


def test_root_on_debian_gets_the_libraries_installed(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    # A failing import names one library at a time, so the second only shows when the first is there.
    found = [verdicts(bootstrap, "libSM.so.6"), verdicts(bootstrap, "libGL.so.1"), verdicts(bootstrap)]
    installed: list[list[str]] = []
    monkeypatch.setattr(bootstrap.system_libraries, "examine_libraries", lambda python: found.pop(0))
    monkeypatch.setattr(bootstrap, "may_install", lambda: True)
    monkeypatch.setattr(bootstrap, "apt_install", installed.append)
    bootstrap.check_libraries(Path("python"))
    assert installed == [["libsm6"], ["libgl1"]]


@pytest.mark.parametrize("root", [False, True])
def test_libraries_that_stay_missing_end_with_the_line(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: bool
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(
        bootstrap.system_libraries, "examine_libraries", lambda python: verdicts(bootstrap, "libGL.so.1", "libSM.so.6")
    )
    monkeypatch.setattr(bootstrap, "may_install", lambda: root)
    monkeypatch.setattr(bootstrap, "apt_install", asked.append)
    with pytest.raises(SystemExit) as ended:
        bootstrap.check_libraries(Path("python"))
    assert ended.value.code == 3
    assert "apt-get install -y --no-install-recommends libgl1 libsm6" in capsys.readouterr().err
    assert asked == ([["libgl1", "libsm6"]] if root else [])


def test_demo_installs_no_torch_and_no_test_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {line.split(";")[0].split(">")[0].split("=")[0].strip() for line in project["dependencies"]}
    assert not names & {"torch", "diffusers", "transformers", "pytest"}
    demo = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("setup:"))
    assert demo.startswith("setup:  ##")


def test_make_alone_lists_every_command() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("needs make")
    done = subprocess.run([make, "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert listed >= {"help", "demo", "test", "lint", "format", "docs", "clean"}


@pytest.mark.parametrize("script", [".ci/bootstrap", ".ci/run"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    shell = shutil.which(path.read_text().splitlines()[0].split("/")[-1].split()[-1])
    assert shell is not None
    subprocess.run([shell, "-n", str(path)], check=True)
