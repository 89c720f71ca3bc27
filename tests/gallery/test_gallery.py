"""The gallery shows every entry of every table, once, and goes on where it was interrupted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from support.fake_builds import FAKE_STAGES

from pipeline.errors import InputError, StageFailed
from pipeline.gallery import sheets, tiles
from pipeline.gallery.__main__ import main
from pipeline.gallery.plan import SECTIONS, changed, metal_for, plan_gallery
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.read import read_part
from pipeline.spec.draw import draw_scene
from pipeline.spec.films import fits
from pipeline.surface.face_rules import check_face_rules
from pipeline.tables import assets_root, names

BASE = Path(__file__).parents[2] / "scenes" / "gallery.toml"
SMALL = (64, 48)


def plan(*only, size=SMALL, samples=2):
    return plan_gallery(BASE, only, size, samples)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_a_section_has_one_tile_for_every_entry_of_its_table(section):
    assert tuple(tile.name for tile in plan(section.name)) == names(section.table)


def test_every_tile_is_a_scene_that_shows_its_entry():
    shown = {
        "metals": lambda scene: scene.items[0].metal,
        "finishes": lambda scene: scene.items[0].finish,
        "processes": lambda scene: scene.items[0].face_rules[0].process,
        "films": lambda scene: scene.items[0].film,
        "defects": lambda scene: scene.items[0].defects[0].kind,
        "rigs": lambda scene: scene.rigs[0].name,
        "surroundings": lambda scene: scene.surroundings.name,
        "backgrounds": lambda scene: scene.arrangement.surface,
    }
    assert set(shown) == {section.name for section in SECTIONS}
    for tile in plan():
        assert shown[tile.section](draw_scene(tile.spec, 0)) == tile.name


def test_tiles_of_one_section_differ_by_their_entry_alone():
    one, other = (draw_scene(tile.spec, 0) for tile in plan("metals")[:2])
    assert one.cameras == other.cameras
    assert one.rigs == other.rigs
    assert one.arrangement == other.arrangement
    assert one.items[0].metal != other.items[0].metal
    assert one.items[0].yaw_rad == other.items[0].yaw_rad


def test_every_process_can_make_the_faces_that_its_tile_gives_it():
    flange = read_part(assets_root() / "parts" / "flange.step", units=None, tolerance=Tolerance(), limits=Limits())
    for tile in plan("processes"):
        check_face_rules(flange, draw_scene(tile.spec, 0).items[0])


def test_scene_ids_are_unique():
    ids = [tile.spec.dataset.name for tile in plan()]
    assert len(set(ids)) == len(ids)


def test_a_film_is_shown_on_a_metal_that_carries_it():
    for film in names("films"):
        assert fits(film, metal_for(film))


def test_changes_replace_weights_and_keep_other_keys():
    raw = {"rigs": {"weights": {"ring": 1.0}, "scale": 2.0}, "metals": {"iron": 1.0}}
    result = changed(raw, {"rigs": {"weights": {"dome": 1.0}}, "metals": {"zinc": 1.0}})
    assert result == {"rigs": {"weights": {"dome": 1.0}, "scale": 2.0}, "metals": {"zinc": 1.0}}
    assert raw["rigs"]["weights"] == {"ring": 1.0}


def test_a_second_run_renders_nothing(tmp_path, monkeypatch):
    wanted = plan("defects")
    first = tiles.render_tiles(wanted, tmp_path, quiet=True, stages=FAKE_STAGES)
    assert all(one.photo is not None and one.photo.is_file() for one in first)

    def refuse(*_):
        raise AssertionError("an action was run")

    monkeypatch.setattr(tiles.ThreadExecutor, "submit", refuse)
    assert tiles.render_tiles(wanted, tmp_path, quiet=True, stages=FAKE_STAGES) == first


def test_what_was_finished_before_an_interruption_is_not_made_again(tmp_path, monkeypatch):
    wanted, submit, started = plan("surroundings"), tiles.ThreadExecutor.submit, []

    def interrupted(executor, action):
        started.append(action.key)
        if len(started) == 12:
            raise KeyboardInterrupt
        submit(executor, action)

    monkeypatch.setattr(tiles.ThreadExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tiles.render_tiles(wanted, tmp_path, quiet=True, stages=FAKE_STAGES)
    made = {path.parent.name for path in (tmp_path / "store").rglob("record.json")}
    assert made, "something was finished"
    again = []
    monkeypatch.setattr(
        tiles.ThreadExecutor, "submit", lambda executor, action: (again.append(action.key), submit(executor, action))
    )
    shown = tiles.render_tiles(wanted, tmp_path, quiet=True, stages=FAKE_STAGES)
    assert all(one.photo for one in shown)
    assert not made & set(again)


def test_a_failed_tile_leaves_the_others_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("GLINT_STAGES", FAKE_STAGES)
    wanted = plan("defects")[:3]
    shown = tiles.render_tiles(wanted, tmp_path / "store", quiet=True)
    broken = (tiles.Shown(shown[0].tile, None, "render: no lamps"), *shown[1:])
    sheet = sheets.contact_sheet(broken, SMALL)
    x, y = sheets.GAP_PX, sheets.GAP_PX
    assert (sheet[y : y + SMALL[1], x : x + SMALL[0]] == sheets.NO_PHOTO).all()
    other = sheet[y : y + SMALL[1], x + SMALL[0] + sheets.GAP_PX :][:, : SMALL[0]]
    assert not (other == sheets.NO_PHOTO).all()


def test_the_command_writes_sheets_and_a_page_of_every_section(tmp_path, monkeypatch):
    monkeypatch.setenv("GLINT_STAGES", FAKE_STAGES)
    options = ["--only", "rigs", "--size", "64", "--samples", "1", "--quiet"]
    places = ["--store", str(tmp_path / "store"), "--docs", str(tmp_path / "docs")]
    result = CliRunner().invoke(main, [*options, *places])
    assert result.exit_code == 0, result.output
    sheet = cv2.imread(str(tmp_path / "docs" / "images" / "gallery" / "rigs.jpg"))
    assert sheet.shape[1] == sheets.COLUMNS * (64 + sheets.GAP_PX) + sheets.GAP_PX
    text = (tmp_path / "docs" / "gallery.md").read_text(encoding="utf-8")
    for section in SECTIONS:
        assert f"## {section.title}" in text
        assert all(f"| `{sheets.markdown(name)}` |" in text for name in names(section.table))


def test_an_unreadable_scene_is_an_input_error(tmp_path):
    bad = tmp_path / "gallery.toml"
    bad.write_text(BASE.read_text(encoding="utf-8").replace("ra_quantile = 0.5", "ra_quantile = 7.0"), encoding="utf-8")
    with pytest.raises(InputError, match="ra_quantile"):
        plan_gallery(bad, ("metals",), SMALL, 1)


@pytest.mark.parametrize(
    ("text", "cell"),
    [("a | b", r"a \| b"), ("<b>", "&lt;b&gt;"), ("[x](y)\n`z`", r"\[x\](y) \`z\`"), ("2 * 3", r"2 \* 3")],
)
def test_captions_escape_markup(text, cell):
    assert sheets.markdown(text) == cell


def test_captions_in_pictures_hold_only_what_the_font_has():
    assert sheets.printable("Ra 1 µm ⟂") == "Ra 1 ?m ?"


def test_a_sheet_that_cannot_be_small_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    with pytest.raises(StageFailed, match="smaller --size"):
        sheets.save_sheet(noise, tmp_path / "x.jpg")
    assert not (tmp_path / "x.jpg").exists()


def test_a_sheet_is_written_below_its_limit(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    size = sheets.save_sheet(noise, tmp_path / "deep" / "x.jpg")
    assert size == (tmp_path / "deep" / "x.jpg").stat().st_size < sheets.MAX_BYTES


@pytest.mark.bpy
def test_a_tile_goes_through_the_real_stages(tmp_path):
    (tile,) = [tile for tile in plan("metals", size=(64, 48), samples=2) if tile.name == "copper"]
    (shown,) = tiles.render_tiles([tile], tmp_path, quiet=True)
    assert shown.failure == ""
    photo = cv2.imread(str(shown.photo)).astype(float)
    assert photo.shape == (48, 64, 3)
    middle = photo[16:32, 20:44].mean(axis=(0, 1))
    assert middle[2] > 1.1 * middle[0], "copper is redder than it is blue"
