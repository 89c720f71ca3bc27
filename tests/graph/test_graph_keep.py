"""`keep`: what is dropped once a scene is done, what makes a dropped render run again, and how its absence is told."""

from __future__ import annotations

import shutil

import pytest
from support.fake_builds import FAKE_STAGES, fingerprint, traces, write_spec

from pipeline.dataset import open_dataset
from pipeline.dataset.keep import RADIANCE_FILES as WITH_GLASS
from pipeline.dataset.keep import TRUTH_FILES as ALL_TRUTH_FILES
from pipeline.dataset.store import Store
from pipeline.dataset.verify import verify
from pipeline.errors import InputError
from pipeline.graph.build import BuildOptions, build_dataset
from pipeline.graph.estimate import plan_dataset
from pipeline.graph.single import make_scene
from pipeline.report.inspect import inspect_id
from pipeline.spec.load import load_spec

SCENES = 3
RADIANCE_FILES = WITH_GLASS - {"mirror.exr", "mirror_reflection.exr", "context.exr", "decomposition.exr"}
"""Of renders of scenes without glass."""
MADE_FILES = {"edges.png", "false_edge.exr"}
"""What truth makes of them."""
TRUTH_FILES = ALL_TRUTH_FILES - MADE_FILES - {"reflection2.exr", "depth_failure.exr"}
"""Of renders with one bounce."""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "dataset"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """How often each stage ran so far: stage -> labels."""
    folder = tmp_path / "traces"
    folder.mkdir()
    monkeypatch.setenv("GLINT_FAKE", f'{{"trace": "{folder}"}}')

    def take():
        found = {stage: [label for label, *_ in traces(folder, stage)] for stage in ("render", "truth", "photos")}
        for path in folder.iterdir():
            path.unlink()
        return found

    return take


def spec_with(tmp_path, keep, **options):
    path = write_spec(tmp_path / "spec", scenes=SCENES, **options)
    line = f"keep = {[*keep]!r}\n".replace("'", '"')
    path.write_text(path.read_text().replace("[dataset]\n", f"[dataset]\n{line}"))
    return path


def build(spec, out):
    return build_dataset(spec, out, BuildOptions(quiet=True, sync=True))


def names(out):
    return {path.name for path in (out / "store" / "render").rglob("*") if path.is_file()}


def scene_ids():
    return [f"tiny-{index:06d}" for index in range(SCENES)]


def test_radiance_is_dropped_and_the_dataset_is_sound(tmp_path, out) -> None:
    whole = tmp_path / "whole"
    build(spec_with(tmp_path, ("photos", "truth", "bundles")), whole)
    result = build(spec_with(tmp_path, ("photos", "truth")), out)
    assert (result.scenes, result.photos) == (SCENES, 2 * SCENES)
    assert names(whole) - names(out) == RADIANCE_FILES
    assert {"bundle.json", "record.json", "rows.json", *TRUTH_FILES} <= names(out)
    report = verify(out)
    assert report.problems == ()
    assert report.checked["views without radiance, which is not kept"] == SCENES
    record = Store(out).record(*next(iter(entry for entry in Store(out).outputs() if entry[0] == "render")))
    kept_record = Store(whole).record("render", record.key)
    assert {**record.files, **record.dropped} == kept_record.files  # checksums of what went are still known


def test_a_second_build_renders_nothing(tmp_path, out, runs) -> None:
    spec = spec_with(tmp_path, ("photos", "truth"))
    build(spec, out)
    assert runs()["render"] == scene_ids()
    assert build(spec, out).up_to_date
    assert runs() == {"render": [], "truth": [], "photos": []}
    assert list(plan_dataset(spec, out, BuildOptions(sync=True, quiet=True), None))[-1] == "nothing to do"


def test_other_photos_render_again_and_drop_again(tmp_path, out, runs) -> None:
    build(spec_with(tmp_path, ("photos", "truth")), out)
    runs()
    spec = spec_with(tmp_path, ("photos", "truth"), exposure=1.0)
    told: list[str] = []
    list(plan_dataset(spec, out, BuildOptions(sync=True, quiet=True), told.append))
    assert "tiny-000000 render: files of it that are needed were not kept" in told
    build(spec, out)
    assert runs() == {"render": scene_ids(), "truth": [], "photos": scene_ids()}
    assert not names(out) & RADIANCE_FILES
    assert verify(out).problems == ()


def test_asking_for_bundles_later_makes_them_and_a_new_build_names_them(tmp_path, out, runs) -> None:
    build(spec_with(tmp_path, ("photos", "truth")), out)
    runs()
    result = build(spec_with(tmp_path, ("photos", "truth", "bundles")), out)
    assert runs() == {"render": scene_ids(), "truth": scene_ids(), "photos": []}
    assert result.number == "0002"
    assert open_dataset(out).layers("tiny-000000-v0")["noisy"].shape == (8, 8, 3)
    assert open_dataset(out).decomposition("tiny-000000-v0")["highlight.lamp"].shape == (8, 8, 3)
    with pytest.raises(InputError, match="decomposition_path"):
        open_dataset(out, "0001").decomposition("tiny-000000-v0")
    assert open_dataset(out, "0001").view("tiny-000000-v0")["layers_path"] is None
    assert verify(out).problems == verify(out, "0001").problems == ()


