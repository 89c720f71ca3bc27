"""The README's commands, run as they stand, in a fresh copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALLER = {"scenes": "2", "resolution": "[96, 72]", "samples": "2"}

AS_RUN = {
    "make demo": "make -o setup demo",  # set-up would move this environment's install to the copy; tests/setup has it
    "make test": "make --dry-run test",  # this is what runs the present test
}


def blocks(language: str) -> list[str]:
    """Code blocks of the README in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def commands() -> list[str]:
    """Every line that a reader is told to type."""
    lines = "\n".join(blocks("console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what git tracks, with this environment as its `.venv` and a quickstart of two tiny scenes."""
    copy = tmp_path_factory.mktemp("readme") / "glint"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    spec = copy / "scenes" / "quickstart.toml"
    text = spec.read_text(encoding="utf-8")
    for key, value in SMALLER.items():
        text, found = re.subn(rf"(?m)^{key} *=.*$", f"{key} = {value}", text)
        assert found == 1, f"scenes/quickstart.toml has {found} keys {key}"
    spec.write_text(text, encoding="utf-8")
    return copy


def test_the_readme_names_the_two_commands():
    assert commands()[:2] == ["make demo", "make test"]


@pytest.mark.bpy
@pytest.mark.slow
def test_every_command_of_the_readme_works_in_order(checkout):
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(checkout)}
    for command in commands():
        typed = AS_RUN.get(command, command)
        done = subprocess.run(
            typed, check=False, shell=True, cwd=checkout, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, command
    assert (checkout / "datasets" / "quickstart" / "builds" / "0002" / "report" / "index.html").is_file()
    code = "\n".join(blocks("python")) + "\nassert mask.shape == image.shape[:2]\n"
    subprocess.run([sys.executable, "-c", code], cwd=checkout, env=environment, check=True)


def test_every_page_and_picture_that_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing
