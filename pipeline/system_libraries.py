"""The system libraries that Blender and OpenCV expect of a machine: which are missing, and the apt-get line for them.

Covers: the map from shared libraries to Debian and Ubuntu packages, the look at what `ldd` cannot find, the trial
imports in a process of their own. Does not cover: installing them (`.ci/bootstrap.py`), reporting (`pipeline.doctor`).

Only the standard library may be imported here: the bootstrap uses this module before anything is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGES: Final[dict[str, str]] = {
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXrandr.so.2": "libxrandr2",
    "libXrender.so.1": "libxrender1",
    "libXt.so.6": "libxt6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libXau.so.6": "libxau6",
    "libXdmcp.so.6": "libxdmcp6",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libuuid.so.1": "libuuid1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libGLdispatch.so.0": "libglvnd0",
    "libOpenGL.so.0": "libopengl0",
    "libEGL.so.1": "libegl1",
    "libgomp.so.1": "libgomp1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libgcc_s.so.1": "libgcc-s1",
    "libz.so.1": "zlib1g",
}
"""Shared library to Debian and Ubuntu package. What else `ldd` misses (drivers of graphics cards) is optional."""

BINARY_MODULES: Final = ("bpy", "cv2", "embreex")
"""Modules that bring native code which leans on libraries of the system."""

IMPORT_SECONDS: Final = 180.0
LDD_SECONDS: Final = 30.0
_CANNOT_OPEN: Final = re.compile(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file")
_NOT_FOUND: Final = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """How the import of one module went, in a process of its own."""

    module: str
    ok: bool
    output: str
    """What the module's `version` and `__version__` say when ok, else the last line that the process wrote."""
    library: str | None
    """The shared library that could not be opened, when that was the cause."""


@dataclass(frozen=True)
class Verdict:
    """What `examine_libraries` found."""

    missing: tuple[str, ...]
    """Shared libraries that are needed and not there, sorted."""
    trials: tuple[Trial, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is missing and every module could be imported."""
        return not self.missing and all(trial.ok for trial in self.trials)


def examine_libraries(python: Path, modules: Sequence[str] = BINARY_MODULES) -> Verdict:
    """Ask `ldd` about every binary of *modules* as installed for *python*, then import each of them.

    A module that is not installed fails its trial. On systems without `ldd` only the trials count.
    """
    missing = {name for name in unresolved(binaries(python, modules)) if name in PACKAGES}
    trials = tuple(try_import(python, module) for module in modules)
    missing |= {trial.library for trial in trials if trial.library is not None}
    return Verdict(missing=tuple(sorted(missing)), trials=trials)


def binaries(python: Path, modules: Sequence[str]) -> list[Path]:
    """The shared objects below the folders of *modules*, found without importing them."""
    code = (
        "import importlib.util, sys\n"
        "for name in sys.argv[1:]:\n"
        "    spec = importlib.util.find_spec(name)\n"
        "    print(*(spec.submodule_search_locations or []) if spec else [], sep='\\n')\n"
    )
    done = subprocess.run(
        [str(python), "-c", code, *modules], capture_output=True, text=True, check=False, timeout=IMPORT_SECONDS
    )
    folders = [Path(line) for line in done.stdout.splitlines() if line]
    return sorted(path for folder in folders for path in folder.rglob("*.so*") if path.is_file())


def unresolved(files: Iterable[Path]) -> set[str]:
    """Names of the shared libraries that `ldd` cannot find for *files*; empty where there is no `ldd`."""
    ldd = shutil.which("ldd")
    if ldd is None or not sys.platform.startswith("linux"):
        return set()
    names: set[str] = set()
    for file in files:
        done = subprocess.run([ldd, str(file)], capture_output=True, text=True, check=False, timeout=LDD_SECONDS)
        names.update(_NOT_FOUND.findall(done.stdout))
    return names


def try_import(python: Path, module: str) -> Trial:
    """Import *module* in a new process of *python* (Blender can only be loaded once, and may end its process)."""
    code = (
        f"import {module} as m\n"
        "version = getattr(getattr(m, 'app', None), 'version_string', None) or getattr(m, '__version__', '')\n"
        "print('imported', version)\n"
    )
    try:
        done = subprocess.run(
            [str(python), "-c", code], capture_output=True, text=True, check=False, timeout=IMPORT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Trial(module, ok=False, output=f"no answer within {IMPORT_SECONDS:.0f} s", library=None)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    imported = [line for line in done.stdout.splitlines() if line.startswith("imported")]
    if imported:
        return Trial(module, ok=True, output=imported[-1].removeprefix("imported").strip(), library=None)
    cause = _CANNOT_OPEN.search(done.stderr)
    last = lines[-1] if lines else f"the process ended with status {done.returncode}"
    return Trial(module, ok=False, output=last, library=cause[1] if cause else None)


def packages_of(libraries: Iterable[str]) -> list[str]:
    """Debian and Ubuntu packages that hold *libraries*, sorted; libraries outside the map are left out."""
    return sorted({PACKAGES[name] for name in libraries if name in PACKAGES})


def apt_line(libraries: Iterable[str]) -> str:
    """The one line that installs *libraries* on Debian and Ubuntu."""
    return "apt-get install -y --no-install-recommends " + " ".join(packages_of(libraries))


def remedy(libraries: Sequence[str]) -> str:
    """What to do about missing *libraries*, in one sentence per kind."""
    known = packages_of(libraries)
    unknown = [name for name in libraries if name not in PACKAGES]
    parts = []
    if known:
        parts.append(f"on Debian or Ubuntu run, as root:  {apt_line(libraries)}")
    if unknown:
        parts.append(f"find the packages that hold {', '.join(unknown)} (apt-file search NAME) and install them")
    return "; ".join(parts)
