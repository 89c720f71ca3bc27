"""Painted pictures on the graph with the fake stages: painted once, shared by scenes, recorded in the tables."""

from __future__ import annotations

import json

import pytest
from support.fake_builds import FAKE_STAGES, fingerprint, traces, write_spec

from pipeline.dataset import open_dataset
from pipeline.dataset.gc import collect, plan_gc
from pipeline.dataset.verify import verify
from pipeline.errors import EnvironmentProblem
from pipeline.graph.build import BuildOptions, build_dataset
from pipeline.graph.estimate import plan_dataset
from pipeline.graph.model_identity import identify_here
from pipeline.graph.plan import catalog_of, plan_build
from pipeline.graph.single import make_scene
from pipeline.graph.stage import Machine
from pipeline.graph.transfer_plan import planned_painting
from pipeline.spec.load import load_spec

PAINTED = """
[painted]
model = "some"
surface_probability = 0.8
backdrop_probability = 0.5
[[painted.pictures]]
name = "bench"
kind = "surface"
prompt = "scratched steel bench, workshop"
count = 2
[[painted.pictures]]
name = "hall"
kind = "backdrop"
prompt = "machine hall, out of focus"
count = 3
"""


@pytest.fixture
def spec(tmp_path):
    path = write_spec(tmp_path / "spec", scenes=20)
    path.write_text(path.read_text() + PAINTED)
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "dataset"


def build(spec, out, **options):
    return build_dataset(spec, out, BuildOptions(quiet=True, **{"sync": True, **options}))


def test_scenes_share_pictures_and_tables_say_where_they_come_from(spec, out, tmp_path, monkeypatch):
    trace = tmp_path / "trace"
    trace.mkdir()
    monkeypatch.setenv("GLINT_FAKE", json.dumps({"trace": str(trace)}))
    build(spec, out)
    dataset = open_dataset(out)
    rows = {row["picture_id"]: row for row in dataset.table("painted").to_pylist()}
    assert set(rows) == {"bench-0", "bench-1", "hall-0", "hall-1", "hall-2"}
    assert [label for label, _, _ in traces(trace, "paint")] == sorted(rows)
    scenes = dataset.scenes.to_pylist()
    used = [scene[f"painted_{kind}"] for scene in scenes for kind in ("surface", "backdrop")]
    assert {name for name in used if name} == set(rows)
    assert 10 < sum(scene["painted_surface"] is not None for scene in scenes) < 20
    bench = rows["bench-0"]
    assert (bench["kind"], bench["prompt"], bench["licence"]) == (
        "surface",
        "scratched steel bench, workshop",
        "CC0-1.0",
    )
    assert (bench["model"], bench["model_sha256"]) == ("some", "0" * 64)
    assert len({row["seed"] for row in rows.values()}) == 5
    assert json.loads(bench["settings"])["steps"] == 25
    assert (out / bench["picture_path"]).is_file()
    assert verify(out).problems == ()


def test_the_second_run_paints_nothing_and_gc_keeps_what_is_used(spec, out):
    build(spec, out)
    assert build(spec, out).up_to_date
    plan = plan_gc(out, 1, spare_s=0.0)
    assert plan.outputs == ()
    collect(out, plan)
    assert verify(out).problems == ()


def test_another_prompt_paints_and_renders_what_it_touches(spec, out, tmp_path, monkeypatch):
    build(spec, out)
    surfaces = sum(scene["painted_surface"] is not None for scene in open_dataset(out).scenes.to_pylist())
    trace = tmp_path / "trace"
    trace.mkdir()
    monkeypatch.setenv("GLINT_FAKE", json.dumps({"trace": str(trace)}))
    spec.write_text(spec.read_text().replace("scratched steel bench", "oiled wooden bench"))
    build(spec, out)
    assert [label for label, _, _ in traces(trace, "paint")] == ["bench-0", "bench-1"]
    assert len(traces(trace, "render")) == surfaces


def test_without_pictures_nothing_changes(tmp_path):
    plain = write_spec(tmp_path / "plain", scenes=5)
    section = tmp_path / "plain" / "with.toml"
    section.write_text(plain.read_text() + "\n[painted]\nsteps = 30\n")
    keys = []
    for path in (plain, section):
        loaded = load_spec(path)
        keys.append([plan.keys for plan in plan_build(loaded, catalog_of(loaded, FAKE_STAGES))])
    assert keys[0] == keys[1]


def test_where_a_picture_stands_is_not_in_its_key(spec):
    def pictures():
        loaded = load_spec(spec)
        identity = planned_painting(loaded, identify_here(FAKE_STAGES, Machine(threads=1)))
        plans = list(plan_build(loaded, catalog_of(loaded, FAKE_STAGES, painting=identity)))
        return {name: key for plan in plans for name, key in plan.pictures.items()}, [plan.keys for plan in plans]

    before, scenes = pictures()
    spec.write_text(spec.read_text().replace("count = 2", "count = 2\nwidth_m = 1.5"))
    after, others = pictures()
    assert before == after
    assert scenes != others


def test_a_model_that_is_not_here_stops_the_build_before_anything(spec, out):
    spec.write_text(spec.read_text().replace('model = "some"', 'model = "missing"'))
    with pytest.raises(EnvironmentProblem, match=r"glint models add.*painted.pictures"):
        build(spec, out)
    assert not list((out / "store").rglob("record.json"))


def test_dask_and_a_scene_by_itself_give_the_same_bytes(spec, out, tmp_path):
    build(spec, out)
    build(spec, tmp_path / "dask", sync=False, workers=2)
    assert fingerprint(out) == fingerprint(tmp_path / "dask")
    wanted = next(row for row in open_dataset(out).scenes.to_pylist() if row["painted_surface"])
    made = make_scene(spec, wanted["scene_id"], tmp_path / "scene")
    picture = made.folder / "painted" / wanted["painted_surface"] / "picture.png"
    row = next(
        r for r in open_dataset(out).table("painted").to_pylist() if r["picture_id"] == wanted["painted_surface"]
    )
    assert picture.read_bytes() == (out / row["picture_path"]).read_bytes()


def test_the_plan_counts_pictures(spec):
    lines = list(plan_dataset(spec, None, BuildOptions(), None))
    assert any(line.split() == ["paint", "0", "cached", "5", "to", "do"] for line in lines)
