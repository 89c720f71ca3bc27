"""Running one action: idempotent, and no error is lost."""

from __future__ import annotations

import errno
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.fake_builds import FAKE_STAGES, spec_scenes

from pipeline.dataset.store import Store
from pipeline.errors import EXIT_BAD_ENVIRONMENT, StageFailed
from pipeline.graph import fake
from pipeline.graph.execute import Outcome, Workplace, run_action, run_as_json
from pipeline.graph.plan import catalog_of, plan_scene
from pipeline.graph.stage import Machine
from pipeline.records import from_dict, to_dict
from pipeline.spec.load import load_spec


def root_of(workplace):
    return Path(workplace.root)


@pytest.fixture
def workplace(tmp_path):
    return Workplace(FAKE_STAGES, str(tmp_path / "dataset"), Machine(threads=1))


@pytest.fixture
def actions(spec):
    return plan_scene(spec_scenes(spec, 1)[0], catalog_of(load_spec(spec), FAKE_STAGES)).actions


def test_an_action_is_made_once(actions, workplace):
    assert [run_action(action, workplace).status for action in actions] == ["built"] * 4
    assert [run_action(action, workplace).status for action in actions] == ["reused"] * 4


def test_the_record_holds_everything_the_key_was_made_from(actions, workplace):
    for action in actions:
        run_action(action, workplace)
    render = actions[1]
    record = Store(root_of(workplace)).record("render", render.key)
    assert record.label == render.label
    assert record.fields == json.loads(json.dumps(to_dict(dict(render.fields))))
    assert [entry["key"] for entry in record.inputs] == [actions[0].key]
    assert (record.version, record.tools) == (1, {"fake": "1"})
    assert record.peak_memory_bytes == 1_000_000


def test_two_at_once_leave_one_output(actions, workplace):
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: run_action(actions[0], workplace), range(8)))
    assert all(outcome.failure is None for outcome in outcomes)
    assert len(list(Store(root_of(workplace)).outputs())) == 1
    assert list((root_of(workplace) / ".staging").iterdir()) == []


def test_plain_values_go_to_a_worker_and_back(actions, workplace):
    sent = json.loads(json.dumps(to_dict(actions[0]))), json.loads(json.dumps(to_dict(workplace)))
    outcome = from_dict(Outcome, json.loads(json.dumps(run_as_json(*sent))))
    assert (outcome.status, outcome.key) == ("built", actions[0].key)


def test_a_message_for_the_user_is_kept_as_it_is(actions, workplace, spec):
    for path in spec.parent.glob("*.stl"):
        path.write_text("bad")
    bad = plan_scene(spec_scenes(spec, 1)[0], catalog_of(load_spec(spec), FAKE_STAGES)).actions[0]
    failure = run_action(bad, workplace).failure
    assert (failure.error, failure.exit_code, failure.detail) == ("InputError", 2, "")
    assert "expected a solid, found none" in failure.message
    assert not Store(root_of(workplace)).has("part", bad.key)


@pytest.mark.parametrize("error", [ZeroDivisionError("one by zero"), MemoryError(), KeyError("x")])
def test_an_unexpected_error_is_kept_with_its_traceback(actions, workplace, monkeypatch, error):
    def run(*arguments):
        raise error

    monkeypatch.setattr(fake.FakePart, "run", run)
    failure = run_action(actions[0], workplace).failure
    assert failure.error == type(error).__name__
    assert failure.message
    assert "in run" in failure.detail
    assert failure.exit_code == 1


def test_a_full_disk_is_a_fault_of_the_machine_not_of_the_scene(actions, workplace, monkeypatch):
    def run(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fake.FakePart, "run", run)
    assert run_action(actions[0], workplace).failure.exit_code == EXIT_BAD_ENVIRONMENT


def test_a_disk_that_a_child_found_full_is_a_fault_of_the_machine(actions, workplace, monkeypatch):
    def run(self, fields, inputs, out, machine):
        (out / "half").write_text("written")
        monkeypatch.setattr("pipeline.dataset.folders.shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
        raise StageFailed("the render child failed with OSError: cannot write layers.exr: File output failed.")

    monkeypatch.setattr(fake.FakePart, "run", run)
    failure = run_action(actions[0], workplace).failure
    assert failure.exit_code == EXIT_BAD_ENVIRONMENT
    assert f"expected room to write in {root_of(workplace)}" in failure.message
    assert list((root_of(workplace) / ".staging").iterdir()) == []


def test_ctrl_c_passes_through_and_leaves_nothing(actions, workplace, monkeypatch):
    def run(self, fields, inputs, out, machine):
        (out / "half").write_text("written")
        raise KeyboardInterrupt

    monkeypatch.setattr(fake.FakePart, "run", run)
    with pytest.raises(KeyboardInterrupt):
        run_action(actions[0], workplace)
    assert list((root_of(workplace) / ".staging").iterdir()) == []


def test_a_cad_file_that_changed_since_the_plan_is_refused(actions, workplace, spec):
    for path in spec.parent.glob("*.stl"):
        path.write_text("solid changed\n")
    assert "found it changed" in run_action(actions[0], workplace).failure.message


def test_a_worker_with_other_tools_is_refused(actions, workplace):
    other = replace(actions[0], key="0" * 64)
    failure = run_action(other, workplace).failure
    assert failure.exit_code == EXIT_BAD_ENVIRONMENT
    assert "same release" in failure.message


def test_an_input_that_cannot_be_seen_is_refused(actions, workplace):
    failure = run_action(actions[1], workplace).failure
    assert failure.exit_code == EXIT_BAD_ENVIRONMENT
    assert "same path" in failure.message


def test_no_threads_given_means_the_cores_of_the_worker(actions, workplace, monkeypatch):
    seen = []
    real = fake.FakePart.run

    def run(self, fields, inputs, out, machine):
        seen.append(machine.threads)
        return real(self, fields, inputs, out, machine)

    monkeypatch.setattr(fake.FakePart, "run", run)
    run_action(actions[0], replace(workplace, machine=Machine(threads=0)))
    assert seen[0] >= 1
