"""Builds on a scheduler that somebody else started."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
from support.fake_builds import environment, fingerprint, wait_until

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.graph import dask_executor, remote
from pipeline.graph.build import BuildOptions, build_dataset

RESOURCES = ("--resources", "render=1 cpu=1")


def dask(*arguments, **fake):
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        env=environment(**fake),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def scheduler(folder):
    """(address, process) of a scheduler on the loopback interface."""
    file = folder / "scheduler.json"
    process = dask(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file), "--no-show"
    )
    try:
        yield json.loads(wait_until(lambda: file.is_file() and file.read_text()))["address"], process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def worker(address, *options, **fake):
    process = dask("worker", address, "--nthreads", "2", "--no-nanny", "--no-dashboard", *options, **fake)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def build(spec, out, address):
    return build_dataset(spec, out, BuildOptions(scheduler=address, quiet=True))


def test_a_remote_build_has_the_bytes_of_a_local_one(spec, tmp_path):
    with scheduler(tmp_path) as (address, _), worker(address, *RESOURCES), worker(address, *RESOURCES):
        assert build(spec, tmp_path / "remote", address).scenes == 5
    build_dataset(spec, tmp_path / "local", BuildOptions(sync=True, quiet=True))
    assert fingerprint(tmp_path / "remote") == fingerprint(tmp_path / "local")


def test_a_worker_without_memory_makes_the_build_plan_again(spec, tmp_path):
    spec.write_text(spec.read_text() + '\n[transfer]\nuse = "auto"\n')
    options = BuildOptions(quiet=True, batch=8)
    with scheduler(tmp_path) as (address, _), worker(address, *RESOURCES, largest_batch=4):
        result = build_dataset(spec, tmp_path / "remote", replace(options, scheduler=address))
    assert "every call held 4 photos instead of 8" in result.transfer
    build_dataset(spec, tmp_path / "local", replace(options, sync=True, batch=4))
    assert fingerprint(tmp_path / "remote") == fingerprint(tmp_path / "local")


def test_workers_that_declare_no_resources_are_refused_with_the_remedy(spec, tmp_path):
    with scheduler(tmp_path) as (address, _), worker(address):
        with pytest.raises(EnvironmentProblem, match=r'--resources "render=1 cpu=1"') as caught:
            build(spec, tmp_path / "out", address)
        assert f"dask worker {address}" in str(caught.value)


def test_a_scheduler_without_workers_is_refused(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "_WORKERS_S", 0.3)
    with scheduler(tmp_path) as (address, _), pytest.raises(EnvironmentProblem, match="found no worker"):
        build(spec, tmp_path / "out", address)


def test_workers_that_go_and_do_not_come_back_end_the_build(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_executor, "_NO_WORKERS_S", 0.5)
    monkeypatch.setattr(dask_executor, "_CHECK_S", 0.1)
    monkeypatch.setenv("GLINT_FAKE", '{"render_seconds": 30}')
    with scheduler(tmp_path) as (address, _), worker(address, *RESOURCES) as process:
        real = dask_executor.DaskExecutor.wait

        def kill_then_wait(self):
            process.kill()
            return real(self)

        monkeypatch.setattr(dask_executor.DaskExecutor, "wait", kill_then_wait)
        with pytest.raises(EnvironmentProblem, match="expected Dask workers, found none"):
            build(spec, tmp_path / "out", address)


def test_a_scheduler_that_dies_ends_the_build(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("GLINT_FAKE", '{"render_seconds": 30}')
    with scheduler(tmp_path) as (address, process), worker(address, *RESOURCES):
        real = dask_executor.DaskExecutor.wait

        def kill_then_wait(self):
            process.kill()
            return real(self)

        monkeypatch.setattr(dask_executor.DaskExecutor, "wait", kill_then_wait)
        with pytest.raises(EnvironmentProblem, match="run the same command again"):
            build(spec, tmp_path / "out", address)


def test_nobody_at_the_address_is_a_fault_of_the_environment(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "_CONNECT_S", 0.3)
    with pytest.raises(EnvironmentProblem, match=r"expected a Dask scheduler at tcp://127\.0\.0\.1:9"):
        build(spec, tmp_path / "out", "tcp://127.0.0.1:9")


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "tcp://host", "http://host:1", "nonsense", "tcp://:8786"])
def test_an_address_that_is_none_is_an_input_error(spec, tmp_path, address):
    with pytest.raises(InputError, match="expected a scheduler address"):
        build(spec, tmp_path / "out", address)


def test_another_machine_needs_an_encrypted_address(spec, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="tls://"):
        build(spec, tmp_path / "out", "tcp://192.0.2.1:8786")
    monkeypatch.setenv("GLINT_TRUST_NETWORK", "1")
    monkeypatch.setattr(remote, "_CONNECT_S", 0.2)
    with pytest.raises(EnvironmentProblem, match="expected a Dask scheduler"):
        build(spec, tmp_path / "out", "tcp://192.0.2.1:8786")
