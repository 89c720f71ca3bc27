"""The score as a whole: order of sets, what is refused, the command."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from support.fake_builds import glint, write_spec

from pipeline.dataset.reader import Dataset
from pipeline.errors import InputError
from pipeline.realism.photos import PhotoSet, check_sizes, halves, read_folder
from pipeline.realism.score import compare, marks_of, score_dataset, score_lines


def pictures(count: int, seed: int, blur: float = 0.8, noise: float = 2.0, size=(96, 128)) -> list[np.ndarray]:
    """Photos of one world: clouds and hard-edged discs, blurred by a lens, with a sensor's noise."""
    made = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        clouds = cv2.GaussianBlur(rng.standard_normal((*size, 3)).astype(np.float32), (0, 0), 6)
        image = 120 + 25 * clouds / clouds.std()
        for _ in range(6):
            x, y, radius = rng.integers(0, size[1]), rng.integers(0, size[0]), rng.integers(6, 25)
            cv2.circle(image, (int(x), int(y)), int(radius), rng.uniform(30, 230, 3).tolist(), -1)
        image = cv2.GaussianBlur(image, (0, 0), blur) + rng.normal(0, noise, image.shape)
        made.append(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return made


def as_set(name: str, photos: list[np.ndarray]) -> PhotoSet:
    return PhotoSet(name, tuple(map(str, range(len(photos)))), tuple(photos))


@pytest.fixture(scope="module")
def compared():
    real = as_set("real", pictures(40, 1))
    sets = {
        "alike": as_set("alike", pictures(20, 2)),
        "blurred": as_set("blurred", pictures(20, 3, blur=2.0)),
        "noisy": as_set("noisy", pictures(20, 4, noise=8.0)),
    }
    return {row.name: row for row in compare(real, sets)}


@pytest.mark.parametrize("metric", ["frechet_wavelet_relative", "sliced_wasserstein", "classifier_accuracy"])
def test_what_is_alike_scores_as_real_and_what_is_not_scores_worse(compared, metric):
    alike, floor = (getattr(compared[name], metric) for name in ("alike", "real against real"))
    assert alike.low <= floor.high
    assert floor.low <= alike.high
    for name in ("blurred", "noisy"):
        other = getattr(compared[name], metric)
        assert other.low > max(alike.value, floor.value), name


def test_the_published_distance_of_alike_sets_is_that_of_the_halves(compared):
    alike, floor = (compared[name].frechet_wavelet for name in ("alike", "real against real"))
    assert alike.low <= floor.high
    assert floor.low <= alike.high


def test_the_classifier_is_at_chance_between_the_halves(compared):
    found = compared["real against real"].classifier_accuracy
    assert found.low <= 0.5 <= found.high


def test_all_sides_have_the_same_size(compared):
    assert {row.photos for row in compared.values()} == {20}


def test_marks_tell_blur_and_noise():
    plain, blurred, noisy = (
        marks_of("m", as_set("m", pictures(10, seed, **how)))
        for seed, how in ((5, {}), (6, {"blur": 2.0}), (7, {"noise": 8.0}))
    )
    assert blurred.edge_spread_px.low > plain.edge_spread_px.high
    assert blurred.spectrum_slope.value > plain.spectrum_slope.high
    assert noisy.spectrum_slope.value < plain.spectrum_slope.low
    # three channels of noise 8 have a luma noise of 8 sqrt(0.299^2 + 0.587^2 + 0.114^2)
    assert noisy.noise[1].value == pytest.approx(8 * 0.669, rel=0.15)


def test_the_same_sets_give_the_same_numbers():
    sets = as_set("real", pictures(16, 8)), {"other": as_set("other", pictures(8, 9))}
    assert compare(*sets) == compare(*sets)


def test_halves_share_no_photo():
    first, second = halves(as_set("real", pictures(17, 10, size=(64, 64))), 0)
    assert len(first) == len(second) == 8
    assert not set(first.names) & set(second.names)


def folder_of(path, photos):
    path.mkdir()
    for number, photo in enumerate(photos):
        cv2.imwrite(str(path / f"{number:03d}.png"), photo[..., ::-1])
    return path


def test_a_folder_is_read_in_order_with_its_subfolders(tmp_path):
    folder = folder_of(tmp_path / "real", pictures(15, 11))
    folder_of(folder / "more", pictures(2, 12))
    (folder / "notes.txt").write_text("not a photo")
    found = read_folder(folder)
    assert len(found) == 17
    assert np.array_equal(found.photos[3], pictures(15, 11)[3])


def test_too_few_photos_are_refused(tmp_path):
    with pytest.raises(InputError, match="at least 16 real photos"):
        read_folder(folder_of(tmp_path / "real", pictures(15, 13)))


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="found none at"):
        read_folder(tmp_path / "nowhere")


