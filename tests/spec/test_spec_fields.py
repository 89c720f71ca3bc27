"""What each stage reads, the meshing tolerance, and the documentation of the keys."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline import tables
from pipeline.errors import InputError
from pipeline.records import sha256_json, to_dict
from pipeline.spec.draw import draw_scene
from pipeline.spec.fields import part_tolerance, photo_fields, render_fields, scene_of_render_fields, truth_fields
from pipeline.spec.load import load_spec
from pipeline.spec.model import DatasetSpec
from pipeline.spec.numbers import Section
from pipeline.spec.reference import toml_value, with_reference

Load = Callable[..., DatasetSpec]
ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "spec.md"
SHIPPED = ["smoke", "quickstart", "nightly", "manipulation", "glass"]


@pytest.mark.parametrize(
    ("path", "value", "stages"),
    [
        ("photos.exposure_ev", [2.0, 3.0], {"photos"}),
        ("photos.per_view", 5, {"photos"}),
        ("split", {"train": 0.1, "val": 0.1, "test": 0.8}, {"photos"}),
        ("render.samples", 7, {"render"}),
        ("cameras.fill", 0.6, {"render"}),
        ("rigs.scale", 1.1, {"render"}),
        ("arrangement.gap_mm", 1.0, {"render"}),
        ("finishes", {"blasted": 1.0}, {"render", "truth"}),
        ("parts.nut.category", "fastener", {"render", "truth"}),
        ("photos.stops_above", False, {"photos"}),
        ("depth_sensor.projectors", [{"name": "left", "baseline_m": 0.1}], {"truth"}),
        ("dataset.scenes", 1999, set()),
        ("dataset.description", "Nuts", set()),
    ],
)
def test_a_change_reaches_only_the_stages_that_read_it(load: Load, path: str, value: Any, stages: set[str]) -> None:
    readers = {"render": render_fields, "photos": photo_fields, "truth": truth_fields}
    before, after = load(), load(path, value)
    changed = {
        stage
        for stage, fields in readers.items()
        for index in range(12)
        if sha256_json(fields(draw_scene(before, index))) != sha256_json(fields(draw_scene(after, index)))
    }
    assert changed == stages


def test_fields_are_plain_json_and_complete(load: Load) -> None:
    scene = draw_scene(load(), 3)
    for fields in (render_fields, photo_fields, truth_fields):
        assert json.loads(json.dumps(fields(scene))) == fields(scene)
    assert set(render_fields(scene)) | set(photo_fields(scene)) == set(to_dict(scene)) - {
        "clip",
        "depth_sensor",
        "transfer",
        "painted",
    }


def test_a_render_works_with_all_but_photos(load: Load) -> None:
    scene = draw_scene(load(), 3)
    rendered = scene_of_render_fields(json.loads(json.dumps(render_fields(scene))))
    assert {**to_dict(scene), "photos": [], "split": "train"} == to_dict(rendered)


def test_tolerance_from_the_distance(load: Load) -> None:
    cameras = {
        "distance_m": [0.4, 0.6],
        "focal_mm": [25.0, 50.0],
        "sensor_width_mm": 12.8,
        "resolution": [1280, 960],
    }
    tolerance = part_tolerance(load("cameras", cameras), "nut")
    # pitch 0.01 mm; one pixel at 0.4 m with 50 mm covers 0.08 mm, a quarter of it 0.02 mm; 2**-16 m = 0.0153 mm
    assert tolerance == {"linear_m": 2.0**-16, "relative_to_diameter": None, "angular_rad": 0.1}


def test_tolerance_from_the_fill(load: Load) -> None:
    cameras = {"fill": {"choices": [0.5, 0.8]}, "resolution": [640, 480]}
    tolerance = part_tolerance(load("cameras", cameras), "cover")
    # the part spans at most 0.8 * 480 = 384 pixels; a quarter of one is 1/1536 of it; 2**-11 = 1/2048
    assert tolerance == {"linear_m": None, "relative_to_diameter": 2.0**-11, "angular_rad": 0.1}


@pytest.mark.parametrize("side", [16, 20, 31, 32, 33, 100, 128, 4096])
def test_tolerance_is_the_next_power_of_two_below(load: Load, side: int) -> None:
    tolerance = part_tolerance(load("cameras", {"fill": 1.0, "resolution": [side, side]}), "nut")
    share = tolerance["relative_to_diameter"]
    assert math.log2(share).is_integer()
    assert share <= 0.25 / side < 2 * share


def test_tolerance_of_an_unknown_part(load: Load) -> None:
    with pytest.raises(InputError, match=r'expected a part of the spec \(nut, cover\), found "gear"'):
        part_tolerance(load(), "gear")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_specs_that_come_with_the_project(name: str) -> None:
    spec = load_spec(ROOT / "scenes" / f"{name}.toml")
    assert spec.dataset.name == name
    for index in range(spec.dataset.scenes):
        draw_scene(spec, index)


def test_quickstart_shows_variety() -> None:
    spec = load_spec(ROOT / "scenes" / "quickstart.toml")
    scenes = [draw_scene(spec, index) for index in range(spec.dataset.scenes)]
    items = [item for scene in scenes for item in scene.items]
    assert len(scenes) >= 8
    assert sum(len(scene.photos) for scene in scenes) >= 32
    assert {(c.width, c.height) for scene in scenes for c in scene.cameras} == {(640, 480)}
    assert {scene.split for scene in scenes} == {"train", "val", "test"}
    assert {scene.arrangement.kind for scene in scenes} == {"table", "conveyor", "tray", "bin"}
    assert len({scene.rigs[0].name for scene in scenes}) >= 2
    assert len({scene.surroundings.name for scene in scenes}) >= 2
    assert len({item.part_id for item in items}) >= 10
    assert len({item.metal for item in items}) >= 5


def _one_file_of_every_class() -> set[str]:
    listing = json.loads((tables.assets_root() / "parts" / "parts.json").read_text(encoding="utf-8"))
    return {f"assets:parts/{part['file']}" for part in listing if part["name"] == part["class"]}


def test_manipulation_has_all_sixty_classes_each_a_category_with_a_tolerance() -> None:
    spec = load_spec(ROOT / "scenes" / "manipulation.toml")
    assert {part.file for part in spec.parts.values()} == _one_file_of_every_class()
    assert len({part.category for part in spec.parts.values()}) == 60
    assert spec.items.tolerance is not None
    assert {"bin", "table"} <= set(spec.arrangement.kinds)


def test_nightly_uses_every_class_rig_and_surroundings() -> None:
    spec = load_spec(ROOT / "scenes" / "nightly.toml")
    assert {part.file for part in spec.parts.values()} == _one_file_of_every_class()
    own_setting = {"back_light", "coaxial", *(name for name in tables.names("rigs") if name.startswith("stripes_"))}
    assert set(spec.rigs.weights) == set(tables.names("rigs")) - own_setting
    assert set(spec.surroundings.weights) == set(tables.names("surroundings"))
    assert set(spec.arrangement.kinds) == {"table", "conveyor", "tray", "bin"}


def _models(model: type[BaseModel] = Section) -> list[type[BaseModel]]:
    return [found for sub in model.__subclasses__() for found in (sub, *_models(sub))]


def test_every_field_says_what_it_is() -> None:
    bare = [f"{m.__name__}.{name}" for m in _models() for name, f in m.model_fields.items() if not f.description]
    assert bare == []


def test_the_page_lists_every_key_as_it_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_reference(text) == text, "run: python -m pipeline.spec.reference"
    for section in ("dataset", "split", "items", "arrangement", "rigs", "surroundings", "cameras", "render", "photos"):
        for key in DatasetSpec.model_fields[section].annotation.model_fields:  # type: ignore[union-attr]
            assert f"| `{section}.{key}` |" in text


def _example() -> str:
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found.group(1)


def test_the_page_s_example_is_right_and_complete(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(_example())
    draw_scene(load_spec(file), 99)
    for section in DatasetSpec.model_fields.values():
        keys = getattr(section.annotation, "model_fields", {})
        missing = [
            key
            for key in keys
            if not re.search(rf"^#? ?{key} = |^#? ?\[+\w+\.{key}\]|{key} = \[0", _example(), re.MULTILINE)
        ]
        assert missing == []


def test_the_page_s_errors_are_the_real_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = re.search(r"```text\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    text = _example().replace("zinc = 0.5", "zinc = 0.4").replace("dome = 0.5", "domme = 0.5").replace("0.9] ", "9] ")
    (tmp_path / "my.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_spec(Path("my.toml"))
    assert str(caught.value) == shown.group(1)


def test_defaults_are_shown_as_toml() -> None:
    spec = DatasetSpec.model_fields
    assert toml_value(spec["items"].default.count) == "[1, 6]"
    assert toml_value({"table": 1.0}) == "{ table = 1.0 }"
    assert toml_value(spec["items"].default.alpha_scale) == '{ min = 0.7, max = 1.4, scale = "log" }'
