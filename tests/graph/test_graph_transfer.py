"""Transfer on the graph with the fake stages: when it runs, what the tables then say, what a key depends on."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from support.fake_builds import FAKE_STAGES, fingerprint, glint, traces, write_spec

from pipeline.cli import main
from pipeline.dataset import open_dataset
from pipeline.dataset.build import open_build
from pipeline.dataset.verify import verify
from pipeline.errors import EnvironmentProblem, InputError
from pipeline.graph.build import BuildOptions, build_dataset
from pipeline.graph.estimate import plan_dataset
from pipeline.graph.model_identity import identify_here
from pipeline.graph.plan import catalog_of, plan_build
from pipeline.graph.single import make_scene
from pipeline.graph.stage import Machine
from pipeline.graph.transfer_plan import planned_transfer
from pipeline.spec.load import load_spec
from pipeline.transfer.store import ModelMissing


@pytest.fixture
def out(tmp_path):
    return tmp_path / "dataset"


def with_transfer(spec, *lines):
    spec.write_text(spec.read_text() + "\n[transfer]\n" + "\n".join(lines) + "\n")
    return spec


def build(spec, out, **options):
    return build_dataset(spec, out, BuildOptions(quiet=True, **{"sync": True, **options}))


def fake(monkeypatch, **settings):
    monkeypatch.setenv("GLINT_FAKE", json.dumps(settings))


def photos_of(out):
    dataset = open_dataset(out)
    return [dataset.photo(photo_id) for photo_id in dataset.photo_ids()]


def test_without_the_section_nothing_is_transferred(spec, out):
    result = build(spec, out)
    assert {photo["origin"] for photo in photos_of(out)} == {"camera"}
    assert {photo["gate_passed"] for photo in photos_of(out)} == {None}
    assert result.transfer == ""
    record = open_build(out).record.transfer
    assert (record.use, record.ran) == ("off", False)


def test_photos_that_pass_become_the_photos_of_the_dataset(spec, out):
    result = build(with_transfer(spec, 'use = "required"', 'model = "some"'), out)
    photos = photos_of(out)
    assert {photo["origin"] for photo in photos} == {"sd15"}
    assert {(photo["transfer_model"], photo["transfer_strength"]) for photo in photos} == {("some", 0.2)}
    assert all(photo["gate_passed"] and photo["image_path"].startswith("store/transfer/") for photo in photos)
    assert {photo["camera_image_path"] for photo in photos} == {None}
    assert "10 of 10 photos are changed" in result.transfer
    assert verify(out).problems == ()
    tries = open_dataset(out).table("transfers").to_pylist()
    assert [(row["try_index"], row["kept"]) for row in tries] == [(0, False), (1, True)] * 10
    assert "studio" in tries[0]["prompt"]


def test_both_photos_are_named_on_request(spec, out):
    build(with_transfer(spec, 'use = "auto"', "keep_camera = true"), out)
    for photo in photos_of(out):
        assert photo["camera_image_path"].startswith("store/photos/")
        assert photo["camera_sha256"] not in (None, photo["sha256"])
    assert verify(out).problems == ()


def test_a_photo_that_fails_is_tried_at_less_strength(spec, out, monkeypatch):
    fake(monkeypatch, blob=0.3)  # then 0.15, above the lowest limit of 0.14: open until the limits are known
    build(with_transfer(spec, 'use = "auto"', "strength = 0.3"), out)
    photos = photos_of(out)
    assert {photo["transfer_strength"] for photo in photos} == {0.2}  # the default limit is 0.15: few photos
    assert all(photo["gate_reason"].startswith("strength 0.3: background: blob 0.3 exceeds") for photo in photos)
    tries = [row for row in open_dataset(out).table("transfers").to_pylist() if row["try_index"]]
    assert [row["kept"] for row in tries] == [False, True, False] * 10
    assert [row["picture_path"] is not None for row in tries] == [False, True, True] * 10


def test_calibrated_limits_decide_what_was_left_open(tmp_path, out, monkeypatch):
    fake(monkeypatch, blob=0.15)
    spec = with_transfer(write_spec(tmp_path / "many", scenes=10), 'use = "auto"')
    build(spec, out)
    record = open_build(out).record.transfer
    assert record.limits_samples == 20
    assert record.limits["blob"] == 0.14  # round trips without any: the lowest there can be
    assert {photo["transfer_strength"] for photo in photos_of(out)} == {0.12}


def test_the_camera_photo_stays_where_every_try_fails(spec, out, monkeypatch):
    fake(monkeypatch, blob=50.0)
    result = build(with_transfer(spec, 'use = "required"', "strength = 0.3", "keep_camera = true"), out)
    photos = photos_of(out)
    assert {photo["origin"] for photo in photos} == {"camera"}
    assert {photo["gate_passed"] for photo in photos} == {False}
    assert all(photo["image_path"].startswith("store/photos/") for photo in photos)
    assert all(photo["gate_reason"].count("strength") == 3 for photo in photos)
    assert all(photo["gate_scores"] == {"blob": 12.5} for photo in photos)
    assert {photo["camera_image_path"] for photo in photos} == {None}
    assert "0 of 10 photos are changed" in result.transfer
    assert not list(out.glob("store/transfer/*/*/*.png"))
    assert verify(out).problems == ()


def test_auto_goes_without_a_model_and_says_so(spec, out):
    spec = with_transfer(spec, 'use = "auto"', 'model = "missing"')
    result = build(spec, out)
    assert {photo["origin"] for photo in photos_of(out)} == {"camera"}
    assert result.transfer.startswith('Transfer: did not run (expected a model "missing"')
    report = (result.folder / "report" / "index.html").read_text()
    assert "did not run" in report[: report.index("<h2")]
    assert any("did not run" in line for line in plan_dataset(spec, out, BuildOptions(), None))


def test_required_stops_before_anything_is_made(spec, out):
    spec = with_transfer(spec, 'use = "required"', 'model = "missing"')
    with pytest.raises(EnvironmentProblem, match=r'glint models add.*transfer.use = "required"'):
        build(spec, out)
    assert not list((out / "store").rglob("record.json"))
    assert glint("build", spec, "--out", out, "--sync").returncode == 3


@pytest.mark.parametrize("use", ["auto", "required"])
@pytest.mark.parametrize("model", ["some", "missing"])
@pytest.mark.parametrize(
    ("flags", "said"),
    [(("--device", "cdua:0"), "expected a device such as"), (("--device", "cpu", "--dtype", "float16"), "on a CPU")],
)
def test_wrong_flags_of_the_machine_are_wrong_input_whatever_use_says(spec, use, model, flags, said):
    spec = with_transfer(spec, f'use = "{use}"', f'model = "{model}"')
    done = CliRunner().invoke(main, ["plan", str(spec), *flags])
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize("use", ["auto", "required"])
def test_only_what_a_machine_lacks_is_a_reason_to_go_without(spec, use):
    loaded = load_spec(with_transfer(spec, f'use = "{use}"'))

    def answers(error):
        def identify(*_):
            raise error

        return identify

    with pytest.raises(InputError, match="too long"):
        planned_transfer(loaded, answers(InputError("too long")))
    for absent in (ModelMissing("no model"), EnvironmentProblem("no library")):
        if use == "auto":
            assert planned_transfer(loaded, answers(absent)).reason == str(absent)
            continue
        with pytest.raises(EnvironmentProblem, match=str(absent)):
            planned_transfer(loaded, answers(absent))


def test_a_share_of_the_photos(tmp_path, out):
    spec = with_transfer(write_spec(tmp_path / "many", scenes=20), 'use = "auto"', "probability = 0.5")
    build(spec, out)
    changed = [photo["origin"] == "sd15" for photo in photos_of(out)]
    assert 8 <= sum(changed) <= 32
    tried = {row["photo_id"] for row in open_dataset(out).table("transfers").to_pylist()}
    assert tried == {photo["photo_id"] for photo in photos_of(out) if photo["gate_passed"]}


def test_the_second_run_does_nothing_and_another_prompt_only_transfers(spec, out, tmp_path, monkeypatch):
    build(with_transfer(spec, 'use = "auto"'), out)
    assert build(spec, out).up_to_date
    trace = tmp_path / "trace"
    trace.mkdir()
    fake(monkeypatch, trace=str(trace))
    spec.write_text(spec.read_text() + 'prompts = ["photo of {metals}"]\n')
    build(spec, out)
    assert [len(traces(trace, stage)) for stage in ("render", "photos", "transfer")] == [0, 0, 5]
    assert {row["prompt"] for row in open_dataset(out).table("transfers").to_pylist()} == {"photo of brass"}


def test_switching_it_on_keeps_all_other_outputs(spec, out):
    build(spec, out)
    before = {name for name in fingerprint(out) if not name.startswith("tables/")}
    build(with_transfer(spec, 'use = "auto"'), out)
    added = {name for name in fingerprint(out) if not name.startswith("tables/")} - before
    assert before <= set(fingerprint(out))
    assert all(name.startswith("store/transfer/") for name in added)


def keys(spec, **machine):
    loaded = load_spec(spec)
    identity = planned_transfer(loaded, identify_here(FAKE_STAGES, Machine(threads=1, **machine))).identity
    return [plan.keys for plan in plan_build(loaded, catalog_of(loaded, FAKE_STAGES, identity))]


def test_device_and_batch_are_in_the_key_of_transfer_alone(spec):
    spec = with_transfer(spec, 'use = "auto"')
    first = keys(spec)
    for machine in ({"batch": 4}, {"device": "cuda"}):
        other = keys(spec, **machine)
        assert all(one["transfer"] != two["transfer"] for one, two in zip(first, other, strict=True))
        assert all(
            one[name] == two[name] for one, two in zip(first, other, strict=True) for name in ("render", "photos")
        )
    spec.write_text(spec.read_text() + "keep_camera = true\n")
    assert keys(spec) == first


def test_dask_workers_give_the_same_dataset(spec, tmp_path):
    spec = with_transfer(spec, 'use = "auto"')
    build(spec, tmp_path / "sync")
    build(spec, tmp_path / "dask", sync=False, workers=2)
    assert fingerprint(tmp_path / "sync") == fingerprint(tmp_path / "dask")


@pytest.mark.parametrize("options", [{}, {"sync": False, "workers": 2}])
def test_memory_that_runs_out_plans_the_whole_build_again_with_half_the_batch(spec, tmp_path, monkeypatch, options):
    spec, trace = with_transfer(spec, 'use = "auto"'), tmp_path / "trace"
    build(spec, tmp_path / "small", batch=2)
    trace.mkdir()
    fake(monkeypatch, trace=str(trace), largest_batch=2)
    result = build(spec, tmp_path / "large", batch=8, **options)
    assert fingerprint(tmp_path / "large") == fingerprint(tmp_path / "small")
    assert {row["batch"] for row in open_dataset(tmp_path / "large").table("transfers").to_pylist()} == {2}
    assert len({label for label, _, _ in traces(trace, "render")}) == 5
    assert "Memory ran out: every call held 2 photos instead of 8; say --batch 2 next time." in result.transfer
    assert (result.quarantined, verify(tmp_path / "large").problems) == ((), ())
    assert "batch 2." in (result.folder / "report" / "index.html").read_text()
    assert build(spec, tmp_path / "large", batch=8, **options).up_to_date


def test_scenes_that_were_made_before_memory_ran_out_are_made_again_with_the_smaller_batch(spec, tmp_path, monkeypatch):
    spec = with_transfer(spec, 'use = "auto"')
    build(spec, tmp_path / "small", batch=4)
    fake(monkeypatch, largest_batch=8)
    build(spec, tmp_path / "large", batch=8, limit=2)
    fake(monkeypatch, largest_batch=4)
    build(spec, tmp_path / "large", batch=8)
    assert {row["batch"] for row in open_dataset(tmp_path / "large").table("transfers").to_pylist()} == {4}
    found = fingerprint(tmp_path / "large")
    assert {name: found[name] for name in fingerprint(tmp_path / "small")} == fingerprint(tmp_path / "small")


def test_memory_that_runs_out_is_said_in_one_line_and_is_no_failure(spec, out, tmp_path):
    spec = with_transfer(spec, 'use = "auto"')
    done = glint("build", spec, "--out", out, "--sync", "--batch", "8", largest_batch=4)
    line = "memory ran out with 8 photos a call; going on with 4\n"
    assert (done.returncode, done.stderr.count(line), done.stderr.count("failed")) == (0, 1, 0)
    made = glint("scene", spec, "tiny-000002", "--out", tmp_path / "scene", "--batch", "8", largest_batch=4)
    assert (made.returncode, made.stderr) == (0, line)
    for path in (tmp_path / "scene" / "transfer").glob("*.png"):
        (stored,) = out.glob(f"store/transfer/*/*/{path.name}")
        assert stored.read_bytes() == path.read_bytes()


def test_no_memory_for_one_photo_ends_the_build(spec, out):
    spec = with_transfer(spec, 'use = "auto"')
    done = glint("build", spec, "--out", out, "--sync", "--batch", "2", largest_batch=0)
    assert (done.returncode, done.stdout) == (3, "")
    assert "expected memory for 1 photos a call, found too little" in done.stderr
    assert not list(out.glob("store/transfer/*/*/record.json"))


def test_a_worker_of_its_own_for_a_graphics_card(spec, tmp_path, monkeypatch):
    spec, trace = with_transfer(spec, 'use = "auto"'), tmp_path / "trace"
    trace.mkdir()
    fake(monkeypatch, trace=str(trace))
    build(spec, tmp_path / "dask", sync=False, workers=1, device="cuda")
    renders = {process for _, process, _ in traces(trace, "render")}
    transfers = {process for _, process, _ in traces(trace, "transfer")}
    assert len(traces(trace, "transfer")) == 5
    assert len(transfers) == 1
    assert not renders & transfers


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, ["0", "1"]),
        ("2,3", ["2", "3"]),
        ("5, 1,7", ["5", "1"]),
        ("GPU-8932f937,MIG-4b1c", ["GPU-8932f937", "MIG-4b1c"]),
    ],
)
def test_workers_share_out_the_cards_that_the_user_lets_them_see(visible, expected, monkeypatch):
    from pipeline.graph.dask_executor import _add_gpu_workers

    class Cluster:
        def __init__(self):
            self.worker_spec = {}

        def new_worker_spec(self):
            return {len(self.worker_spec): {"cls": object, "options": {"env": {"OMP_NUM_THREADS": "1"}}}}

        def scale(self, workers):
            assert workers == len(self.worker_spec)

    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    cluster = Cluster()
    _add_gpu_workers(cluster, 2)
    found = [worker["options"]["env"] for worker in cluster.worker_spec.values()]
    assert found == [{"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": card} for card in expected]


def test_one_scene_by_itself_has_the_bytes_of_the_build(spec, out, tmp_path):
    spec = with_transfer(spec, 'use = "auto"')
    build(spec, out)
    made = make_scene(spec, "tiny-000002", tmp_path / "scene")
    pictures = sorted(path.name for path in (made.folder / "transfer").glob("*.png"))
    assert len(pictures) == 2
    for name in pictures:
        (stored,) = out.glob(f"store/transfer/*/*/{name}")
        assert stored.read_bytes() == (made.folder / "transfer" / name).read_bytes()
