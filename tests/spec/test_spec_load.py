"""Reading specs: every mistake is named by its exact path, with what was expected and found."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import tables
from pipeline.errors import EXIT_BAD_INPUT, InputError
from pipeline.spec.files import PART_SUFFIXES, resolve_part_file
from pipeline.spec.load import MAX_SPEC_BYTES, load_spec
from pipeline.spec.model import DatasetSpec

Load = Callable[..., DatasetSpec]

WRONG: list[tuple[str, Any, str]] = [
    # where, what, the line that must be in the message
    ("dataset.name", "Bad Name", "dataset.name: expected 1 to 63 of the characters"),
    ("dataset.name", "", "dataset.name: expected 1 to 63"),
    ("dataset.name", "a\n", "dataset.name: expected 1 to 63"),
    ("dataset.seed", 1.5, "dataset.seed: expected a whole number; found 1.5"),
    ("dataset.seed", True, "dataset.seed: expected a whole number; found true"),
    ("dataset.seed", -1, "dataset.seed: expected 0 or more; found -1"),
    ("dataset.scenes", 0, "dataset.scenes: expected 1 or more; found 0"),
    ("dataset.scenes", "8", 'dataset.scenes: expected a whole number; found "8"'),
    (
        "dataset.sceens",
        8,
        "dataset.sceens: expected one of the keys name, seed, scenes, description, licence, keep; found the "
        'unknown key "sceens"; did you mean "scenes"?',
    ),
    ("datset", {"name": "x"}, 'found the unknown key "datset"; did you mean "dataset"?'),
    ("dataset", 3, "dataset: expected a table; found 3"),
    ("schema_version", 2, "schema_version: expected 1; found 2"),
    ("split.val", 0.4, "split: expected weights that sum to 1; found a sum of 1.2"),
    ("split.val", -0.2, "split.val: expected 0 or more; found -0.2"),
    ("parts", {}, "parts: expected at least one [parts.<id>] with a weight above 0; found 0 parts"),
    ("parts.a b", {"file": "nut.step", "category": "x"}, 'parts."a b": expected 1 to 63 of the characters'),
    ("parts.nut", "nut.step", 'parts.nut: expected a table; found "nut.step"'),
    ("parts.nut.weight", -1.0, "parts.nut.weight: expected 0 or more; found -1"),
    ("parts.nut.weight", math.inf, "parts.nut.weight: expected a finite number"),
    ("parts.nut.category", 3, "parts.nut.category: expected text in quotes; found 3"),
    ("parts.nut.units", "mm", 'parts.nut.units: expected no units for a .step file, which carries its own; found "mm"'),
    ("parts.cover.units", "yard", "parts.cover.units: expected 'um', 'mm', 'cm', 'm', 'inch' or 'ft'; found \"yard\""),
    (
        "parts.cover.metals",
        {"coper": 1.0},
        'parts.cover.metals.coper: expected one of brass, copper, steel; found "coper"; did you mean "copper"?',
    ),
    ("parts.nut.file", "/etc/passwd", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "../outside.step", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "cad/../../outside.step", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "assets:../outside.step", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "assets:/etc/x.step", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "C:\\nut.step", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "cad\\nut.step", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "nut\u0000.step", "parts.nut.file: expected a relative path"),
    ("parts.nut.file", "n" * 5000 + ".step", "parts.nut.file: expected a file"),
    ("parts.nut.file", "notes.txt", "parts.nut.file: expected a file name that ends in one of .step, .stp"),
    ("parts.nut.file", "nt.step", '"nt.step", which does not exist; did you mean "nut.step"?'),
    ("parts.nut.file", "cad", "parts.nut.file: expected a file name that ends in one of"),
    ("metals", {"steel": 0.5, "brass": 0.4}, "metals: expected weights that sum to 1; found a sum of 0.9"),
    ("metals", {}, "metals: expected weights that sum to 1; found a sum of 0"),
    ("metals", {"steel": 1.5, "brass": -0.5}, "metals.brass: expected 0 or more; found -0.5"),
    ("metals", {"steel": math.nan}, "metals.steel: expected a finite number; found NaN"),
    ("metals", {"steel": "all"}, 'metals.steel: expected a number; found "all"'),
    ("finishes", ["turned"], 'finishes: expected a table; found ["turned"]'),
    ("items.count", [3, 1], "items.count: expected a range whose first number is not above its second; found 3 > 1"),
    ("items.count", [0, 3], "items.count[0]: expected 1 to 1000; found 0"),
    ("items.count", 1001, "items.count: expected 1 to 1000; found 1001"),
    ("items.count", 2.5, "items.count: expected a whole number; found 2.5"),
    ("items.count", [1, 2, 3], "items.count: expected a number, a range [lowest, highest]"),
    ("items.count", {"choices": [1, 2], "weights": [0.5]}, "items.count: expected one weight for each choice"),
    ("items.count", {"choices": []}, "items.count: expected at least one choice; found none"),
    ("items.count", {"min": 1}, "items.count: expected both min and max, or choices"),
    ("items.count", {"min": 1, "max": 4, "weights": [1.0]}, "items.count: expected weights only together with choices"),
    ("items.count", {"min": 1, "max": 4, "choices": [1]}, "items.count: expected either min, max and scale or choices"),
    ("items.count", {"choices": [1, 2], "weights": [1.5, -0.5]}, "items.count: expected weights that are not negative"),
    ("items.ra_quantile", [0.0, 1.2], "items.ra_quantile[1]: expected 0 to 1; found 1.2"),
    (
        "arrangement.kinds",
        {"tabel": 1.0},
        "arrangement.kinds.tabel: expected one of bin, conveyor, fixture, pile, pocket_tray, stack, table, tray, vice; "
        'found "tabel"; did you mean "table"?',
    ),
    (
        "films",
        {"verdigris": 1.0},
        "the spec: expected a film that steel can carry for part nut (bare fits every metal); found only verdigris",
    ),
    (
        "parts.nut.faces",
        [{"kind": "plane", "process": "honed", "ra_um": 1.6}],
        "parts.nut.faces[0]: expected ra_um from 0.1 to 0.8, which honed reaches; found 1.6",
    ),
    (
        "parts.nut.faces",
        [{"process": "hone"}],
        'parts.nut.faces[0].process: expected one of honed, milled; found "hone"; did you mean "honed"?',
    ),
    (
        "rigs.together",
        ["dome"],
        "rigs: expected exactly one of weights and together; found both",
    ),
    (
        "surroundings.weights",
        {"hall": 0.5, "cave": 0.5},
        'surroundings: expected one of hall, sky; found "cave"',
    ),
    (
        "arrangement.kinds",
        {"tray": 1.0},
        "arrangement: expected surfaces for every kind with a weight above 0; found none for tray",
    ),
    (
        "arrangement.surfaces.table",
        {"wod": 1.0},
        "arrangement.surfaces.table.wod: expected one of plastic, rubber, wood",
    ),
    ("arrangement.gap_mm", -1, "arrangement.gap_mm: expected 0 to 1000; found -1"),
    ("arrangement.gap_mm", "wide", "arrangement.gap_mm: expected a number, a range"),
    (
        "rigs.weights",
        {"domme": 1.0},
        'rigs.weights.domme: expected one of dome, softboxes; found "domme"; did you mean "dome"?',
    ),
    (
        "rigs.scale",
        {"min": 0.0, "max": 1.0, "scale": "log"},
        'rigs.scale: expected a lowest value above 0 for scale = "log"',
    ),
    (
        "rigs.scale",
        {"min": 1, "maxx": 2},
        "rigs.scale.maxx: expected one of the keys min, max, scale, choices, weights",
    ),
    ("rigs.scale", {"min": 1, "max": 2, "scale": "cubic"}, "rigs.scale.scale: expected 'linear' or 'log'"),
    ("rigs.scale", [math.nan, 1.0], "rigs.scale[0]: expected a finite number; found NaN"),
    ("cameras.fill", [0.5, 7], "cameras.fill[1]: expected 0.02 to 2; found 7"),
    ("cameras.fill", ["low", 0.9], 'cameras.fill[0]: expected a number; found "low"'),
    ("cameras.fill", {"choices": [0.5, 9.0]}, "cameras.fill.choices[1]: expected 0.02 to 2; found 9"),
    ("cameras.distance_m", 0.5, "cameras: expected exactly one of distance_m and fill; found both"),
    ("cameras.resolution", [640], "cameras.resolution: expected more values; found [640]"),
    ("cameras.resolution", [640, 480, 3], "cameras.resolution: expected 2 values; found [640, 480, 3]"),
    ("cameras.resolution", [640, -480], "cameras.resolution: expected [width, height], each 16 to 16384"),
    ("cameras.resolution", [16384, 16384], "cameras.resolution: expected [width, height], each 16 to 16384"),
    ("cameras.resolution", [640.0, 480.0], "cameras.resolution[0]: expected a whole number; found 640"),
    ("cameras.look_at_jitter", 10**400, "cameras.look_at_jitter: expected a number"),
    ("cameras.lens", "macro", "cameras.lens: expected one of the keys views, azimuth_deg"),
    ("render.samples", 0, "render.samples: expected 1 or more; found 0"),
    ("render.denoise", 1, "render.denoise: expected true or false; found 1"),
    ("photos.per_view", 0, "photos.per_view: expected 1 or more; found 0"),
    ("photos.light_weight", [-1.0, 1.0], "photos.light_weight[0]: expected 0 to 100; found -1"),
    (
        "photos.light_cct_k",
        {"choices": [3000, 4000], "weights": [0.5, 0.6]},
        "photos.light_cct_k: expected weights that sum to 1; found a sum of 1.1",
    ),
    ("photos.tone", {"hdr": 1.0}, 'photos.tone.hdr: expected one of agx, filmic, linear, srgb; found "hdr"'),
    ("photos.image_format", "tiff", "photos.image_format: expected 'png' or 'jpeg'; found \"tiff\""),
    ("photos.metering", {"guess": 1.0}, "photos.metering.guess: expected one of average, centre_weighted, highlight"),
    ("photos.bracket_ev", [1.0], "photos.bracket_ev: expected 2 to 9 exposures; found 1"),
    ("photos.bracket_ev", [float(n) for n in range(10)], "photos.bracket_ev: expected 2 to 9 exposures; found 10"),
    (
        "photos.bracket_ev",
        [0.0, -2.0, 2.0],
        "photos.bracket_ev: expected steps that rise, the darkest first; found",
    ),
    ("photos.bracket_ev", [0.0, 0.0], "photos.bracket_ev: expected steps that rise"),
    ("photos.bracket_ev", [-12.0, 0.0], "photos.bracket_ev: expected steps of -10 to 10 stops"),
    (
        "photos.bracket_ev",
        [-8.0, 8.0],
        "photos.bracket_ev: expected a bracket of at most 15.0 stops, which shutter and gain of small give; "
        "found one of 16 stops",
    ),
    ("photos.burst", {"length": 1}, "photos.burst.length: expected 2 or more; found 1"),
    ("photos.burst", {"length": 4, "delay_frames": 0}, "photos.burst.delay_frames: expected 1 to 8; found 0"),
    ("photos.processing", {"jpeg_quality": 0}, "photos.processing.jpeg_quality: expected 1 to 100; found 0"),
    ("photos.processing", {"sharpness": 1}, "photos.processing.sharpness: expected one of the keys demosaic"),
    (
        "photos.processing",
        {"white_balance": {"auto": 0.5}},
        "photos.processing.white_balance: expected weights that sum",
    ),
    ("photos.group_off_probability", 1.1, "photos.group_off_probability: expected 1 or less; found 1.1"),
]


@pytest.mark.parametrize(("path", "value", "line"), WRONG, ids=[f"{path}={value!r:.30}" for path, value, _ in WRONG])
def test_a_mistake_is_named(load: Load, path: str, value: Any, line: str) -> None:
    with pytest.raises(InputError) as caught:
        load(path, value)
    assert f"  {line}" in str(caught.value) or (line.startswith(('"', "found")) and line in str(caught.value))
    assert caught.value.exit_code == EXIT_BAD_INPUT


@pytest.mark.parametrize("path", ["dataset", "metals", "cameras", "photos.sensors", "parts.nut.file", "schema_version"])
def test_a_missing_key_is_named(load: Load, remove: object, path: str) -> None:
    with pytest.raises(InputError, match=rf"  {path}: expected this key, which must be there; found nothing"):
        load(path, remove)


def test_neither_distance_nor_fill(load: Load, remove: object) -> None:
    with pytest.raises(InputError, match="cameras: expected exactly one of distance_m and fill; found neither"):
        load("cameras.fill", remove)


def test_all_mistakes_at_once(load: Load, folder: Path) -> None:
    load()
    file = folder / "my.toml"
    text = file.read_text()
    text = (
        text.replace('"steel" = 0.75', '"steal" = 0.75').replace("[0.5, 0.9]", "[0.5, 9]").replace("nut.step", "n.step")
    )
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_spec(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: 3 problems\n")
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:4]] == [
        "parts.nut.file",
        "metals.steal",
        "cameras.fill[1]",
    ]


def test_a_good_spec_knows_its_folder(load: Load, folder: Path) -> None:
    spec = load()
    assert spec.folder == folder
    assert resolve_part_file(spec.parts["cover"].file, spec.folder) == (folder / "cad/cover.stl").resolve()


@pytest.mark.parametrize("suffix", PART_SUFFIXES)
def test_every_format_in_any_case(load: Load, folder: Path, suffix: str) -> None:
    (folder / f"x{suffix.upper()}").write_text("")
    assert load("parts.x", {"file": f"x{suffix.upper()}", "category": "x"}).parts["x"].category == "x"


def test_a_link_may_not_lead_out(load: Load, folder: Path) -> None:
    (folder / "link.step").symlink_to(folder.parent / "outside.step")
    (folder / "inner.step").symlink_to(folder / "nut.step")
    (folder / "loop.step").symlink_to(folder / "loop.step")
    assert load("parts.nut.file", "inner.step").parts["nut"].file == "inner.step"
    with pytest.raises(InputError, match=r'parts\.nut\.file: .*"link\.step", a link that leads out of it'):
        load("parts.nut.file", "link.step")
    with pytest.raises(InputError, match=r"parts\.nut\.file: .*(a link that leads to none|open)"):
        load("parts.nut.file", "loop.step")


def test_assets_are_a_second_root(load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = folder.parent / "assets"
    (assets / "parts").mkdir(parents=True)
    (assets / "parts" / "gear.step").write_text("")
    monkeypatch.setattr(tables, "assets_root", lambda: assets)
    spec = load("parts.nut.file", "assets:parts/gear.step")
    assert resolve_part_file(spec.parts["nut"].file, spec.folder) == (assets / "parts/gear.step").resolve()
    with pytest.raises(InputError, match=r'gears\.step", which does not exist; did you mean "gear\.step"'):
        load("parts.nut.file", "assets:parts/gears.step")


def test_resolve_refuses_what_load_refuses(folder: Path) -> None:
    with pytest.raises(InputError, match=r'part file "\.\./outside\.step": expected a relative path'):
        resolve_part_file("../outside.step", folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = 1\nb = = 2\n", "at line 2, column 5"),
        (b"a = 1\na = 2\n", "expected valid TOML, found: Cannot overwrite a value"),
        (b'a = "\xff"', "expected UTF-8 text, found byte 0xff at offset 5"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"1" * 5000, "expected valid TOML"),
        (b"", "dataset: expected this key"),
        (b"# " + b"x" * MAX_SPEC_BYTES, "expected a spec of at most"),
        (b"\x89PNG\r\n\x1a\n", "expected UTF-8 text, found byte 0x89 at offset 0"),
    ],
)
def test_files_that_are_no_spec(fake_tables: None, tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "my.toml"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_spec(file)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no such file"):
        load_spec(tmp_path / "none.toml")
    with pytest.raises(InputError, match="found a folder"):
        load_spec(tmp_path)


def test_a_byte_order_mark_is_no_mistake(load: Load, folder: Path) -> None:
    spec, file = load(), folder / "my.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_spec(file) == spec


def test_a_spec_cannot_be_changed(load: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().dataset.seed = 6  # type: ignore[misc]
