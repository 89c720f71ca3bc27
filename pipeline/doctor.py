"""What this machine must have, and what to do about what is missing.

Covers: the Python version, Blender as a module and the system libraries it needs, the Python libraries, cores, memory
and disk. Does not cover: installing anything.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.graph.execute import usable_cpus

LIBRARIES: Final = (
    "numpy", "scipy", "trimesh", "cascadio", "opencv-python", "OpenImageIO", "pyarrow", "pydantic", "dask",
    "distributed", "click", "rich", "pycocotools", "shapely", "embreex",
)  # fmt: skip

APT_PACKAGES: Final = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libgomp.so.1": "libgomp1",
    "libOpenGL.so.0": "libopengl0",
    "libGLX.so.0": "libglx0",
}
"""Debian and Ubuntu packages of the system libraries that Blender's wheel and its neighbours link to."""

_NEED_MEMORY: Final = 3 * 2**30
_NEED_DISK: Final = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything; the first thing that is wrong is the first to mend."""
    return [_python(), *_blender(), _libraries(), _cores(), _memory(), _disk()]


def missing_system_libraries(module: str = "bpy") -> list[str]:
    """Names of shared libraries that *module*'s binaries want and the system has not, by ldd; [] when all is well."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or shutil.which("ldd") is None:
        return []
    folder = Path(spec.origin).parent
    binaries = sorted(path for path in folder.glob("*.so*") if path.is_file())
    done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)  # noqa: S607
    lines = [line.split()[0] for line in done.stdout.splitlines() if "not found" in line]
    return sorted(set(lines))


def apt_line(libraries: list[str]) -> str:
    """The command that installs *libraries* on Debian or Ubuntu."""
    return "apt-get install -y " + " ".join(sorted({APT_PACKAGES.get(name, name) for name in libraries}))


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info[:2] in {(3, 13), (3, 11)}
    return Finding("Python", ok, found, "Blender's wheels are for Python 3.13 (bpy 5.2) and 3.11 (bpy 4.5): use one")


def _blender() -> list[Finding]:
    if importlib.util.find_spec("bpy") is None:
        return [Finding("Blender (bpy)", False, "not installed", "install the project with Python 3.13 or 3.11")]
    missing = missing_system_libraries()
    if missing:
        return [Finding("system libraries of Blender", False, f"no {', '.join(missing)}", apt_line(missing))]
    version = importlib.metadata.version("bpy")
    command = [sys.executable, "-c", "import bpy; print(bpy.app.version_string)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    words = (done.stdout or done.stderr).strip().splitlines()
    last = words[-1] if words else "no answer"
    return [Finding("Blender (bpy)", done.returncode == 0, f"{version}, {last}", "reinstall bpy")]


def _libraries() -> Finding:
    missing = []
    for library in LIBRARIES:
        try:
            importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            missing.append(library)
    found = f"no {', '.join(missing)}" if missing else f"all {len(LIBRARIES)}"
    return Finding("libraries", not missing, found, "install the project again: pip install -e .")


def _cores() -> Finding:
    return Finding("processor cores", True, str(usable_cpus()))


def _memory() -> Finding:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    remedy = "a render of 1024 x 1024 needs up to 2 GiB: render smaller pictures here"
    return Finding("memory", size >= _NEED_MEMORY, f"{size / 2**30:.1f} GiB", remedy)


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    return Finding("free space here", free >= _NEED_DISK, f"{free / 2**30:.1f} GiB", "free some space")
