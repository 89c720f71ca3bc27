"""A small spec that is right, as a dict to break, and a folder with part files."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import tables
from pipeline.spec.draw import draw_scene
from pipeline.spec.load import load_spec
from pipeline.spec.model import DatasetSpec
from pipeline.spec.scene import SceneSpec

TABLES: dict[str, dict[str, Any]] = {
    "metals": {"steel": {}, "brass": {}, "copper": {}},
    "finishes": {"turned": {}, "ground": {}, "blasted": {}},
    "films": {"bare": {}, "oil": {}, "verdigris": {"on": ["copper*", "brass*"]}},
    "defects": {"scratch": {}, "dent": {}},
    "processes": {"milled": {"ra_um": [0.8, 1.6, 6.3]}, "honed": {"ra_um": [0.1, 0.4, 0.8]}},
    "rigs": {"softboxes": {"groups": ["key", "fill", "rim"]}, "dome": {"groups": ["dome"]}},
    "surroundings": {"hall": {"groups": ["luminaires", "windows"]}, "sky": {"groups": ["world"]}},
    "illuminance": {"storage": {"lux": 100}, "fine_machining": {"lux": 500}},
    "glass": {
        "window": {"thickness_mm": [2.0, 4.0], "refractive_index": 1.5, "tilt_deg": [0.0, 30.0], "share": [0.2, 0.5]}
    },
    "supports": {"wood": {}, "rubber": {}, "plastic": {}},
    "sensors": {"small": {"max_gain": 16.0}, "large": {"max_gain": 64.0, "shutter": "rolling"}},
    "spectra": tables.table("spectra"),
    "drivers": {
        "dc": {"wave": "steady", "spectrum": "led"},
        "daylight": {"wave": "steady", "spectrum": "daylight", "groups": ["windows"], "surroundings": ["sky"]},
        **{
            name: {"wave": "mains", "spectrum": "white", "modulation": [0.1, 0.4]}
            for name in ("led_electronic", "led_ripple", "fluorescent_electronic", "fluorescent_magnetic")
        },
        "metal_halide_magnetic": {"wave": "mains", "spectrum": "white", "modulation": [0.3, 0.5]},
        "led_pwm": {"wave": "pwm", "spectrum": "led", "frequency_hz": [200.0, 2000.0], "duty": [0.2, 0.9]},
        "strobe": {"wave": "pulse", "spectrum": "led", "level": 5.0},
    },
    "lenses": {"macro": {"f_min": 2.8, "f_max": 32.0}, "slow": {"f_min": 5.6, "f_max": 16.0}},
}

GOOD: dict[str, Any] = {
    "schema_version": 1,
    "dataset": {"name": "demo", "seed": 5, "scenes": 2000},
    "split": {"train": 0.7, "val": 0.2, "test": 0.1},
    "parts": {
        "nut": {"file": "nut.step", "category": "nut", "weight": 3.0},
        "cover": {"file": "cad/cover.stl", "category": "cover", "units": "inch", "metals": {"copper": 1.0}},
    },
    "metals": {"steel": 0.75, "brass": 0.25},
    "finishes": {"turned": 0.5, "ground": 0.5},
    "items": {"count": [1, 6], "batch_probability": 0.25},
    "arrangement": {
        "kinds": {"table": 0.5, "bin": 0.5},
        "surfaces": {"table": {"wood": 1.0}, "bin": {"rubber": 0.5, "plastic": 0.5}},
        "gap_mm": [2.0, 10.0],
    },
    "rigs": {"weights": {"softboxes": 0.8, "dome": 0.2}, "scale": {"min": 0.5, "max": 2.0, "scale": "log"}},
    "surroundings": {"weights": {"hall": 0.5, "sky": 0.5}},
    "cameras": {"views": [1, 3], "fill": [0.5, 0.9], "focal_mm": {"choices": [25, 50], "weights": [0.2, 0.8]}},
    "photos": {
        "per_view": 3,
        "group_off_probability": 0.3,
        "sensors": {"small": 1.0},
        "lenses": {"macro": 0.5, "slow": 0.5},
    },
}


def toml_text(values: dict[str, Any], prefix: str = "") -> str:
    """*values* as TOML: plain keys first, then tables."""
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [f"[{prefix}{_key(key)}]", toml_text(value, f"{prefix}{_key(key)}.")]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + "}"
    return "inf" if value == float("inf") else json.dumps(value)


REMOVE = object()
"""As a new value: take the key out."""


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good spec with the value at the dotted *path* replaced, added or removed."""
    values = copy.deepcopy(GOOD)
    *tables_, last = path.split(".")
    place = values
    for key in tables_:
        place = place.setdefault(key, {})
    if value is REMOVE:
        del place[last]
    else:
        place[last] = value
    return values


def use_fake_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "table", TABLES.__getitem__)
    monkeypatch.setattr(tables, "names", lambda name: tuple(TABLES[name]))


def make_folder(here: Path) -> Path:
    (here / "cad").mkdir(parents=True)
    for name in ("nut.step", "cad/cover.stl", "notes.txt", "../outside.step"):
        (here / name).write_text("not read here")
    return here


@pytest.fixture
def fake_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables in place of those in assets."""
    use_fake_tables(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path, fake_tables: None) -> Path:
    """A folder with the part files of the good spec, and one part above it."""
    return make_folder(tmp_path / "specs")


@pytest.fixture
def load(folder: Path) -> Callable[..., DatasetSpec]:
    """Load the good spec, with the value at a path changed."""

    def load_changed(path: str = "dataset.seed", value: Any = 5) -> DatasetSpec:
        file = folder / "my.toml"
        file.write_text(toml_text(changed(path, value)), encoding="utf-8")
        return load_spec(file)

    return load_changed


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[SceneSpec]:
    """1500 scenes of the good spec."""
    file = make_folder(tmp_path_factory.mktemp("scenes") / "specs") / "my.toml"
    file.write_text(toml_text(GOOD), encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_fake_tables(monkeypatch)
        spec = load_spec(file)
        return [draw_scene(spec, index) for index in range(1500)]


@pytest.fixture
def remove() -> object:
    """The value that makes `load` take a key out."""
    return REMOVE
