"""Real photos of made bundles, from `build` to `inspect`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from support.developed_builds import DAMAGE_VARIABLE
from support.fake_builds import write_spec

from pipeline.camera.redevelop import Changes, redevelop
from pipeline.cli import main
from pipeline.dataset.keep import drop_files
from pipeline.dataset.store import Store
from pipeline.records import from_dict, sha256_bytes
from pipeline.report.photo_source import photo_source
from pipeline.spec.scene import SceneSpec


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def build(folder: Path, more: str = "", scenes: int = 1):
    spec = write_spec(folder / "spec", scenes=scenes, parts=("one",))
    spec.write_text(spec.read_text() + more)
    return run("build", spec, "--out", folder / "dataset", "--sync", "--quiet"), folder / "dataset"


@pytest.fixture(autouse=True)
def _made_stages(monkeypatch, tmp_path):
    monkeypatch.setenv("GLINT_STAGES", "support.developed_builds:STAGES")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def dataset(tmp_path):
    done, folder = build(
        tmp_path, "\n[photos.processing]\nwhite_balance = { auto = 1.0 }\nsharpen_amount = [0.2, 0.9]\n"
    )
    assert done.exit_code == 0, done.output
    return folder


def rows(dataset: Path, table: str) -> list[dict]:
    return pq.read_table(dataset / "builds" / "0001" / f"{table}.parquet").to_pylist(maps_as_pydicts="strict")


def picture(path: Path) -> np.ndarray:
    return cv2.imread(str(path)).astype(float)


def test_a_row_and_the_scene_s_spec_give_the_photo_s_bytes_again(dataset, tmp_path) -> None:
    photos = rows(dataset, "photos")
    assert len(photos) == 2
    for photo in photos:
        source = photo_source(dataset, photo["photo_id"])
        scene = from_dict(SceneSpec, source.scene)
        row, path = redevelop(scene, source.view_index, source.photo_index, source.bundle, Changes(), tmp_path)
        assert sha256_bytes(path.read_bytes()) == photo["sha256"] == row["sha256"]
        assert {name: photo[name] for name in ("seed", "sensor", "lens", "light_weights", "shutter_s", "gain")} == {
            name: row[name] for name in ("seed", "sensor", "lens", "light_weights", "shutter_s", "gain")
        }


def test_inspect_develops_a_photo_again(dataset, tmp_path) -> None:
    photo_id = rows(dataset, "photos")[1]["photo_id"]
    as_it_is, brighter, dark = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.jpg"
    assert run("inspect", dataset, photo_id, "--exposure-ev", "0", "--tone", "srgb", "--out", as_it_is).exit_code == 0
    done = run("inspect", dataset, photo_id, "--exposure-ev", "+1", "--tone", "srgb", "--out", brighter)
    assert done.exit_code == 0, done.output
    assert "exposure_ev          1 stops" in done.stdout
    assert done.stdout.endswith(f"picture: {brighter}\n")
    middle = (slice(60, 70), slice(20, 30))
    linear = {p: (picture(p)[middle].mean() / 255 + 0.055) / 1.055 for p in (as_it_is, brighter)}
    assert (linear[brighter] / linear[as_it_is]) ** 2.4 == pytest.approx(2.0, rel=0.06)
    lights = [word for group in ("key", "fill", "rim", "top") for word in ("--light", f"{group}=0")]
    done = run("inspect", dataset, photo_id, *lights, "--white-balance", "4000", "--tone", "linear", "--out", dark)
    assert done.exit_code == 0, done.output
    assert "white_balance_k      4000 K" in done.stdout
    assert "key=0, " in done.stdout
    assert picture(dark).shape == (72, 96, 3)


def test_without_such_options_inspect_shows_the_contact_sheet(dataset, tmp_path) -> None:
    photo_id = rows(dataset, "photos")[0]["photo_id"]
    assert run("inspect", dataset, photo_id).exit_code == 0
    assert (tmp_path / f"inspect-{photo_id}.jpg").is_file()
    done = run("inspect", dataset, photo_id, "--tone", "agx")
    assert done.exit_code == 0
    assert (tmp_path / f"redeveloped-{photo_id}.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--light", "key"], "expected GROUP=WEIGHT with a weight of 0 or more, found 'key'"),
        (["--light", "key=-1"], "found 'key=-1'"),
        (["--light", "key=nan"], "found 'key=nan'"),
        (["--light", "kye=1"], "expected light groups out of key, fill, rim, top"),
        (["--white-balance", "900"], "900.0 is not in the range 1667.0<=x<=25000.0"),
        (["--tone", "sepia"], "'sepia' is not one of"),
        (["--exposure-ev", "99"], "99.0 is not in the range"),
        (["--bundle", "elsewhere", "--tone", "agx"], "add --bundle tiny-000000/render"),
    ],
)
def test_a_wrong_option_is_named(dataset, arguments, says) -> None:
    done = run("inspect", dataset, "tiny-000000-v0-p0", *arguments)
    assert done.exit_code == 2
    assert says in done.output


def test_only_photos_can_be_developed_again(dataset) -> None:
    for name in ("tiny-000000-v0", "tiny-000000", "nothing"):
        done = run("inspect", dataset, name, "--tone", "agx")
        assert done.exit_code == 2
        assert "only photos can be developed again" in done.output


def test_a_dropped_bundle_comes_back_by_scene(dataset, tmp_path) -> None:
    for record in dataset.glob("store/render/*/*/record.json"):
        assert drop_files(Store(dataset), "render", record.parent.name, ("photos", "truth")) > 0
    asked = ("inspect", dataset, "tiny-000000-v0-p1", "--tone", "linear", "--out", "again.png")
    done = run(*asked)
    assert done.exit_code == 2
    assert "`glint scene" in done.output
    assert run("scene", tmp_path / "spec" / "tiny.toml", "tiny-000000", "--out", "tiny-000000").exit_code == 0
    done = run(*asked, "--bundle", "tiny-000000/render")
    assert done.exit_code == 0, done.output
    assert picture(tmp_path / "again.png").shape == (72, 96, 3)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("nan", "layer denoised.fill: expected finite radiance of 0 or more, found nan in green at pixel (x 11, y 7)"),
        ("infinite", "found inf in green at pixel (x 11, y 7)"),
        ("negative", "layer denoised.fill: expected finite radiance of 0 or more, found -0.25 in green at pixel"),
        ("size", "expected the camera's 192 x 72 pixels, found 96 x 72"),
        ("missing", "fill is missing"),
    ],
)
def test_a_bundle_that_cannot_be_photographed_is_quarantined(tmp_path, monkeypatch, damage, says) -> None:
    monkeypatch.setenv(DAMAGE_VARIABLE, f"1:{damage}")
    done, folder = build(tmp_path, scenes=2)
    assert done.exit_code == 1
    failure = json.loads((folder / "quarantine" / "tiny-000001.json").read_text())
    assert failure["stage"] == "photos"
    assert failure["kind"] == "InputError"
    assert "view tiny-000001-v0" in failure["error"]
    assert says in failure["error"]
    assert {photo["scene_id"] for photo in rows(folder, "photos")} == {"tiny-000000"}
    assert not list((folder / "store").rglob("tiny-000001-v0-p*"))


def test_an_impossible_bracket_is_quarantined(tmp_path) -> None:
    """No shutter is fast enough for 9 stops less in this light; the spec alone cannot know."""
    done, folder = build(tmp_path, "bracket_ev = [-9.0, 0.0]\n")
    assert done.exit_code == 1
    error = json.loads((folder / "quarantine" / "tiny-000000.json").read_text())["error"]
    assert "photo tiny-000000-v0-p0: bracket 0, exposure 0: expected a step that the camera's shutter and gain" in error
    assert "found -9" in error


def test_a_bracket_and_its_columns(tmp_path) -> None:
    done, folder = build(tmp_path, "bracket_ev = [-1.5, 0.0, 1.0]\n")
    assert done.exit_code == 0, done.output
    photos = rows(folder, "photos")
    assert [photo["photo_index"] for photo in photos] == list(range(6))
    assert [photo["bracket_id"] for photo in photos] == ["tiny-000000-v0-bracket0"] * 3 + [
        "tiny-000000-v0-bracket1"
    ] * 3
    assert [photo["bracket_index"] for photo in photos] == [0, 1, 2] * 2
    assert {photo["burst_id"] for photo in photos} == {None}
    for first in (0, 3):
        scales = np.array([photo["exposure_scale"][1] for photo in photos[first : first + 3]])
        assert np.log2(scales / scales[1]) == pytest.approx([-1.5, 0.0, 1.0], abs=1e-6)
        assert len({json.dumps(photo["light_weights"]) for photo in photos[first : first + 3]}) == 1
        assert len({photo["seed"] for photo in photos[first : first + 3]}) == 3
