"""Killing the driver, a worker, a render child in the middle of a build; Ctrl-C. After a rerun nothing shows."""

from __future__ import annotations

import os
import signal
import time

import pytest
from support.fake_builds import alive, children, fingerprint, glint, start_glint, traces, wait_until, write_spec

SCENES = 5


@pytest.fixture
def spec(tmp_path):
    return write_spec(tmp_path / "spec", scenes=SCENES)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a build of the same spec, in another folder, comes to when nobody disturbs it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    spec, out = write_spec(folder / "spec", scenes=SCENES), folder / "dataset"
    assert glint("build", spec, "--out", out, "--sync", "--quiet").returncode == 0
    return fingerprint(out)


@pytest.fixture
def trace(tmp_path):
    folder = tmp_path / "trace"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "dataset"


def start_build(spec, out, trace, *how, render_seconds=0.4):
    fake = {"trace": str(trace), "render_seconds": render_seconds, "child": True}
    return start_glint("build", spec, "--out", out, *how, **fake)


def finish(spec, out):
    """Run the same command again, undisturbed."""
    done = glint("build", spec, "--out", out, "--sync")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert leftovers(out) == []


def leftovers(out):
    return list((out / ".staging").iterdir())


def second_render(trace):
    """Wait until one scene has its photos and another is rendered; its (label, process, child)."""
    wait_until(lambda: traces(trace, "photos"))
    return wait_until(lambda: [run for run in traces(trace, "render") if alive(run[2])])[0]


def test_the_driver_is_killed(spec, out, trace, undisturbed):
    driver = start_build(spec, out, trace, "--workers", "2")
    _, worker, _ = second_render(trace)
    driver.kill()
    driver.wait()
    wait_until(lambda: not alive(worker))
    assert not (out / "LATEST").exists()
    made = {path.parent.name for path in (out / "store").glob("*/*/*/record.json")}
    assert made
    finish(spec, out)
    assert fingerprint(out) == undisturbed


def test_a_worker_is_killed_and_the_build_goes_on_by_itself(spec, out, trace, undisturbed):
    driver = start_build(spec, out, trace, "--workers", "2")
    _, worker, _ = second_render(trace)
    os.kill(worker, signal.SIGKILL)
    stdout, stderr = driver.communicate(timeout=60)
    assert driver.returncode == 0, stderr
    assert f"{SCENES} scenes" in stdout
    assert "Traceback" not in stderr
    finish(spec, out)
    assert fingerprint(out) == undisturbed


@pytest.mark.parametrize("how", [["--sync"], ["--workers", "2"]])
def test_a_render_child_is_killed(spec, out, trace, undisturbed, how):
    driver = start_build(spec, out, trace, *how)
    label, _, child = second_render(trace)
    os.kill(child, signal.SIGKILL)
    _, stderr = driver.communicate(timeout=60)
    assert driver.returncode == 1, stderr
    assert "the fake render child died" in stderr
    assert [path.stem for path in (out / "quarantine").iterdir()] == [label]
    finish(spec, out)
    assert list((out / "quarantine").iterdir()) == []
    assert fingerprint(out) == undisturbed


def test_a_part_that_kills_its_worker_is_given_up_and_the_rest_is_built(spec, out):
    (spec.parent / "two.stl").write_text("deadly\n")
    done = glint("build", spec, "--out", out, "--workers", "2")
    assert done.returncode == 1, done.stderr
    assert "the worker process died 3 times while it ran part of two" in done.stderr
    assert "Traceback" not in done.stderr
    assert 0 < len(list((out / "quarantine").iterdir())) < SCENES
    assert (out / "LATEST").exists()


@pytest.mark.parametrize("how", [["--sync"], ["--workers", "2"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_build_and_it_can_go_on(spec, out, trace, undisturbed, how, number):
    driver = start_build(spec, out, trace, *how)
    second_render(trace)
    if number == signal.SIGINT:
        os.killpg(driver.pid, number)  # a terminal sends Ctrl-C to every process of the group
    else:
        driver.send_signal(number)
    _, stderr = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert stderr.rstrip().endswith("safe to rerun: run the same command to go on from here")
    assert "Traceback" not in stderr
    assert not (out / "LATEST").exists()
    assert not (out / "quarantine").exists()
    assert leftovers(out) == []
    for _, worker, child in traces(trace, "render"):
        # Killed before the driver ended; the kernel may take a moment on a busy machine.
        wait_until(lambda pids=(worker, child): not any(alive(pid) for pid in pids))
    finish(spec, out)
    assert fingerprint(out) == undisturbed


def test_ctrl_c_while_the_workers_start(spec, out, trace):
    driver = start_build(spec, out, trace, "--workers", "2")
    wait_until(lambda: len(children(driver.pid)) >= 2)
    os.killpg(driver.pid, signal.SIGINT)
    _, stderr = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert "Traceback" not in stderr
    assert traces(trace, "render") == []


def test_a_second_ctrl_c_ends_at_once(spec, out, trace):
    driver = start_build(spec, out, trace, "--workers", "1", render_seconds=30)
    wait_until(lambda: traces(trace, "render"))
    driver.send_signal(signal.SIGINT)
    time.sleep(0.05)  # two signals of one kind that wait together are one
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=60)
    assert driver.returncode in {130, -signal.SIGINT}  # the latter when it was about to end by itself
