"""The walls between the rooms: who may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parents[2] / "pipeline"
ROOMS = sorted(p.name for p in PIPELINE.iterdir() if p.is_dir() and (p / "__init__.py").exists())

UPSTREAM = {
    "spec": set(),
    "parts": set(),
    "arrange": {"spec", "parts"},
    "surface": {"spec", "parts"},
    "light": {"spec", "arrange", "surface"},
    "render": {"spec", "parts", "arrange", "surface", "light"},
    "camera": {"spec"},
    "truth": {"spec", "parts", "arrange"},
    "reflect": {"spec", "arrange"},
    "transfer": {"spec"},
    "dataset": set(),
    "clips": {"arrange", "dataset"},
    "report": {"dataset"},
    "realism": {"dataset"},
    "gallery": {"spec", "dataset", "graph"},
}
"""Rooms whose records each room may import; `graph` may import all."""

HEAVY = {
    "bpy": {"render/blender"},
    "mathutils": {"render/blender"},
    "torch": {"transfer"},
    "diffusers": {"transfer"},
    "transformers": {"transfer"},
    "safetensors": {"transfer"},
    "huggingface_hub": {"transfer"},
    "dask": {"graph/dask_executor.py", "graph/remote.py"},
    "distributed": {"graph/dask_executor.py", "graph/remote.py"},
    "cascadio": {"parts"},
    "mujoco": {"arrange"},
}
"""Where each heavy library may be imported."""


def imports(path: Path) -> set[str]:
    """Full names of every module that a file imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(room: str) -> list[Path]:
    return sorted((PIPELINE / room).rglob("*.py"))


def test_every_room_has_its_walls():
    assert set(ROOMS) == set(UPSTREAM) | {"graph"}


@pytest.mark.parametrize("room", sorted(UPSTREAM))
def test_a_room_imports_only_rooms_before_it(room):
    allowed = UPSTREAM[room] | {room}
    for path in files(room):
        used = {name.split(".")[1] for name in imports(path) if name.startswith("pipeline.")} & set(ROOMS)
        assert used <= allowed, f"{path.relative_to(PIPELINE)} imports {sorted(used - allowed)}"


@pytest.mark.parametrize("library", sorted(HEAVY))
def test_heavy_libraries_stay_where_they_belong(library):
    for path in sorted(PIPELINE.rglob("*.py")):
        here = path.relative_to(PIPELINE).as_posix()
        if any(here.startswith(place) for place in HEAVY[library]):
            continue
        used = {name for name in imports(path) if name.split(".")[0] == library}
        assert not used, f"{here} imports {library}"


@pytest.mark.parametrize(
    "module",
    [
        "pipeline",
        "pipeline.dataset",
        "pipeline.cli",
        "pipeline.graph.stages",
        "pipeline.transfer.store",
        "pipeline.transfer.residual",
    ],
)
def test_importing_the_package_loads_no_heavy_library(module):
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"bpy", "torch", "diffusers", "transformers", "dask", "distributed", "trimesh", "OpenImageIO"} & set(
        loaded
    )
