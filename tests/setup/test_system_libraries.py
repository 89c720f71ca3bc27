"""Missing system libraries: what `ldd` and failing imports say, and the line that installs them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import system_libraries
from pipeline.system_libraries import (
    PACKAGES,
    Trial,
    Verdict,
    apt_line,
    binaries,
    examine_libraries,
    packages_of,
    remedy,
    try_import,
    unresolved,
)

PYTHON = Path(sys.executable)


@pytest.fixture
def module_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_the_bootstrap_needs_the_standard_library_only() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(system_libraries.__file__).parents[1])!r})\n"
        "import pipeline.system_libraries\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names - {'pipeline', '__main__'})"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_package_name_is_one_that_apt_accepts() -> None:
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", package) for package in PACKAGES.values())
    assert all(".so" in library for library in PACKAGES)


def test_one_line_names_each_package_once() -> None:
    line = apt_line(["libgthread-2.0.so.0", "libGL.so.1", "libglib-2.0.so.0"])
    assert line == "apt-get install -y --no-install-recommends libgl1 libglib2.0-0"


def test_a_library_outside_the_map_is_named_all_the_same() -> None:
    assert packages_of(["libunheard.so.3"]) == []
    text = remedy(["libSM.so.6", "libunheard.so.3"])
    assert "libsm6" in text
    assert "libunheard.so.3" in text


def test_import_failure_names_the_library(module_folder: Path) -> None:
    message = "libSM.so.6: cannot open shared object file: No such file or directory"
    (module_folder / "needy.py").write_text(f"raise ImportError({message!r})")
    verdict = examine_libraries(PYTHON, ["needy"])
    assert not verdict.ok
    assert verdict.missing == ("libSM.so.6",)
    assert verdict.trials[0].output == f"ImportError: {message}"


def test_import_that_ends_its_process_is_a_failure(module_folder: Path) -> None:
    (module_folder / "deadly.py").write_text("import os; os._exit(11)")
    assert try_import(PYTHON, "deadly") == Trial("deadly", False, "the process ended with status 11", None)


def test_import_says_the_version(module_folder: Path) -> None:
    (module_folder / "fine.py").write_text("__version__ = '1.2'")
    assert try_import(PYTHON, "fine") == Trial("fine", True, "1.2", None)


def test_a_module_that_is_not_installed_fails_its_trial() -> None:
    verdict = examine_libraries(PYTHON, ["surely_not_installed"])
    assert verdict == Verdict(
        (), (Trial("surely_not_installed", False, "ModuleNotFoundError: No module named 'surely_not_installed'", None),)
    )


def test_binaries_are_found_without_importing(module_folder: Path) -> None:
    folder = module_folder / "loaded" / "lib"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "libinner.so.2").write_bytes(b"")
    (folder / "notes.txt").write_text("")
    assert binaries(PYTHON, ["loaded", "surely_not_installed"]) == [folder / "libinner.so.2"]


@pytest.mark.skipif(shutil.which("cc") is None or shutil.which("ldd") is None, reason="needs a C compiler and ldd")
def test_ldd_sees_a_library_that_is_gone(tmp_path: Path) -> None:
    def link(name: str, *more: str) -> Path:
        command = ["cc", "-shared", "-fPIC", "-o", name, f"-Wl,-soname,{name}", "empty.c", *more]
        subprocess.run(command, cwd=tmp_path, check=True)
        return tmp_path / name

    (tmp_path / "empty.c").write_text("int nothing(void) { return 0; }")
    needed = link("libgone.so.7")
    user = link("libuser.so", "-Wl,--no-as-needed", str(needed))
    needed.unlink()
    assert unresolved([user]) == {"libgone.so.7"}


def test_unneeded_drivers_do_not_count(monkeypatch: pytest.MonkeyPatch, module_folder: Path) -> None:
    (module_folder / "fine.py").write_text("")
    monkeypatch.setattr(system_libraries, "unresolved", lambda files: {"libcuda.so.1", "libGL.so.1"})
    assert examine_libraries(PYTHON, ["fine"]).missing == ("libGL.so.1",)