def test_a_damaged_photo_is_named(tmp_path):
    folder = folder_of(tmp_path / "real", pictures(16, 14))
    (folder / "007.png").write_bytes(b"\x89PNG and nothing")
    with pytest.raises(InputError, match=r"007\.png: expected a photo"):
        read_folder(folder)
    (folder / "007.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"007\.png: expected a photo"):
        read_folder(folder)


def test_a_photo_smaller_than_a_patch_is_named(tmp_path):
    folder = folder_of(tmp_path / "real", [*pictures(16, 15), *pictures(1, 16, size=(40, 200))])
    with pytest.raises(InputError, match=r"016\.png: expected a photo of at least 64 x 64 px, found 200 x 40"):
        read_folder(folder)


def test_sets_of_other_sizes_are_refused():
    small, large = as_set("camera", pictures(8, 17)), as_set("real", pictures(8, 18, size=(200, 300)))
    with pytest.raises(InputError, match="camera photos about as large"):
        check_sizes(large, small)
    mixed = as_set("real", [*pictures(4, 19), *pictures(4, 20, size=(200, 300))])
    with pytest.raises(InputError, match="real photos of one size"):
        check_sizes(mixed, small)


class Photos:
    """A dataset of camera and transferred photos, as far as the score reads it."""

    def __init__(self, root, camera, transferred):
        import pyarrow

        self.root, self.folder = root, root / "builds" / "0001"
        self._photos = {f"p{n}": photo for n, photo in enumerate([*camera, *transferred])}
        origins = ["camera"] * len(camera) + ["sd15"] * len(transferred)
        self.photos = pyarrow.table({"photo_id": list(self._photos), "origin": origins})

    def image(self, photo_id):
        return self._photos[photo_id]


def test_camera_and_transferred_photos_are_told_apart(tmp_path):
    folder = folder_of(tmp_path / "real", pictures(16, 21))
    dataset = Photos(tmp_path, pictures(8, 22, blur=2.5), pictures(8, 23))
    found = score_dataset(dataset, folder)
    names = [row.name for row in found.distances]
    assert names == ["camera photos", "transferred photos", "real against real"]
    camera, transferred, _ = found.distances
    assert camera.classifier_accuracy.value > transferred.classifier_accuracy.value
    assert [marks.name for marks in found.marks] == [*names[:2], "real photos"]
    assert sum("transferred photos" in line for line in score_lines(found)) == 2


def test_a_dataset_without_enough_photos_is_refused(tmp_path):
    folder = folder_of(tmp_path / "real", pictures(16, 24))
    with pytest.raises(InputError, match="at least 8 photos of origin camera"):
        score_dataset(Photos(tmp_path, pictures(3, 25), []), folder)
    with pytest.raises(InputError, match="found none; build some scenes"):
        score_dataset(Photos(tmp_path, [], []), folder)


def test_the_command_refuses_what_it_cannot_compare_and_needs_real_photos(tmp_path):
    spec = write_spec(tmp_path / "spec", scenes=4)
    assert glint("build", spec, "--out", tmp_path / "data", "--sync").returncode == 0
    assert isinstance(Dataset(tmp_path / "data").photo_ids(), list)
    missing = glint("score", tmp_path / "data")
    assert (missing.returncode, "--real" in missing.stderr) == (2, True)
    folder = folder_of(tmp_path / "real", pictures(16, 26))
    small = glint("score", tmp_path / "data", "--real", folder, "--json", tmp_path / "score.json")
    assert small.returncode == 2
    assert "expected a photo of at least 64 x 64 px, found 8 x 8" in small.stderr
    assert "Traceback" not in small.stderr
    assert not (tmp_path / "score.json").exists()


@pytest.mark.slow
def test_the_command_prints_the_table_and_writes_the_numbers(tmp_path):
    spec = write_spec(tmp_path / "spec", scenes=4)
    stages = {"GLINT_STAGES": "support.developed_builds:STAGES"}
    assert run_developed("build", spec, "--out", tmp_path / "data", "--sync", **stages).returncode == 0
    folder = folder_of(tmp_path / "real", pictures(16, 27))
    done = run_developed("score", tmp_path / "data", "--real", folder, "--json", tmp_path / "s.json", **stages)
    assert done.returncode == 0, done.stderr
    assert "real against real" in done.stdout
    values = json.loads((tmp_path / "s.json").read_text())
    assert values["distances"][0]["classifier_accuracy"]["value"] > 0.9
    assert values["marks"][1]["photos"] == 16


def run_developed(*arguments, **settings):
    """`glint` with the stages of support.developed_builds."""
    import os
    import subprocess
    import sys

    from support.fake_builds import ROOT

    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.run(
        [sys.executable, str(ROOT / "run_pipeline.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
