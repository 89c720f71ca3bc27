"""Datasets of the fake stages: a small spec with its parts, running the command line, comparing datasets."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FAKE_STAGES = "pipeline.graph.fake:STAGES"

SPEC = """
schema_version = 1

[dataset]
name = "tiny"
seed = 3
scenes = {scenes}
licence = "CC0-1.0"

{parts}

[metals]
brass_cu70zn30 = 1.0

[finishes]
turned = 1.0

[items]
count = 1

[arrangement]
surfaces = {{ table = {{ grey_painted_table = 1.0 }} }}

[rigs]
weights = {{ studio_softboxes = 1.0 }}

[surroundings]
weights = {{ softlit_studio_room = 1.0 }}

[cameras]
fill = 0.8
resolution = [96, 72]

[render]
samples = {samples}

[photos]
per_view = 2
exposure_ev = {exposure}
sensors = {{ mv_global_shutter_color = 1.0 }}
lenses = {{ c_mount_25mm = 1.0 }}
"""

PART = """
[parts.{name}]
file = "{name}.stl"
units = "mm"
category = "nut"
"""


def write_spec(
    folder: Path,
    scenes: int = 5,
    parts: tuple[str, ...] = ("one", "two"),
    exposure: float = 0.5,
    samples: int = 8,
) -> Path:
    """Write a spec and its part files into *folder*; part files that are there stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in parts:
        path = folder / f"{name}.stl"
        if not path.exists():
            path.write_text(f"solid {name}\n")
    text = SPEC.format(
        scenes=scenes, parts="".join(PART.format(name=name) for name in parts), exposure=exposure, samples=samples
    )
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


def environment(**fake: Any) -> dict[str, str]:
    """The environment of a command that uses the fake stages with these settings."""
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "GLINT_STAGES": FAKE_STAGES, "GLINT_FAKE": json.dumps(fake), "PYTHONPATH": python_path}


def glint(*arguments: object, **fake: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run_pipeline.py"), *map(str, arguments)],
        env=environment(**fake),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def start_glint(*arguments: object, **fake: Any) -> subprocess.Popen[str]:
    """Start a command in a session of its own, as a terminal would."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "run_pipeline.py"), *map(str, arguments)],
        env=environment(**fake),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(ready: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first true value of *ready*; fails when there is none within *seconds*."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = ready()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def traces(folder: Path, stage: str) -> list[tuple[str, int, int | None]]:
    """(label, process, its child) of every run of *stage* that left a trace, sorted by label."""
    found = []
    for path in folder.glob(f"{stage}.*"):
        parts = path.name.split(".")[1:]
        numbers = [int(part) for part in parts if part.isdigit()]
        label = ".".join(part for part in parts if not part.isdigit())
        found.append((label, numbers[0], numbers[1] if len(numbers) > 1 else None))
    return sorted(found)


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    """Processes whose parent is *pid*."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def fingerprint(root: Path, build: str | None = None) -> dict[str, str]:
    """Path -> SHA-256 of everything that must not differ between two datasets of the same spec: the store without the
    records of its runs, and the tables of a build (default: the newest), whatever its number."""
    build = build or (root / "LATEST").read_text().strip()
    files = {path.relative_to(root).as_posix(): path for path in (root / "store").rglob("*") if path.is_file()}
    files = {name: path for name, path in files.items() if not name.endswith("record.json")}
    files |= {f"tables/{path.name}": path for path in (root / "builds" / build).glob("*.parquet")}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(files.items())}


def spec_scenes(spec: Path, count: int) -> list[Any]:
    """The first drawn scenes of a spec."""
    from pipeline.spec.draw import draw_scene
    from pipeline.spec.load import load_spec

    loaded = load_spec(spec)
    return [draw_scene(loaded, index) for index in range(count)]