def test_an_older_build_whose_files_were_dropped_is_explained(tmp_path, out) -> None:
    build(spec_with(tmp_path, ("photos", "truth", "bundles")), out)
    build(spec_with(tmp_path, ("photos",)), out)
    old = open_dataset(out, "0001")
    assert old.view("tiny-000001-v0")["layers_path"] is not None
    for read in (old.layers, old.depth, old.instance_ids, old.edge_labels, old.false_edges, open_dataset(out).layers):
        with pytest.raises(InputError, match=r"does not keep it .*scene SPEC tiny-000001 --out DIR"):
            read("tiny-000001-v0")
    assert verify(out, "0001").problems == verify(out, "0002").problems == ()


def test_a_lost_file_is_still_damage(tmp_path, out) -> None:
    build(spec_with(tmp_path, ("photos", "truth")), out)
    next((out / "store" / "render").rglob("depth.exr")).unlink()
    assert {problem.what for problem in verify(out).problems} == {"file"}


def test_without_photos_none_are_developed(tmp_path, out, runs) -> None:
    result = build(spec_with(tmp_path, ("truth", "bundles")), out)
    assert runs()["photos"] == []
    assert (result.scenes, result.photos) == (SCENES, 0)
    assert open_dataset(out).photo_ids() == []
    assert names(out) >= RADIANCE_FILES | TRUTH_FILES
    assert verify(out).problems == ()


def test_scene_makes_the_dropped_files_anew_with_the_same_bytes(tmp_path, out) -> None:
    whole = tmp_path / "whole"
    build(spec_with(tmp_path, ("photos", "truth", "bundles")), whole)
    spec = spec_with(tmp_path, ("photos",))
    build(spec, out)
    make_scene(spec, "tiny-000001", tmp_path / "one", stages=FAKE_STAGES)
    key = open_dataset(out).scene("tiny-000001")["scene_key"]
    for path in Store(whole).folder("render", key).rglob("*.exr"):
        made = tmp_path / "one" / "render" / path.relative_to(Store(whole).folder("render", key))
        assert made.read_bytes() == path.read_bytes()


def test_a_failed_scene_keeps_its_bundle_for_the_next_attempt(tmp_path, out, monkeypatch) -> None:
    from pipeline.graph import fake

    def fail(*_):
        raise InputError("no film in the camera")

    spec = spec_with(tmp_path, ("photos", "truth"))
    with monkeypatch.context() as patch:
        patch.setattr(fake.FakePhotos, "run", fail)
        assert len(build(spec, out).quarantined) == SCENES
    assert names(out) >= RADIANCE_FILES
    monkeypatch.setattr(fake.FakeRender, "run", None)  # the bundle is there: no render
    assert build(spec, out).scenes == SCENES
    assert not names(out) & RADIANCE_FILES


def test_a_drop_that_was_cut_short_is_finished(tmp_path, out) -> None:
    spec = spec_with(tmp_path, ("photos", "truth"))
    build(spec, out)
    view = next((out / "store" / "render").rglob("depth.exr")).parent
    (view / "light.exr").write_bytes(b"left over")
    assert {problem.what for problem in verify(out).problems} == {"unknown file"}
    build(spec, out)
    assert verify(out).problems == ()


def test_inspect_and_report_say_what_is_not_kept(tmp_path, out) -> None:
    result = build(spec_with(tmp_path, ("photos",)), out)
    text, _ = inspect_id(out, "tiny-000000-v0", tmp_path)
    assert "layers_path" in text
    assert "not kept" in text
    html = (result.folder / "report" / "index.html").read_text()
    for title in ("Depth", "Light groups"):
        assert f"<b>{title}</b> cannot be drawn: not kept in this dataset" in html


def test_two_datasets_that_keep_the_same_have_the_same_bytes(tmp_path, out) -> None:
    spec = spec_with(tmp_path, ("photos", "truth"))
    build(spec, out)
    build(spec, tmp_path / "other")
    assert fingerprint(out) == fingerprint(tmp_path / "other")
    shutil.rmtree(out / "builds")
    (out / "LATEST").unlink()
    assert build(spec, out).scenes == SCENES  # the tables come from the records and rows alone


def test_a_word_that_is_not_one_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="keep"):
        load_spec(spec_with(tmp_path, ("pictures",)))
    with pytest.raises(InputError, match="keep"):
        load_spec(spec_with(tmp_path, ()))
