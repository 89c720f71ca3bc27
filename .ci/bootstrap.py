"""Make the project's environment: virtual environment, packages, system libraries. Started by `.ci/bootstrap`.

Runs on the standard library alone, in the Python that the environment shall have. A stamp in the environment records
what was installed, so that a run with nothing to do ends at once. Exit code 3 means that the machine lacks something;
the message says what and how to get it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pipeline import system_libraries  # noqa: E402 (the path above makes it importable before it is installed)

EXIT_BAD_ENVIRONMENT = 3
FREE_BYTES_NEEDED = 4 * 2**30
"""Packages unpacked take 2 GiB (Blender alone 1 GiB); pip needs as much again while it works."""
ROUNDS = 4
"""A failing import names one library at a time, so installing and looking again takes turns."""
PLATFORMS = {("Linux", "x86_64"), ("Darwin", "arm64"), ("Windows", "AMD64")}
"""Systems for which Blender publishes wheels."""


def main() -> None:
    """Bring the environment to what pyproject.toml says; do nothing when it is there already."""
    options = read_options()
    venv = (ROOT / options.venv).resolve()
    python = venv / "bin" / "python"
    stamp = venv / "glint-setup.json"
    if is_current(stamp, options.extra):
        return
    check_machine(venv)
    make_venv(venv, python)
    install(python, options.extra)
    check_libraries(python)
    stamp.write_text(json.dumps(wanted_stamp(options.extra), indent=1) + "\n", encoding="utf-8")
    say(f"{options.venv} is ready: Python {platform.python_version()}")


def read_options() -> argparse.Namespace:
    """The command line; `--python` is for the shell script that found this Python."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", help="3.13 or 3.11; without it the first that is found")
    parser.add_argument("--venv", default=".venv", help="folder of the environment, below the project")
    parser.add_argument("--extra", action="append", default=[], help="optional dependencies, for example dev")
    return parser.parse_args()


def say(text: str) -> None:
    """Tell the user, at once and in order with what pip writes."""
    sys.stdout.write(f"[setup] {text}\n")
    sys.stdout.flush()


def stop(text: str) -> NoReturn:
    """End with the code for a wrong environment."""
    sys.stderr.write(f"[setup] {text}\n")
    raise SystemExit(EXIT_BAD_ENVIRONMENT)


def wanted_stamp(extras: list[str]) -> dict[str, Any]:
    """What an environment made now would be made from."""
    return {
        "pyproject_sha256": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
        "libraries_sha256": hashlib.sha256(Path(system_libraries.__file__).read_bytes()).hexdigest(),
        "python": platform.python_version(),
        "project": str(ROOT),
        "extras": sorted(extras),
    }


def is_current(stamp: Path, extras: list[str]) -> bool:
    """True when *stamp* tells of the same project and Python, with at least these *extras*."""
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
        had = set(found["extras"])
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return had >= set(extras) and {**wanted_stamp(extras), "extras": found["extras"]} == found


def check_machine(venv: Path) -> None:
    """Stop early where no Blender wheel exists or the disk is too full."""
    here = (platform.system(), platform.machine())
    if here not in PLATFORMS:
        stop(
            f"expected a system with a Blender wheel (Linux x86_64, macOS arm64, Windows x86_64), found {here[0]} "
            f"{here[1]}; use one of these"
        )
    free = shutil.disk_usage(ROOT).free
    if not (venv / "glint-setup.json").exists() and free < FREE_BYTES_NEEDED:
        stop(
            f"expected {FREE_BYTES_NEEDED / 2**30:.0f} GiB free for the packages, found {free / 2**30:.1f} GiB below "
            f"{ROOT}; free some space and run again"
        )


def make_venv(venv: Path, python: Path) -> None:
    """Make *venv* with this Python unless it stands; one of another Python is left alone and named."""
    if works(python):
        if Path(sys.prefix).resolve() != venv and version_of(python) != platform.python_version_tuple()[:2]:
            stop(
                f"expected {venv.name} to be of Python {'.'.join(platform.python_version_tuple()[:2])}, found "
                f"{'.'.join(version_of(python))}; remove the folder {venv} and run again"
            )
        return
    say(f"making {venv.name} with Python {platform.python_version()} ({sys.executable})")
    # When the environment's own Python runs this, the environment is damaged and the one below it makes it anew.
    maker = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run([maker, "-m", "venv", "--clear", str(venv)], check=False)
    if done.returncode != 0 or not works(python):
        version = ".".join(platform.python_version_tuple()[:2])
        stop(
            f"expected `{maker} -m venv` to make {venv}, it failed (see above); on Debian or Ubuntu run, as "
            f"root:  apt-get install -y python{version}-venv"
        )


def works(python: Path) -> bool:
    """True when *python* is there, starts and has pip."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0


def version_of(python: Path) -> tuple[str, ...]:
    """Major and minor version of the interpreter *python*."""
    code = "import platform; print(*platform.python_version_tuple()[:2])"
    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return tuple(done.stdout.split())


def install(python: Path, extras: list[str]) -> None:
    """Install the project in place, with its dependencies; torch is not among them."""
    target = f".[{','.join(sorted(extras))}]" if extras else "."
    say("installing the packages (Blender is 0.4 GB; some minutes on the first run)")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--editable", target]
    if subprocess.run(command, check=False, cwd=ROOT).returncode != 0:
        stop(
            f"expected `{' '.join(command[1:])}` to succeed, it failed (see above); check the connection to the "
            f"package index and the free space, and run again"
        )


def check_libraries(python: Path) -> None:
    """Find missing system libraries of Blender and OpenCV; install them as root on Debian or Ubuntu, else stop."""
    tried: set[str] = set()
    for _ in range(ROUNDS):
        verdict = system_libraries.examine_libraries(python)
        if verdict.ok:
            return
        packages = system_libraries.packages_of(verdict.missing)
        fresh = [name for name in packages if name not in tried]
        if not fresh or not may_install():
            break
        say(f"missing system libraries: {', '.join(verdict.missing)}")
        say(f"running {system_libraries.apt_line(verdict.missing)}")
        apt_install(fresh)
        tried.update(fresh)
    if verdict.missing:
        stop(f"missing system libraries: {', '.join(verdict.missing)}; {system_libraries.remedy(verdict.missing)}")
    for trial in verdict.trials:
        if not trial.ok:
            stop(f"expected {python} to import {trial.module}, found: {trial.output}; remove .venv and run again")


def may_install() -> bool:
    """True for root on a system with apt-get."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: list[str]) -> None:
    """Refresh the package lists and install *packages*; a failure shows when the libraries are looked for again."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt_get = shutil.which("apt-get") or "apt-get"
    subprocess.run([apt_get, "update", "-q"], check=False, env=quiet)
    subprocess.run([apt_get, "install", "-y", "-q", "--no-install-recommends", *packages], check=False, env=quiet)


if __name__ == "__main__":
    main()
